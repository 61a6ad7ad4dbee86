/** The command line of the bench. */
import { parseArgs } from 'node:util';
import { BenchError } from './error.ts';
import { GUESTS, KEEL } from './guests.ts';

export interface Options {
  /** Measurements of each pair of guest and peer, of which the median counts. */
  readonly rounds: number;
  /** Less work in each guest, one round, no slow peers: about a minute. */
  readonly isShort: boolean;
  readonly isJson: boolean;
  /** Names of rows; empty: all. */
  readonly only: readonly string[];
  /** An earlier result to compare with. */
  readonly compare: string | null;
  /** Keep the result in bench/results. */
  readonly isSaved: boolean;
  /** Only say where the time of this row goes. */
  readonly profile: string | null;
  /** Only build the images into this folder. */
  readonly build: string | null;
}

/** Rows beside those of the guests. */
const BESIDES = ['compiling', 'fuzzing', 'snapshots'];

export const USAGE = `npm run bench -- [options]
  --short          the form for CI: less work, one round, no slow peers (about a minute)
  --only NAME      only this row (may be given again): ${[...GUESTS, KEEL].map((g) => g.file).join(', ')}, ${BESIDES.join(', ')}
  --rounds N       measurements of each, of which the median counts (3)
  --json           one JSON object as the last line
  --compare FILE   beside an earlier result
  --save           keep the result in bench/results
  --profile NAME   only say where the time of this guest's row goes: functions, and exits of generated code
  --build FOLDER   only build the guests' images, for use by hand
`;

export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const rounds = Number(values.rounds ?? (values.short ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new BenchError('--rounds takes a whole number from 1 to 100');
  const guests = [...GUESTS, KEEL].map(({ file }) => file);
  const known = guests.concat(BESIDES);
  const only = values.only ?? [];
  for (const name of only) if (!known.includes(name)) throw new BenchError(`--only ${name}: the rows are ${known.join(', ')}`);
  if (values.profile !== undefined && !guests.includes(values.profile))
    throw new BenchError(`--profile ${values.profile}: the guests are ${guests.join(', ')}`);
  return {
    rounds,
    isShort: values.short ?? false,
    isJson: values.json ?? false,
    only,
    compare: values.compare ?? null,
    isSaved: values.save ?? false,
    profile: values.profile ?? null,
    build: values.build ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        short: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        json: { type: 'boolean' },
        compare: { type: 'string' },
        save: { type: 'boolean' },
        profile: { type: 'string' },
        build: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new BenchError(error instanceof Error ? error.message.split('\n')[0] : String(error));
  }
}
