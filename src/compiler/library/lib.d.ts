// biome-ignore-all lint/suspicious/noShadowRestrictedNames: the standard library declares these names: this is it
// biome-ignore-all lint/complexity/noBannedTypes: the standard library declares these names: this is it
/**
 * What bare TypeScript has of the standard library; used with `noLib`, so that nothing else can be named.
 */

type Object = {};
type Function = {};
interface CallableFunction extends Function {}
interface NewableFunction extends Function {}
type IArguments = {};
type RegExp = {};
type Boolean = {};
type Number = {};
type BigInt = {};
type Symbol = {};
interface SymbolConstructor {
  readonly iterator: unique symbol;
  readonly dispose: unique symbol;
}
declare const Symbol: SymbolConstructor;
interface Disposable {
  [Symbol.dispose](): void;
}

interface IteratorYieldResult<T> {
  done?: false;
  value: T;
}
interface IteratorReturnResult<R> {
  done: true;
  value: R;
}
type IteratorResult<T, R = unknown> = IteratorYieldResult<T> | IteratorReturnResult<R>;
interface Iterator<T, R = unknown, N = unknown> {
  next(...[value]: [] | [N]): IteratorResult<T, R>;
}
interface Iterable<T, _R = unknown, _N = unknown> {
  [Symbol.iterator](): Iterator<T>;
}
interface IterableIterator<T, R = unknown, N = unknown> extends Iterator<T, R, N> {
  [Symbol.iterator](): IterableIterator<T, R, N>;
}

interface String {
  readonly length: i32;
  charCodeAt(index: number): u8;
  slice(start: number, end?: number): string;
}

interface ReadonlyArray<T> {
  readonly length: i32;
  readonly [index: number]: T;
  [Symbol.iterator](): IterableIterator<T>;
}
interface Array<T> {
  readonly length: i32;
  [index: number]: T;
  [Symbol.iterator](): IterableIterator<T>;
}
interface TemplateStringsArray extends ReadonlyArray<string> {
  readonly raw: readonly string[];
}
type ConcatArray<T> = ReadonlyArray<T>;

interface Slice<T, Self> {
  readonly length: i32;
  [index: number]: T;
  subarray(begin: number, end?: number): Self;
  set(source: Self, offset?: number): void;
  fill(value: T, start?: number, end?: number): Self;
  [Symbol.iterator](): IterableIterator<T>;
}
interface Uint8Array extends Slice<u8, Uint8Array> {
  readonly kind: 'u8';
}
interface Uint16Array extends Slice<u16, Uint16Array> {
  readonly kind: 'u16';
}
interface Uint32Array extends Slice<u32, Uint32Array> {
  readonly kind: 'u32';
}
interface Int8Array extends Slice<i8, Int8Array> {
  readonly kind: 'i8';
}
interface Int16Array extends Slice<i16, Int16Array> {
  readonly kind: 'i16';
}
interface Int32Array extends Slice<i32, Int32Array> {
  readonly kind: 'i32';
}
interface BigUint64Array extends Slice<u64, BigUint64Array> {
  readonly kind: 'u64';
}
interface BigInt64Array extends Slice<i64, BigInt64Array> {
  readonly kind: 'i64';
}
interface Float64Array extends Slice<f64, Float64Array> {
  readonly kind: 'f64';
}
declare const Uint8Array: { new (length: number | readonly number[]): Uint8Array };
declare const Uint16Array: { new (length: number | readonly number[]): Uint16Array };
declare const Uint32Array: { new (length: number | readonly number[]): Uint32Array };
declare const Int8Array: { new (length: number | readonly number[]): Int8Array };
declare const Int16Array: { new (length: number | readonly number[]): Int16Array };
declare const Int32Array: { new (length: number | readonly number[]): Int32Array };
declare const BigUint64Array: { new (length: number | readonly bigint[]): BigUint64Array };
declare const BigInt64Array: { new (length: number | readonly bigint[]): BigInt64Array };
declare const Float64Array: { new (length: number | readonly number[]): Float64Array };

declare const BigInt: {
  asUintN(bits: number, value: bigint): u64;
  asIntN(bits: number, value: bigint): i64;
};
declare const Math: {
  min(a: number, b: number): number;
  max(a: number, b: number): number;
  abs(x: number): number;
  sqrt(x: f64): f64;
  floor(x: f64): f64;
  ceil(x: f64): f64;
  trunc(x: f64): f64;
  imul(a: number, b: number): i32;
  clz32(x: number): i32;
};

type Readonly<T> = { readonly [P in keyof T]: T[P] };
type Partial<T> = { [P in keyof T]?: T[P] };
type NonNullable<T> = T & {};
type Record<K extends string | number | symbol, T> = { [P in K]: T };
