/**
 * Circumstances: what a run of a program depends on besides the program. The same program runs under several: with other turns of the scheduler, with
 * memory that is refused at some moment.
 */
import seedrandom from 'seedrandom';
import { UserError } from '../../machine/index.ts';

export interface Circumstances {
  /** Ticks of a turn at CPL 3; null: as the kernel's command line says. */
  readonly quantum: number | null;
  /** The frame of memory, counted from the start of the run, that the kernel does not get; null: it gets all. */
  readonly failFrame: number | null;
}

export const USUAL: Circumstances = { quantum: null, failFrame: null };

/** Shorter and longer than the usual turn: a fork and its exit take some 20,000 ticks, an ordinary system call some hundred. */
const QUANTUM = { least: 1000, most: 30_000 };
/** A program's run takes so many frames, or more. */
const FRAMES = 160;

/** Those of variant `variant` of program `index`: a function of the three alone. The first variant is the usual one. */
export function circumstancesOf(seed: string, index: number, variant: number): Circumstances {
  if (variant === 0) return USUAL;
  const random = seedrandom(`${seed}/${index}/${variant}`);
  const below = (limit: number) => Math.floor(random() * limit);
  const quantum = QUANTUM.least + below(QUANTUM.most - QUANTUM.least);
  return { quantum, failFrame: below(2) === 0 ? null : 1 + below(FRAMES) };
}

/** As words that keel reads in /etc/options (and `--circumstances` takes): empty for the usual ones. */
export function wordsOf({ quantum, failFrame }: Circumstances): string {
  return [...(quantum === null ? [] : [`quantum=${quantum}`]), ...(failFrame === null ? [] : [`fail-frame=${failFrame}`])].join(' ');
}

/** The inverse of `wordsOf`. UserError for other words. */
export function circumstancesFrom(words: string): Circumstances {
  const found: { quantum: number | null; failFrame: number | null } = { quantum: null, failFrame: null };
  for (const word of words.split(' ').filter((each) => each !== '')) {
    const [, name, digits] = /^(quantum|fail-frame)=([1-9]\d{0,8})$/.exec(word) ?? [];
    if (name === undefined) throw new UserError(`circumstances ${word}: give quantum=N, fail-frame=N or both`);
    found[name === 'quantum' ? 'quantum' : 'failFrame'] = Number(digits);
  }
  return found;
}
