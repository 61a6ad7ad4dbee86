/**
 * `npm run lockstep`: every guest image of the project in tier 0 and tier 1 at once, without and with the path recorded, and one table: how many
 * instructions both executed, at how many stops (a block of both from each to the next) state, events, output and path were compared, and the verdict.
 *
 *     npm run lockstep -- keel corpus/           # only images whose names contain one of these
 *     SEED=2 npm run lockstep                    # other stops
 *
 * The images: the bench's guests in short form (gcc builds them), keel with every example, the golden traces, and the corpus beside the victim. The status is
 * 1 where two tiers part; `palindrome lockstep` on that image then finds the place.
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
import { bootOf } from '../src/replay/player.ts';
import { goldenFolder, goldenNames } from '../tests/replay/golden.ts';
import { ScriptedHost } from '../tests/replay/guest.ts';

/** What is run, made when its turn comes. */
interface Guest {
  readonly name: string;
  readonly make: () => Promise<{ readonly machine: Omit<MachineConfig, 'tier'>; readonly boot: Boot; readonly host: () => Host }>;
}

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
      // The one that asks for input.
      return { machine: trace.header.machine, boot: bootOf(trace, {}), host: name === 'guest.mpk' ? () => new ScriptedHost() : quiet };
    },
  };
}

function hostile(file: string): Guest {
  return {
    name: `corpus/${file}`,
    make: async () => {
      const source = readFileSync(join(CORPUS, file), 'utf8');
      const [, words = ''] = /^ \* @circumstances (.*)$/m.exec(source) ?? [];
      const archive = programArchive(compileCase(file, source), circumstancesFrom(words));
      return {
        machine: { memoryBytes: MEMORY_BYTES, seed: SEED, harness: true, watch: { supervisorUserAccess: true } },
        boot: { image: buildKeel().image, initrd: victimArchive(SEED), append: COMMAND_LINE },
        host: () => {
          const host = new HarnessHost();
          host.begin(archive);
          return host;
        },
      };
    },
  };
}

const guests: readonly Guest[] = [
  ...GUESTS.map((guest) => bench(guest.name, () => buildGuest(guest, 1, folder))),
  bench('keel and every example', () => buildKeelImage(1, folder)),
  ...goldenNames.map(golden),
  ...readdirSync(CORPUS)
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map(hostile),
];

async function judge({ name, make }: Guest): Promise<{ cells: string[]; instructions: bigint; stops: number; isSame: boolean }> {
  const { machine, boot, host } = await make();
  let [instructions, stops, isSame] = [0n, 0, true];
  const cells = [name];
  for (const path of [false, true]) {
    const random = seedrandom(`${SEED} ${name} ${path}`);
    const report = await lockstep({
      machine: { ...machine, record: { path, addresses: false } },
      boot,
      tiers: [0, 1],
      host: host(),
      limit: LIMIT,
      stride: () => 1 + Math.floor(random() ** 3 * MOST_APART),
    });
    if (!path) cells.push(`${report.instructions}`, report.end?.reason ?? '');
    const verdict = report.difference === null ? 'the same' : `part before ${report.difference.first}`;
    cells.push(`${report.stops}`, verdict);
    instructions += report.instructions;
    stops += report.stops;
    isSame &&= report.difference === null && report.end?.reason !== 'limit';
  }
  return { cells, instructions, stops, isSame };
}

const wanted = process.argv.slice(2);
const lines = [['image', 'instructions', 'ended by', 'stops', 'tier 0, tier 1', 'stops', 'with the path']];
let [instructions, stops] = [0n, 0];
try {
  for (const guest of guests) {
    if (wanted.length > 0 && !wanted.some((part) => guest.name.includes(part))) continue;
    process.stderr.write(`${guest.name}\n`);
    const judged = await judge(guest);
    lines.push(judged.cells);
    instructions += judged.instructions;
    stops += judged.stops;
    if (!judged.isSame) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(layOut(lines));
process.stdout.write(
  `${lines.length - 1} images, seed ${SEED}: ${instructions} instructions in both tiers, compared at ${stops} stops; ${process.exitCode === 1 ? 'SOME PART' : 'all the same'}\n`,
);
