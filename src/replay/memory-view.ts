/**
 * A kernel's data by the names of its source: ELF symbols and `.palindrome.layouts` give each object's address, fields and types. UserError where the image
 * does not have what is asked for.
 */

import type { ClassLayout, FieldLayout, LayoutType } from '../compiler/image/layouts.ts';
import type { ElfImage } from '../compiler/image/read-elf.ts';
import type { Machine } from '../machine/index.ts';
import { UserError } from '../machine/index.ts';

/** An object: a class's layout at a physical address. */
export interface Place {
  readonly address: number;
  readonly type: LayoutType;
}

export class MemoryView {
  readonly #ram: DataView;
  readonly #image: ElfImage;
  readonly #classes: ReadonlyMap<string, ClassLayout>;
  readonly #globals: ReadonlyMap<string, { readonly symbol: string; readonly type: LayoutType }>;

  constructor(machine: Machine, image: ElfImage, name: string) {
    const layouts = image.layouts();
    if (!layouts) throw new UserError(`${name}: has no layouts (section .palindrome.layouts): its data cannot be read by name`);
    this.#ram = machine.ram;
    this.#image = image;
    this.#classes = new Map(layouts.classes.map((each) => [each.name, each]));
    this.#globals = new Map(layouts.globals.map((each) => [each.name.slice(each.name.lastIndexOf('#') + 1), each]));
  }

  /** The linear address of a linker symbol. UserError where the image has none. */
  symbol(name: string): bigint {
    const found = this.#image.symbol(name);
    if (!found) throw new UserError(`the kernel has no symbol ${name}`);
    return found.address;
  }

  /** A module-level variable by its name. */
  global(name: string): Place {
    const found = this.#globals.get(name);
    if (!found) throw new UserError(`the kernel has no variable ${name}`);
    return { address: this.physical(this.symbol(found.symbol)), type: found.type };
  }

  /** The place of a field; `path` may go through objects that lie in place: `task.slot`. */
  field(place: Place, path: string): Place {
    let { address, type } = place;
    for (const name of path.split('.')) {
      const field = this.#fieldOf(type, name);
      address += field.offset;
      type = field.type;
    }
    return { address, type };
  }

  /** Bytes from one element of an array to the next. */
  stride(place: Place): number {
    return this.#sizeOf(elementOf(place.type));
  }

  element(place: Place, index: number): Place {
    return { address: place.address + index * this.stride(place), type: elementOf(place.type) };
  }

  /** The class instance that a reference points to now; null where it is null. */
  target(place: Place): Place | null {
    if (place.type.kind !== 'reference') throw new UserError(`the kernel’s layouts say ${place.type.kind} where a reference is expected`);
    const to = this.#ram.getBigUint64(place.address, true);
    return to === 0n ? null : { address: this.physical(to), type: { kind: 'class', name: place.type.to } };
  }

  /** An integer or boolean, as it is now. */
  number({ address, type }: Place): number {
    const width = type.kind === 'int' ? type.width : 8;
    switch (width) {
      case 8:
        return this.#ram.getUint8(address);
      case 16:
        return this.#ram.getUint16(address, true);
      case 32:
        return type.kind === 'int' && type.signed ? this.#ram.getInt32(address, true) : this.#ram.getUint32(address, true);
      case 64:
        return Number(this.#ram.getBigUint64(address, true));
    }
  }

  /** A 64-bit integer or address, as it is now. */
  word({ address }: Place): bigint {
    return this.#ram.getBigUint64(address, true);
  }

  /** A copy of the first bytes of an object, as they are now. */
  bytes({ address }: Place, length: number): Uint8Array {
    return new Uint8Array(this.#ram.buffer, this.#ram.byteOffset, this.#ram.byteLength).slice(address, address + length);
  }

  /** Where the image's own linear addresses lie in physical memory: by the segment that holds them. */
  physical(linear: bigint): number {
    for (const { address, physical, memorySize } of this.#image.segments)
      if (linear >= address && linear < address + memorySize) return Number(linear - address + physical);
    throw new UserError(`the kernel’s address 0x${linear.toString(16)} lies outside of its image`);
  }

  #fieldOf(type: LayoutType, name: string): FieldLayout {
    const layout = type.kind === 'class' ? this.#classes.get(type.name) : undefined;
    const field = layout?.fields.find((each) => each.name === name);
    if (!field) throw new UserError(`the kernel’s ${type.kind === 'class' ? type.name : type.kind} has no field ${name}`);
    return field;
  }

  #sizeOf(type: LayoutType): number {
    switch (type.kind) {
      case 'int':
      case 'float':
        return type.width / 8;
      case 'boolean':
        return 1;
      case 'reference':
      case 'function':
        return 8;
      case 'slice':
      case 'string':
        return 16;
      case 'array':
        return type.length * this.#sizeOf(type.element);
      case 'class':
        return this.#classes.get(type.name)?.size ?? 0;
    }
  }
}

function elementOf(type: LayoutType): LayoutType {
  if (type.kind === 'array') return type.element;
  throw new UserError(`the kernel’s layouts say ${type.kind} where an array is expected`);
}
