/** Signals that ask the process to end (Ctrl-C, a closed terminal, `kill`): the first lets it finish what it has, another one ends it. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Ctrl-C comes twice: the terminal sends it to all processes of the command, and bin/palindrome hands it on. */
const SAME_MS = 1000;

export class Interruption {
  readonly #abort = new AbortController();
  readonly #listener = (name: (typeof SIGNALS)[number]) => this.#take(name);
  #at = 0;
  #status: number | null = null;

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#listener);
  }

  /** Aborted by the first. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The exit status of who was interrupted, as shells have it; null: nobody was. */
  get status(): number | null {
    return this.#status;
  }

  /** From now on signals do what they do by themselves. */
  end(): void {
    for (const name of SIGNALS) process.off(name, this.#listener);
  }

  #take(name: (typeof SIGNALS)[number]): void {
    if (this.#status !== null && performance.now() - this.#at > SAME_MS) process.exit(this.#status);
    if (this.#status !== null) return;
    this.#at = performance.now();
    this.#status = 128 + constants.signals[name];
    this.#abort.abort();
  }
}
