/** keel boots and runs programs in two tiers at once, cut at the same random points: state hashes, path and events are the same at each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildKeel, compile, packPrograms } from '../../../src/compiler/index.ts';
import { Machine, QuietHost, type Tier } from '../../../src/machine/index.ts';
import { Random } from '../cpu/interpreter-judge.ts';

const examples = join(import.meta.dirname, '../../../examples');
const SEED = Number(process.env['SEED'] ?? 1);
/** Instructions between two cuts, at most: of the boot, and of what comes later. */
const CUTS = [20_000, 400_000] as const;

function program(name: string): Uint8Array {
  const { image } = compile({ entry: name }, (path) => readFileSync(join(examples, path), 'utf8'));
  return image ?? new Uint8Array(0);
}

interface Run {
  readonly machine: Machine;
  readonly host: QuietHost;
  /** What an observer has heard since the last cut. */
  seen: string;
}

async function start(tier: Tier, image: Uint8Array, initrd: Uint8Array, path: boolean): Promise<Run> {
  const host = new QuietHost();
  const config = { memoryBytes: 64 << 20, seed: 'tiers', harness: false, tier, record: { path, addresses: false } };
  const machine = await Machine.create(config, host);
  machine.load({ image, initrd, append: '' });
  const run: Run = { machine, host, seen: '' };
  machine.observer = {
    path: ({ from, to, bits, bitCount, targets }) => {
      run.seen += `path ${from} ${to} ${bitCount} ${bits.join()} ${targets.join()}\n`;
    },
    exception: (at, vector) => {
      run.seen += `exception ${at} ${vector}\n`;
    },
    irq: (at, vector) => {
      run.seen += `irq ${at} ${vector}\n`;
    },
  };
  return run;
}

test.each([
  [1, false],
  [1, true],
  ['auto', false],
  ['auto', true],
] as const)(`tier 0 and tier %s, path recorded: %s (seed ${SEED})`, { timeout: 900_000 }, async (tier, path) => {
  const names = ['hello.ts', 'pipes.ts', 'strings.ts', 'sha256.ts'];
  const programs = names.map((name) => ({ path: `/bin/${name}`, bytes: program(name) }));
  const initrd = packPrograms(
    programs,
    programs.map((p) => [p.path]),
  );
  const { image } = buildKeel();
  const [a, b] = [await start(0, image, initrd, path), await start(tier, image, initrd, path)];
  const r = new Random(SEED);
  let cuts = 0;
  for (let until = 0n; ; ) {
    until = a.machine.count + BigInt(1 + r.below(CUTS[cuts < 50 ? 0 : 1]));
    const stops = [a, b].map(({ machine }) => {
      const stop = machine.run(until);
      if (path) machine.drainPath();
      return stop;
    });
    expect(stops[1]).toEqual(stops[0]);
    expect(`${b.machine.count} ${b.machine.rip.toString(16)} ${b.machine.hash()}`).toBe(
      `${a.machine.count} ${a.machine.rip.toString(16)} ${a.machine.hash()}`,
    );
    expect(b.seen === a.seen, `what happened before ${until}`).toBe(true);
    a.seen = '';
    b.seen = '';
    cuts++;
    if (stops[0]?.reason !== 'limit') break;
  }
  expect(b.host.text).toBe(a.host.text);
  expect(a.host.text).toContain('keel: all programs have ended');
  expect(cuts).toBeGreaterThan(40);
});
