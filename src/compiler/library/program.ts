/**
 * `palindrome/program`: what a program says to the world, by Linux system calls. Under Node the same names are in node.ts.
 *
 * Results are as the kernel gives them: a negative number is an error (`-ENOENT`).
 */

import { addressOf, assembly, load8, load64, stringAt, syscall } from 'palindrome/intrinsics';

/** System call numbers of Linux x86-64; tests compare them with src/kernel/abi/syscalls.ts. */
export const NR = {
  read: 0n,
  write: 1n,
  open: 2n,
  close: 3n,
  lseek: 8n,
  mmap: 9n,
  mprotect: 10n,
  munmap: 11n,
  brk: 12n,
  sched_yield: 24n,
  dup2: 33n,
  nanosleep: 35n,
  getpid: 39n,
  fork: 57n,
  execve: 59n,
  exit: 60n,
  wait4: 61n,
  kill: 62n,
  getuid: 102n,
  clock_gettime: 228n,
  exit_group: 231n,
  pipe2: 293n,
  getrandom: 318n,
} as const;

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

assembly(`
.section .text
.global _start
_start:
  .cfi_startproc
  .cfi_undefined rip
  xor ebp, ebp
  mov rdi, rsp
  and rsp, -16
  call palindrome_start
  ud2
  .cfi_endproc
`);

/** Where the kernel put argc and argv. */
let stack: u64 = 0n;

/** @extern palindrome_initialise */
declare function initialise(): void;

/** @export palindrome_start */
function _start(at: u64): never {
  stack = at;
  initialise();
  exit(0);
}

/** Ends the process. */
export function exit(status: i32): never {
  syscall(NR.exit_group, u64(status & 0xff));
  unreachable();
}

// Text

/** Writes all of the text to standard output. */
export function print(text: string): void {
  writeAll(STDOUT, bytesOf(text));
}

export function printLine(text: string): void {
  print(text);
  print('\n');
}

export function printBytes(bytes: Uint8Array): void {
  writeAll(STDOUT, bytes);
}

/** A number of any integer type, in decimal. */
export function printNumber<T extends integer>(value: T): void {
  if (value < 0) {
    print('-');
    printDigits(wrapping.u64(-wrapping.i64(value)));
  } else {
    printDigits(u64(value));
  }
}

export function printDigits(value: u64): void {
  const digits = new Uint8Array(20);
  let at = 20;
  let rest = value;
  do {
    at--;
    digits[at] = u8(48n + (rest % 10n));
    rest /= 10n;
  } while (rest !== 0n);
  writeAll(STDOUT, digits.subarray(at));
}

/** In hexadecimal with `0x`, at least `digits` of them. */
export function printHex<T extends integer>(value: T, digits: i32 = 1): void {
  const text = new Uint8Array(16);
  let at = 16;
  let rest = wrapping.u64(value);
  while (rest !== 0n || 16 - at < digits) {
    at--;
    const digit = u8(rest & 15n);
    text[at] = digit < 10 ? u8(48 + digit) : u8(87 + digit);
    rest >>= 4n;
  }
  print('0x');
  writeAll(STDOUT, text.subarray(at));
}

/** With `decimals` digits behind the point, rounded to nearest, halves up; |value| below 2^53 / 10^decimals. */
export function printFixed(value: f64, decimals: i32): void {
  let scale = 1.0;
  let whole: u64 = 1n;
  for (let i = 0; i < decimals; i++) {
    scale *= 10.0;
    whole *= 10n;
  }
  const scaled = u64(Math.floor(Math.abs(value) * scale + 0.5));
  if (value < 0.0 && scaled !== 0n) print('-');
  printDigits(scaled / whole);
  if (decimals === 0) return;
  print('.');
  const digits = new Uint8Array(20);
  let rest = scaled % whole;
  for (let i = decimals - 1; i >= 0; i--) {
    digits[i] = u8(48n + (rest % 10n));
    rest /= 10n;
  }
  writeAll(STDOUT, digits.subarray(0, decimals));
}

// Arguments

export function argumentCount(): i32 {
  return i32(load64(stack));
}

/** Argument `index`; 0 is the program's name. */
export function argument(index: i32): string {
  assert(index >= 0 && index < argumentCount());
  const at = load64(stack + 8n + u64(index) * 8n);
  let length: u64 = 0n;
  while (load8(at + length) !== 0) length++;
  return stringAt(at, length);
}

// Files

export function write(fd: i32, bytes: Uint8Array): i32 {
  return i32(syscall(NR.write, wrapping.u64(fd), addressOf(bytes), u64(bytes.length)));
}

/** Writes all, or stops at the first error. */
export function writeAll(fd: i32, bytes: Uint8Array): i32 {
  let done = 0;
  while (done < bytes.length) {
    const written = write(fd, bytes.subarray(done));
    if (written <= 0) return written;
    done += written;
  }
  return done;
}

export function read(fd: i32, bytes: Uint8Array): i32 {
  return i32(syscall(NR.read, wrapping.u64(fd), addressOf(bytes), u64(bytes.length)));
}

/** The longest path, with its NUL. */
const PATH_MAX = 256;
const ENAMETOOLONG = -36;

function copyPath(path: string, into: Uint8Array): boolean {
  if (path.length >= into.length) return false;
  into.set(bytesOf(path));
  return true;
}

export function open(path: string, flags: i32, mode: i32 = 0o644): i32 {
  const name = new Uint8Array(PATH_MAX);
  if (!copyPath(path, name)) return ENAMETOOLONG;
  return i32(syscall(NR.open, addressOf(name), u64(flags), u64(mode)));
}

export function close(fd: i32): i32 {
  return i32(syscall(NR.close, wrapping.u64(fd)));
}

export function seek(fd: i32, offset: i64, whence: i32): i64 {
  return syscall(NR.lseek, wrapping.u64(fd), wrapping.u64(offset), u64(whence));
}

export function dup2(from: i32, to: i32): i32 {
  return i32(syscall(NR.dup2, wrapping.u64(from), wrapping.u64(to)));
}

/** A pipe: the end to read from in `ends[0]`, the end to write to in `ends[1]`. */
export function pipe(ends: Int32Array): i32 {
  assert(ends.length >= 2);
  return i32(syscall(NR.pipe2, addressOf(ends), 0n));
}

// Processes

/** 0 in the child, the child's number in the parent. */
export function fork(): i32 {
  return i32(syscall(NR.fork));
}

/** Waits for a child (-1: any); its wait status goes to `status[0]`. */
export function wait(pid: i32, status: Int32Array): i32 {
  assert(status.length >= 1);
  return i32(syscall(NR.wait4, wrapping.u64(i64(pid)), addressOf(status), 0n, 0n));
}

export function kill(pid: i32, signal: i32): i32 {
  return i32(syscall(NR.kill, wrapping.u64(i64(pid)), u64(signal)));
}

export function getpid(): i32 {
  return i32(syscall(NR.getpid));
}

export function yieldProcessor(): void {
  syscall(NR.sched_yield);
}

/** Runs another program with the arguments `argv[0]` = path alone; returns only on failure. */
export function execute(path: string): i32 {
  const name = new Uint8Array(PATH_MAX);
  if (!copyPath(path, name)) return ENAMETOOLONG;
  const argv = new BigUint64Array(2);
  argv[0] = addressOf(name);
  const environment = new BigUint64Array(1);
  return i32(syscall(NR.execve, addressOf(name), addressOf(argv), addressOf(environment)));
}

/** Sleeps that many nanoseconds. */
export function sleep(nanoseconds: u64): void {
  const time = new BigUint64Array(2);
  time[0] = nanoseconds / 1000000000n;
  time[1] = nanoseconds % 1000000000n;
  syscall(NR.nanosleep, addressOf(time), 0n);
}

// Memory

/** An address, or a negative error. */
export function mmap(address: u64, length: u64, protection: i32, flags: i32, fd: i32 = -1, offset: u64 = 0n): i64 {
  return syscall(NR.mmap, address, length, u64(protection), u64(flags), wrapping.u64(i64(fd)), offset);
}

export function munmap(address: u64, length: u64): i32 {
  return i32(syscall(NR.munmap, address, length));
}

export function mprotect(address: u64, length: u64, protection: i32): i32 {
  return i32(syscall(NR.mprotect, address, length, u64(protection)));
}

export function brk(address: u64): u64 {
  return wrapping.u64(syscall(NR.brk, address));
}

/** Fills with random bytes. */
export function random(bytes: Uint8Array): i32 {
  return i32(syscall(NR.getrandom, addressOf(bytes), u64(bytes.length), 0n));
}
