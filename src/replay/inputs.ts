/**
 * The two hosts of record and replay. Everything that the guest cannot compute for itself is asked from a host, at exact points of the run; so the
 * n-th call of a door is the same call in every run, and an input is known by its door and n. Calls that gave nothing are counted, not stored.
 */
import type { Host } from '../machine/index.ts';
import type { TraceEventOf } from './events.ts';

export type Door = TraceEventOf<'input'>['source'];

/** What stands behind a `CountingHost` where the inputs are played back: those that were recorded, in order. */
export class PlaybackHost {
  readonly #waiting: Record<Door, { readonly call: bigint; readonly data: Uint8Array }[]> = { serial: [], program: [] };

  /** Adds inputs of a block that is about to run. */
  feed(inputs: Iterable<TraceEventOf<'input'>>): void {
    for (const { source, call, data } of inputs) this.#waiting[source].push({ call, data });
  }

  /** Forgets the inputs that were not asked for. */
  clear(): void {
    this.#waiting.serial.length = 0;
    this.#waiting.program.length = 0;
  }

  /** What call `call` of a door gave, or null. */
  take(door: Door, call: bigint): Uint8Array | null {
    const queue = this.#waiting[door];
    while (queue[0] !== undefined && queue[0].call < call) queue.shift();
    return queue[0]?.call === call ? (queue.shift()?.data ?? null) : null;
  }
}

/** Stands between the machine and a host: counts the calls and tells what was given. */
export class CountingHost implements Host {
  /** Calls so far, by door. */
  readonly calls: Record<Door, bigint> = { serial: 0n, program: 0n };
  readonly #source: Host | PlaybackHost;
  readonly #given: (door: Door, call: bigint, data: Uint8Array) => void;
  readonly #output: (byte: number) => void;

  /** `source` gives the inputs; `given` is told each, with the number of its call; `output` takes what the guest prints. */
  constructor(source: Host | PlaybackHost, given: (door: Door, call: bigint, data: Uint8Array) => void, output: (byte: number) => void) {
    this.#source = source;
    this.#given = given;
    this.#output = output;
  }

  serialInput(): number | null {
    const call = this.calls.serial++;
    let byte: number | null;
    if (this.#source instanceof PlaybackHost) byte = this.#source.take('serial', call)?.[0] ?? null;
    else byte = this.#source.serialInput();
    if (byte !== null) this.#given('serial', call, Uint8Array.of(byte));
    return byte;
  }

  program(): Uint8Array | null {
    const call = this.calls.program++;
    const data = this.#source instanceof PlaybackHost ? this.#source.take('program', call) : this.#source.program();
    if (data !== null) this.#given('program', call, data);
    return data;
  }

  serialOutput(byte: number): void {
    this.#output(byte);
  }
}
