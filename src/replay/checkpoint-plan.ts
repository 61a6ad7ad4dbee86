/**
 * When a recording takes its checkpoints: so rarely that they cost little beside the run, so often that every point between two is reached soon. What counts
 * is how long the run between takes, estimated from what it does, since a clock must not be asked.
 */
import { CHECKPOINT_INSTRUCTIONS } from './schema.ts';

/** An event (a fault, a system call, a switch) takes about as long as so many instructions. */
const EVENT_COST = 64;
/** Between two checkpoints lies at least so much, in instructions … */
const LEAST_COST = 64 << 20;
/** … or, for each byte that the last one held, … */
const COST_OF_BYTE = 2;
/** … but never more than this: so that the slowest run, of some 100 million instructions a second, is within a second of each point. */
const MOST_COST = 128 << 20;

export class CheckpointPlan {
  readonly #fixed: number | null;
  #instructions = 0;
  #cost = 0;
  #least = LEAST_COST;

  /** `fixed`: instructions between two, whatever they cost; null: as above. */
  constructor(fixed: number | null) {
    this.#fixed = fixed;
  }

  /** The run went on. */
  add(instructions: number, events: number): void {
    this.#instructions += instructions;
    this.#cost += instructions + events * EVENT_COST;
  }

  get isDue(): boolean {
    if (this.#fixed !== null) return this.#instructions >= this.#fixed;
    return this.#instructions >= CHECKPOINT_INSTRUCTIONS && this.#cost >= this.#least;
  }

  /** One was taken, with so many bytes of pages. */
  taken(bytes: number): void {
    this.#instructions = 0;
    this.#cost = 0;
    this.#least = Math.min(Math.max(LEAST_COST, bytes * COST_OF_BYTE), MOST_COST);
  }
}
