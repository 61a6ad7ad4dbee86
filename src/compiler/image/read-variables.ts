/**
 * Variables by the names of the source, out of an image's DWARF: what is in scope at an address, of which type, and where its value is.
 *
 *     const debug = image.debug();
 *     for (const call of debug.callsAt(pc))              // innermost inlined call first
 *       for (const variable of call.variables)
 *         show(variable, debug.value(variable, pc, context));
 *
 * `context` gives registers by DWARF number and memory. A value that is not there is null: it was optimised away, or nobody can say.
 */
import { at, tag } from './dwarf-abbreviations.ts';
import { type DebugContext, type EvaluationFrame, evaluateLocation, type FoundValue } from './evaluate-location.ts';
import type { SourceLocation } from './object.ts';
import {
  type AddressRange,
  type DebugSectionBytes,
  type Entry,
  isScope,
  locationAt,
  numberOf,
  rangesOf,
  readEntries,
  readUnits,
  textOf,
  type UnitHeader,
} from './read-entries.ts';
import type { FrameTable } from './read-frames.ts';

export type VariableType =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly bytes: number;
      readonly encoding: 'unsigned' | 'signed' | 'float' | 'boolean' | 'text';
    }
  | { readonly kind: 'pointer'; readonly name: string; readonly bytes: 8; readonly to: VariableType | null }
  | { readonly kind: 'structure'; readonly name: string; readonly bytes: number; readonly members: readonly VariableMember[] }
  | { readonly kind: 'array'; readonly name: string; readonly bytes: number; readonly element: VariableType; readonly length: number }
  | { readonly kind: 'other'; readonly name: string; readonly bytes: number };

export interface VariableMember {
  readonly name: string;
  readonly offset: number;
  readonly type: VariableType;
}

export interface DebugVariable {
  readonly name: string;
  readonly type: VariableType;
  readonly isParameter: boolean;
  readonly declared: SourceLocation | null;
  /** For `value`. */
  readonly entry: Entry;
  readonly home: Home;
}

/** A call that is going on at an address: of a function that is there, or of one that was inlined there. */
export interface DebugCall {
  readonly function: string;
  readonly isInlined: boolean;
  /** Where the next one of the list calls it; null for the last. */
  readonly call: SourceLocation | null;
  /** Those of inner blocks first; a name that an inner one hides is there, too. */
  readonly variables: readonly DebugVariable[];
}

interface Unit {
  readonly header: UnitHeader;
  readonly ranges: readonly AddressRange[];
  readonly base: bigint;
  root: Entry | null;
  /** By offset. */
  entries: ReadonlyMap<number, Entry> | null;
}

/** The function that an entry stands in. */
interface Home {
  readonly unit: Unit;
  readonly frameBase: Uint8Array | null;
}

/** Types that name types: those of a cycle end in 'other'. */
const deepestType = 64;
const mostElements = 1 << 24;

export class DebugInfo {
  readonly #sections: DebugSectionBytes;
  readonly #units: readonly Unit[];
  readonly #frames: FrameTable | null;
  readonly #files: (unit: number) => readonly string[];
  readonly #types = new Map<number, VariableType>();

  /** @param files names of source files by their number, of the line table at an offset */
  constructor(sections: DebugSectionBytes, frames: FrameTable | null, files: (lineTable: number) => readonly string[]) {
    this.#sections = sections;
    this.#frames = frames;
    this.#files = files;
    this.#units = readUnits(sections).map((header): Unit => {
      const first = readEntries(sections, header, true);
      const low = first?.attributes.get(at.lowPc);
      const ranges = first === null ? [] : rangesOf(sections, first, header.version);
      return { header, ranges, base: typeof low === 'bigint' ? low : 0n, root: null, entries: null };
    });
  }

  callsAt(address: bigint): readonly DebugCall[] {
    const unit = this.#units.find(({ ranges }) => covers(ranges, address));
    if (unit === undefined) return [];
    const root = this.#rootOf(unit);
    const fn = root?.children.find((entry) => entry.tag === tag.subprogram && this.#covers(unit, entry, address));
    if (fn === undefined) return [];
    const calls: { name: string; isInlined: boolean; call: SourceLocation | null; variables: DebugVariable[] }[] = [];
    const frameBase = fn.attributes.get(at.frameBase);
    const home: Home = { unit, frameBase: frameBase instanceof Uint8Array ? frameBase : null };
    for (let scope: Entry | undefined = fn; scope !== undefined; ) {
      if (scope.tag !== tag.lexicalBlock) {
        const isInlined = scope.tag === tag.inlinedSubroutine;
        calls.unshift({ name: this.#nameOf(scope), isInlined, call: isInlined ? this.#callOf(scope, unit) : null, variables: [] });
      }
      const own = scope.children.flatMap((entry) => this.#variable(entry, home));
      calls[0]?.variables.unshift(...own);
      scope = scope.children.find((entry) => isScope(entry) && this.#covers(unit, entry, address));
    }
    return calls.map(({ name, ...call }) => ({ function: name, ...call }));
  }

  /** Variables and constants at module level, of all files. */
  globals(): readonly DebugVariable[] {
    return this.#units.flatMap((unit) => {
      const home: Home = { unit, frameBase: null };
      return this.#rootOf(unit)?.children.flatMap((entry) => this.#variable(entry, home)) ?? [];
    });
  }

  /** null: nothing of it is there. */
  value(variable: DebugVariable, address: bigint, context: DebugContext): FoundValue | null {
    const { unit, frameBase } = variable.home;
    const expression = locationAt(this.#sections, variable.entry, unit.base, address);
    if (expression === null) return null;
    const frame: EvaluationFrame = {
      register: (number) => context.register(number),
      memory: (from, length) => context.memory(from, length),
      frameAddress: () => this.frameAddress(address, context),
      frameBase,
    };
    return evaluateLocation(expression, variable.type.bytes, frame);
  }

  /** The canonical frame address of the frame whose code is at `address`. */
  frameAddress(address: bigint, context: DebugContext): bigint | null {
    const frame = this.#frames?.at(address)?.frame;
    if (frame === undefined || !('register' in frame)) return null;
    const base = context.register(frame.register);
    return base === null ? null : BigInt.asUintN(64, base + BigInt(frame.offset));
  }

  #rootOf(unit: Unit): Entry | null {
    unit.root ??= readEntries(this.#sections, unit.header);
    return unit.root;
  }

  #covers(unit: Unit, entry: Entry, address: bigint): boolean {
    return covers(rangesOf(this.#sections, entry, unit.header.version), address);
  }

  #variable(entry: Entry, home: Home): DebugVariable[] {
    if (entry.tag !== tag.variable && entry.tag !== tag.formalParameter) return [];
    const origin = this.#originOf(entry);
    const name = textOf(entry, at.name) ?? (origin === null ? null : textOf(origin, at.name));
    const type = numberOf(entry, at.type) ?? (origin === null ? null : numberOf(origin, at.type));
    if (name === null || type === null) return [];
    const declared = this.#placeOf(entry, home.unit, at.declFile, at.declLine);
    return [{ name, type: this.#type(type, 0), isParameter: entry.tag === tag.formalParameter, declared, entry, home }];
  }

  #originOf(entry: Entry): Entry | null {
    const offset = numberOf(entry, at.abstractOrigin);
    return offset === null ? null : this.#entryAt(offset);
  }

  #nameOf(entry: Entry): string {
    return textOf(entry, at.name) ?? textOf(this.#originOf(entry) ?? entry, at.name) ?? '?';
  }

  #callOf(entry: Entry, unit: Unit): SourceLocation | null {
    const place = this.#placeOf(entry, unit, at.callFile, at.callLine);
    return place === null ? null : { ...place, column: numberOf(entry, at.callColumn) ?? 0 };
  }

  #placeOf(entry: Entry, unit: Unit, file: number, line: number): SourceLocation | null {
    const fileNumber = numberOf(entry, file);
    const lineNumber = numberOf(entry, line);
    const root = this.#rootOf(unit);
    const table = root === null ? null : numberOf(root, at.stmtList);
    if (fileNumber === null || lineNumber === null || table === null) return null;
    const name = this.#files(table)[fileNumber];
    return name === undefined ? null : { file: name, line: lineNumber, column: 0 };
  }

  #entryAt(offset: number): Entry | null {
    const unit = this.#units.find(({ header }) => offset >= header.firstEntry && offset < header.end);
    if (unit === undefined) return null;
    if (unit.entries === null) {
      const entries = new Map<number, Entry>();
      const root = this.#rootOf(unit);
      const work = root === null ? [] : [root];
      for (let entry = work.pop(); entry !== undefined; entry = work.pop()) {
        entries.set(entry.offset, entry);
        for (const child of entry.children) work.push(child);
      }
      unit.entries = entries;
    }
    return unit.entries.get(offset) ?? null;
  }

  #type(offset: number, depth: number): VariableType {
    const known = this.#types.get(offset);
    if (known !== undefined) return known;
    const entry = depth > deepestType ? null : this.#entryAt(offset);
    if (entry === null) return { kind: 'other', name: '?', bytes: 0 };
    const name = textOf(entry, at.name) ?? '';
    const bytes = Math.min(numberOf(entry, at.byteSize) ?? 0, mostElements);
    const inner = numberOf(entry, at.type);
    switch (entry.tag) {
      case tag.baseType:
        return this.#keep(offset, numberType(name, bytes, encodings[numberOf(entry, at.encoding) ?? 0] ?? 'unsigned'));
      case tag.pointerType: {
        // Made before what it points to, which may point back.
        const pointer = { kind: 'pointer', name: '', bytes: 8, to: null as VariableType | null } as const satisfies VariableType;
        const made: { kind: 'pointer'; name: string; bytes: 8; to: VariableType | null } = { ...pointer };
        this.#types.set(offset, made);
        made.to = inner === null ? null : this.#type(inner, depth + 1);
        made.name = `${made.to?.name ?? 'void'} *`;
        return made;
      }
      case tag.structureType: {
        const members: VariableMember[] = [];
        const made = this.#keep(offset, { kind: 'structure', name, bytes, members });
        for (const child of entry.children) {
          const type = child.tag === tag.member ? numberOf(child, at.type) : null;
          if (type === null) continue;
          members.push({
            name: textOf(child, at.name) ?? '',
            offset: numberOf(child, at.dataMemberLocation) ?? 0,
            type: this.#type(type, depth + 1),
          });
        }
        return made;
      }
      case tag.arrayType: {
        const element = inner === null ? { kind: 'other' as const, name: '?', bytes: 0 } : this.#type(inner, depth + 1);
        const [bounds] = entry.children;
        const upper = bounds === undefined ? null : numberOf(bounds, upperBound);
        const length = (bounds === undefined ? null : numberOf(bounds, at.count)) ?? (upper === null ? 0 : upper + 1);
        const size = Math.min(length * element.bytes, mostElements);
        return this.#keep(offset, { kind: 'array', name: `${element.name}[${length}]`, bytes: size, element, length });
      }
      case tag.typedef:
      case 0x26: // DW_TAG_const_type
      case 0x35: {
        // DW_TAG_volatile_type
        if (inner === null) return { kind: 'other', name, bytes };
        const of = this.#type(inner, depth + 1);
        return this.#keep(offset, name === '' || of.kind === 'structure' ? of : { ...of, name });
      }
      default:
        return this.#keep(offset, { kind: 'other', name, bytes });
    }
  }

  #keep(offset: number, type: VariableType): VariableType {
    this.#types.set(offset, type);
    return type;
  }
}

const upperBound = 0x2f;
const encodings: Readonly<Record<number, Extract<VariableType, { kind: 'number' }>['encoding']>> = {
  2: 'boolean',
  4: 'float',
  5: 'signed',
  6: 'signed',
  7: 'unsigned',
  8: 'text',
};

/** Numbers of other sizes than there are (or than JavaScript reads, of floats) are bytes. */
function numberType(name: string, bytes: number, encoding: Extract<VariableType, { kind: 'number' }>['encoding']): VariableType {
  const isNumber = encoding === 'float' ? bytes === 4 || bytes === 8 : bytes >= 1 && bytes <= 16;
  return isNumber ? { kind: 'number', name, bytes, encoding } : { kind: 'other', name, bytes };
}

function covers(ranges: readonly AddressRange[], address: bigint): boolean {
  return ranges.some(({ from, to }) => address >= from && address < to);
}
