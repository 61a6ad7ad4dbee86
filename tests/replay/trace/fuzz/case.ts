/** One case of the fuzzer, by seed and number: a mutated trace, read by everything that reads traces; some of them are played. */
import { type Mutant, mutant } from './mutate.ts';
import { Choices } from './random.ts';
import { type Ending, Players, parse } from './read-all.ts';
import { makeVictims, type Victims } from './victims.ts';

/** Of so many cases one is played: that takes a hundred times as long. */
const PLAYED = 256;
/** Of so many cases one is read thoroughly. */
const THOROUGH = 16;
/** No case takes more CPU time; most take a thousandth of that. */
const MOST_MS = { parsed: 4_000, played: 30_000 } as const;
/** The process that reads never holds more, whatever the traces say: a machine that a trace asks for may have 3 GiB of RAM, of which it touches little. */
const MOST_MEMORY_MIB = 3072;

export interface Outcome {
  readonly ending: Ending;
  readonly isPlayed: boolean;
  /** CPU time of this thread. */
  readonly milliseconds: number;
}

/** What a case found: the reader's fault, with what shows it again. */
export class Finding extends Error {
  readonly mutant: Mutant;

  constructor(seed: string, index: number, made: Mutant, cause: unknown) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`case ${index} of seed ${seed} (${made.how}; ${made.bytes.length} bytes): ${text}`);
    this.mutant = made;
  }
}

export class TraceFuzzer {
  readonly #victims: Victims;
  readonly #players: Players;

  private constructor(victims: Victims, players: Players) {
    this.#victims = victims;
    this.#players = players;
  }

  static async create(): Promise<TraceFuzzer> {
    return new TraceFuzzer(await makeVictims(), await Players.create());
  }

  /** The trace of a case. */
  mutant(seed: string, index: number): Mutant {
    return mutant(this.#victims, `${seed}/${index}`, isPlayed(index) ? this.#victims.playable : this.#victims.all);
  }

  /** Throws a Finding. */
  async run(seed: string, index: number): Promise<Outcome> {
    const made = this.mutant(seed, index);
    const begin = process.threadCpuUsage();
    try {
      let ending = await parse(made.bytes, index % THOROUGH === 0);
      if (isPlayed(index)) ending = await this.#players.play(made.bytes, new Choices(`${seed}/${index}/play`));
      const { user, system } = process.threadCpuUsage(begin);
      const milliseconds = (user + system) / 1000;
      const most = isPlayed(index) ? MOST_MS.played : MOST_MS.parsed;
      if (milliseconds > most) throw new Error(`it took ${milliseconds.toFixed(0)} ms of CPU time; the limit is ${most}`);
      const mebibytes = process.resourceUsage().maxRSS / 1024;
      if (mebibytes > MOST_MEMORY_MIB) throw new Error(`the process held ${mebibytes.toFixed(0)} MiB; the limit is ${MOST_MEMORY_MIB}`);
      return { ending, isPlayed: isPlayed(index), milliseconds };
    } catch (error) {
      throw new Finding(seed, index, made, error);
    }
  }
}

const isPlayed = (index: number): boolean => index % PLAYED === 0;
