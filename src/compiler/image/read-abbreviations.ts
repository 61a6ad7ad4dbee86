/**
 * `.debug_abbrev` read back: tables of the shapes that entries have. Anybody may have written them, so each is read once, however many units name it, and
 * those of different offsets may not overlap: else a small file would keep its reader busy for ever.
 */
import { ByteReader } from './byte-reader.ts';

export interface Shape {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly { readonly name: number; readonly form: number; readonly constant: number }[];
}

export const formImplicitConst = 0x21;

export class AbbreviationTables {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  readonly #known = new Map<number, ReadonlyMap<number, Shape>>();
  #read = 0;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.#what = `${name}: .debug_abbrev`;
  }

  at(offset: number): ReadonlyMap<number, Shape> {
    let table = this.#known.get(offset);
    if (table === undefined) {
      const reader = new ByteReader(this.#bytes, this.#what, offset);
      table = readTable(reader);
      this.#read += reader.at - offset;
      if (this.#read > this.#bytes.length) reader.fail('has tables that overlap');
      this.#known.set(offset, table);
    }
    return table;
  }
}

function readTable(reader: ByteReader): ReadonlyMap<number, Shape> {
  const shapes = new Map<number, Shape>();
  for (let number = reader.uleb(); number !== 0; number = reader.uleb()) {
    const tag = reader.uleb();
    const hasChildren = reader.u8() === 1;
    const attributes: { name: number; form: number; constant: number }[] = [];
    for (;;) {
      const name = reader.uleb();
      const form = reader.uleb();
      const constant = form === formImplicitConst ? reader.sleb() : 0;
      if (name === 0 && form === 0) break;
      attributes.push({ name, form, constant });
    }
    shapes.set(number, { tag, hasChildren, attributes });
  }
  return shapes;
}
