/**
 * Two machines that run one program in different tiers, cut at the same random points, and are compared there: registers, flags, memory,
 * counts, faults, and path and addresses where they are recorded.
 */
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import { FAULT_CODE, FAULT_CR2, FAULT_VECTOR, MXCSR } from '../../../src/machine/cpu/state.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import type { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import type { Random } from '../cpu/interpreter-judge.ts';
import { RandomProgram, type Surroundings } from '../lockstep/random-program.ts';
import { FlatMachine } from './flat-machine.ts';

const CODE = 0x3000;
const DATA = 0x20000;
const STACK = 0x30000;
const RAM = 1 << 18;
const HLT = 0xf4;

/** Faults come back to the caller of `run`, which goes on behind the instruction. */
const FLAT: Surroundings = { round: [], end: ['hlt'], patch: 1, risky: (instruction) => [instruction], event: () => [] };

export interface LockstepOptions {
  readonly tiers: readonly [Tier, Tier];
  readonly library: FormLibrary;
}

/** Runs one program; the first difference, null: none. */
export function lockstep(
  r: Random,
  { tiers, library }: LockstepOptions,
): { difference: string | null; instructions: number; text: string } {
  const text = new RandomProgram(r, FLAT).text();
  const { bytes } = assembleInline(text);
  const at = CODE + r.below(4096);
  const machines = tiers.map((tier) => {
    const m = new FlatMachine({ library, tier, ramBytes: RAM, helper: (name, _d, { state }) => helper(name, state) });
    m.ram.fill(HLT, 0, DATA);
    m.ram.set(bytes, at);
    m.state.rip = BigInt(at);
    return m;
  });
  const values = Array.from({ length: 16 }, () => r.operand());
  const floats = Array.from({ length: 16 }, () => r.float());
  for (const { state } of machines) {
    for (let i = 0; i < 16; i++) state.gpr[i] = values[i] ?? 0n;
    for (let i = 0; i < 16; i++) state.setXmm(i, floats[i] ?? 0n);
    state.gpr[4] = BigInt(STACK);
    state.gpr[5] = BigInt(DATA);
    state.gpr[15] = 60n;
  }
  for (let cut = 0; cut < 400; cut++) {
    const budget = 1 + (r.below(4) === 0 ? r.below(20) : r.below(3000));
    const reasons = machines.map((m) => m.interpreter.run(budget));
    const seen = machines.map((m, i) => describe(m, reasons[i] ?? ''));
    if (seen[0] !== seen[1])
      return { difference: firstDifference(seen[0] ?? '', seen[1] ?? ''), instructions: machines[0]?.state.retired ?? 0, text };
    if (reasons[0] === 'stop') break;
    // A handler that goes on behind the instruction.
    if (reasons[0] === 'fault') {
      for (const { state, ram } of machines) {
        const decoded = decode(ram, Number(state.rip & 0x3ffffn), 64, 15);
        state.clearFault();
        state.rip += BigInt(typeof decoded === 'string' ? 1 : decoded.length);
      }
    }
  }
  return { difference: null, instructions: machines[0]?.state.retired ?? 0, text };
}

function helper(name: string, state: FlatMachine['state']): number {
  if (name === 'CPUID') {
    state.gpr[0] = 7n;
    return 0;
  }
  return 4;
}

function describe({ state, ram, interpreter }: FlatMachine, reason: string): string {
  let hash = 0;
  const words = new Int32Array(ram.buffer, ram.byteOffset, ram.length / 4);
  for (const w of words) hash = (Math.imul(hash, 31) + w) | 0;
  const path = interpreter.drainPath();
  return [
    reason,
    `count ${state.retired}`,
    `rip ${state.rip.toString(16)}`,
    `rflags ${state.readRflags().toString(16)}`,
    ...[...state.gpr].map((v, i) => `gpr${i} ${v.toString(16)}`),
    ...Array.from({ length: 4 }, (_, i) => `xmm${i} ${state.xmm(i).toString(16)}`),
    `mxcsr ${state.get32(MXCSR).toString(16)}`,
    reason === 'fault' ? `fault ${state.get32(FAULT_VECTOR)} ${state.get32(FAULT_CODE)} ${state.get64(FAULT_CR2).toString(16)}` : '',
    `memory ${hash}`,
    `bits ${path.bitCount} ${[...path.bits].join()}`,
    `targets ${path.targetCount} ${[...path.guesses].join()} ${[...path.targets].join()}`,
    path.addresses === null ? '' : `addresses ${path.addresses.count} ${path.addresses.misses.join()} ${path.addresses.differences.join()}`,
  ].join('\n');
}

function firstDifference(a: string, b: string): string {
  const [x, y] = [a.split('\n'), b.split('\n')];
  return x.flatMap((line, i) => (line === y[i] ? [] : [`${line} against ${y[i]}`])).join('; ');
}
