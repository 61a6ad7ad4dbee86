/** A set of bytes by address, kept as ranges: bytes that come one behind the other are one range. */
export class ByteRanges {
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  add(address: number, size: number): void {
    const last = this.#from.length - 1;
    if (last >= 0 && this.#to[last] === address) this.#to[last] = address + size;
    else {
      this.#from.push(address);
      this.#to.push(address + size);
    }
  }

  overlaps(address: number, size: number): boolean {
    for (let n = 0; n < this.#from.length; n++) if (address < (this.#to[n] ?? 0) && address + size > (this.#from[n] ?? 0)) return true;
    return false;
  }

  clear(): void {
    if (this.#from.length === 0) return;
    this.#from.length = 0;
    this.#to.length = 0;
  }
}
