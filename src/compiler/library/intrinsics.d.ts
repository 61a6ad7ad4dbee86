/**
 * `palindrome/intrinsics`: memory, ports, system registers and assembly. Resolves in trusted folders only (docs/bare-typescript.md).
 */

type Integer = number | bigint;

export function load8(address: u64): u8;
export function load16(address: u64): u16;
export function load32(address: u64): u32;
export function load64(address: u64): u64;
export function store8(address: u64, value: u8): void;
export function store16(address: u64, value: u16): void;
export function store32(address: u64, value: u32): void;
export function store64(address: u64, value: u64): void;

/** The address of an object, of a slice's or string's first byte, or of a function. */
export function addressOf(what: object | string | ((...parameters: never[]) => unknown)): u64;
/** A slice over raw memory; traps from 2^31 elements on. */
export function sliceAt(address: u64, length: u64): Uint8Array;
export function slice64At(address: u64, count: u64): BigUint64Array;
export function stringAt(address: u64, length: u64): string;
export function objectAt<C>(address: u64): C;
export function functionAt<F>(address: u64): F;
export function offsetOf<C>(field: keyof C & string): u64;
/** The address of a linker symbol. */
export function symbol(name: string): u64;

export function inb(port: u16): u8;
export function inw(port: u16): u16;
export function inl(port: u16): u32;
export function outb(port: u16, value: u8): void;
export function outw(port: u16, value: u16): void;
export function outl(port: u16, value: u32): void;
export function rdmsr(register: u32): u64;
export function wrmsr(register: u32, value: u64): void;
/** `n` is constant: 0, 2, 3, 4 or 8. */
export function readCr(n: number): u64;
export function writeCr(n: number, value: u64): void;
export function invlpg(address: u64): void;
export function hlt(): void;
export function cli(): void;
export function sti(): void;
export function stac(): void;
export function clac(): void;
export function pause(): void;
export function swapgs(): void;
export function rdtsc(): u64;
export function readFlags(): u64;
/** The SYSCALL instruction with Linux's registers; the result is as the kernel left it (negative errno). */
export function syscall(n: i64, a?: u64, b?: u64, c?: u64, d?: u64, e?: u64, f?: u64): i64;
/** Stops with the code `user` in the trap table. */
export function trap(): never;

type Register = 'rax' | 'rbx' | 'rcx' | 'rdx' | 'rsi' | 'rdi' | 'r8' | 'r9' | 'r10' | 'r11' | 'r12' | 'r13' | 'r14' | 'r15';
/** Intel syntax; the text is a constant. Inputs go into the named registers, the result is taken from `output`. */
export function asm(text: string, inputs?: { readonly [R in Register]?: Integer }, output?: Register): u64;
/** Module-level assembly: labels, `.global`, `.section`, data directives. */
export function assembly(text: string): void;
