/**
 * What a campaign keeps of its runs: batches come in any order and are taken in by the numbers of their programs, so that nothing of the tally depends on
 * which worker was first. Of a run that shows nothing only its part of the digest is kept: a campaign may last for days.
 */
import { createHash } from 'node:crypto';
import type { Failure } from '../invariants/judge.ts';
import type { Circumstances } from './circumstances.ts';
import { describeReached } from './coverage.ts';
import type { BatchResult, RunResult } from './messages.ts';

/** Failures that say the same of the same invariant, but for the numbers: the first run that showed it, and how many programs did. */
export interface Group {
  readonly key: string;
  readonly index: number;
  readonly circumstances: Circumstances;
  readonly failure: Failure;
  programs: number;
  /** The last of them. */
  lastIndex: number;
}

/** What makes two failures the same: the invariant and what was seen, without its numbers. */
export const signature = ({ invariant, message }: Failure): string =>
  `${invariant} ${message.replace(/0x[0-9a-f]+|\d+/g, '#').replace(/(?:#(?:, )?)+/g, '#')}`;

export class Tally {
  readonly #waiting = new Map<number, BatchResult>();
  readonly #digest = createHash('sha256');
  readonly #groups = new Map<string, Group>();
  readonly #judged = new Map<string, number>();
  readonly #reached = new Set<string>();
  /** The program with which the next batch begins. */
  #next = 0;
  runs = 0;
  instructions = 0n;

  add(batch: BatchResult): void {
    this.#waiting.set(batch.from, batch);
    for (let next = this.#waiting.get(this.#next); next; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next);
      this.#next = next.to;
      this.#take(next);
    }
  }

  #take({ runs, judged, coverage }: BatchResult): void {
    for (const run of runs) this.#takeRun(run);
    for (const [id, count] of judged) this.#judged.set(id, (this.#judged.get(id) ?? 0) + count);
    for (const what of coverage) this.#reached.add(describeReached(what));
  }

  #takeRun({ index, variant, circumstances, hash, instructions, reason, status, failures }: RunResult): void {
    this.runs++;
    this.instructions += instructions;
    this.#digest.update(`${index} ${variant} ${hash} ${instructions} ${reason} ${status}\n`);
    for (const failure of failures) {
      const key = signature(failure);
      const group = this.#groups.get(key);
      if (group === undefined) this.#groups.set(key, { key, index, circumstances, failure, programs: 1, lastIndex: index });
      else if (group.lastIndex !== index) {
        group.programs++;
        group.lastIndex = index;
      }
    }
  }

  get groups(): Iterable<Group> {
    return this.#groups.values();
  }

  /** How many different things were reached (see coverage.ts). */
  get coverage(): number {
    return this.#reached.size;
  }

  /** How often each invariant was judged, in the order of their ids. */
  get checks(): Record<string, number> {
    return Object.fromEntries([...this.#judged].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** SHA-256 over all runs, the findings that came of them, and what was reached, in hexadecimal. The tally is over. */
  digest(findings: readonly { readonly invariant: string; readonly index: number; readonly source: string }[]): string {
    for (const { invariant, index, source } of findings) this.#digest.update(`${invariant} ${index}\n${source}`);
    for (const what of [...this.#reached].sort()) this.#digest.update(`${what}\n`);
    return this.#digest.digest('hex');
  }
}
