/**
 * Random kernels with random programs: system calls, exceptions, single steps, timer interrupts, address-space switches, page faults that are
 * repaired, in loops that become hot. Machines in different tiers run the same one, cut at the same random points, and are compared there: state hash,
 * path, and what an observer was told.
 */
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import type { Machine } from '../../../src/machine/index.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { boot, WINDOW } from './guest.ts';

const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
/** Of programs; RSP is kept, R15 counts rounds, SYSCALL takes RCX and R11. */
const REGISTERS = ['rax', 'rdx', 'rbx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r12', 'r13'];
/** Pages of the window: the program, its stack, and those that come and go. */
const LOOSE_PAGES = [3, 4, 5];
/** Where the kernel has a function in the window. */
const KERNEL_PAGE = WINDOW + 2 * 4096;
const ROUNDS = 400;
/** Far more than a program needs. */
const MOST_INSTRUCTIONS = 3_000_000;

class SystemProgram {
  readonly #r: Random;
  #labels = 0;

  constructor(r: Random) {
    this.#r = r;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#r.below(from.length)] as T;
  }

  #label(): string {
    return `.Lr${this.#labels++}`;
  }

  #arithmetic(): string {
    const [a, b] = [this.#pick(REGISTERS), this.#pick(REGISTERS)];
    switch (this.#r.below(7)) {
      case 0:
        return `${this.#pick(['add', 'sub', 'xor', 'adc', 'sbb', 'cmp', 'test', 'mov'])} ${a}, ${b}`;
      case 1:
        return `${this.#pick(['add', 'sub', 'cmp', 'and', 'or'])} ${a}, ${this.#r.below(128)}`;
      case 2:
        return `${this.#pick(['inc', 'dec', 'neg'])} ${a}`;
      case 3:
        return `${this.#pick(['shl', 'shr', 'sar', 'rol'])} ${a}, ${this.#r.below(20)}`;
      case 4:
        return `push ${a}\n pop ${b}`;
      case 5: {
        const over = this.#label();
        return `j${this.#pick(CONDITIONS)} ${over}\n add ${a}, ${b}\n${over}:`;
      }
      default:
        return `imul ${a}, ${b}`;
    }
  }

  /** An access to a page that may have to be mapped first. */
  #access(): string {
    const last = this.#r.below(8) === 0 ? 4092 : 8 * this.#r.below(500);
    const at = WINDOW + this.#pick(LOOSE_PAGES) * 4096 + last;
    const register = this.#pick(REGISTERS);
    return this.#pick([`mov ${register}, [${at}]`, `mov [${at}], ${register}`, `add qword ptr [${at}], ${register}`]);
  }

  /** Of a program at CPL 3. `outer`: not in the function that it calls. */
  #user(outer: boolean): string {
    switch (this.#r.below(outer ? 12 : 7)) {
      case 0:
      case 1:
      case 2:
        return `mov eax, ${this.#r.below(4)}\n syscall`;
      case 3:
        return this.#access();
      case 4:
        return 'pushfq\n pop rax\n and eax, 0xcd5\n push rax\n popfq';
      // A few single steps: the handler clears TF after some.
      case 5:
        return this.#r.below(4) === 0 ? 'pushfq\n or dword ptr [rsp], 0x100\n popfq\n nop\n nop' : 'rdtsc\n add rbx, rax';
      case 6:
        return this.#r.below(4) === 0 ? this.#pick(['int3', 'cli', 'ud2\n nop', 'swapgs\n nop', 'rdmsr']) : this.#pick(['cld', 'std']);
      case 7:
        return 'call function';
      default:
        return this.#arithmetic();
    }
  }

  /** Of the kernel, within a system call: RCX, R11 and RSP are on its stack. */
  #kernel(): string {
    const page = this.#pick(LOOSE_PAGES);
    switch (this.#r.below(18)) {
      case 14:
      case 15:
        return this.#tableStore();
      case 16:
      case 17:
        return `mov rax, ${KERNEL_PAGE}\n call rax`;
      case 0:
        return `mov qword ptr [window_pt + ${8 * page}], 0\n invlpg [${WINDOW + page * 4096}]`;
      case 1:
        return 'sti\n nop\n cli';
      case 2:
        return 'mov rax, cr3\n mov cr3, rax';
      case 3:
        return 'mov ecx, 0xC0000101\n rdmsr\n add eax, 8\n wrmsr';
      case 4:
        return 'pushfq\n popfq';
      case 5:
        return 'mov rax, cr2\n add rbx, rax';
      case 6:
        return 'mov rax, cr3\n xor rax, r14\n mov cr3, rax';
      case 7:
        return 'rdtscp\n xor rbx, rax';
      case 8:
        return this.#pick(['stac\n clac', 'std', 'cld']);
      case 9:
        return 'lea rdi, [scratch]\n mov ecx, 9\n rep stosb';
      case 10:
        return 'sti';
      default:
        return this.#arithmetic();
    }
  }

  /** A store to a page table, most without an invalidation: of loose pages, of the program's own (its code and stack stay), of higher tables. */
  #tableStore(): string {
    const loose = `window_pt + ${8 * this.#pick(LOOSE_PAGES)}`;
    const any = this.#pick([loose, 'window_pt', 'window_pt + 8', 'window_pd', 'pdpt + 8', 'pml4', 'pml4b']);
    return this.#pick([
      `mov qword ptr [${loose}], offset page_c + ${this.#pick(['5', '7', '0x27', '0x67', '6'])}`,
      `mov rax, offset page_c + 7\n xchg [${loose}], rax`,
      `and qword ptr [${any}], ${this.#pick(['-0x21', '-0x41', '-0x61', '-1'])}`,
      `or qword ptr [${any}], ${this.#pick(['0x200', '0x20'])}`,
      `mov rax, [${any}]\n mov qword ptr [${any}], 0\n mov [${any}], rax`,
      `mov rax, [window_pt]\n mov qword ptr [window_pt], 0\n invlpg [${WINDOW}]\n mov [window_pt], rax`,
      `mov dword ptr [${loose} + 4], 0`,
    ]);
  }

  /** Of the kernel's function in the window: stores to its own page's entry, and to those of pages that it accesses before and after by one register. */
  #inWindow(): string {
    const page = this.#pick(LOOSE_PAGES);
    const register = this.#pick(['rbx', 'r8', 'r9']);
    switch (this.#r.below(6)) {
      case 0:
        return `mov qword ptr [window_pt + 16], offset ${this.#pick(['page_d + 7', 'page_d + 3', 'page_d + 1', 'page_d + 0x21'])}`;
      case 1:
        return `mov rax, [window_pt + 16]\n mov qword ptr [window_pt + 16], 0\n mov [window_pt + 16], rax`;
      case 2:
      case 3: {
        const access = (at: number) => this.#pick([`mov ${register}, [rdi + ${at}]`, `mov [rdi + ${at}], ${register}`]);
        const entry = `window_pt + ${8 * page}`;
        const store = this.#pick([
          `mov qword ptr [${entry}], offset page_b + 7`,
          `and qword ptr [${entry}], -3`,
          `xor qword ptr [${entry}], 1`,
        ]);
        return `mov edi, ${WINDOW + page * 4096}\n ${access(8)}\n ${store}\n ${access(16)}`;
      }
      case 4:
        return this.#tableStore();
      default:
        return this.#arithmetic();
    }
  }

  #lines(count: number, make: () => string): string {
    return Array.from({ length: count }, () => ` ${make()}\n`).join('');
  }

  text(): string {
    const calls = [0, 1, 2, 3];
    const gate = (vector: number, handler: string, type: number) =>
      ` mov rax, offset ${handler}\n mov word ptr [idt + ${vector * 16}], ax\n mov word ptr [idt + ${vector * 16 + 4}], ${type}\n`;
    return `
 mov qword ptr [pml4b], offset pdpt + 7
 mov rax, offset pml4
 mov r14, offset pml4b
 xor r14, rax
 mov rax, cr4
 or rax, 0x20080
 mov cr4, rax
${gate(1, 'on_step', 0xee00)}${gate(3, 'on_break', 0xee00)}${gate(6, 'on_two', 0x8e00)}${gate(13, 'on_protection', 0x8e00)}${gate(14, 'on_page', 0x8e00)}
 mov ecx, 0xC0000082
 mov rax, offset on_call
 xor edx, edx
 wrmsr
 mov ecx, 0xC0000084
 mov eax, ${this.#pick(['0x47700', '0x200', '0x700'])}
 wrmsr
 mov rsi, offset program
 mov rdi, offset page_a
 mov rcx, offset program_end
 sub rcx, rsi
 rep movsb
 mov qword ptr [window_pt], offset page_a + 0x7
 mov qword ptr [window_pt + 8], offset page_b + 0x7
 mov rsi, offset in_window
 mov rdi, offset page_d
 mov ecx, offset in_window_end - in_window
 rep movsb
 mov qword ptr [window_pt + 16], offset page_d + 0x3
 mov eax, 0xFEE00000
 mov dword ptr [rax + 0xF0], 0x1FF
 mov dword ptr [rax + 0x3E0], 0xB
 mov dword ptr [rax + 0x320], 0x20020
 mov dword ptr [rax + 0x380], ${200 + this.#r.below(3000)}
 mov ecx, ${WINDOW}
 mov r11d, 0x202
 mov esp, ${WINDOW + 0x1ff0}
 sysretq

program:
 mov r15d, ${ROUNDS}
again:
${this.#lines(14 + this.#r.below(20), () => this.#user(true))}
 dec r15d
 jnz again
 mov eax, 4
 syscall
function:
${this.#lines(3, () => this.#user(false))}
 ret
program_end:

on_call:
 mov [user_stack], rsp
 mov rsp, offset stack_top
 push rcx
 push r11
 cmp eax, 4
 je finish
 and eax, 3
 call [calls + rax * 8]
 pop r11
 pop rcx
 mov rsp, [user_stack]
 sysretq
${calls.map((n) => `call${n}:\n${this.#lines(1 + this.#r.below(6), () => this.#kernel())}\n cli\n cld\n ret`).join('\n')}

in_window:
${this.#lines(3 + this.#r.below(8), () => this.#inWindow())}
 ret
in_window_end:

on_step:
 inc dword ptr [steps]
 test dword ptr [steps], 7
 jnz 1f
 and dword ptr [rsp + 16], 0xfffffeff
1:
 iretq
on_break:
 add rbx, 3
 iretq
# A privileged instruction of the program is passed over; what is two bytes long and not for CPL 3 alone ends in #UD
on_protection:
 add rsp, 8
 push rax
 mov rax, [rsp + 8]
 cmp byte ptr [rax], 0x0f
 jne 1f
 inc qword ptr [rsp + 8]
1:
 inc qword ptr [rsp + 8]
 pop rax
 iretq
on_two:
 add qword ptr [rsp], 2
 iretq
on_page:
 push rax
 push rcx
 mov rax, cr2
 sub rax, ${WINDOW}
 shr rax, 12
 mov ecx, offset page_c + 7
 mov [window_pt + rax * 8], rcx
 pop rcx
 pop rax
 add rsp, 8
 iretq

.section .boot.data, "aw"
.balign 4096
pml4b: .zero 4096
page_d: .zero 4096
user_stack: .quad 0
steps: .quad 0
scratch: .zero 16
calls: ${calls.map((n) => `.quad call${n}`).join('\n')}
.section .boot.text, "ax"
`;
  }
}

/** Who observes: nobody, TypeScript, the log that generated code writes. */
export type Observed = 'not' | 'told' | 'logged';

interface Run {
  readonly machine: Machine;
  seen: string;
}

/** The text of the kernel with this seed, for other judges. */
export const systemText = (seed: number): string => new SystemProgram(new Random(seed)).text();

async function start(text: string, tier: Tier, path: boolean, observed: Observed): Promise<Run> {
  const { machine } = await boot(text, { tier, record: { path, addresses: false } });
  const run: Run = { machine, seen: '' };
  const note = (line: string) => {
    run.seen += `${line}\n`;
  };
  if (observed === 'logged') machine.observer = { isLogging: true };
  if (observed === 'told')
    machine.observer = {
      path: ({ from, to, bits, bitCount, guesses, targetCount, targets }) =>
        note(`path ${from} ${to} ${bitCount} ${bits.join()} ${targetCount} ${guesses.join()} ${targets.join()}`),
      syscall: (at, number) => note(`${at} syscall ${number}`),
      sysret: (at, result, how) => note(`${at} sysret ${result} ${how}`),
      enterUser: (at, how) => note(`${at} user ${how}`),
      enterKernel: (at, cause) => note(`${at} kernel ${cause}`),
      exception: (at, vector, code, cr2, rip) => note(`${at} #${vector} ${code} ${cr2} ${rip}`),
      irq: (at, vector) => note(`${at} irq ${vector}`),
      controlRegister: (at, n, _before, after) => note(`${at} cr${n} ${after}`),
      contextSwitch: (at, _from, to) => note(`${at} switch ${to.root} ${to.pcid}`),
      tlbFlush: (at, kind, pcid) => note(`${at} flush ${kind} ${pcid}`),
    };
  return run;
}

export interface SystemVerdict {
  readonly difference: string | null;
  readonly instructions: number;
  readonly text: string;
}

/** One kernel in tier 0 and another tier; the first difference. */
export async function judgeSystem(seed: number, tier: Tier, path: boolean, observed: Observed): Promise<SystemVerdict> {
  const r = new Random(seed);
  const text = new SystemProgram(r).text();
  const runs = [await start(text, 0, path, observed), await start(text, tier, path, observed)] as const;
  for (;;) {
    const from = runs[0].machine.count;
    const until = from + BigInt(1 + r.below(r.below(4) === 0 ? 40 : 20_000));
    const [a, b] = runs.map(({ machine, seen }, i) => {
      const stop = machine.run(until);
      if (path) machine.drainPath();
      const told = `${runs[i as 0 | 1].seen.slice(seen.length)} ${machine.log.stream().join()}`;
      machine.beginBlock();
      return { stop: stop.reason, told, state: `${machine.count} ${machine.rip.toString(16)} ${machine.hash()}` };
    }) as [Outcome, Outcome];
    const instructions = Number(runs[0].machine.count);
    for (const key of ['stop', 'told', 'state'] as const) {
      if (a[key] !== b[key]) return { difference: `after ${from}: ${key} ${b[key]} instead of ${a[key]}`, instructions, text };
    }
    if (a.stop !== 'limit') return { difference: a.stop === 'debug-exit' ? null : `ended with ${a.stop}`, instructions, text };
    if (instructions > MOST_INSTRUCTIONS) return { difference: 'does not end', instructions, text };
    for (const run of runs) run.seen = '';
  }
}

interface Outcome {
  readonly stop: string;
  readonly told: string;
  readonly state: string;
}
