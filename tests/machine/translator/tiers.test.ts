import { describe, expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { FlatMachine } from './flat-machine.ts';
import { lockstep } from './lockstep.ts';

const SEED = Number(process.env['SEED'] ?? 1);

describe.each([false, true])('random programs, path recorded: %s', (hasPath) => {
  test('tier 1 does what tier 0 does, however runs are cut', { timeout: 120_000 }, () => {
    const library = new FormLibrary({ hasPath });
    let instructions = 0;
    for (let n = 0; n < 8; n++) {
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
