/** A worker of a campaign: a testbed of its own, fed with ranges of program numbers. */
import { parentPort, workerData } from 'node:worker_threads';
import { render } from '../grammar/act.ts';
import { generate } from './generate.ts';
import type { BatchResult, ProgramResult, WorkerData, WorkerRequest } from './messages.ts';
import { compileHostile, Runner } from './runner.ts';

const { kernel, seed } = workerData as WorkerData;
const runner = await Runner.create({ kernel, seed });

parentPort?.on('message', ({ from, to }: WorkerRequest) => {
  const programs: ProgramResult[] = [];
  const judged = new Map<string, number>();
  const coverage = new Set<number>();
  for (let index = from; index < to; index++) {
    const run = runner.run(compileHostile(render(generate(seed, index))));
    const { reason, status, instructions, hash } = run.outcome;
    programs.push({ index, reason, status, instructions, hash, failures: run.failures });
    for (const [id, count] of run.judged) judged.set(id, (judged.get(id) ?? 0) + count);
    for (const reached of run.coverage) coverage.add(reached);
  }
  const result: BatchResult = { from, programs, judged, coverage };
  parentPort?.postMessage(result);
});
parentPort?.postMessage('ready');
