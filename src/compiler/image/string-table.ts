import { ByteWriter } from './byte-writer.ts';

/** An ELF or DWARF string table: each string once, offset 0 is the empty one. */
export class StringTable {
  readonly #writer = new ByteWriter(1024);
  readonly #offsets = new Map<string, number>([['', 0]]);

  constructor() {
    this.#writer.u8(0);
  }

  offset(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const at = this.#writer.length;
    this.#writer.string(text);
    this.#offsets.set(text, at);
    return at;
  }

  get bytes(): Uint8Array {
    return this.#writer.written;
  }
}
