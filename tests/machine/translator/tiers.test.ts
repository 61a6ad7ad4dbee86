import { describe, expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import { MXCSR } from '../../../src/machine/cpu/state.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { FlatMachine } from './flat-machine.ts';
import { lockstep } from './lockstep.ts';

const SEED = Number(process.env['SEED'] ?? 1);

describe.each([false, true])('random programs, path recorded: %s', (hasPath) => {
  test('tier 1 does what tier 0 does, however runs are cut', { timeout: 120_000 }, () => {
    const library = new FormLibrary({ hasPath });
    let instructions = 0;
    for (let n = 0; n < 12; n++) {
      const verdict = lockstep(new Random(SEED * 1000 + n), { tiers: [0, 1], library });
      expect(verdict.difference, `seed ${SEED}, program ${n}:\n${verdict.text}`).toBeNull();
      instructions += verdict.instructions;
    }
    // Programs that end at once would find nothing.
    expect(instructions).toBeGreaterThan(20_000);
  });
});

/** A program that calls into the next page, over and over, for a machine whose fetches go where `mapped` says. */
function twoPages(tier: Tier): FlatMachine {
  const text =
    'again: call there\nadd rbx, rax\nlea rdx, [rip + 0]\nadd rcx, rdx\ndec r15\njnz again\nhlt\n.balign 4096\nthere: mov eax, 1\nret';
  const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier });
  const { bytes } = assembleInline(text);
  m.ram.set(bytes, 0x4000);
  // The same code with another callee.
  m.ram.set(bytes.subarray(4096), 0x8000);
  m.ram[0x8001] = 7;
  m.state.gpr[4] = 0x20000n;
  return m;
}

function run(m: FlatMachine, rip: bigint): readonly bigint[] {
  m.state.rip = rip;
  m.state.gpr[1] = 0n;
  m.state.gpr[3] = 0n;
  m.state.gpr[15] = 100n;
  expect(m.interpreter.run(100_000)).toBe('stop');
  return [m.state.gpr[3] ?? 0n, m.state.gpr[1] ?? 0n, m.state.rip];
}

test('a region serves every address at which its frames lie, and no other frames', () => {
  const [a, b] = [twoPages(0), twoPages(1)];
  for (const m of [a, b]) m.mapped.set(10, 4).set(11, 5);
  for (const rip of [0x4000n, 0xa000n, 0x4000n, 0xa000n]) expect(run(b, rip)).toEqual(run(a, rip));
  // Another frame behind the second page: the region may not go on into the old one.
  for (const m of [a, b]) {
    m.mapped.set(11, 8);
    m.state.flushExecuteTlb();
  }
  expect(run(b, 0xa000n)).toEqual(run(a, 0xa000n));
  expect(run(a, 0xa000n)[0]).toBe(700n);
  expect(run(b, 0x4000n)).toEqual(run(a, 0x4000n));
});

/** Denormals are taken for zeros (DAZ); xmm2 is 2^1000, r12 and xmm4 a denormal: xmm0 · xmm2 is 0 for it, and ordinary where the region believes that xmm0 is. */
test.each([
  ['it is written as an integer', 'cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\nmovq xmm0, r12'],
  ['a part of it is written', 'cvtsi2sd xmm0, r11d\naddsd xmm0, xmm0\nmovss xmm0, xmm4'],
  ['another is copied to it', 'cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\nmovapd xmm0, xmm4'],
  ['a load fills it', 'mov [rbp], r12\ncvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\nmovsd xmm0, [rbp]'],
  ['ways join', 'cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\ntest r15, 1\njz odd\nnop\njmp join\nodd: movapd xmm0, xmm4\njoin: nop'],
  [
    'a way forks',
    'movapd xmm0, xmm4\ntest r15, 1\njz even\nmulsd xmm0, xmm2\nmovq rax, xmm0\nadd rcx, rax\njmp join\neven: cvtsi2sd xmm0, r15d\naddsd xmm0, xmm3\njoin: nop',
  ],
  [
    'a loop goes round',
    'cvtsi2sd xmm0, r15d\nmov r14d, 3\nloop: mulsd xmm0, xmm2\nmovq rax, xmm0\nadd rcx, rax\nmovapd xmm0, xmm4\ndec r14\njnz loop',
  ],
])('what is known of a floating-point register is forgotten where %s', (_, body) => {
  const results = ([0, 1] as const).map((tier) => {
    const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier });
    const text = `again:\n${body}\nmulsd xmm0, xmm2\nmovq rax, xmm0\nadd rcx, rax\ndec r15\njnz again\nhlt`;
    m.ram.set(assembleInline(text).bytes, 0x4000);
    m.state.gpr[12] = 0x000f_ffff_ffff_ffffn;
    m.state.gpr[5] = 0x20000n;
    m.state.setXmm(2, 0x7e70n << 48n);
    m.state.setXmm(3, 0x3ff8n << 48n);
    m.state.setXmm(4, 0x000f_ffff_ffff_ffffn);
    m.state.set32(MXCSR, 0x1fe0);
    run(m, 0x4000n);
    return [m.state.gpr[1], m.state.xmm(0), m.state.get32(MXCSR)];
  });
  expect(results[1]).toEqual(results[0]);
});

test('a floating-point instruction of which nothing is needed still raises its exceptions', () => {
  for (const instruction of ['comisd xmm0, xmm1', 'addsd xmm2, xmm0', 'ucomisd xmm1, xmm0']) {
    const controls = ([0, 1] as const).map((tier) => {
      const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier });
      m.ram.set(
        assembleInline(`again: ${instruction}\nmov eax, 1\nmovapd xmm2, xmm1\nxor edx, edx\ndec r15\njnz again\nhlt`).bytes,
        0x4000,
      );
      run(m, 0x4000n);
      m.state.setXmm(0, 1n);
      m.state.setXmm(1, 0x3ff0n << 48n);
      m.state.set32(MXCSR, 0x1fa0);
      run(m, 0x4000n);
      return m.state.get32(MXCSR);
    });
    expect(controls[0], instruction).toBe(0x1fa2);
    expect(controls[1], instruction).toBe(0x1fa2);
  }
});
