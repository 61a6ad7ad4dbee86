/** The path of the block that is being made: pieces that the machine drains, put together to one column of bits and one of targets. */
import type { PathBlock } from '../machine/index.ts';
import type { PackedPath } from './schema.ts';

export class PathLog {
  #bits = new Uint8Array(8192 + 8);
  #bitCount = 0;
  #targets = new BigUint64Array(1024);
  #targetCount = 0;
  #addresses = new BigUint64Array(0);
  #addressCount = 0;

  get bitCount(): number {
    return this.#bitCount;
  }

  get targetCount(): number {
    return this.#targetCount;
  }

  append(piece: Pick<PathBlock, 'bits' | 'bitCount' | 'targets' | 'addresses'>): void {
    this.#appendBits(piece.bits, piece.bitCount);
    this.#targets = grown(this.#targets, this.#targetCount + piece.targets.length);
    this.#targets.set(piece.targets, this.#targetCount);
    this.#targetCount += piece.targets.length;
    this.#addresses = grown(this.#addresses, this.#addressCount + piece.addresses.length);
    this.#addresses.set(piece.addresses, this.#addressCount);
    this.#addressCount += piece.addresses.length;
  }

  /** Bits after the last one of the column are kept 0. */
  #appendBits(bits: Uint8Array, count: number): void {
    const needed = ((this.#bitCount + count + 7) >> 3) + 1;
    if (needed > this.#bits.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bits.length * 2));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    const shift = this.#bitCount & 7;
    let at = this.#bitCount >> 3;
    for (let left = count, i = 0; left > 0; left -= 8, i++, at++) {
      const byte = (bits[i] ?? 0) & (left >= 8 ? 0xff : (1 << left) - 1);
      this.#bits[at] = (this.#bits[at] ?? 0) | (byte << shift);
      if (shift !== 0) this.#bits[at + 1] = byte >> (8 - shift);
    }
    this.#bitCount += count;
  }

  /** Copies of the columns. */
  pack(): PackedPath {
    return {
      bits: this.#bits.slice(0, (this.#bitCount + 7) >> 3),
      bitCount: this.#bitCount,
      targets: new Uint8Array(this.#targets.buffer.slice(0, this.#targetCount * 8)),
    };
  }

  packAddresses(): Uint8Array {
    return new Uint8Array(this.#addresses.buffer.slice(0, this.#addressCount * 8));
  }

  reset(): void {
    this.#bits.fill(0, 0, (this.#bitCount >> 3) + 1);
    this.#bitCount = 0;
    this.#targetCount = 0;
    this.#addressCount = 0;
  }
}

function grown(array: BigUint64Array<ArrayBuffer>, length: number): BigUint64Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const larger = new BigUint64Array(Math.max(length, array.length * 2, 1024));
  larger.set(array);
  return larger;
}
