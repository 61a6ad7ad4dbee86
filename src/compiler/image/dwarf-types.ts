/** The types of an image, each once, as entries of a unit of their own; whoever uses one refers to it by an offset that is filled in later. */
import type { ByteWriter } from './byte-writer.ts';
import type { BaseEncoding, DebugType, StructureType } from './debug-info.ts';
import { type Abbreviation, abbreviation } from './dwarf-abbreviations.ts';
import type { StringTable } from './string-table.ts';

const encodings: Readonly<Record<BaseEncoding, number>> = { boolean: 2, float: 4, signed: 5, unsigned: 7, text: 8 };
const pointerBytes = 8;

/** How many bytes a value of the type takes. */
export function bytesOfType(type: DebugType): number {
  switch (type.kind) {
    case 'base':
    case 'structure':
      return type.bytes;
    case 'pointer':
      return pointerBytes;
    case 'array':
      return type.length * bytesOfType(type.element);
    case 'alias':
      return bytesOfType(type.of);
    case 'function':
      return 0;
  }
}

export class TypeEntries {
  readonly #out: ByteWriter;
  readonly #strings: StringTable;
  /** Numbers of types by what they are made of, and of classes by themselves. */
  readonly #numbers = new Map<string, number>();
  readonly #classes = new Map<StructureType, number>();
  readonly #types: DebugType[] = [];
  readonly #offsets: number[] = [];
  readonly #references: { readonly at: number; readonly type: number }[] = [];

  /** @param out `.debug_info` */
  constructor(out: ByteWriter, strings: StringTable) {
    this.#out = out;
    this.#strings = strings;
  }

  /** Writes a reference to a type. */
  refer(type: DebugType): void {
    this.#references.push({ at: this.#out.length, type: this.#number(type) });
    this.#out.u32(0);
  }

  /** Writes all types that somebody refers to, and fills in the references. */
  write(): void {
    // Types refer to types: the list grows.
    for (let number = 0; number < this.#types.length; number++) {
      const type = this.#types[number];
      if (type !== undefined) this.#entry(type, number);
    }
    for (const { at, type } of this.#references) this.#out.patchU32(at, this.#offsets[type] ?? 0);
  }

  #number(type: DebugType): number {
    if (type.kind === 'structure' && type.isClass) {
      let number = this.#classes.get(type);
      if (number === undefined) this.#classes.set(type, (number = this.#types.push(type) - 1));
      return number;
    }
    const key = this.#keyOf(type);
    let number = this.#numbers.get(key);
    if (number === undefined) this.#numbers.set(key, (number = this.#types.push(type) - 1));
    return number;
  }

  #keyOf(type: DebugType): string {
    switch (type.kind) {
      case 'base':
        return `${type.name} ${type.bytes} ${type.encoding}`;
      case 'pointer':
        return `* ${type.to === null ? '' : this.#number(type.to)}`;
      case 'array':
        return `[] ${this.#number(type.element)} ${type.length}`;
      case 'alias':
        return `= ${type.name} ${this.#number(type.of)}`;
      case 'function':
        return `() ${type.parameters.map((each) => this.#number(each)).join()} ${type.result === null ? '' : this.#number(type.result)}`;
      case 'structure':
        return `{} ${type.name} ${type.bytes} ${type.members.map((m) => `${m.name} ${m.offset} ${this.#number(m.type)}`).join()}`;
    }
  }

  #begin(name: Abbreviation): void {
    this.#out.uleb(abbreviation(name));
  }

  #entry(type: DebugType, number: number): void {
    const out = this.#out;
    this.#offsets[number] = out.length;
    switch (type.kind) {
      case 'base':
        this.#begin('baseType');
        out.u32(this.#strings.offset(type.name)).uleb(type.bytes).u8(encodings[type.encoding]);
        return;
      case 'pointer':
        this.#begin(type.to === null ? 'pointerToAnything' : 'pointer');
        out.uleb(pointerBytes);
        if (type.to !== null) this.refer(type.to);
        return;
      case 'array':
        this.#begin('array');
        this.refer(type.element);
        this.#begin('arrayBounds');
        out.uleb(type.length).u8(0);
        return;
      case 'alias':
        this.#begin('alias');
        out.u32(this.#strings.offset(type.name));
        this.refer(type.of);
        return;
      case 'function':
        this.#begin(type.result === null ? 'functionType' : 'typedFunctionType');
        if (type.result !== null) this.refer(type.result);
        for (const parameter of type.parameters) {
          this.#begin('typeOfParameter');
          this.refer(parameter);
        }
        out.u8(0);
        return;
      case 'structure':
        this.#structure(type, number);
    }
  }

  #structure(type: StructureType, number: number): void {
    const out = this.#out;
    const name = this.#strings.offset(type.name);
    if (type.name !== '') {
      // The name alone is the type, too: `(Point *) address`.
      this.#begin('alias');
      out.u32(name).u32(out.length + 4);
    }
    this.#offsets[number] = type.name === '' ? out.length : (this.#offsets[number] ?? 0);
    const isUnknown = type.members.length === 0 && type.bytes === 0;
    this.#begin(isUnknown ? 'unknownStructure' : type.name === '' ? 'namelessStructure' : 'structure');
    if (type.name !== '') out.u32(name);
    if (isUnknown) return;
    out.uleb(type.bytes);
    for (const member of type.members) {
      this.#begin('member');
      out.u32(this.#strings.offset(member.name));
      this.refer(member.type);
      out.uleb(member.offset);
    }
    out.u8(0);
  }
}
