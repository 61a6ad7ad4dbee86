/** A worker of a campaign: a testbed of its own, fed with ranges of program numbers (crew.ts). */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { Bug } from '../../machine/index.ts';
import { render } from '../grammar/act.ts';
import { type AskedFrames, circumstancesOf } from './circumstances.ts';
import { generate } from './generate.ts';
import type { BatchResult, RunResult, WorkerData, WorkerRequest, WorkerStart } from './messages.ts';
import { compileHostile, Runner } from './runner.ts';

if (parentPort === null) throw new Bug('a worker without a campaign');
const port = parentPort;
const { kernel, seed, variants, tier, program: running } = workerData as WorkerData;
const [start] = (await once(port, 'message')) as [WorkerStart];
const runner = await Runner.create({ kernel, seed, tier, ...(start !== 'boot' && { ready: start }) });

port.on('message', ({ from, to }: WorkerRequest) => {
  const runs: RunResult[] = [];
  const judged = new Map<string, number>();
  const coverage = new Set<number>();
  for (let index = from; index < to; index++) {
    Atomics.store(running, 0, index);
    const program = compileHostile(render(generate(seed, index)));
    let frames: AskedFrames = { start: 0, all: 0 };
    for (let variant = 0; variant < variants; variant++) {
      const circumstances = circumstancesOf(seed, index, variant, frames);
      const run = runner.run(program, circumstances);
      if (variant === 0) frames = run.frames;
      const { reason, status, instructions, hash } = run.outcome;
      runs.push({ index, variant, circumstances, reason, status, instructions, hash, failures: run.failures });
      for (const [id, count] of run.judged) judged.set(id, (judged.get(id) ?? 0) + count);
      for (const reached of run.coverage) coverage.add(reached);
    }
  }
  const result: BatchResult = { from, to, runs, judged, coverage };
  port.postMessage(result);
});
port.postMessage(start === 'boot' ? runner.testbed.share() : null);
