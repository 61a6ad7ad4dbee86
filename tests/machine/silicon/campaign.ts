/**
 * The big run: millions of instruction cases against this host's processor, in several processes.
 *
 *     node tests/machine/silicon/campaign.ts --cases 10000000 --seed 1 [--workers 2] [--also tests/machine/silicon/judged-tier0.ts]
 *
 * `--also`: a module that exports `judged(): Judged | Promise<Judged>`, judged beside the reference evaluator. The cases depend on seed and number alone,
 * not on the workers. Ends with status 1 if there was a difference.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mode } from '../../../src/machine/isa/operands.ts';
import type { Judged } from './cases.ts';
import { Judge, type Kind, type Verdict } from './judge.ts';

/** Instructions in one part; parts are dealt out to the workers. */
const PART = 20_000;
const SHOWN = 20;
const KINDS: readonly { kind: Kind; mode: Mode }[] = [
  { kind: 'single', mode: 64 },
  { kind: 'sequence', mode: 64 },
  { kind: 'single', mode: 32 },
  { kind: 'sequence', mode: 64 },
  { kind: 'sequence', mode: 32 },
  { kind: 'single', mode: 16 },
];

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    also: { type: 'string', multiple: true, default: [] },
    part: { type: 'string' },
  },
});

const parts = Math.ceil(Number(values.cases) / PART);
const workers = Number(values.workers);

async function work(first: number): Promise<void> {
  const others: Judged[] = [];
  for (const path of values.also) {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { judged(): Judged | Promise<Judged> };
    others.push(await module.judged());
  }
  const judge = new Judge(others);
  for (let part = first; part < parts; part += workers) {
    const { kind, mode } = KINDS[part % KINDS.length] ?? { kind: 'single', mode: 64 };
    process.send?.(judge.run(`${values.seed}/${part}`, kind, mode, Math.min(PART, Number(values.cases) - part * PART)));
  }
}

async function lead(): Promise<void> {
  const started = process.hrtime.bigint();
  let instructions = 0;
  let different = 0;
  let shown = 0;
  const children = Array.from({ length: workers }, (_, i) => {
    const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--workers', String(workers), '--part', String(i)]);
    child.on('message', (verdict: Verdict) => {
      instructions += verdict.instructions;
      different += verdict.differences.length;
      for (const d of verdict.differences) if (shown++ < SHOWN) console.log(d.text);
      if (process.stderr.isTTY) process.stderr.write(`\r${instructions} of ${values.cases}, ${different} differences `);
    });
    return new Promise<number>((done) => child.on('exit', (code) => done(code ?? 3)));
  });
  const codes = await Promise.all(children);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`${instructions} instruction cases, seed ${values.seed}, ${different} differences, ${seconds.toFixed(0)} s`);
  process.exitCode = codes.some((c) => c !== 0) ? 3 : different > 0 ? 1 : 0;
}

await (values.part === undefined ? lead() : work(Number(values.part)));
