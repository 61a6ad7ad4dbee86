/** A set of secret 64-bit words that memory is searched for, fast: nearly all words are refused by 16 of their bits. */
export class SecretSet {
  readonly #secrets: ReadonlySet<bigint>;
  readonly #mayBe = new Uint8Array(0x1_0000);

  constructor(secrets: readonly bigint[]) {
    this.#secrets = new Set(secrets);
    for (const secret of secrets) this.#mayBe[Number(secret & 0xffffn)] = 1;
  }

  /** The first secret that lies in `length` bytes of memory, 8-byte aligned; null: none. */
  findIn(memory: DataView, from: number, length: number): bigint | null {
    for (let at = from; at < from + length; at += 8) {
      if (this.#mayBe[memory.getUint16(at, true)] === 0) continue;
      const value = memory.getBigUint64(at, true);
      if (this.#secrets.has(value)) return value;
    }
    return null;
  }
}
