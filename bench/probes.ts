/**
 * What breakpoints and watchpoints cost: `probes.ts IMAGE…`. Machines with and without run by turns, in slices, in one thread: so what else the host does
 * meets all alike. Prints, of each image, how much longer those take whose probes are on pages that the guest does not touch, and hits a second of a
 * breakpoint and of a watchpoint on the stack's page.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Machine, type Probes, QuietHost } from '../src/machine/index.ts';

const MEMORY = 128 << 20;
const WARM = 30_000_000n;
const SLICE = 1_000_000n;
const SLICES = 200;
const HIT_SLICES = 20;
/** Neither mapped nor in RAM that a guest of the bench uses. */
const NOWHERE = 0x7777_0000_0000n;

const UNTOUCHED: Readonly<Record<string, Probes>> = {
  nothing: { breakpoints: [], watchpoints: [] },
  breakpoint: { breakpoints: [{ address: NOWHERE }], watchpoints: [] },
  watchpoint: { breakpoints: [], watchpoints: [{ space: 'linear', address: NOWHERE, length: 8, access: 'access' }] },
  'watchpoint in RAM': {
    breakpoints: [],
    watchpoints: [{ space: 'physical', address: BigInt(MEMORY - 4096), length: 8, access: 'access' }],
  },
};

async function booted(path: string, like?: Machine): Promise<Machine> {
  const machine = await Machine.create({ memoryBytes: MEMORY, seed: 'probes', harness: false }, new QuietHost(), like);
  machine.load({ image: readFileSync(path), append: '' });
  machine.run(WARM);
  return machine;
}

/** Milliseconds. Slices are so short that most are not interrupted; the median leaves the others out. */
function cost(run: () => void): number {
  const begin = performance.now();
  run();
  return performance.now() - begin;
}

async function untouched(path: string): Promise<string> {
  const plain = await booted(path);
  const runs: { readonly name: string; readonly machine: Machine; readonly ms: number[] }[] = [{ name: 'without', machine: plain, ms: [] }];
  for (const [name, probes] of Object.entries(UNTOUCHED)) {
    const machine = await booted(path, plain);
    machine.probes = probes;
    runs.push({ name, machine, ms: [] });
  }
  const until = (n: number) => WARM + SLICE * BigInt(n);
  for (let n = 1; n <= SLICES; n++) {
    for (const run of n % 2 === 0 ? runs : runs.toReversed()) run.ms.push(cost(() => void run.machine.run(until(n))));
    if (runs.some(({ machine }) => machine.count !== until(n))) break;
  }
  const [first, ...others] = runs;
  if (first === undefined) return '';
  const ratio = (ms: readonly number[]) => median(ms.map((slice, n) => slice / (first.ms[n] ?? 1)));
  return [`without ${median(first.ms).toFixed(3)} ms a slice`, ...others.map(({ name, ms }) => `${name} ${ratio(ms).toFixed(3)}`)].join(
    ', ',
  );
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function hits(path: string): Promise<string> {
  const lines: string[] = [];
  for (const kind of ['breakpoint', 'watchpoint'] as const) {
    const machine = await booted(path);
    let sum = 0;
    const count = (): void => void sum++;
    machine.observer = { breakpoint: count, access: count };
    const page = machine.register(4) & ~0xfffn;
    machine.probes =
      kind === 'breakpoint'
        ? { breakpoints: [{ address: machine.rip }], watchpoints: [] }
        : { breakpoints: [], watchpoints: [{ space: 'linear', address: page, length: 4096, access: 'access' }] };
    const rates = Array.from({ length: HIT_SLICES }, (_, n) => {
      const before = sum;
      const ms = cost(() => void machine.run(WARM + SLICE * BigInt(n + 1)));
      return (sum - before) / ms / 1000;
    });
    lines.push(`${kind} ${sum} hits, ${median(rates).toFixed(1)} M/s`);
  }
  return lines.join(', ');
}

for (const path of process.argv.slice(2)) {
  process.stdout.write(`${basename(path)}: ${await untouched(path)}\n`);
  process.stdout.write(`${basename(path)}: ${await hits(path)}\n`);
}
