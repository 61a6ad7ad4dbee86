/**
 * The value types of the IR, and constants of them.
 *
 * A boolean is an `i8` that is 0 or 1; an address is an `i64`. Integers carry no sign: operations do. A constant of `i8`, `i16`, `i32` is
 * a `number`, one of `i64` a `bigint`, always in its *signed* normal form (`-1` for all ones), so that `===` compares; an `f64` is a `number`.
 */

export type IntegerType = 'i8' | 'i16' | 'i32' | 'i64';
export type Type = IntegerType | 'f64';
export type Constant = number | bigint;

export const TYPES: readonly Type[] = ['i8', 'i16', 'i32', 'i64', 'f64'];
export const INTEGER_TYPES: readonly IntegerType[] = ['i8', 'i16', 'i32', 'i64'];

export function isInteger(type: Type): type is IntegerType {
  return type !== 'f64';
}

export function bitsOf(type: Type): number {
  return type === 'i32' ? 32 : type === 'i8' ? 8 : type === 'i16' ? 16 : 64;
}

export function bytesOf(type: Type): number {
  return type === 'i32' ? 4 : type === 'i8' ? 1 : type === 'i16' ? 2 : 8;
}

/** The signed normal form of `value` cut to `type`. A `number` must be a safe integer when `type` is an integer. */
export function normal(type: Type, value: Constant): Constant {
  if (type === 'f64') return Number(value);
  if (type === 'i64') return BigInt.asIntN(64, BigInt(value));
  const low = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value | 0;
  return type === 'i32' ? low : type === 'i8' ? (low << 24) >> 24 : (low << 16) >> 16;
}

/** The same bits read as an unsigned integer. */
export function unsigned(type: IntegerType, value: Constant): Constant {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value);
  return type === 'i32' ? value >>> 0 : type === 'i8' ? value & 0xff : value & 0xffff;
}

export type IntegerPredicate = 'eq' | 'ne' | 'slt' | 'sle' | 'sgt' | 'sge' | 'ult' | 'ule' | 'ugt' | 'uge';
/** As in JavaScript: with a NaN all are false but `ne`. */
export type FloatPredicate = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
export type Predicate = IntegerPredicate | FloatPredicate;
