/**
 * msgpack for trace blocks: msgpackr behind a check. A trace is hostile input, so before msgpackr sees a block's bytes `decode` walks over them and
 * refuses what a trace never holds: extension types, floats, nesting deeper than `MAX_DEPTH`, more than `MAX_VALUES` values, counts larger than the bytes that are left, keys of
 * maps that are not text, bytes after the value. What passes needs memory in proportion to its size alone.
 */
import { Packr, RESET_BUFFER_MODE, Unpackr } from 'msgpackr';
import { Malformed } from './malformed.ts';

const MAX_DEPTH = 12;
/** Values of one block, whatever their kind: what is many stands in bins. */
const MAX_VALUES = 65_536;

/** What follows a tag: so many bytes, or a length or count of so many bytes and then that much. */
type Shape = readonly ['skip' | 'bytes' | 'array' | 'map', 0 | 1 | 2 | 4 | 8];

/** The tags above the fix types; those that are missing are not used in traces. */
const SHAPES: Readonly<Record<number, Shape>> = {
  192: ['skip', 0], // nil
  194: ['skip', 0], // false
  195: ['skip', 0], // true
  196: ['bytes', 1], // bin
  197: ['bytes', 2],
  198: ['bytes', 4],
  204: ['skip', 1], // uint
  205: ['skip', 2],
  206: ['skip', 4],
  207: ['skip', 8],
  208: ['skip', 1], // int
  209: ['skip', 2],
  210: ['skip', 4],
  211: ['skip', 8],
  217: ['bytes', 1], // str
  218: ['bytes', 2],
  219: ['bytes', 4],
  220: ['array', 2],
  221: ['array', 4],
  222: ['map', 2],
  223: ['map', 4],
};

/** Walks over one msgpack value without building it. */
class Checker {
  readonly #data: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #values = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  check(): void {
    this.#value(0);
    if (this.#at !== this.#data.length) throw new Malformed(`msgpack: ${this.#left} bytes follow the value`);
  }

  get #left(): number {
    return this.#data.length - this.#at;
  }

  #skip(count: number): void {
    if (count > this.#left) throw new Malformed(`msgpack: ${count} bytes wanted at ${this.#at}, ${this.#left} are left`);
    this.#at += count;
  }

  #number(bytes: number): number {
    const from = this.#at;
    this.#skip(bytes);
    return bytes === 1 ? this.#view.getUint8(from) : bytes === 2 ? this.#view.getUint16(from) : this.#view.getUint32(from);
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) throw new Malformed(`msgpack: nested deeper than ${MAX_DEPTH} at ${this.#at}`);
    if (++this.#values > MAX_VALUES) throw new Malformed(`msgpack: more than ${MAX_VALUES} values`);
    const tag = this.#number(1);
    if (tag <= 0x7f || tag >= 0xe0) return;
    if (tag <= 0x8f) this.#map(tag & 0x0f, depth);
    else if (tag <= 0x9f) this.#array(tag & 0x0f, depth);
    else if (tag <= 0xbf) this.#skip(tag & 0x1f);
    else this.#shaped(tag, depth);
  }

  #shaped(tag: number, depth: number): void {
    const shape = SHAPES[tag];
    if (shape === undefined) throw new Malformed(`msgpack: type 0x${tag.toString(16)} at ${this.#at - 1} is not used in traces`);
    const [what, size] = shape;
    if (what === 'skip') this.#skip(size);
    else if (what === 'bytes') this.#skip(this.#number(size));
    else if (what === 'array') this.#array(this.#number(size), depth);
    else this.#map(this.#number(size), depth);
  }

  #array(count: number, depth: number): void {
    if (count > this.#left) throw new Malformed(`msgpack: ${count} items announced at ${this.#at}, ${this.#left} bytes are left`);
    for (let i = 0; i < count; i++) this.#value(depth + 1);
  }

  #map(count: number, depth: number): void {
    if (count * 2 > this.#left) throw new Malformed(`msgpack: ${count} entries announced at ${this.#at}, ${this.#left} bytes are left`);
    for (let i = 0; i < count; i++) {
      const tag = this.#data[this.#at] ?? 0;
      if ((tag < 0xa0 || tag > 0xbf) && tag !== 0xd9) throw new Malformed(`msgpack: the key of a map at ${this.#at} is not a short text`);
      this.#value(depth + 1);
      this.#value(depth + 1);
    }
  }
}

/** Writes and reads the values of trace blocks: null, boolean, whole numbers (bigint for 64 bits), text, bytes, arrays, plain objects. */
export class Msgpack {
  readonly #packr = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true, moreTypes: false });
  readonly #unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'bigint', copyBuffers: false });

  /** The bytes of a value: a view of a buffer that the next call uses again. */
  encode(value: unknown): Uint8Array {
    return this.#packr.pack(value, RESET_BUFFER_MODE);
  }

  /** The value of bytes that may be hostile; throws `Malformed`. Bins in it are views of `data`. */
  decode(data: Uint8Array): unknown {
    new Checker(data).check();
    try {
      return this.#unpackr.unpack(data);
    } catch (error) {
      throw new Malformed(`msgpack: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
