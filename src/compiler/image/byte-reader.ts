import { UserError } from '../../machine/isa/bug.ts';

/**
 * Reads little-endian fields of bytes that somebody else wrote. Every read is checked: what goes past the end is a {@link UserError} that
 * names the file and the part (`what`).
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, what: string, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#at = from;
    this.#end = end;
    if (from < 0 || from > end || end > bytes.length) this.fail('lies outside of the file');
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  fail(message: string): never {
    throw new UserError(`${this.#what} ${message}`);
  }

  /** The next `length` bytes as a reader of their own. */
  part(length: number): ByteReader {
    const from = this.#take(length);
    return new ByteReader(this.#bytes, this.#what, from, from + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** To the end. */
  skipAll(): void {
    this.#at = this.#end;
  }

  /** The next byte, which stays. */
  peek(): number {
    const byte = this.u8();
    this.#at--;
    return byte;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A 64-bit field that is an offset, a size or a count: an error from 2^53 on. */
  size(): number {
    const value = this.u64();
    return value < 2n ** 53n ? Number(value) : this.fail(`has an absurd size 0x${value.toString(16)}`);
  }

  /** Unsigned LEB128, at most 2^53 - 1. */
  uleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) this.fail('has an absurd LEB128 number');
      if (byte < 0x80) return value;
      scale *= 0x80;
      if (scale > 2 ** 56) this.fail('has an endless LEB128 number');
    }
  }

  /** Unsigned LEB128 of 64 bits: what is above is cut off. */
  uleb64(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      if (shift < 64n) value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
      if (shift > longestLeb) this.fail('has an endless LEB128 number');
    }
  }

  /** Signed LEB128 of 64 bits. */
  sleb64(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      if (shift < 64n) value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (byte & 0x40) === 0 ? value : value - (1n << (shift + 7n)));
      if (shift > longestLeb) this.fail('has an endless LEB128 number');
    }
  }

  /** The next bytes: a view. */
  take(length: number): Uint8Array {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** Signed LEB128 of at most 53 bits. */
  sleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80) {
        if ((byte & 0x40) !== 0) value -= scale;
        return Number.isSafeInteger(value) ? value : this.fail('has an absurd LEB128 number');
      }
      if (scale > 2 ** 56) this.fail('has an endless LEB128 number');
    }
  }

  /** UTF-8 up to a zero byte, which is skipped; at most 4 KiB. */
  string(): string {
    const tail = this.#bytes.subarray(this.#at, Math.min(this.#end, this.#at + longestString));
    const length = tail.indexOf(0);
    if (length < 0) this.fail('has a string without an end');
    this.#at += length + 1;
    return decoder.decode(tail.subarray(0, length));
  }

  #take(length: number): number {
    const at = this.#at;
    if (length < 0 || at + length > this.#end) this.fail(`is cut off at byte ${this.#end}`);
    this.#at = at + length;
    return at;
  }
}

/** Bits of padding that a LEB128 number may have. */
const longestLeb = 140n;
const longestString = 4096;
const decoder = new TextDecoder();
