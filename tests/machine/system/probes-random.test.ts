/** Random programs with random probes: see probe-judge.ts. */
import { expect, test } from 'vitest';
import { Random } from '../cpu/interpreter-judge.ts';
import { pcProgram } from '../lockstep/pc-program.ts';
import { judgeOperands, judgeProbes } from './probe-judge.ts';
import { SELF_MODIFYING } from './self-modifying-guests.ts';
import { systemText } from './system-random.ts';
import { tlbProgram } from './tlb-random.ts';

const SEED = Number(process.env['SEED'] ?? 1);

const PROGRAMS: readonly (readonly [string, string])[] = [
  ['a PC program', pcProgram(new Random(SEED), { rounds: 20, sweepsTimer: false })],
  ['one with a timer', pcProgram(new Random(SEED + 1), { rounds: 30, sweepsTimer: true })],
  ['a system program', systemText(SEED)],
  ['page tables', tlbProgram(SEED, 3)],
  ['fresh code', SELF_MODIFYING.compiling(200)],
];

test.each(PROGRAMS)(`%s: each tier tells what single steps find, and the run is the same (seed ${SEED})`, async (name, program) => {
  expect(await judgeProbes(name, program, SEED, 12_000, 2)).toBeGreaterThan(0);
});

test.each(PROGRAMS)('%s: the operands of each instruction are told', async (name, program) => {
  expect(await judgeOperands(name, program, 6_000)).toBeGreaterThan(500);
});
