/**
 * A component's state, declared once. From the declaration come save, load and diff; the state hash is taken over what save writes.
 *
 *     const UART_FIELDS = fieldsOf<Uart>('uart', { interruptEnable: 'u8', scratch: 'u8', received: 'list' });
 *     UART_FIELDS.save(uart, writer);  UART_FIELDS.load(uart, reader);
 *
 * Kinds: u8 u16 u32 i32 (number), time (ticks, at most MOST_TICKS), due (the same, or Infinity: never), flag (boolean), u64 (bigint), bytes and words (typed
 * arrays of fixed length), list (number[] of bytes, any length). Values are little-endian; nothing is padded.
 */
import { bug } from '../isa/bug.ts';
import { MOST_TICKS } from '../platform/time.ts';

type NumberKind = 'u8' | 'u16' | 'u32' | 'i32' | 'time' | 'due';
type KindOf<V> = V extends number
  ? NumberKind
  : V extends boolean
    ? 'flag'
    : V extends bigint
      ? 'u64'
      : V extends Uint8Array
        ? 'bytes'
        : V extends Uint32Array
          ? 'words'
          : V extends number[]
            ? 'list'
            : never;

/** Which fields of T there are, by name, each with a kind that suits its type. */
export type Declaration<T> = { readonly [K in keyof T]?: KindOf<T[K]> };

/** Grows as it is written. */
export class StateWriter {
  #bytes = new Uint8Array(8192);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  u8(value: number): void {
    this.#room(1);
    this.#view.setUint8(this.length, value);
    this.length += 1;
  }

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  f64(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  u64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.length, value, true);
    this.length += 8;
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.length);
    this.length += value.length;
  }

  /** Begins anew in the same buffer. */
  reset(): void {
    this.length = 0;
  }

  /** What was written; a view that the next write may overwrite. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  #room(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + more));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Reads what StateWriter wrote. A state that is too short throws RangeError, as do values that a kind does not have. */
export class StateReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    const value = this.#view.getUint8(this.at);
    this.at += 1;
    return value;
  }

  u32(): number {
    const value = this.#view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  u64(): bigint {
    const value = this.#view.getBigUint64(this.at, true);
    this.at += 8;
    return value;
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    if (this.at + length > this.#bytes.length)
      throw new RangeError(`the state ends at ${this.#bytes.length}, ${length} bytes are wanted at ${this.at}`);
    const value = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    return value;
  }
}

export interface Fields<T> {
  readonly component: string;
  readonly names: readonly string[];
  save(from: T, to: StateWriter): void;
  load(into: T, from: StateReader): void;
  /** The names of the fields that differ. */
  diff(a: T, b: T): string[];
}

type Values = Record<string, unknown>;

export function fieldsOf<T extends object>(component: string, declaration: Declaration<T>): Fields<T> {
  const entries = Object.entries(declaration) as [string, string][];
  return {
    component,
    names: entries.map(([name]) => name),
    save: (from, to) => {
      for (const [name, kind] of entries) saveValue(component, name, kind, (from as Values)[name], to);
    },
    load: (into, from) => {
      for (const [name, kind] of entries) loadValue(name, kind, into as Values, from);
    },
    diff: (a, b) => entries.filter(([name]) => !sameValue((a as Values)[name], (b as Values)[name])).map(([name]) => name),
  };
}

function saveValue(component: string, name: string, kind: string, value: unknown, to: StateWriter): void {
  if (typeof value === 'number') {
    if (kind === 'u8') to.u8(value);
    else if (kind === 'time' || kind === 'due') to.f64(value);
    else to.u32(value);
  } else if (typeof value === 'boolean') to.u8(value ? 1 : 0);
  else if (typeof value === 'bigint') to.u64(value);
  else if (value instanceof Uint8Array) to.bytes(value);
  else if (value instanceof Uint32Array) for (const word of value) to.u32(word);
  else if (Array.isArray(value)) {
    to.u32(value.length);
    for (const byte of value) to.u8(Number(byte));
  } else bug(`${component}.${name} cannot be saved`);
}

function loadValue(name: string, kind: string, into: Values, from: StateReader): void {
  const old = into[name];
  switch (kind) {
    case 'u8':
      into[name] = from.u8();
      return;
    case 'time':
    case 'due': {
      const time = from.f64();
      const isNever = kind === 'due' && time === Number.POSITIVE_INFINITY;
      if (!(isNever || (Number.isInteger(time) && time >= 0 && time <= MOST_TICKS))) throw new RangeError(`${name} is ${time}`);
      into[name] = time;
      return;
    }
    case 'u16':
    case 'u32':
      into[name] = from.u32();
      return;
    case 'i32':
      into[name] = from.u32() | 0;
      return;
    case 'flag':
      into[name] = from.u8() !== 0;
      return;
    case 'u64':
      into[name] = from.u64();
      return;
    case 'bytes':
      if (old instanceof Uint8Array) old.set(from.bytes(old.length));
      return;
    case 'words':
      if (old instanceof Uint32Array) for (let i = 0; i < old.length; i++) old[i] = from.u32();
      return;
    case 'list': {
      const length = from.u32();
      into[name] = [...from.bytes(length)];
      return;
    }
    default:
      bug(`${name}: no kind '${kind}'`);
  }
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) || a instanceof Uint8Array || a instanceof Uint32Array) {
    const other = b as ArrayLike<unknown>;
    return a.length === other.length && Array.from(a as ArrayLike<unknown>).every((value, i) => value === other[i]);
  }
  return Object.is(a, b);
}
