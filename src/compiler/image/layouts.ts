/**
 * Type layouts: what a reader of memory (invariants, inspect, the debugger) must know to see a kernel's or program's objects by name.
 * Written by the front end, carried in the image as JSON (section `.palindrome.layouts`), read back and checked by `parseLayouts` (read-layouts.ts).
 */

/** The shape of a value in memory. Integers are little endian; a slice is (pointer u64, length u64); a reference is a pointer, 0 is null. */
export type LayoutType =
  | { readonly kind: 'int'; readonly width: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly width: 64 }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'reference'; readonly to: string }
  | { readonly kind: 'slice'; readonly element: LayoutType }
  | { readonly kind: 'string' }
  | { readonly kind: 'array'; readonly element: LayoutType; readonly length: number }
  | { readonly kind: 'class'; readonly name: string }
  | { readonly kind: 'function' };

export interface FieldLayout {
  readonly name: string;
  /** Bytes from the object's start. */
  readonly offset: number;
  readonly size: number;
  readonly type: LayoutType;
}

export interface ClassLayout {
  readonly name: string;
  readonly size: number;
  readonly alignment: number;
  readonly fields: readonly FieldLayout[];
}

/** A module-level variable: the linker symbol that holds it, and its type there. */
export interface GlobalLayout {
  readonly symbol: string;
  /** As the source writes it: `module path#name`, or the plain name. */
  readonly name: string;
  readonly type: LayoutType;
}

export interface Layouts {
  readonly version: 1;
  readonly classes: readonly ClassLayout[];
  readonly globals: readonly GlobalLayout[];
  /** Constants a reader needs by name (table sizes, flag bits); decimal strings since they may be 64-bit. */
  readonly constants: Readonly<Record<string, string>>;
}

export const emptyLayouts: Layouts = { version: 1, classes: [], globals: [], constants: {} };
