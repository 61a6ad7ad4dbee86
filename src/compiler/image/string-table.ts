import { ByteWriter } from './byte-writer.ts';

/** An ELF or DWARF string table: each string once, offset 0 is the empty one. */
export class StringTable {
  readonly #offsets = new Map<string, number>([['', 0]]);
  #length = 1;

  offset(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const at = this.#length;
    this.#length += utf8Length(text) + 1;
    this.#offsets.set(text, at);
    return at;
  }

  write(out: ByteWriter): void {
    for (const text of this.#offsets.keys()) out.string(text);
  }

  get bytes(): Uint8Array {
    const out = new ByteWriter(this.#length);
    this.write(out);
    return out.written;
  }
}

function utf8Length(text: string): number {
  for (let k = 0; k < text.length; k++) if (text.charCodeAt(k) > 0x7f) return new TextEncoder().encode(text).length;
  return text.length;
}
