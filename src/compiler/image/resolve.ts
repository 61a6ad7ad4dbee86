/** Symbols of a placed image, by name and scope, and the relocations that use them. */
import type { ObjectFile, Relocation } from './object.ts';
import type { OutputSection, PlacedAtom, Placement } from './place.ts';

export interface ResolvedSymbol {
  readonly name: string;
  /** Signed. */
  readonly address: number;
  readonly size: number;
  readonly type: 'function' | 'object' | 'label';
  readonly binding: 'local' | 'global';
  /** null: absolute. */
  readonly section: OutputSection | null;
}

export interface Scopes {
  /** Name → address, of all objects' global symbols and the linker's own. */
  readonly globals: ReadonlyMap<string, number>;
  readonly locals: ReadonlyMap<ObjectFile, ReadonlyMap<string, number>>;
  /** Local symbols by object in their order, then global ones, then the linker's. */
  readonly symbols: readonly ResolvedSymbol[];
}

export function resolve(objects: readonly ObjectFile[], placement: Placement, problems: string[]): Scopes {
  const globals = new Map<string, number>();
  const locals = new Map<ObjectFile, Map<string, number>>();
  const owner = new Map<string, string>();
  const localSymbols: ResolvedSymbol[] = [];
  const globalSymbols: ResolvedSymbol[] = [];

  const add = (object: ObjectFile, symbol: ResolvedSymbol) => {
    if (symbol.binding === 'global') {
      const first = owner.get(symbol.name);
      if (first !== undefined) problems.push(`symbol ${symbol.name} is defined in ${first} and again in ${object.name}`);
      owner.set(symbol.name, object.name);
      globals.set(symbol.name, symbol.address);
      globalSymbols.push(symbol);
      return;
    }
    let scope = locals.get(object);
    if (scope === undefined) locals.set(object, (scope = new Map()));
    if (scope.has(symbol.name)) problems.push(`local symbol ${symbol.name} is defined twice in ${object.name}`);
    scope.set(symbol.name, symbol.address);
    localSymbols.push(symbol);
  };

  const placed = new Map<ObjectFile, { section: OutputSection; placed: PlacedAtom }[]>();
  for (const section of placement.sections) {
    for (const each of section.atoms) {
      let list = placed.get(each.object);
      if (list === undefined) placed.set(each.object, (list = []));
      list.push({ section, placed: each });
    }
  }
  for (const object of objects) {
    for (const { section, placed: each } of placed.get(object) ?? []) {
      for (const { name, offset, size, type, binding } of each.atom.symbols) {
        add(object, { name, address: each.address + offset, size, type, binding, section });
      }
    }
    for (const { name, value, binding } of object.absolutes ?? []) {
      add(object, { name, address: Number(BigInt.asIntN(64, value)), size: 0, type: 'label', binding, section: null });
    }
  }
  for (const [name, { address, section }] of placement.defined) {
    if (globals.has(name)) continue; // a program may define it better
    globals.set(name, address);
    globalSymbols.push({ name, address, size: 0, type: 'label', binding: 'global', section });
  }
  return { globals, locals, symbols: [...localSymbols, ...globalSymbols] };
}

/** Writes every relocated field of `section`, whose bytes begin at `base` in `image`. */
export function relocate(section: OutputSection, image: DataView, base: number, scopes: Scopes, problems: string[]): void {
  for (const { atom, object, address } of section.atoms) {
    const locals = scopes.locals.get(object);
    const value = (name: string): number | undefined => locals?.get(name) ?? scopes.globals.get(name);
    const start = base + (address - section.address);
    for (const relocation of atom.relocations) {
      const target = value(relocation.symbol);
      const minus = relocation.minus === undefined ? 0 : value(relocation.minus);
      if (target === undefined || minus === undefined) {
        const missing = target === undefined ? relocation.symbol : relocation.minus;
        problems.push(`undefined symbol ${missing}, used in ${where(object, atom.symbols[0]?.name, section, relocation)}`);
        continue;
      }
      const at = start + relocation.offset;
      if (!writeField(image, at, relocation.kind, target - minus + relocation.addend, address + relocation.offset)) {
        problems.push(
          `${relocation.symbol} does not fit a field ${relocation.kind} in ${where(object, atom.symbols[0]?.name, section, relocation)}`,
        );
      }
    }
  }
}

function where(object: ObjectFile, symbol: string | undefined, section: OutputSection, { offset }: Relocation): string {
  return `${object.name}: ${symbol ?? section.name}+0x${offset.toString(16)}`;
}

const two31 = 0x80000000;
const two32 = 0x100000000;

/** False if the value does not fit. `value` is S + A, not yet reduced modulo 2^64. */
function writeField(view: DataView, at: number, kind: Relocation['kind'], value: number, place: number): boolean {
  switch (kind) {
    case 'abs64':
      view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
      return true;
    case 'abs32':
      if (value < 0 || value >= two32) return false;
      view.setUint32(at, value, true);
      return true;
    case 'abs32s':
      if (value < -two31 || value >= two31) return false;
      view.setInt32(at, value, true);
      return true;
    case 'abs16':
      if (value < -0x8000 || value > 0xffff) return false;
      view.setUint16(at, value & 0xffff, true);
      return true;
    case 'abs8':
      if (value < -0x80 || value > 0xff) return false;
      view.setUint8(at, value & 0xff);
      return true;
    case 'pc64':
      view.setBigUint64(at, BigInt.asUintN(64, BigInt(value - place)), true);
      return true;
    case 'pc32': {
      const distance = value - place;
      if (distance < -two31 || distance >= two31) return false;
      view.setInt32(at, distance, true);
      return true;
    }
    case 'pc16': {
      const distance = value - place;
      if (distance < -0x8000 || distance > 0x7fff) return false;
      view.setInt16(at, distance, true);
      return true;
    }
    case 'pc8': {
      const distance = value - place;
      if (distance < -0x80 || distance > 0x7f) return false;
      view.setInt8(at, distance);
      return true;
    }
  }
}
