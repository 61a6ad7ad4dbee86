/** A growing little-endian byte buffer: what every writer of a binary format here writes into. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far: a view, valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): this {
    const at = this.#take(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** A safe integer, signed or not, as 64 bits in two's complement. */
  u64(value: number): this {
    const at = this.#take(8);
    this.#view.setUint32(at, value % 2 ** 32, true);
    this.#view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
    return this;
  }

  /** Unsigned LEB128 of a safe integer (DWARF 5, section 7.6). */
  uleb(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.u8(rest);
  }

  /** Signed LEB128 of a 32-bit integer. */
  sleb(value: number): this {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  bytes(source: Uint8Array): this {
    const at = this.#take(source.length);
    this.#bytes.set(source, at);
    return this;
  }

  /** UTF-8, and a zero byte. */
  string(text: string): this {
    return this.bytes(new TextEncoder().encode(text)).u8(0);
  }

  zeros(count: number): this {
    this.#take(count);
    return this;
  }

  align(alignment: number): this {
    return this.zeros((alignment - (this.#length % alignment)) % alignment);
  }

  /** Overwrites four bytes that were written before (a length known later). */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) this.#grow();
    return at;
  }

  #grow(): void {
    const bigger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
    bigger.set(this.#bytes);
    this.#bytes = bigger;
    this.#view = new DataView(bigger.buffer);
  }
}
