/**
 * Circumstances: what a run of a program depends on besides the program. The same program runs under several: with other values for what it leaves open,
 * with other turns of the scheduler, with memory that is refused at some moment.
 */
import seedrandom from 'seedrandom';
import { UserError } from '../../machine/index.ts';

export interface Circumstances {
  /** The 64 bits that the program picks operands from (grammar/act.ts); null: those in its text. */
  readonly input: bigint | null;
  /** Ticks of a turn at CPL 3; null: as the kernel's command line says. */
  readonly quantum: number | null;
  /** The frame of memory, counted from the start of the run, that the kernel does not get; null: it gets all. */
  readonly failFrame: number | null;
}

export const USUAL: Circumstances = { input: null, quantum: null, failFrame: null };

/** Shorter and longer than the usual turn: a fork and its exit take some 20,000 ticks, an ordinary system call some hundred. */
const QUANTUM = { least: 1000, most: 30_000 };

/** Frames of memory that a run asked for: until its programs were started, and in all. */
export interface AskedFrames {
  readonly start: number;
  readonly all: number;
}

/** Of so many refused frames one is refused while the program is started, which it then is not. */
const STARTS = 8;

/**
 * Those of variant `variant` of program `index`, whose run under the usual ones (variant 0) asked for these frames: a function of the four alone. Half of
 * the variants are refused one of as many frames.
 */
export function circumstancesOf(seed: string, index: number, variant: number, { start, all }: AskedFrames): Circumstances {
  if (variant === 0) return USUAL;
  const random = seedrandom.alea(`${seed}/${index}/${variant}`);
  const below = (limit: number) => Math.floor(random() * limit);
  const quantum = QUANTUM.least + below(QUANTUM.most - QUANTUM.least);
  const from = all === start || below(STARTS) === 0 ? 0 : start;
  const failFrame = below(2) === 0 || all === 0 ? null : from + 1 + below((from === 0 ? start : all) - from);
  const input = (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32));
  return { input, quantum, failFrame };
}

/** Words, of which keel reads those about itself in /etc/options, and `--circumstances` takes all: empty for the usual ones. */
export function wordsOf({ input, ...kernels }: Circumstances): string {
  const words = kernelWordsOf(kernels);
  return input === null ? words : `input=0x${input.toString(16)}${words === '' ? '' : ` ${words}`}`;
}

/** Those that keel reads in /etc/options. */
export function kernelWordsOf({ quantum, failFrame }: Pick<Circumstances, 'quantum' | 'failFrame'>): string {
  return [...(quantum === null ? [] : [`quantum=${quantum}`]), ...(failFrame === null ? [] : [`fail-frame=${failFrame}`])].join(' ');
}

/** The inverse of `wordsOf`. UserError for other words. */
export function circumstancesFrom(words: string): Circumstances {
  const found: { -readonly [K in keyof Circumstances]: Circumstances[K] } = { ...USUAL };
  for (const word of words.split(' ').filter((each) => each !== '')) {
    const [, name, digits] = /^(quantum|fail-frame)=([1-9]\d{0,8})$/.exec(word) ?? [];
    const [, input] = /^input=(0x[0-9a-f]{1,16})$/.exec(word) ?? [];
    if (input !== undefined) found.input = BigInt(input);
    else if (name !== undefined) found[name === 'quantum' ? 'quantum' : 'failFrame'] = Number(digits);
    else throw new UserError(`circumstances ${word}: give input=0xN, quantum=N, fail-frame=N or several of them`);
  }
  return found;
}
