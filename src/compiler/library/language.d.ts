// biome-ignore-all lint/suspicious/noRedeclare: a type and a function share each name, as Number does
/**
 * The globals of bare TypeScript (docs/bare-typescript.md): number types, conversions, wrapping arithmetic, arrays, assertions.
 * Only declarations: the compiler knows their meaning, `node.ts` defines them under Node.
 */

type u8 = number;
type u16 = number;
type u32 = number;
type i8 = number;
type i16 = number;
type i32 = number;
type f64 = number;
type u64 = bigint;
type i64 = bigint;
/** Any integer type; only as a bound of a type parameter. */
type integer = number | bigint;
/** A mutable array of fixed length. */
type FixedArray<T> = T[];

type Convertible = number | bigint | boolean;
/** Checked conversions: trap when the value does not fit. */
declare function u8(value: Convertible): u8;
declare function u16(value: Convertible): u16;
declare function u32(value: Convertible): u32;
declare function i8(value: Convertible): i8;
declare function i16(value: Convertible): i16;
declare function i32(value: Convertible): i32;
declare function u64(value: Convertible): u64;
declare function i64(value: Convertible): i64;
declare function f64(value: Convertible): f64;

interface Wrapping {
  /** Truncate to the type; arithmetic operators directly in the argument do not trap. */
  u8(value: number | bigint): u8;
  u16(value: number | bigint): u16;
  u32(value: number | bigint): u32;
  i8(value: number | bigint): i8;
  i16(value: number | bigint): i16;
  i32(value: number | bigint): i32;
  u64(value: number | bigint): u64;
  i64(value: number | bigint): i64;
  /** Modulo 2^32 (`u32`) or 2^64 (`u64`). */
  add(a: u32, b: u32): u32;
  add(a: u64, b: u64): u64;
  sub(a: u32, b: u32): u32;
  sub(a: u64, b: u64): u64;
  mul(a: u32, b: u32): u32;
  mul(a: u64, b: u64): u64;
  shl(a: u32, count: u32): u32;
  shl(a: u64, count: u64): u64;
  neg(a: u32): u32;
  neg(a: u64): u64;
  not(a: u32): u32;
  not(a: u64): u64;
}
declare const wrapping: Wrapping;

/** Truncating division of small integers; traps on 0 and on MIN / -1. */
declare function div(a: number, b: number): number;
/** A 64-bit index for `[]`; traps when it does not fit an i32. */
declare function idx(index: u64 | i64): i32;
/** A fixed array of `length` (a constant) elements. */
declare function array<T>(length: number, make: (index: i32) => T): T[];
/** The bytes of a string, read only. */
declare function bytesOf(text: string): Uint8Array;
/** The size of a class's objects in bytes. */
declare function sizeOf<_C>(): u64;
/** Traps unless the condition holds. */
declare function assert(condition: boolean): asserts condition;
/** Traps. */
declare function unreachable(): never;
