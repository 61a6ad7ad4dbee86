/**
 * `npm run fuzz:traces`: mutated traces, read by everything that reads traces (one in 256 is replayed and walked through as well). A case is a function of seed
 * and number, whoever runs it. Its status is 1 where a reader crashed, took too long or too much memory; those traces are written to .cache/fuzz-traces.
 *
 *     npm run fuzz:traces -- --cases 1000000 --seed 1 --workers 2
 *     npm run fuzz:traces -- --from 4711 --cases 1             # one case again
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Command } from 'commander';
import { wholeNumber } from '../src/cli/report.ts';
import { Finding, TraceFuzzer } from '../tests/replay/trace/fuzz/case.ts';

interface Options {
  readonly seed: string;
  readonly cases: number;
  readonly from: number;
  readonly workers: number;
}

/** What a worker is given: `next` counts the cases that were begun. */
interface Task extends Options {
  readonly next: Int32Array;
  /** For each worker the case that it is at. */
  readonly at: Int32Array;
  readonly number: number;
}

interface Tally {
  read: number;
  refused: number;
  played: number;
  slowest: { readonly milliseconds: number; readonly index: number };
}

type Message = { readonly tally: Tally } | { readonly index: number; readonly text: string; readonly bytes: Uint8Array };

const FOLDER = join(import.meta.dirname, '../.cache/fuzz-traces');
/** Cases that a worker tells of at once. */
const STRIDE = 256;
/** A worker that is at one case for so long hangs. */
const HANG_SECONDS = 300;

async function work({ seed, cases, from, next, at, number }: Task): Promise<void> {
  const fuzzer = await TraceFuzzer.create();
  for (;;) {
    const begin = Atomics.add(next, 0, STRIDE);
    if (begin >= cases) return;
    const tally: Tally = { read: 0, refused: 0, played: 0, slowest: { milliseconds: 0, index: 0 } };
    for (let index = from + begin; index < from + Math.min(begin + STRIDE, cases); index++) {
      Atomics.store(at, number, index);
      try {
        const { ending, isPlayed, milliseconds } = await fuzzer.run(seed, index);
        tally[ending]++;
        if (isPlayed) tally.played++;
        if (milliseconds > tally.slowest.milliseconds) tally.slowest = { milliseconds, index };
      } catch (error) {
        if (!(error instanceof Finding)) throw error;
        parentPort?.postMessage({ index, text: error.message, bytes: error.mutant.bytes } satisfies Message);
      }
    }
    parentPort?.postMessage({ tally } satisfies Message);
  }
}

async function fuzz(options: Options): Promise<void> {
  const { seed, workers, from } = options;
  const [next, at] = [1, workers].map((length) => new Int32Array(new SharedArrayBuffer(4 * length))) as [Int32Array, Int32Array];
  const total: Tally = { read: 0, refused: 0, played: 0, slowest: { milliseconds: 0, index: 0 } };
  let findings = 0;
  const begin = performance.now();
  const describe = (): string => {
    const { read, refused, played, slowest } = total;
    const done = read + refused;
    const rate = (done / (performance.now() - begin)) * 1000;
    const memory = process.resourceUsage().maxRSS / 1024;
    return `${done} cases of seed ${seed} (${read} read to the end, ${refused} refused, ${played} played), ${findings} findings; ${rate.toFixed(0)} a second, the slowest ${slowest.milliseconds.toFixed(0)} ms of CPU time (case ${slowest.index}), ${memory.toFixed(0)} MiB at most`;
  };
  const found = (index: number, text: string, bytes: Uint8Array): void => {
    findings++;
    mkdirSync(FOLDER, { recursive: true });
    const path = join(FOLDER, `${seed}-${index}.mpk`);
    writeFileSync(path, bytes);
    process.stdout.write(`${text}\n    ${path}\n`);
  };
  const take = (message: Message): void => {
    if ('text' in message) return found(message.index, message.text, message.bytes);
    const { tally } = message;
    for (const key of ['read', 'refused', 'played'] as const) total[key] += tally[key];
    if (tally.slowest.milliseconds > total.slowest.milliseconds) total.slowest = tally.slowest;
  };
  const timer = setInterval(() => process.stdout.write(`${describe()}\n`), 30_000);
  await Promise.all(Array.from({ length: workers }, (_, number) => oneWorker({ ...options, next, at, number }, take)));
  clearInterval(timer);
  process.stdout.write(`${describe()}\n`);
  process.exitCode = findings === 0 ? 0 : 1;
  if (total.read + total.refused + findings < options.cases) throw new Error(`cases from ${from} on were left out`);
}

/** Runs a worker to its end; one that hangs is ended, and its case named. */
function oneWorker(task: Task, take: (message: Message) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(import.meta.filename, { workerData: task });
    let last = { index: -1, since: performance.now() };
    const watch = setInterval(() => {
      const index = Atomics.load(task.at, task.number);
      if (index !== last.index) last = { index, since: performance.now() };
      else if (performance.now() - last.since > HANG_SECONDS * 1000) {
        clearInterval(watch);
        reject(new Error(`case ${index} of seed ${task.seed} hangs`));
        void worker.terminate();
      }
    }, 5_000);
    worker.on('message', take);
    worker.on('error', (error) => {
      clearInterval(watch);
      reject(new Error(`case ${Atomics.load(task.at, task.number)} of seed ${task.seed} ended its worker: ${error}`));
    });
    worker.on('exit', () => {
      clearInterval(watch);
      resolve();
    });
  });
}

if (isMainThread) {
  await new Command('fuzz:traces')
    .description('read mutated traces')
    .option('-s, --seed <text>', 'all choices come from it', '1')
    .option('-n, --cases <count>', 'how many', wholeNumber('cases', 1, 1_000_000_000), 10_000)
    .option('--from <number>', 'the first', wholeNumber('from', 0, 1_000_000_000), 0)
    .option('-w, --workers <count>', 'threads', wholeNumber('workers', 1, 256), Math.min(availableParallelism(), 8))
    .action(fuzz)
    .parseAsync();
} else {
  await work(workerData as Task);
}
