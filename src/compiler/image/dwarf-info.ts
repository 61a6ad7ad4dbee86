/**
 * `.debug_info` and what it refers to: a DWARF 5 unit for each source file with its functions, their variables and the module's own, and one unit
 * for all types.
 *
 * The language is said to be C, because debuggers then read expressions as their users write them everywhere (`*(u64 *)0x1000`, `p->x`, `p.x`,
 * `array[3]@2`) and print numbers as numbers. Names of one module do not hide those of another: units are files.
 */
import { ByteWriter } from './byte-writer.ts';
import type { DebugScope, FunctionDebug, GlobalDebug, PlacedVariable, SourceFunction } from './debug-info.ts';
import { abbreviation, encodeAbbreviations } from './dwarf-abbreviations.ts';
import { type AddressOf, encodeAddress, encodeParts, LocationLists, RangeLists } from './dwarf-expressions.ts';
import { encodeLines, FileTable } from './dwarf-line.ts';
import { bytesOfType, TypeEntries } from './dwarf-types.ts';
import type { AtomSymbol, SourceLocation } from './object.ts';
import type { PlacedAtom } from './place.ts';
import { StringTable } from './string-table.ts';

const languageC11 = 0x1d;
const unitTypeCompile = 1;
const opCallFrameCfa = 0x9c;
const inlineInlined = 1;

export interface DebugSources {
  readonly code: readonly PlacedAtom[];
  readonly globals: readonly { readonly global: GlobalDebug; readonly addressOf: AddressOf }[];
  /** How the symbols of an atom's object are found. */
  readonly addressOf: (atom: PlacedAtom) => AddressOf;
  /** The file of what says none. */
  readonly name: string;
  readonly directory: string;
}

/** Names and bytes of the sections, but for `.debug_frame`. */
export function debugSections(sources: DebugSources): readonly (readonly [name: string, bytes: Uint8Array])[] {
  return new InfoWriter(sources).run();
}

interface Unit {
  readonly file: string;
  readonly code: PlacedAtom[];
  readonly globals: DebugSources['globals'][number][];
}

class InfoWriter {
  readonly #sources: DebugSources;
  readonly #out = new ByteWriter(1 << 16);
  readonly #lines = new ByteWriter(1 << 14);
  readonly #strings = new StringTable();
  readonly #types = new TypeEntries(this.#out, this.#strings);
  readonly #locations = new LocationLists();
  readonly #ranges = new RangeLists();
  /** Entries of functions that are inlined in the unit: debuggers look for their copies where they find their names. */
  #inlined = new Map<SourceFunction, number>();
  #files = new FileTable('');

  constructor(sources: DebugSources) {
    this.#sources = sources;
  }

  run(): readonly (readonly [string, Uint8Array])[] {
    for (const unit of this.#units()) this.#unit(unit);
    this.#typeUnit();
    return [
      ['.debug_info', this.#out.written],
      ['.debug_abbrev', encodeAbbreviations()],
      ['.debug_rnglists', this.#ranges.bytes],
      ...(this.#locations.isEmpty ? [] : [['.debug_loclists', this.#locations.bytes] as const]),
      ['.debug_line', this.#lines.written],
      ['.debug_str', this.#strings.bytes],
    ];
  }

  #units(): Unit[] {
    const { code, globals, name } = this.#sources;
    const units = new Map<string, Unit>();
    const unitOf = (file: string): Unit => {
      let unit = units.get(file);
      if (unit === undefined) units.set(file, (unit = { file, code: [], globals: [] }));
      return unit;
    };
    unitOf(name);
    for (const placed of code) {
      const { atom } = placed;
      const declared = atom.symbols.find((symbol) => symbol.type === 'function' && symbol.declared !== undefined)?.declared;
      const file = declared?.file ?? atom.lines?.[0]?.file;
      if (atom.size > 0 && file !== undefined) unitOf(file).code.push(placed);
    }
    for (const each of globals) unitOf(each.global.declared.file).globals.push(each);
    return [...units.values()];
  }

  #unit({ file, code, globals }: Unit): void {
    const out = this.#out;
    this.#files = new FileTable(file);
    const start = this.#beginUnit();
    const withLines = code.filter(({ atom }) => (atom.lines?.length ?? 0) > 0);
    out.uleb(abbreviation('unit')).u32(this.#strings.offset('palindrome')).u8(languageC11);
    out.u32(this.#strings.offset(file)).u32(this.#strings.offset(this.#sources.directory)).u64(0);
    out.u32(this.#ranges.add(withLines.map(({ atom, address }) => ({ address, size: atom.size })))).u32(this.#lines.length);
    this.#inlined = new Map();
    for (const { atom } of code) if (atom.debug !== undefined) forEachInlined(atom.debug.scope, (callee) => this.#inlineFunction(callee));
    for (const placed of code) for (const symbol of placed.atom.symbols) this.#subprogram(placed, symbol);
    for (const { global, addressOf } of globals) this.#global(global, addressOf);
    this.#endUnit(start);
    encodeLines(this.#lines, code, this.#files, this.#sources.directory);
  }

  #typeUnit(): void {
    const start = this.#beginUnit();
    this.#out.uleb(abbreviation('typeUnit')).u32(this.#strings.offset('palindrome')).u8(languageC11);
    this.#out.u32(this.#strings.offset('types')).u32(this.#strings.offset(this.#sources.directory));
    this.#types.write();
    this.#endUnit(start);
  }

  #beginUnit(): number {
    const start = this.#out.length;
    this.#out.u32(0).u16(5).u8(unitTypeCompile).u8(8).u32(0);
    return start;
  }

  #endUnit(start: number): void {
    this.#out.u8(0);
    this.#out.patchU32(start, this.#out.length - start - 4);
  }

  #declaration(name: string, declared: SourceLocation): void {
    this.#out.u32(this.#strings.offset(name)).uleb(this.#files.number(declared.file)).uleb(declared.line);
  }

  #inlineFunction(callee: SourceFunction): void {
    if (this.#inlined.has(callee)) return;
    this.#inlined.set(callee, this.#out.length);
    this.#out.uleb(abbreviation(callee.result === null ? 'inlineFunction' : 'typedInlineFunction'));
    this.#declaration(callee.name, callee.declared);
    this.#out.u8(inlineInlined);
    if (callee.result !== null) this.#types.refer(callee.result);
  }

  #subprogram(placed: PlacedAtom, { type, declared, size, offset, name, displayName, binding }: AtomSymbol): void {
    if (type !== 'function' || declared === undefined || size === 0) return;
    const out = this.#out;
    const debug: FunctionDebug | undefined = offset === 0 ? placed.atom.debug : undefined;
    const result = debug?.source.result ?? null;
    out.uleb(abbreviation(result === null ? 'subprogram' : 'typedSubprogram'));
    this.#declaration(debug?.source.name ?? displayName ?? name, declared);
    out.u64(placed.address + offset).u32(size);
    out
      .u8(binding === 'global' ? 1 : 0)
      .uleb(1)
      .u8(opCallFrameCfa);
    if (result !== null) this.#types.refer(result);
    if (debug !== undefined) this.#inside(placed, debug.scope);
    out.u8(0);
  }

  /** Variables and scopes within a scope. */
  #inside(placed: PlacedAtom, { variables, scopes }: DebugScope): void {
    for (const each of variables) this.#variable(placed, each);
    for (const scope of scopes) this.#scope(placed, scope);
  }

  #scope(placed: PlacedAtom, scope: DebugScope): void {
    const { inlined, ranges } = scope;
    // A block without variables shows nothing.
    if (inlined === null && scope.variables.length === 0) {
      for (const inner of scope.scopes) this.#scope(placed, inner);
      return;
    }
    const out = this.#out;
    const [first] = ranges;
    const isWhole = ranges.length === 1 && first !== undefined;
    if (inlined === null) out.uleb(abbreviation(isWhole ? 'block' : 'blockInParts'));
    else {
      out.uleb(abbreviation(isWhole ? 'inlined' : 'inlinedInParts'));
      const { file, line, column } = inlined.call;
      out
        .u32(this.#inlined.get(inlined.callee) ?? 0)
        .uleb(this.#files.number(file))
        .uleb(line)
        .uleb(column);
    }
    if (isWhole) out.u64(placed.address + first[0]).u32(first[1] - first[0]);
    else out.u32(this.#ranges.add(ranges.map(([from, to]) => ({ address: placed.address + from, size: to - from }))));
    this.#inside(placed, scope);
    out.u8(0);
  }

  #variable(placed: PlacedAtom, { variable, places }: PlacedVariable): void {
    const { name, declared, type, isParameter } = variable;
    const list = this.#locations.add(places, bytesOfType(type), placed.address, this.#sources.addressOf(placed));
    const kind = isParameter ? 'parameter' : 'variable';
    const lost = isParameter ? 'lostParameter' : 'lostVariable';
    this.#out.uleb(abbreviation(list === null ? lost : kind));
    this.#declaration(name, declared);
    this.#types.refer(type);
    if (list !== null) this.#out.u32(list);
  }

  #global({ name, declared, type, place }: GlobalDebug, addressOf: AddressOf): void {
    let location: Uint8Array;
    if ('parts' in place) location = encodeParts(place.parts, bytesOfType(type), addressOf);
    else {
      const address = addressOf(place.symbol);
      // Nothing uses it: it is not in the image.
      if (address === null) return;
      location = encodeAddress(address);
    }
    this.#out.uleb(abbreviation('global'));
    this.#declaration(name, declared);
    this.#types.refer(type);
    this.#out.uleb(location.length).bytes(location);
  }
}

function forEachInlined(scope: DebugScope, look: (callee: SourceFunction) => void): void {
  if (scope.inlined !== null) look(scope.inlined.callee);
  for (const inner of scope.scopes) forEachInlined(inner, look);
}
