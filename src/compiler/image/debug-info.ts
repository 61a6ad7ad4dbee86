/**
 * What the code generator says of a function's variables, for DWARF: their types, their scopes, and where each is, address by address.
 *
 * Offsets are those of the function's atom. A variable that has no place at an address is not there: it was optimised away.
 */

/** Where something stands in a source. `line` and `column` count from 1; `file` is printed and found by gdb as it stands here. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type DebugType =
  /** `text`: a byte of a string. */
  | { readonly kind: 'base'; readonly name: string; readonly bytes: number; readonly encoding: BaseEncoding }
  /** null: nobody knows to what. */
  | { readonly kind: 'pointer'; readonly to: DebugType | null }
  | { readonly kind: 'array'; readonly element: DebugType; readonly length: number }
  | { readonly kind: 'function'; readonly parameters: readonly DebugType[]; readonly result: DebugType | null }
  | { readonly kind: 'alias'; readonly name: string; readonly of: DebugType }
  | StructureType;

export type BaseEncoding = 'unsigned' | 'signed' | 'float' | 'boolean' | 'text';

/** A class, or what takes two registers: a slice, a string, a number that may be null. */
export interface StructureType {
  readonly kind: 'structure';
  readonly name: string;
  readonly bytes: number;
  /** Filled behind its making: a class may refer to itself. */
  members: readonly Member[];
  /** Of its kind there is one object a class; the others are equal if their members are. */
  readonly isClass: boolean;
}

export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly type: DebugType;
}

/** A variable as it is declared. One object is one variable, or one per call that was inlined. */
export interface SourceVariable {
  readonly name: string;
  readonly declared: SourceLocation;
  readonly isParameter: boolean;
  /** Known when all is lowered. */
  type: DebugType;
}

export interface SourceFunction {
  readonly name: string;
  readonly declared: SourceLocation;
  result: DebugType | null;
}

/** Where a part of a value is. */
export type Piece =
  /** By DWARF number. */
  | { readonly kind: 'register'; readonly register: number }
  /** In memory, so far from the canonical frame address. */
  | { readonly kind: 'frame'; readonly offset: number }
  /** It is that address. */
  | { readonly kind: 'frame-address'; readonly offset: number }
  /** It is a constant, or the address of a symbol. */
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'address'; readonly symbol: string; readonly addend: number };

export interface VariablePlace {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** The value's parts in the order of memory; null where one is not there. */
  readonly parts: readonly { readonly bytes: number; readonly piece: Piece | null }[];
}

export interface PlacedVariable {
  readonly variable: SourceVariable;
  /** Ascending, apart. */
  readonly places: readonly VariablePlace[];
}

/** A range of code in which names are seen: a block of the source, or a function that was inlined. */
export interface DebugScope {
  readonly inlined: { readonly callee: SourceFunction; readonly call: SourceLocation } | null;
  /** From, to (exclusive), ascending, apart. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  readonly variables: readonly PlacedVariable[];
  readonly scopes: readonly DebugScope[];
}

/** Of a function's atom: its own scope, which is all of it. */
export interface FunctionDebug {
  readonly source: SourceFunction;
  readonly scope: DebugScope;
}

/** A variable or constant at module level. */
export interface GlobalDebug {
  readonly name: string;
  readonly declared: SourceLocation;
  readonly type: DebugType;
  /** Where it lies; or the parts of its value, which is nowhere. */
  readonly place: { readonly symbol: string } | { readonly parts: VariablePlace['parts'] };
}
