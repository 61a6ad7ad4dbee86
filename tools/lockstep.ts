/**
 * `npm run lockstep`: every guest image of the project in tier 0 and tier 1 at once, unrecorded, with the path, and with addresses as well, and one table:
 * how many instructions both executed, at how many stops (a block of both from each to the next) state, events, output and what is recorded were compared, and
 * the verdict.
 *
 *     npm run lockstep -- keel corpus/           # only images whose names contain one of these
 *     SEED=2 npm run lockstep                    # other stops
 *
 * The images: the bench's guests in short form (gcc builds them), keel with every example, the golden traces, and the corpus beside the victim, whose programs
 * run one after the other from where keel is ready. The status is 1 where two tiers part; `palindrome lockstep` on that image then finds the place.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import seedrandom from 'seedrandom';
import { buildGuest, buildKeelImage, type Image } from '../bench/build.ts';
import { GUESTS } from '../bench/guests.ts';
import { layOut } from '../bench/table.ts';
import { buildKeel } from '../src/compiler/index.ts';
import { circumstancesFrom } from '../src/fuzz/campaign/circumstances.ts';
import { COMMAND_LINE, compileCase, MEMORY_BYTES, programArchive, victimArchive } from '../src/fuzz/campaign/runner.ts';
import { HarnessHost } from '../src/fuzz/index.ts';
import { type Boot, type Host, type MachineConfig, QuietHost } from '../src/machine/index.ts';
import { lockstep, openTrace } from '../src/replay/index.ts';
import { runTogether, type TogetherRun } from '../src/replay/lockstep/lockstep.ts';
import { type Mark, Twin } from '../src/replay/lockstep/twin.ts';
import { bootOf } from '../src/replay/player.ts';
import { goldenFolder, goldenNames } from '../tests/replay/golden.ts';
import { ScriptedHost } from '../tests/replay/guest.ts';

interface Made {
  readonly machine: Omit<MachineConfig, 'tier' | 'record'>;
  readonly boot: Boot;
  readonly host: () => Host;
}

/** What is run, made when its turn comes. */
interface Guest {
  readonly name: string;
  readonly make: () => Promise<Made>;
}

/** What is recorded on both sides: each has generated code of its own. */
interface Way {
  readonly title: string;
  readonly record: Required<NonNullable<MachineConfig['record']>>;
}

const WAYS: readonly Way[] = [
  { title: 'tier 0, tier 1', record: { path: false, addresses: false } },
  { title: 'with the path', record: { path: true, addresses: false } },
  { title: 'and addresses', record: { path: true, addresses: true } },
];

const SEED = process.env['SEED'] ?? '1';
/** No image runs so long. */
const LIMIT = 2_000_000_000n;
/** Instructions from one stop to the next, at most; a fifth are closer than a thousand. */
const MOST_APART = 100_000;
const CORPUS = join(import.meta.dirname, '../corpus');

const folder = mkdtempSync(join(tmpdir(), 'palindrome-lockstep-'));
const quiet = (): Host => new QuietHost();

function bench(name: string, build: () => Image): Guest {
  return {
    name: `bench: ${name}`,
    make: async () => {
      const { elf64, initrd } = build();
      const boot = { image: readFileSync(elf64), ...(initrd !== null && { initrd: readFileSync(initrd) }) };
      return { machine: { memoryBytes: 128 << 20, seed: SEED, harness: false }, boot, host: quiet };
    },
  };
}

function golden(name: string): Guest {
  return {
    name: `traces/golden/${name}`,
    make: async () => {
      const trace = await openTrace(join(goldenFolder, name));
      // The guests ask for input.
      return { machine: trace.header.machine, boot: bootOf(trace, {}), host: name.startsWith('guest') ? () => new ScriptedHost() : quiet };
    },
  };
}

/** keel where it asks for a program, in both tiers: booted once, as in a campaign, so that its code is compiled once. */
class Bed {
  readonly way: Way;
  readonly #host = new HarnessHost();
  readonly #twins: Promise<readonly [Twin, Twin]>;
  #marks: readonly [Mark, Mark] | null = null;

  constructor(way: Way) {
    this.way = way;
    const run = {
      machine: {
        memoryBytes: MEMORY_BYTES,
        seed: SEED,
        harness: true,
        watch: { supervisorUserAccess: true },
        record: way.record,
      },
      boot: { image: buildKeel().image, initrd: victimArchive(SEED), append: COMMAND_LINE },
    };
    this.#twins = Promise.all([Twin.create(run, 0, this.#host), Twin.create(run, 1, null)]);
  }

  /** Its instructions are those from there on. */
  async run(archive: Uint8Array, stride: () => number): Promise<TogetherRun> {
    const [left, right] = await this.#twins;
    if (this.#marks === null) {
      for (const { machine } of [left, right]) if (machine.run(LIMIT).reason !== 'ready') throw new Error('keel does not get ready');
      this.#marks = [left.mark(), right.mark()];
    }
    left.goTo(this.#marks[0], []);
    right.goTo(this.#marks[1], []);
    this.#host.begin(archive);
    const run = runTogether(left, right, { limit: LIMIT, stride });
    return { ...run, instructions: run.instructions - this.#marks[0].snapshot.count };
  }
}
const guests: readonly Guest[] = [
  ...GUESTS.map((guest) => bench(guest.name, () => buildGuest(guest, 1, folder))),
  bench('keel and every example', () => buildKeelImage(1, folder)),
  ...goldenNames.map(golden),
];
const hostile = readdirSync(CORPUS)
  .filter((file) => file.endsWith('.ts'))
  .sort();

interface Judged {
  readonly instructions: bigint;
  readonly stops: number;
  readonly end: string;
  /** Null: the same. */
  readonly parted: string | null;
}

async function judgeGuest({ name, make }: Guest, way: Way): Promise<Judged> {
  const { machine, boot, host } = await make();
  const { instructions, stops, end, difference } = await lockstep({
    machine: { ...machine, record: way.record },
    boot,
    tiers: [0, 1],
    host: host(),
    limit: LIMIT,
    stride: strideOf(name, way),
  });
  return { instructions, stops, end: end?.reason ?? '', parted: difference && `part before ${difference.first}` };
}

async function judgeHostile(file: string, bed: Bed): Promise<Judged> {
  const source = readFileSync(join(CORPUS, file), 'utf8');
  const [, words = ''] = /^ \* @circumstances (.*)$/m.exec(source) ?? [];
  const archive = programArchive(compileCase(file, source), circumstancesFrom(words));
  const { instructions, stops, end, parted } = await bed.run(archive, strideOf(file, bed.way));
  return { instructions, stops: stops.length, end: end?.reason ?? '', parted: parted && `part before ${parted.different}` };
}

function strideOf(name: string, { title }: Way): () => number {
  const random = seedrandom(`${SEED} ${name} ${title}`);
  return () => 1 + Math.floor(random() ** 3 * MOST_APART);
}

const beds = WAYS.map((way) => new Bed(way));
const judges: readonly (readonly [string, (bed: Bed) => Promise<Judged>])[] = [
  ...guests.map((guest) => [guest.name, ({ way }: Bed) => judgeGuest(guest, way)] as const),
  ...hostile.map((file) => [`corpus/${file}`, (bed: Bed) => judgeHostile(file, bed)] as const),
];

const wanted = process.argv.slice(2);
const lines = [['image', 'instructions', 'ended by', ...WAYS.flatMap(({ title }) => ['stops', title])]];
let [instructions, stops, parted] = [0n, 0, 0];
try {
  for (const [name, judge] of judges) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    process.stderr.write(`${name}\n`);
    const line = [name];
    for (const bed of beds) {
      const judged = await judge(bed);
      if (line.length === 1) line.push(`${judged.instructions}`, judged.end);
      line.push(`${judged.stops}`, judged.parted ?? 'the same');
      instructions += judged.instructions;
      stops += judged.stops;
      if (judged.parted !== null || judged.end === 'limit') parted++;
    }
    lines.push(line);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const verdict = parted === 0 ? 'all the same' : `${parted} part`;
process.stdout.write(layOut(lines));
process.stdout.write(
  `${lines.length - 1} images, seed ${SEED}: ${instructions} instructions in both tiers, compared at ${stops} stops; ${verdict}\n`,
);
process.exitCode = parted === 0 ? 0 : 1;
