/**
 * Random programs for the whole PC: those of random-program.ts among timer interrupts, single steps, breakpoints, faults with handlers, code that is
 * written just before it runs, instructions across pages, and what empties the TLB.
 */
import type { Random } from '../cpu/interpreter-judge.ts';
import { fresh } from '../system/guest.ts';
import { RandomProgram, type Surroundings } from './random-program.ts';

export interface PcOptions {
  readonly rounds: number;
  /** Each round sets the APIC's timer to one more tick than the round before: so an interrupt comes behind each instruction in turn. */
  readonly sweepsTimer: boolean;
}

const APIC = 0xfee0_0000;
const DATA = 'random_data';

/** Handlers that go back at once, instead of the guest's, which prints. */
const SETUP = `
  mov r11, offset go_back
  mov rax, r11
  mov word ptr [idt + 16], ax
  mov word ptr [idt + 48], ax
  shr rax, 16
  mov word ptr [idt + 16 + 6], ax
  mov word ptr [idt + 48 + 6], ax
  mov byte ptr [page_a], 0xB8
  mov byte ptr [page_a + 5], 0xC3
  mov eax, ${APIC}
  mov dword ptr [rax + 0xF0], 0x1FF
  mov dword ptr [rax + 0x3E0], 0xB
  mov dword ptr [rax + 0x320], 0x20
  mov rbp, offset ${DATA}
  sti
  jmp begin
go_back:
  inc qword ptr [ticks]
  iretq
begin:
`;

/** What may happen between two instructions. R11 and R15 apart, registers are kept; the stack is. */
const EVENTS: readonly ((r: Random) => readonly string[])[] = [
  () => ['int3'],
  () => ['int 48'],
  () => ['sti'],
  () => ['cli'],
  // single steps from here to where they are switched off, or to a fault
  () => ['pushfq', 'or dword ptr [rsp], 0x100', 'popfq'],
  () => ['pushfq', 'and dword ptr [rsp], -257', 'popfq'],
  () => ['mov r11, cr3', 'mov cr3, r11'],
  (r) => [`lea r11, [rbp + ${r.below(8000)}]`, 'invlpg [r11]'],
  // a function that is written and called: MOV EAX, imm32; RET
  () => ['mov dword ptr [page_a + 1], ecx', 'mov r11, offset page_a', 'call r11'],
  // an instruction over the border of two pages
  (r) => {
    const label = fresh();
    return [`jmp ${label}`, '.balign 4096', `.zero ${4096 - 1 - r.below(9)}`, `${label}:`, 'mov r11, 0x1122334455667788', 'add rdx, r11'];
  },
  (r) => ['mov r11d, 0xFEE00380', `mov dword ptr [r11], ${1 + r.below(300)}`],
  () => ['sti', 'nop', 'mov r11d, 0xFEE00380', 'mov dword ptr [r11], 40', 'hlt'],
];

/** A test for `guest.ts`. */
export function pcProgram(r: Random, { rounds, sweepsTimer }: PcOptions): string {
  const around: Surroundings = {
    round: sweepsTimer
      ? [`mov r11d, ${rounds + 1}`, 'sub r11d, r15d', `mov esi, ${APIC + 0x380}`, 'mov dword ptr [rsi], r11d', 'sti']
      : ['sti'],
    end: ['mov rax, [ticks]', 'call puthex', 'mov rax, rbx', 'call puthex', 'jmp finish'],
    patch: 2,
    risky: (instruction: string) => {
      const after = fresh();
      return [`lea r11, [rip + ${after}]`, 'mov [resume], r11', 'mov [resume_rsp], rsp', instruction, `${after}:`];
    },
    event: (random: Random) => (random.below(4) === 0 ? (EVENTS[random.below(EVENTS.length)]?.(random) ?? []) : []),
  };
  const text = new RandomProgram(r, around).text();
  return `${SETUP}  mov r15d, ${rounds}\n  mov r14d, 1\n${text}\n.section .boot.data, "aw"\n.balign 4096\n${DATA}: .zero 12288\n.section .boot.text, "ax"\n`;
}
