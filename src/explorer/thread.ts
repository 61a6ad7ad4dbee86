/**
 * A worker thread as the server sees it: requests are answered one at a time in their order, and given up when whoever asked has gone: those that wait at
 * once, the one at work when it next asks. A thread that ends by itself is started anew with the next request.
 */
import { Worker } from 'node:worker_threads';
import { Bug, UserError } from '../machine/index.ts';

/** What a thread is given when it starts. */
export interface ThreadData {
  readonly role: 'overview' | 'moment' | 'names' | 'who';
  readonly path: string;
  /** Where the run failed, where that is known. */
  readonly failure: number | null;
  /** The number of the request that nobody waits for any more. */
  readonly cancelled: Int32Array;
}

export interface ThreadRequest {
  readonly id: number;
  readonly operation: string;
  readonly query: Readonly<Record<string, unknown>>;
}

/** The side of a thread: what answers the requests of its role. */
export interface Desk {
  answer(request: ThreadRequest, isCancelled: () => boolean): Promise<unknown>;
}

/** An error comes by its name, so that the server knows whose it is. */
export interface ThreadAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly name: string; readonly message: string };
}

/** Too many requests wait for the same thread. */
export class Busy extends Error {}

/** The request was given up. */
export class Cancelled extends Error {}

const MOST_WAITING = 64;

interface Waiting {
  readonly request: ThreadRequest;
  readonly settle: (value: unknown) => void;
  readonly fail: (error: Error) => void;
}

export class Thread {
  readonly #data: Omit<ThreadData, 'cancelled'>;
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(4));
  readonly #waiting: Waiting[] = [];
  #worker: Worker | null = null;
  #isAtWork = false;
  #lastId = 0;
  #isEnded = false;

  constructor(data: Omit<ThreadData, 'cancelled'>) {
    this.#data = data;
  }

  /** Throws UserError, `Busy`, `Cancelled` (by `signal`), or Bug where the thread ended. */
  ask<Answer>(operation: string, query: ThreadRequest['query'], signal: AbortSignal): Promise<Answer> {
    if (this.#waiting.length >= MOST_WAITING) return Promise.reject(new Busy(`more than ${MOST_WAITING} requests wait`));
    const request = { id: ++this.#lastId, operation, query };
    return new Promise<Answer>((resolve, reject) => {
      const waiting: Waiting = { request, settle: (value) => resolve(value as Answer), fail: reject }; // of the operation: see api.ts
      this.#waiting.push(waiting);
      signal.addEventListener('abort', () => this.#giveUp(waiting), { once: true });
      if (signal.aborted) this.#giveUp(waiting);
      this.#next();
    });
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#worker?.terminate();
  }

  #giveUp(waiting: Waiting): void {
    const place = this.#waiting.indexOf(waiting);
    if (place < 0) return;
    waiting.fail(new Cancelled('nobody waits for the answer'));
    if (place === 0 && this.#isAtWork) Atomics.store(this.#cancelled, 0, waiting.request.id);
    else this.#waiting.splice(place, 1);
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#isAtWork) return;
    this.#isAtWork = true;
    this.#worker ??= this.#start();
    this.#worker.postMessage(first.request);
  }

  #start(): Worker {
    // Two places: beside the sources, and in the bundle, beside the command line.
    const file = new URL(import.meta.url.endsWith('.ts') ? './explorer-worker.ts' : './explorer-worker.js', import.meta.url);
    const workerData: ThreadData = { ...this.#data, cancelled: this.#cancelled };
    const worker = new Worker(file, { workerData });
    let reason = 'ended';
    worker.on('message', (answer: ThreadAnswer) => this.#take(answer));
    worker.on('error', (error: unknown) => {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
      if (this.#isEnded || !this.#isAtWork) return;
      this.#isAtWork = false;
      this.#waiting.shift()?.fail(new Bug(`the explorer's thread for ${this.#data.role} ${reason}`));
      this.#next();
    });
    return worker;
  }

  #take({ value, error }: ThreadAnswer): void {
    this.#isAtWork = false;
    const done = this.#waiting.shift();
    if (error === undefined) done?.settle(value);
    else if (error.name === 'UserError' || error.name === 'TraceDamage') done?.fail(new UserError(error.message));
    else done?.fail(new Bug(error.message));
    this.#next();
  }
}
