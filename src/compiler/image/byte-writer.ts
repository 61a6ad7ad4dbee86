/** A growing little-endian byte buffer: what every writer of a binary format here writes into. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
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
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >> 8;
    return this;
  }

  u32(value: number): this {
    this.#put32(this.#take(4), value);
    return this;
  }

  /** A safe integer, signed or not, as 64 bits in two's complement. */
  u64(value: number): this {
    const at = this.#take(8);
    this.#put32(at, value);
    this.#put32(at + 4, Math.floor(value / 2 ** 32));
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
    return this.text(text).u8(0);
  }

  /** UTF-8. */
  text(text: string): this {
    const at = this.#take(text.length);
    for (let k = 0; k < text.length; k++) {
      const code = text.charCodeAt(k);
      if (code > 0x7f) {
        this.#length = at;
        return this.bytes(new TextEncoder().encode(text));
      }
      this.#bytes[at + k] = code;
    }
    return this;
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
    this.#put32(at, value);
  }

  /** The low 32 bits of a safe integer. */
  #put32(at: number, value: number): void {
    const bits = value | 0;
    this.#bytes[at] = bits;
    this.#bytes[at + 1] = bits >> 8;
    this.#bytes[at + 2] = bits >> 16;
    this.#bytes[at + 3] = bits >> 24;
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
  }
}
