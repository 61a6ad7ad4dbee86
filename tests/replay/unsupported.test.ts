/**
 * What this PC does not have ends the run by its name, before the instruction that asks for it: in every tier, recorded and replayed, and from a snapshot.
 */
import { describe, expect, test } from 'vitest';
import { assemble } from '../../src/compiler/assembler/index.ts';
import { link } from '../../src/compiler/image/link.ts';
import { Machine, QuietHost, UNSUPPORTED } from '../../src/machine/index.ts';
import { inspectInstructions, instructionText, lockstep, openTrace, record, replay } from '../../src/replay/index.ts';

/** 32-bit code without paging; EBP is 1 where the case begins, 2 behind it. Selectors: 0x08 code, 0x10 data, 0x1b and 0x23 those of CPL 3, 0x28 a TSS, 0x30 a call gate. */
const image = (test: string): Uint8Array => {
  const text = `
.section .boot.text, "ax"
.code32
.global pvh_start
pvh_start:
  mov esp, offset stack_top
  lgdt [gdt_pointer]
  jmp 0x08:start
start:
  mov eax, 0x10
  mov ds, eax
  mov es, eax
  mov ss, eax
  # every vector goes through a task gate
  mov ecx, 64
1:
  mov dword ptr [idt + ecx * 8 - 8], 0x280000
  mov dword ptr [idt + ecx * 8 - 4], 0xE500
  dec ecx
  jnz 1b
  lidt [idt_pointer]
  mov eax, offset inner
  mov word ptr [gdt_gate], ax
  shr eax, 16
  mov word ptr [gdt_gate + 6], ax
  mov ebp, 1
${test}
inner:
  mov ebp, 2
  mov dx, 0xf4
  out dx, al
2:
  hlt
  jmp 2b

.section .boot.data, "aw"
.balign 8
gdt: .quad 0, 0x00CF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFFB000000FFFF, 0x00CFF3000000FFFF, 0x0000890000000067
gdt_gate: .quad 0x0000EC0000080000
gdt_pointer: .short 55
  .long gdt
idt_pointer: .short 511
  .long idt
.balign 8
idt: .zero 512
  .zero 1024
stack_top:
`;
  return link([assemble(text, { name: 'unsupported.s' })], { target: 'keel-kernel' }).bytes;
};

const withFlags = (bits: string) => `  pushfd\n  or dword ptr [esp], ${bits}\n`;
const CASES = [
  ['task-switch', 'IRET with NT set', `${withFlags('0x4000')}  popfd\n  iretd\n`],
  ['task-switch', 'an exception through a task gate', '  ud2\n'],
  ['task-switch', 'a software interrupt through a task gate', '  int 0x20\n'],
  ['task-switch', 'a single step whose trap goes through a task gate', `${withFlags('0x100')}  popfd\n  nop\n`],
  [
    'task-switch',
    'a timer interrupt through a task gate',
    `
  mov ebx, 0xFEE00000
  mov dword ptr [ebx + 0xF0], 0x1FF
  mov dword ptr [ebx + 0x320], 0x20
  mov dword ptr [ebx + 0x380], 500
  sti
3:
  jmp 3b
`,
  ],
  ['task-switch', 'a far jump to a TSS', '  jmp 0x28:0\n'],
  ['task-switch', 'a far call to a TSS', '  call 0x28:0\n'],
  ['virtual-8086', 'IRET to it', `${withFlags('0x20000')}  push 8\n  push offset inner\n  iretd\n`],
  ['paging-32', 'CR0.PG', '  mov eax, cr0\n  or eax, 0x80000000\n  mov cr0, eax\n'],
  ['paging-pae', 'CR0.PG with CR4.PAE', '  mov eax, 0x20\n  mov cr4, eax\n  mov eax, cr0\n  or eax, 0x80000000\n  mov cr0, eax\n'],
  ['inner-call-gate', 'a call from CPL 3', '  push 0x23\n  push esp\n  push 0x1b\n  push offset 4f\n  retf\n4:\n  call 0x30:0\n'],
  ['debug-breakpoint', 'DR7', '  mov eax, 1\n  mov dr7, eax\n'],
  ['apic-over-ram', 'IA32_APIC_BASE', '  mov ecx, 0x1B\n  rdmsr\n  mov eax, 0x3ff800\n  wrmsr\n'],
] as const;
const CONFIG = { memoryBytes: 4 << 20, seed: 'unsupported', harness: false } as const;
const LIMIT = 100_000n;

describe('what this PC does not have', () => {
  test('has a case for each', () => {
    expect([...new Set(CASES.map(([what]) => what))]).toEqual(UNSUPPORTED);
  });

  test.each(CASES)('%s: %s', async (what, _how, code) => {
    const bytes = image(code);
    const stop = { reason: 'unsupported', what };
    const machine = await Machine.create(CONFIG, new QuietHost());
    machine.load({ image: bytes });
    expect(machine.run(LIMIT)).toEqual(stop);
    const [count, hash, snapshot] = [machine.count, machine.hash(), machine.snapshot()];
    expect(machine.register(5)).toBe(1n);
    for (let i = 0; i < 2; i++) {
      expect([machine.run(LIMIT), machine.count, machine.hash()]).toEqual([stop, count, hash]);
      machine.restore(snapshot);
    }

    for (const tier of [0, 1] as const) {
      const recorded = await record({ machine: { ...CONFIG, tier }, image: { name: 'guest', bytes }, limit: LIMIT });
      expect(recorded).toMatchObject({ stop, instructions: count, hash });
      const trace = await openTrace(recorded.trace ?? new Uint8Array(0));
      expect(trace.end?.stop).toEqual(stop);
      expect(await replay(recorded.trace ?? new Uint8Array(0), { tier })).toMatchObject({ identical: true, complete: true });
      const [last, ...none] = await inspectInstructions(trace, count - 1n, 5);
      expect([last && instructionText(last).length > 0, none]).toEqual([true, []]);
    }
    const both = await lockstep({
      machine: CONFIG,
      boot: { image: bytes },
      tiers: [0, 1],
      host: new QuietHost(),
      limit: LIMIT,
      stride: () => 7,
    });
    expect(both).toMatchObject({ difference: null, end: stop });
  });
});
