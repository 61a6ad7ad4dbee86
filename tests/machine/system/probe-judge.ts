/**
 * Judges breakpoints and watchpoints: a run with them in any tier, cut and restored anywhere, stopped at any hit, tells what single steps find, and is
 * otherwise the run without them.
 */
import { expect } from 'vitest';
import type { Machine, ProbedAccess, Probes, Snapshot, Tier, Watchpoint } from '../../../src/machine/index.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { pcProgram } from '../lockstep/pc-program.ts';
import { boot } from './guest.ts';
import { SELF_MODIFYING } from './self-modifying-guests.ts';
import { systemText } from './system-random.ts';
import { tlbProgram } from './tlb-random.ts';

const MEMORY = 4 << 20;
const PAGE_FAULT = 14;
/** Of a page fault's error code: an instruction fetch. */
const FETCH = 0x10;

/** A program of each kind, by name. */
export const probedPrograms = (seed: number): readonly (readonly [string, string])[] => [
  ['a PC program', pcProgram(new Random(seed), { rounds: 20, sweepsTimer: false })],
  ['one with a timer', pcProgram(new Random(seed + 1), { rounds: 30, sweepsTimer: true })],
  ['a system program', systemText(seed)],
  ['page tables', tlbProgram(seed, 3)],
  ['fresh code', SELF_MODIFYING.compiling(150)],
  ['code beside data', SELF_MODIFYING.sharing(800)],
  ['patched code', SELF_MODIFYING.patching(800)],
];

/** What single steps without probes show. */
interface Reference {
  readonly count: bigint;
  readonly hash: string;
  /** What was begun to be executed, an attempt that faulted too. */
  readonly attempts: readonly (readonly [at: number, rip: bigint])[];
  /** Linear addresses of memory operands. */
  readonly operands: readonly (readonly [at: number, linear: bigint])[];
  /** Physical addresses that were found for some of them. */
  readonly physical: readonly bigint[];
}

async function reference(program: string, limit: number): Promise<Reference> {
  const { machine } = await boot(program, { memoryBytes: MEMORY, tier: 0, record: { path: true, addresses: true } });
  const attempts: [number, bigint][] = [];
  const operands: [number, bigint][] = [];
  const physical: bigint[] = [];
  let at = 0;
  let here: bigint[] = [];
  machine.observer = {
    irq: (_at, _vector, target) => {
      here = [...here.slice(0, -1), target];
    },
    exception: (when, vector, code, _cr2, _rip, target) => {
      if (when !== BigInt(at)) return;
      if (vector === PAGE_FAULT && ((code ?? 0) & FETCH) !== 0) here.pop();
      here.push(target);
    },
  };
  for (; at < limit; at++) {
    here = [machine.rip];
    machine.beginBlock();
    if (machine.run(BigInt(at + 1)).reason !== 'limit') break;
    for (const rip of here) attempts.push([at, rip]);
    for (const linear of machine.lastAddresses) {
      operands.push([at, linear]);
      const found = at % 64 === 0 ? machine.translate(linear) : null;
      if (found !== null && found.physical < BigInt(MEMORY)) physical.push(found.physical);
    }
  }
  return { count: machine.count, hash: machine.hash(), attempts, operands, physical };
}

const text = (at: bigint, { linear, physical, size, write, implicit }: ProbedAccess) =>
  `${at} ${write ? 'write' : 'read'} ${size} at ${linear?.toString(16) ?? '-'} = ${physical.toString(16)}${implicit ? ', implicit' : ''}`;

/** Drives a machine with these probes; `drive` runs it to `count`. */
async function told(
  program: string,
  probes: Probes,
  { tier, path }: { tier: Tier; path: boolean },
  drive: (machine: Machine, hits: string[]) => void,
): Promise<{ hits: string[]; hash: string }> {
  const { machine } = await boot(program, { memoryBytes: MEMORY, tier, record: { path, addresses: path } });
  const hits: string[] = [];
  machine.probes = probes;
  machine.observer = {
    breakpoint: (at, address) => hits.push(`${at} breakpoint ${address.toString(16)}`),
    access: (at, access) => hits.push(text(at, access)),
  };
  drive(machine, hits);
  return { hits, hash: machine.hash() };
}

function randomProbes(r: Random, { attempts, operands, physical }: Reference): Probes {
  const of = <T>(list: readonly T[]): T => list[r.below(list.length)] as T;
  const few = <T>(n: number, make: () => T): T[] => Array.from({ length: r.below(n + 1) }, make);
  const access = () => of(['read', 'write', 'access'] as const);
  const linear = (): Watchpoint => ({
    space: 'linear',
    address: BigInt.asUintN(64, of(operands)[1] + BigInt(r.below(16) - 8)),
    length: of([1, 2, 8, 64, 4096]),
    access: access(),
  });
  const inRam = (): Watchpoint => ({ space: 'physical', address: of(physical) & ~7n, length: of([8, 8, 512, 8192]), access: access() });
  return {
    breakpoints: few(4, () => ({ address: of(attempts)[1] })),
    watchpoints: [...few(3, linear), ...(physical.length === 0 ? [] : few(2, inRam))],
  };
}

/** Runs to `count` in pieces, going back now and then to a snapshot, and changing the probes meanwhile; `hits` are those of the way taken in the end. */
function inPieces(r: Random, probes: Probes, count: bigint): (machine: Machine, hits: string[]) => void {
  return (machine, hits) => {
    let kept: { snapshot: Snapshot; hits: number } | null = null;
    let isStopping = false;
    const { observer } = machine;
    machine.observer = {
      breakpoint: (at, address) => {
        observer?.breakpoint?.(at, address);
        if (isStopping && r.below(3) === 0) machine.requestStop();
      },
      access: (at, access) => {
        observer?.access?.(at, access);
        if (isStopping && r.below(3) === 0) machine.requestStop();
      },
    };
    while (machine.count < count) {
      const until = machine.count + BigInt(1 + r.below(r.below(4) === 0 ? 40 : 20_000));
      isStopping = r.below(2) === 0;
      const { reason } = machine.run(until < count ? until : count);
      if (reason !== 'limit' && reason !== 'observer') break;
      if (r.below(4) === 0) {
        machine.probes = null;
        machine.probes = { ...probes };
      }
      if (reason === 'limit' && r.below(4) === 0) kept = { snapshot: machine.snapshot(), hits: hits.length };
      if (kept !== null && r.below(6) === 0) {
        machine.restore(kept.snapshot);
        hits.length = kept.hits;
        // Without probes on the way, and back again: nothing may be left of that.
        if (r.below(2) === 0) {
          machine.probes = null;
          machine.run(kept.snapshot.count + 1000n);
          machine.restore(kept.snapshot);
          machine.probes = probes;
        }
        kept = null;
      }
    }
  };
}

/** Judges a program for `guest.ts` with some sets of probes; gives how many hits there were. */
export async function judgeProbes(name: string, program: string, seed: number, limit: number, sets: number): Promise<number> {
  const r = new Random(seed);
  const found = await reference(program, limit);
  const straight = (machine: Machine) => void machine.run(found.count);
  let sum = 0;
  for (let n = 0; n < sets; n++) {
    const probes = randomProbes(r, found);
    const label = `${name}, probes ${n} of seed ${seed}: ${JSON.stringify(probes, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString(16) : v))}`;
    const stepped = await told(program, probes, { tier: 0, path: false }, (machine) => {
      for (let at = 1n; at <= found.count; at++) machine.run(at);
    });
    expect(stepped.hash, label).toBe(found.hash);
    const addresses = new Set(probes.breakpoints.map(({ address }) => address));
    const expected = found.attempts.flatMap(([at, rip]) => (addresses.has(rip) ? [`${at} breakpoint ${rip.toString(16)}`] : []));
    expect(
      stepped.hits.filter((hit) => hit.includes('breakpoint')),
      label,
    ).toEqual(expected);
    for (const [tier, path] of [
      [0, false],
      [1, false],
      ['auto', true],
      [1, true],
    ] as const) {
      for (const drive of [straight, inPieces(r, probes, found.count)]) {
        const run = await told(program, probes, { tier, path }, drive);
        expect(run.hits, `${label}, tier ${tier}`).toEqual(stepped.hits);
        expect(run.hash, `${label}, tier ${tier}`).toBe(found.hash);
      }
    }
    sum += stepped.hits.length;
  }
  return sum;
}

/** Everything below the middle of linear memory is watched: the operands' addresses of each instruction are among what is told at its count. */
export async function judgeOperands(name: string, program: string, limit: number): Promise<number> {
  const { operands, count } = await reference(program, limit);
  const at = new Set<string>();
  await told(
    program,
    { breakpoints: [], watchpoints: [{ space: 'linear', address: 0n, length: 2 ** 47, access: 'access' }] },
    { tier: 1, path: false },
    (machine) => {
      machine.observer = {
        access: (when, { linear, implicit }) => {
          if (!implicit) at.add(`${when} ${linear?.toString(16)}`);
        },
      };
      machine.run(count);
    },
  );
  const missing = operands.map(([when, linear]) => `${when} ${linear.toString(16)}`).filter((operand) => !at.has(operand));
  expect(missing.slice(0, 10), name).toEqual([]);
  return operands.length;
}
