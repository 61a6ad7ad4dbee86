/**
 * The workers of a campaign, as its main thread sees them: each answers its requests in their order, and several may be on their way, so that it never
 * waits for the main thread. A worker that throws, ends or hangs is a bug of ours, told with the program that it ran.
 */
import { Worker } from 'node:worker_threads';
import { Bug, UserError } from '../../machine/index.ts';
import type { ReadyTestbed } from '../testbed.ts';
import type { BatchResult, WorkerData, WorkerRequest, WorkerStart } from './messages.ts';

/** Memory for what a worker needs for the length of one program: most of it dies young, and should. */
const YOUNG_MB = 384;
/** No program takes a second. Real time decides nothing but whether a worker is given up. */
const STUCK_SECONDS = 300;

export class CrewMember {
  readonly #thread: Worker;
  readonly #seed: string;
  /** The program that it runs, as it says itself. */
  readonly #program: Int32Array;
  /** Who waits for its next answers; an error says why none will come. */
  readonly #waiting: ((answer: unknown) => void)[] = [];
  #failure: Bug | UserError | null = null;
  readonly #watch: NodeJS.Timeout;

  /** `file`: what the thread runs; it is given `data`, and messages as messages.ts has them. */
  constructor(file: URL, data: Omit<WorkerData, 'program'>, stuckSeconds = STUCK_SECONDS) {
    this.#seed = data.seed;
    this.#program = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
    const workerData: WorkerData = { ...data, program: this.#program };
    this.#thread = new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    this.#thread.on('message', (answer: unknown) => this.#waiting.shift()?.(answer));
    // An error may overtake answers that were sent before it; the end, which always follows, does not.
    let thrown: { readonly error: unknown } | null = null;
    this.#thread.on('error', (error: unknown) => {
      thrown ??= { error };
    });
    this.#thread.on('exit', (code) => (thrown === null ? this.#fail(`ended with status ${code}`) : this.#threw(thrown.error)));
    this.#watch = this.#watchOver(stuckSeconds);
  }

  /** Has it boot keel. */
  boot(): Promise<ReadyTestbed> {
    return this.#ask('boot');
  }

  /** Has it take over what another one has booted. */
  async takeOver(ready: ReadyTestbed): Promise<void> {
    await this.#ask<null>(ready);
  }

  run(request: WorkerRequest): Promise<BatchResult> {
    return this.#ask(request);
  }

  async end(): Promise<void> {
    clearInterval(this.#watch);
    await this.#thread.terminate();
  }

  async #ask<Answer>(message: WorkerStart | WorkerRequest): Promise<Answer> {
    const answer = await new Promise<unknown>((resolve) => {
      if (this.#failure !== null) return resolve(this.#failure);
      this.#waiting.push(resolve);
      this.#thread.postMessage(message);
    });
    if (answer instanceof Error) throw answer;
    return answer as Answer; // of the same message: answers come in the order of messages
  }

  /** Errors come as copies, which are of no class of ours. */
  #threw(error: unknown): void {
    if (!(error instanceof Error)) return this.#fail(`threw ${error}`);
    if (error.name === 'UserError') return this.#tell(new UserError(error.message)); // a kernel that does not boot
    this.#fail(`failed: ${error.stack}`);
  }

  #fail(why: string): void {
    const program = Atomics.load(this.#program, 0);
    this.#tell(new Bug(`a worker ${program < 0 ? 'at its start' : `in program ${program} of seed ${this.#seed}`} ${why}`));
  }

  #tell(failure: Bug | UserError): void {
    this.#failure ??= failure;
    for (const tell of this.#waiting.splice(0)) tell(this.#failure);
  }

  /** Gives it up if it owes an answer and stands at the same program for so long. */
  #watchOver(seconds: number): NodeJS.Timeout {
    let stands = 0;
    let last = -1;
    return setInterval(() => {
      const program = Atomics.load(this.#program, 0);
      stands = program === last && this.#waiting.length > 0 ? stands + 1 : 0;
      last = program;
      if (stands === 10) this.#fail(`does not go on for ${seconds} s`);
    }, seconds * 100).unref();
  }
}
