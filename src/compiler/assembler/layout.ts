/**
 * From a section's items to its bytes: chooses short or near branches, gives labels their offsets, fills fields, and leaves a relocation for
 * what only the linker knows.
 */
import type { Relocation, RelocationKind, SectionKind } from '../image/object.ts';
import { type Expression, evaluate, type Linear } from './expression.ts';
import type { FrameDirective, PlacedDirective } from './frames.ts';
import { AssemblyError, type AssemblyProblem } from './problem.ts';

/** A field whose value is an expression. */
export interface Fixup {
  /** Of the field, within its item. */
  readonly at: number;
  readonly bytes: 1 | 2 | 4 | 8;
  /** Relative to the end of the instruction, which lies so many bytes behind the field's start; null: absolute. */
  readonly fromEnd: number | null;
  /** Four bytes that are sign-extended to 64 bits. */
  readonly isSigned: boolean;
  readonly value: Expression;
  readonly column: number;
}

export type Item =
  | {
      readonly kind: 'bytes';
      readonly bytes: Uint8Array;
      readonly fixups: readonly Fixup[];
      readonly line: number;
      readonly isCode: boolean;
    }
  | {
      readonly kind: 'branch';
      readonly short: Uint8Array;
      readonly near: Uint8Array;
      isNear: boolean;
      readonly target: Expression;
      readonly line: number;
      readonly column: number;
    }
  | { readonly kind: 'label'; readonly name: string }
  | { readonly kind: 'frame'; readonly directive: FrameDirective; readonly line: number }
  | { readonly kind: 'align'; readonly alignment: number; readonly fill: number | null; readonly mode: 16 | 32 | 64 }
  | { readonly kind: 'space'; readonly size: Expression; readonly fill: number; readonly line: number; readonly column: number };

export interface Section {
  readonly name: string;
  readonly kind: SectionKind;
  readonly items: Item[];
  alignment: number;
}

export interface LaidOut {
  readonly size: number;
  /** Empty for bss. */
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
  /** Offset of every instruction and datum with its line. */
  readonly starts: readonly { readonly offset: number; readonly line: number; readonly isCode: boolean }[];
  readonly frames: readonly PlacedDirective[];
}

export interface Environment {
  readonly sections: readonly Section[];
  /** `.equ` that are plain constants, with their last value: for uses in front of the definition. */
  readonly constants: ReadonlyMap<string, bigint>;
  /** `.equ` that are no plain constants. */
  readonly equations: ReadonlyMap<string, { readonly value: Expression; readonly line: number }>;
}

/** Labels that the object does not name: `.L…` and the assembler's own, which hold an `@`. */
export function isHidden(label: string): boolean {
  return label.startsWith('.L') || label.includes('@');
}

/** The local symbol at a section's start, through which hidden labels are reached. */
export function anchorOf(section: string): string {
  return `${section}@start`;
}

interface Place {
  readonly section: Section;
  readonly offset: number;
}

export class Layout {
  readonly places = new Map<string, Place>();
  readonly problems: AssemblyProblem[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#settle();
  }

  /** Branches only grow, so this ends; a `.zero` whose size swings with it does not, and is an error. */
  #settle(): void {
    const maximalRounds = 64;
    for (let round = 0; round < maximalRounds; round += 1) {
      let changed = false;
      for (const section of this.#environment.sections) {
        let offset = 0;
        for (const item of section.items) {
          if (item.kind === 'label') {
            const before = this.places.get(item.name);
            changed ||= before?.offset !== offset;
            this.places.set(item.name, { section, offset });
          }
          offset += this.#sizeOf(item, offset, round === 0);
        }
      }
      for (const section of this.#environment.sections) if (this.#growBranches(section)) changed = true;
      if (!changed) return;
    }
    this.problems.push({ line: 1, column: 1, message: 'the sizes of this text depend on each other and do not settle' });
  }

  #sizeOf(item: Item, offset: number, isFirstRound: boolean): number {
    switch (item.kind) {
      case 'bytes':
        return item.bytes.length;
      case 'branch':
        return item.isNear ? item.near.length : item.short.length;
      case 'label':
      case 'frame':
        return 0;
      case 'align':
        return (item.alignment - (offset % item.alignment)) % item.alignment;
      case 'space': {
        const { size, line, column } = item;
        const value = this.#tryReduce(size, line);
        if (value === null || value.plus.length + value.minus.length > 0) {
          if (!isFirstRound) this.#report(line, column, 'the size is not a constant');
          return 0;
        }
        if (value.constant < 0n || value.constant > maximalSpace) {
          if (!isFirstRound) this.#report(line, column, `the size ${value.constant} is not between 0 and ${maximalSpace}`);
          return 0;
        }
        return Number(value.constant);
      }
    }
  }

  #report(line: number, column: number, message: string): void {
    if (!this.problems.some((p) => p.line === line && p.column === column)) this.problems.push({ line, column, message });
  }

  #growBranches(section: Section): boolean {
    let grown = false;
    let offset = 0;
    for (const item of section.items) {
      const size = this.#sizeOf(item, offset, true);
      if (item.kind === 'branch' && !item.isNear) {
        const target = this.#tryReduce(item.target, item.line);
        const place = target?.plus.length === 1 && target.minus.length === 0 ? this.places.get(target.plus[0] ?? '') : undefined;
        const distance = place?.section === section ? place.offset + Number(target?.constant ?? 0n) - (offset + size) : Number.NaN;
        if (!(distance >= -128 && distance <= 127)) {
          item.isNear = true;
          grown = true;
        }
      }
      offset += size;
    }
    return grown;
  }

  /** Evaluates, and takes out pairs of labels of one section. */
  #reduce(expression: Expression, line: number): Linear {
    const seen = new Set<string>();
    const lookup = (name: string): Linear | null => {
      const constant = this.#environment.constants.get(name);
      if (constant !== undefined) return { constant, plus: [], minus: [] };
      const equation = this.#environment.equations.get(name);
      if (equation === undefined) return null;
      if (seen.has(name)) throw AssemblyError.at(line, 1, `${name} is defined by itself`);
      seen.add(name);
      const value = evaluate(equation.value, equation.line, lookup);
      seen.delete(name);
      return value;
    };
    const { constant, plus, minus } = evaluate(this.#resolveProducts(expression, line), line, lookup);
    let sum = constant;
    const left = [...plus];
    const right: string[] = [];
    for (const name of minus) {
      const place = this.places.get(name);
      const partner = left.findIndex(
        (other) => other === name || (place !== undefined && this.places.get(other)?.section === place.section),
      );
      if (partner < 0) {
        right.push(name);
        continue;
      }
      sum += BigInt((this.places.get(left[partner] ?? '')?.offset ?? 0) - (place?.offset ?? 0));
      left.splice(partner, 1);
    }
    return { constant: sum, plus: left, minus: right };
  }

  /** Differences of labels under `*`, `<<` … are constants: they are worked out first. */
  #resolveProducts(expression: Expression, line: number): Expression {
    if (expression.kind !== 'binary' && !(expression.kind === 'unary' && expression.op === '~')) return expression;
    const fold = (e: Expression): Expression => {
      if (e.kind === 'constant' || e.kind === 'register') return e;
      const value = this.#reduce(e, line);
      return value.plus.length + value.minus.length === 0 ? { kind: 'constant', value: value.constant } : e;
    };
    if (expression.kind === 'unary') return { ...expression, of: fold(expression.of) };
    if (expression.op === '+' || expression.op === '-') {
      return { ...expression, left: this.#resolveProducts(expression.left, line), right: this.#resolveProducts(expression.right, line) };
    }
    return { ...expression, left: fold(expression.left), right: fold(expression.right) };
  }

  /** null if it makes no sense (yet): the error comes when the field is filled. */
  #tryReduce(expression: Expression, line: number): Linear | null {
    try {
      return this.#reduce(expression, line);
    } catch (error) {
      if (error instanceof AssemblyError) return null;
      throw error;
    }
  }

  /** A `.size`: null if it is no constant. */
  constant(expression: Expression, line: number): bigint | null {
    const value = this.#tryReduce(expression, line);
    return value === null || value.plus.length + value.minus.length > 0 ? null : value.constant;
  }

  finish(section: Section): LaidOut {
    let size = 0;
    for (const item of section.items) size += this.#sizeOf(item, size, false);
    const isBss = section.kind === 'bss';
    const bytes = new Uint8Array(isBss ? 0 : size);
    const relocations: Relocation[] = [];
    const starts: { offset: number; line: number; isCode: boolean }[] = [];
    const frames: PlacedDirective[] = [];
    let offset = 0;
    for (const item of section.items) {
      const length = this.#sizeOf(item, offset, true);
      const fixups = item.kind === 'bytes' ? item.fixups : item.kind === 'branch' ? [branchFixup(item)] : [];
      if (item.kind === 'bytes' || item.kind === 'branch') {
        const isCode = item.kind === 'branch' || item.isCode;
        starts.push({ offset, line: item.line, isCode });
        if (isBss) this.#report(item.line, 1, `${section.name} has no bytes in the file: only labels, .zero and .align can stand in it`);
        else bytes.set(item.kind === 'bytes' ? item.bytes : item.isNear ? item.near : item.short, offset);
        for (const fixup of isBss ? [] : fixups) this.#fill(section, bytes, offset, fixup, item.line, relocations);
      } else if (!isBss && item.kind === 'space') {
        bytes.fill(item.fill, offset, offset + length);
      } else if (!isBss && item.kind === 'align') {
        if (item.fill === null) padWithNops(bytes.subarray(offset, offset + length), item.mode);
        else bytes.fill(item.fill, offset, offset + length);
      }
      if (item.kind === 'frame') frames.push({ directive: item.directive, offset, line: item.line });
      offset += length;
    }
    return { size, bytes, relocations, starts, frames };
  }

  #fill(section: Section, bytes: Uint8Array, itemOffset: number, fixup: Fixup, line: number, relocations: Relocation[]): void {
    const { column, fromEnd } = fixup;
    const offset = itemOffset + fixup.at;
    try {
      const { constant, plus, minus } = this.#reduce(fixup.value, line);
      const [symbol, second] = plus;
      const [subtracted, more] = minus;
      if (second !== undefined || more !== undefined)
        throw AssemblyError.at(line, column, `the sum of the addresses ${plus.join(', ')} means nothing`);
      if (symbol === undefined && subtracted === undefined && fromEnd === null) {
        this.#write(bytes, offset, constant, fixup, line);
        return;
      }
      if (symbol === undefined) {
        throw AssemblyError.at(
          line,
          column,
          subtracted === undefined ? 'a branch needs a label' : `${subtracted} can only be subtracted from an address`,
        );
      }
      const place = this.places.get(symbol);
      if (fromEnd !== null) {
        if (subtracted !== undefined) throw AssemblyError.at(line, column, 'a distance to a distance means nothing');
        if (place?.section === section) {
          this.#write(bytes, offset, BigInt(place.offset) + constant - BigInt(offset + fromEnd), fixup, line);
          return;
        }
        relocations.push(this.#relocation(pcKinds[fixup.bytes], offset, symbol, constant - BigInt(fromEnd), line, column));
        return;
      }
      const from = subtracted === undefined ? undefined : this.places.get(subtracted);
      if (from?.section === section) {
        relocations.push(this.#relocation(pcKinds[fixup.bytes], offset, symbol, constant + BigInt(offset - from.offset), line, column));
        return;
      }
      const kind = fixup.bytes === 4 && fixup.isSigned ? 'abs32s' : absoluteKinds[fixup.bytes];
      const relocation = this.#relocation(kind, offset, symbol, constant, line, column);
      if (subtracted === undefined) {
        relocations.push(relocation);
        return;
      }
      const minusName = this.#visible(subtracted, line, column);
      relocations.push({ ...relocation, minus: minusName.name, addend: relocation.addend - minusName.offset });
    } catch (error) {
      if (!(error instanceof AssemblyError)) throw error;
      this.problems.push(...error.problems);
    }
  }

  #relocation(kind: RelocationKind, offset: number, symbol: string, addend: bigint, line: number, column: number): Relocation {
    const { name, offset: within } = this.#visible(symbol, line, column);
    const value = Number(BigInt.asIntN(64, addend + BigInt(within)));
    if (!Number.isSafeInteger(value)) throw AssemblyError.at(line, column, `the distance from ${symbol} is too large`);
    return { kind, offset, symbol: name, addend: value };
  }

  /** How a relocation names a label: by itself, or from the start of its section. */
  #visible(label: string, line: number, column: number): { name: string; offset: number } {
    if (!isHidden(label)) return { name: label, offset: 0 };
    const place = this.places.get(label);
    if (place === undefined) throw AssemblyError.at(line, column, `there is no label ${label.replace(/@\d+$/, '')}`);
    return { name: anchorOf(place.section.name), offset: place.offset };
  }

  #write(bytes: Uint8Array, offset: number, value: bigint, { bytes: size, fromEnd, column }: Fixup, line: number): void {
    const bits = BigInt(size * 8);
    const low = -(1n << (bits - 1n));
    const high = fromEnd === null ? (1n << bits) - 1n : -low - 1n;
    const folded = size === 4 && BigInt.asIntN(64, value) >= low && BigInt.asIntN(64, value) < 0n ? BigInt.asIntN(64, value) : value;
    if (folded < low || folded > high) {
      throw AssemblyError.at(
        line,
        column,
        fromEnd === null ? `${value} does not fit ${size * 8} bits` : `the label is ${value} bytes away, too far for this instruction`,
      );
    }
    for (let index = 0; index < size; index += 1) bytes[offset + index] = Number((folded >> BigInt(8 * index)) & 0xffn);
  }
}

const maximalSpace = 1n << 30n;
const pcKinds = { 1: 'pc8', 2: 'pc16', 4: 'pc32', 8: 'pc64' } as const;
const absoluteKinds = { 1: 'abs8', 2: 'abs16', 4: 'abs32', 8: 'abs64' } as const;

function branchFixup(item: Extract<Item, { kind: 'branch' }>): Fixup {
  // The distance is the last field of a branch. Near ones have 2 bytes in 16-bit code: jmp 3 bytes, jcc 4; else 5 and 6.
  const length = item.isNear ? item.near.length : item.short.length;
  const bytes = !item.isNear ? 1 : length <= 4 ? 2 : 4;
  return { at: length - bytes, bytes, fromEnd: bytes, isSigned: true, value: item.target, column: item.column };
}

/** The manual's recommended multi-byte NOPs (SDM Vol. 2, NOP); 16-bit code gets plain ones. */
const nops: readonly (readonly number[])[] = [
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

function padWithNops(gap: Uint8Array, mode: 16 | 32 | 64): void {
  if (mode === 16) {
    gap.fill(0x90);
    return;
  }
  for (let at = 0; at < gap.length; ) {
    const nop = nops[Math.min(gap.length - at, nops.length) - 1] ?? [0x90];
    gap.set(nop, at);
    at += nop.length;
  }
}
