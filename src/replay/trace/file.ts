/** Where the bytes of a trace go to and come from: a file, or memory. */
import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { UserError } from '../../machine/isa/bug.ts';
import { checkPlace, reason } from '../whole-file.ts';

/** Takes a trace in order. `finish` makes it whole under its own name; without it, what was written stays readable as a cut trace. */
export interface TraceSink {
  write(bytes: Uint8Array): void;
  finish(): void;
  /** Gives up: closes what is open and keeps what was written. */
  abandon(): void;
}

/** Gives any range of a trace. */
export interface TraceSource {
  readonly size: number;
  /** The bytes from `offset`, as many as there are up to `length`. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** Where a trace lies while it is written. */
const partialOf = (path: string): string => `${path}.partial`;

/** Writes to `PATH.partial`, and renames it to `PATH` when the trace is whole. Each write reaches the system at once, so that a kill loses at most one block. */
export class FileSink implements TraceSink {
  readonly path: string;
  readonly #partial: string;
  #descriptor: number | null;

  constructor(path: string) {
    this.path = path;
    this.#partial = partialOf(path);
    checkPlace(path);
    try {
      this.#descriptor = openSync(this.#partial, 'w');
    } catch (error) {
      throw new UserError(`cannot write the trace ${this.#partial}: ${reason(error)}`);
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#descriptor === null) throw new UserError(`the trace ${this.#partial} is closed`);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
    } catch (error) {
      this.abandon();
      throw new UserError(`cannot write the trace ${this.#partial}: ${reason(error)}; what was written up to there can be read`);
    }
  }

  finish(): void {
    if (this.#descriptor === null) throw new UserError(`the trace ${this.#partial} is closed`);
    try {
      fsyncSync(this.#descriptor);
      this.abandon();
      renameSync(this.#partial, this.path);
    } catch (error) {
      throw new UserError(`cannot finish the trace ${this.path}: ${reason(error)}`);
    }
  }

  abandon(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}

/** Keeps a trace in memory. */
export class MemorySink implements TraceSink {
  readonly #parts: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  finish(): void {}

  abandon(): void {}

  /** What was written so far. */
  get bytes(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.#parts));
  }
}

export class FileSource implements TraceSource {
  readonly size: number;
  readonly #descriptor: number;

  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'r');
      this.size = fstatSync(this.#descriptor).size;
    } catch (error) {
      if (existsSync(partialOf(path)))
        throw new UserError(`the recording of ${path} has not ended, or was killed: read what there is of it, ${partialOf(path)}`);
      throw new UserError(`cannot read the trace ${path}: ${reason(error)}`);
    }
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    let done = 0;
    while (done < bytes.length) {
      const count = readSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

export class MemorySource implements TraceSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, Math.min(offset + length, this.#bytes.length));
  }

  close(): void {}
}
