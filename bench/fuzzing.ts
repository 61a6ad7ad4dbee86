/**
 * Campaigns of the fuzzer: programs compiled, each run under several circumstances, every run judged. How many a CPU second, and what a second worker adds
 * to the throughput (in real time: two idle cores are needed for it).
 */
import { join } from 'node:path';
import { median } from './measure.ts';
import { palindrome } from './peers/ours.ts';
import { type Row, row } from './rows.ts';

/** The goals ask for four times as many judged runs as compiled programs. */
const VARIANTS = 4;

/** `folder`: where findings would go. */
export function fuzzingRows(rounds: number, programs: number, folder: string): Row[] {
  const perCpuSecond: number[] = [];
  const throughput: Record<1 | 2, number[]> = { 1: [], 2: [] };
  const single: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const once = ['--runs', `${programs}`, '--workers', '1', '--out', join(folder, 'findings')];
    single.push(palindrome('fuzz', '--seed', 'bench', ...once).result.programsPerSecond);
    for (const workers of [1, 2] as const) {
      const size = ['--runs', `${programs}`, '--variants', `${VARIANTS}`, '--workers', `${workers}`];
      const { cpuSeconds, result } = palindrome('fuzz', '--seed', 'bench', ...size, '--out', join(folder, 'findings'));
      throughput[workers].push(result.programsPerSecond);
      if (workers === 1) perCpuSecond.push(result.runs / cpuSeconds);
    }
  }
  const base = { name: 'fuzzing', image: `${programs} programs, ${VARIANTS} runs each` };
  const judged = median(perCpuSecond);
  return [
    row(
      { name: 'fuzzing', image: `${programs} programs, a run each`, unit: 'programs a second, one worker', ours: median(single) },
      { of: 'ours', bound: '≥', value: 200 },
    ),
    row({ ...base, unit: 'judged runs a CPU second', ours: judged }, { of: 'ours', bound: '≥', value: 2000 }),
    row({ ...base, unit: 'compiled programs a CPU second', ours: judged / VARIANTS }, { of: 'ours', bound: '≥', value: 500 }),
    row(
      { ...base, unit: 'programs a second, two workers', ours: median(throughput[2]), peer: median(throughput[1]), peerName: 'one worker' },
      { of: 'ratio', bound: '≥', value: 1.9 },
    ),
  ];
}
