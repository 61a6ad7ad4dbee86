/** Which accesses of an instruction are recorded: each that is made for its operands, where the instruction retires. */
import { describe, expect, test } from 'vitest';
import { readElf } from '../../../src/compiler/index.ts';
import { Machine, QuietHost } from '../../../src/machine/index.ts';
import { effectOf } from '../../../src/machine/isa/effect.ts';
import type { HelperName } from '../../../src/machine/isa/helpers.ts';
import { shapesOf } from '../../../src/machine/isa/shapes.ts';
import { encodings } from '../../../src/machine/isa/table.ts';
import { expectFault, guestImage } from './guest.ts';

/** Instructions, and what they access, in order. RSI is `place`, RDI `image`, RSP `stack_top`, and RBX `place`. */
const INSTRUCTIONS: readonly (readonly [text: string, accesses: readonly string[]])[] = [
  // helpers with a memory operand
  ['lgdt [gdt_pointer]', ['gdt_pointer']],
  ['sgdt [place]', ['place']],
  ['sidt [place]', ['place']],
  ['lidt [place]', ['place']],
  ['lldt word ptr [zero]', ['zero']],
  ['ltr word ptr [task]', ['task']],
  ['lmsw word ptr [machine_status]', ['machine_status']],
  ['lar eax, word ptr [data]', ['data']],
  ['lsl eax, word ptr [data]', ['data']],
  ['verr word ptr [data]', ['data']],
  ['verw word ptr [data]', ['data']],
  ['mov ds, word ptr [data]', ['data']],
  ['lfs eax, [far_data]', ['far_data']],
  ['invpcid rax, [image]', ['image']],
  ['fxsave [image]', ['image']],
  ['fxrstor [image]', ['image']],
  ['outsb', ['place']],
  ['insb', ['image']],
  ['rep outsb', ['place']],
  ['jmp fword ptr [far_code]', ['far_code']],
  // and none that is accessed
  ['invlpg [place]', []],
  ['lea rax, [place]', []],
  ['nop dword ptr [place]', []],
  // stack
  ['push rax', ['stack_top - 8']],
  ['push fs', ['stack_top - 8']],
  ['pop fs', ['stack_top']],
  ['push qword ptr [place]', ['place', 'stack_top - 8']],
  ['pop qword ptr [place]', ['stack_top', 'place']],
  ['pushfq', ['stack_top - 8']],
  ['call behind', ['stack_top - 8']],
  ['call qword ptr [behind_pointer]', ['behind_pointer', 'stack_top - 8']],
  // It asks at last whether the new top of the stack may be written.
  ['enter 0, 2', ['stack_top - 8', 'place - 8', 'stack_top - 16', 'stack_top - 24', 'stack_top - 24']],
  ['leave', ['place']],
  // read and written: once
  ['add qword ptr [rbx + 8], 1', ['place + 8']],
  ['lock xadd qword ptr [place], rax', ['place']],
  ['xchg rax, [rbx]', ['place']],
  ['lock cmpxchg16b [image]', ['image']],
  ['bts qword ptr [place], rcx', ['place + 8']],
  // strings
  ['movsq', ['place', 'image']],
  ['cmpsb', ['place', 'image']],
  ['rep stosb', ['image']],
  ['repne scasb', ['image']],
  ['xlatb', ['place']],
  ['movaps xmm0, [image]', ['image']],
];

/** The instructions of the table that are helpers with a memory operand, in any mode. */
function helpersWithMemory(): Set<HelperName> {
  const found = new Set<HelperName>();
  for (const mode of [16, 32, 64] as const)
    for (const encoding of encodings)
      for (const shape of shapesOf(encoding, mode)) {
        if (!shape.operands.some(({ kind }) => kind === 'mem')) continue;
        const { helper } = effectOf(shape);
        if (helper !== null) found.add(helper);
      }
  return found;
}

const text = INSTRUCTIONS.map(
  ([instruction], i) => `
  mov rsp, offset stack_top
  mov rbp, offset place
  mov rbx, offset place
  mov rsi, offset place
  mov rdi, offset image
  mov rcx, 64 + ${i % 3}
  mov byte ptr [gdt_tss + 5], 0x89
  mov edx, 0x81
  mov eax, 0
  out 0x80, al
  ${instruction}
behind_${i}:
`,
).join('');

const DATA = `
.section .boot.data, "aw"
.balign 64
image: .zero 512
place: .zero 128
zero: .quad 0
data: .quad 0x10
task: .quad 0x28
machine_status: .quad 0x33
far_data: .long 0
  .short 0x10
far_code: .long behind_19
  .short 8
behind_pointer: .quad behind
.section .boot.text, "ax"
`;

describe('the accesses of an instruction', () => {
  test('are those of its operands', async () => {
    const image = guestImage(`${text}\n  jmp finish\nbehind: ret\n${DATA}`);
    const symbols = new Map(readElf(image, 'guest').symbols.map(({ name, address }) => [name, address]));
    const machine = await Machine.create(
      { memoryBytes: 4 << 20, seed: 'test', harness: false, record: { path: false, addresses: true } },
      new QuietHost(),
    );
    machine.load({ image });
    const stops = { portOut: (_at: bigint, port: number) => port === 0x80 && machine.requestStop() };
    for (const [instruction, accesses] of INSTRUCTIONS) {
      machine.observer = stops;
      expect(machine.run(1_000_000n), instruction).toEqual({ reason: 'observer' });
      machine.observer = null;
      expect(machine.run(machine.count + 1n)).toEqual({ reason: 'limit' });
      const expected = accesses.map((place) => {
        const [, name = '', sign, n] = /^(\w+)(?: ([+-]) (\d+))?$/.exec(place) ?? [];
        return (symbols.get(name) ?? -1n) + BigInt(n ?? 0) * (sign === '-' ? -1n : 1n);
      });
      expect({ instruction, accesses: machine.lastAddresses }).toEqual({ instruction, accesses: expected });
    }
  });

  test('are none where it faults, also at its second access', async () => {
    for (const faulting of [
      'movsq',
      'push qword ptr [rsi]',
      'pop qword ptr [rdi]',
      'fxsave [rdi + 8]',
      'mov ds, word ptr [rsi]',
      'lgdt [rdi]',
    ]) {
      const image = guestImage(
        expectFault(
          'x',
          `mov rsi, offset page_a\nmov qword ptr [page_a], 0x7777\nmov rdi, 0x50000000\nmov rdx, rsp\n${faulting.startsWith('push') ? 'mov rsp, 0x50000000\n' : ''}out 0x80, al\n${faulting}`,
        ),
      );
      const machine = await Machine.create(
        { memoryBytes: 4 << 20, seed: 'test', harness: false, record: { path: false, addresses: true } },
        new QuietHost(),
      );
      machine.load({ image });
      let before = 0;
      let faults = 0;
      machine.observer = {
        portOut: (_at, port) => port === 0x80 && machine.requestStop(),
        exception: () => void (before += faults++ === 0 ? machine.lastAddresses.length : 0),
      };
      expect(machine.run(1_000_000n)).toEqual({ reason: 'observer' });
      machine.run(machine.count + 1n);
      expect({ faulting, faults, before }).toMatchObject({ faulting, before: 0 });
      expect(faults).toBeGreaterThan(0);
    }
  });

  test('of helpers with a memory operand are told apart', () => {
    const known = [
      'CALLF',
      'FXRSTOR',
      'FXSAVE',
      'INS',
      'INVLPG',
      'INVPCID',
      'JMPF',
      'LAR',
      'LGDT',
      'LIDT',
      'LLDT',
      'LMSW',
      'LOAD_FAR',
      'LSL',
      'LTR',
      'MOV_SEG',
      'OUTS',
      'SGDT',
      'SIDT',
      'VERR',
      'VERW',
    ];
    expect([...helpersWithMemory()].toSorted()).toEqual(known);
  });
});
