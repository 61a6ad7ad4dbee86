/**
 * `palindrome/program` under Node: the same names as program.ts, and the globals of the language, so that programs run unchanged.
 *
 * What needs a kernel (fork, wait, mmap, …) throws. Pipes and files work within the process. A host that wants the output instead of
 * standard output (a test) puts `{ write, exit }` at `globalThis[Symbol.for('palindrome.host')]`.
 */

import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

interface Host {
  write(fd: number, bytes: Uint8Array): void;
  exit(status: number): never;
}

const HOST = Symbol.for('palindrome.host');

function host(): Host | undefined {
  return Reflect.get(globalThis, HOST) as Host | undefined;
}

/** What is a trap natively. */
export class Trap extends Error {}

function trap(why: string): never {
  throw new Trap(why);
}

// Globals

type Convertible = number | bigint | boolean;

function integerOf(value: Convertible): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : trap('conversion');
}

function checked(bits: number, signed: boolean): (value: Convertible) => number | bigint {
  const low = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const high = low + (1n << BigInt(bits)) - 1n;
  return (value) => {
    const exact = integerOf(value);
    if (exact < low || exact > high) trap('conversion');
    return bits === 64 ? exact : Number(exact);
  };
}

function truncating(bits: number, signed: boolean): (value: number | bigint) => number | bigint {
  return (value) => {
    const cut = signed ? BigInt.asIntN(bits, integerOf(value)) : BigInt.asUintN(bits, integerOf(value));
    return bits === 64 ? cut : Number(cut);
  };
}

type Word = number | bigint;

/** Modulo 2^32 for numbers, 2^64 for bigints. */
function modulo(compute: (a: bigint, b: bigint) => bigint): (a: Word, b: Word) => Word {
  return (a, b) => {
    const isWide = typeof a === 'bigint';
    const result = compute(BigInt(a), BigInt(b));
    return isWide ? BigInt.asUintN(64, result) : Number(BigInt.asUintN(32, result));
  };
}

const shl = modulo((a, b) => a << (b < 64n ? b : 64n));

const wrapping = {
  add: modulo((a, b) => a + b),
  sub: modulo((a, b) => a - b),
  mul: modulo((a, b) => a * b),
  shl,
  neg: (a: Word) => modulo((x, y) => y - x)(a, typeof a === 'bigint' ? 0n : 0),
  not: (a: Word) => modulo((x) => ~x)(a, typeof a === 'bigint' ? 0n : 0),
  ...Object.fromEntries(integerTypes().map(([name, bits, signed]) => [name, truncating(bits, signed)])),
};

function integerTypes(): [name: string, bits: number, signed: boolean][] {
  return [8, 16, 32, 64].flatMap((bits): [string, number, boolean][] => [
    [`u${bits}`, bits, false],
    [`i${bits}`, bits, true],
  ]);
}

function div(a: number, b: number): number {
  if (b === 0) trap('divide');
  return Math.trunc(a / b) + 0;
}

Object.assign(globalThis, {
  ...Object.fromEntries(integerTypes().map(([name, bits, signed]) => [name, checked(bits, signed)])),
  f64: Number,
  wrapping,
  div,
  idx: checked(32, true),
  array: <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, i) => make(i)),
  bytesOf: (text: string): Uint8Array => new TextEncoder().encode(text),
  assert: (condition: boolean): void => {
    if (!condition) trap('assertion');
  },
  unreachable: (): never => trap('unreachable'),
});

// Output

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;

const ENOENT = -2;
const EBADF = -9;

/** Bytes on their way through the pipes of this process, by the descriptor of the end to read from. */
const pipes = new Map<number, { readonly bytes: number[]; readonly readEnd: number; readonly writeEnd: number }>();

export function exit(status: number): never {
  const given = host();
  if (given !== undefined) return given.exit(status & 0xff);
  process.exit(status & 0xff);
}

export function print(text: string): void {
  writeAll(STDOUT, new TextEncoder().encode(text));
}

export function printLine(text: string): void {
  print(`${text}\n`);
}

export function printBytes(bytes: Uint8Array): void {
  writeAll(STDOUT, bytes);
}

export function printNumber(value: number | bigint): void {
  print(String(value));
}

export function printDigits(value: bigint): void {
  print(String(value));
}

export function printHex(value: number | bigint, digits = 1): void {
  print(
    `0x${BigInt.asUintN(64, BigInt(value))
      .toString(16)
      .padStart(value === 0 || value === 0n ? Math.max(digits, 0) : digits, '0')}`,
  );
}

/** The same steps as program.ts, so that the same doubles are rounded the same way. */
export function printFixed(value: number, decimals: number): void {
  let scale = 1;
  for (let i = 0; i < decimals; i++) scale *= 10;
  const scaled = BigInt(Math.floor(Math.abs(value) * scale + 0.5));
  const sign = value < 0 && scaled !== 0n ? '-' : '';
  const whole = 10n ** BigInt(decimals);
  print(`${sign}${scaled / whole}${decimals === 0 ? '' : `.${String(scaled % whole).padStart(decimals, '0')}`}`);
}

// Arguments

export function argumentCount(): number {
  return process.argv.length - 1;
}

export function argument(index: number): string {
  return process.argv[index + 1] ?? trap('assertion');
}

// Files

export function write(fd: number, bytes: Uint8Array): number {
  for (const pipe of pipes.values()) {
    if (pipe.writeEnd !== fd) continue;
    pipe.bytes.push(...bytes);
    return bytes.length;
  }
  const given = host();
  if (given !== undefined && fd <= STDERR) given.write(fd, bytes);
  else writeSync(fd, bytes);
  return bytes.length;
}

export function writeAll(fd: number, bytes: Uint8Array): number {
  return bytes.length === 0 ? 0 : write(fd, bytes);
}

export function read(fd: number, bytes: Uint8Array): number {
  const pipe = pipes.get(fd);
  if (pipe === undefined) return readSync(fd, bytes);
  const taken = pipe.bytes.splice(0, bytes.length);
  bytes.set(taken);
  return taken.length;
}

export function open(path: string, flags: number, mode = 0o644): number {
  try {
    return openSync(path, flags, mode);
  } catch {
    return ENOENT;
  }
}

export function close(fd: number): number {
  for (const pipe of pipes.values()) if (pipe.readEnd === fd || pipe.writeEnd === fd) return 0;
  try {
    closeSync(fd);
    return 0;
  } catch {
    return EBADF;
  }
}

export function pipe(ends: Int32Array): number {
  const readEnd = 1000 + 2 * pipes.size;
  pipes.set(readEnd, { bytes: [], readEnd, writeEnd: readEnd + 1 });
  ends[0] = readEnd;
  ends[1] = readEnd + 1;
  return 0;
}

export function getpid(): number {
  return process.pid;
}

export function yieldProcessor(): void {}

export function random(bytes: Uint8Array): number {
  randomFillSync(bytes);
  return bytes.length;
}

// What needs a kernel of its own

function needsKernel(name: string): (...parameters: unknown[]) => never {
  return () => {
    throw new Error(`${name} needs a kernel: compile the program and run it (palindrome run FILE)`);
  };
}

export const fork = needsKernel('fork');
export const wait = needsKernel('wait');
export const kill = needsKernel('kill');
export const dup2 = needsKernel('dup2');
export const seek = needsKernel('seek');
export const execute = needsKernel('execute');
export const sleep = needsKernel('sleep');
export const mmap = needsKernel('mmap');
export const munmap = needsKernel('munmap');
export const mprotect = needsKernel('mprotect');
export const brk = needsKernel('brk');
