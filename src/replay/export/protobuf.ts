/** Writes protocol buffers (wire format of proto2 and proto3): fields in any order, each by its number. */

const VARINT = 0;
const LENGTH = 2;
const utf8 = new TextEncoder();

export class ProtoWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** int32, int64, uint32, uint64, bool or enum; negative numbers as int64 has them. */
  number(field: number, value: bigint | number): this {
    this.#varint((field << 3) | VARINT);
    if (typeof value === 'number' && value >= 0 && value < 2 ** 31) this.#varint(value);
    else this.#longVarint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  string(field: number, text: string): this {
    return this.#block(field, utf8.encode(text));
  }

  message(field: number, message: ProtoWriter): this {
    return this.#block(field, message.written);
  }

  /** A view: valid until more is written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #block(field: number, bytes: Uint8Array): this {
    this.#varint((field << 3) | LENGTH);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  #varint(value: number): void {
    this.#reserve(5);
    let left = value;
    while (left > 0x7f) {
      this.#bytes[this.#length++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.#bytes[this.#length++] = left;
  }

  #longVarint(value: bigint): void {
    this.#reserve(10);
    let left = value;
    while (left > 0x7fn) {
      this.#bytes[this.#length++] = Number(left & 0x7fn) | 0x80;
      left >>= 7n;
    }
    this.#bytes[this.#length++] = Number(left);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    larger.set(this.written);
    this.#bytes = larger;
  }
}
