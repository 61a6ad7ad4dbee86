/**
 * Registers as the code generator numbers them: 0–15 general purpose in SDM order, 16–31 XMM, from `FIRST_VIRTUAL` on virtual.
 *
 * RSP and RBP hold the frame. In functions with spilled values R10, R11, XMM14 and XMM15 are not allocated: those pass through them.
 */

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R12 = 12;
export const XMM0 = 16;
export const FIRST_VIRTUAL = 32;
/** No register. */
export const NONE = -1;
/** As a base: where the function's own slots begin (they lie below it), a place below RBP that is known when registers are allocated. */
export const FRAME = -4;

export const SCRATCH = [11, 10] as const;
export const FLOAT_SCRATCH = [31, 30] as const;

/** Callers expect these as they were (with RSP and RBP, which the frame takes care of). */
export const CALLEE_SAVED = [3, 12, 13, 14, 15] as const;
export const CALLEE_SAVED_MASK = CALLEE_SAVED.reduce((mask, register) => mask | (1 << register), 0);
/** A call may change them. Bit n: register n. */
export const CALLER_SAVED_MASK = ~(CALLEE_SAVED_MASK | (1 << RSP) | (1 << RBP));

/** In order of preference for values that no call interrupts. */
export const GENERAL: readonly number[] = [0, 1, 2, 6, 7, 8, 9, 3, 12, 13, 14, 15];
/** With the scratch registers. */
export const WHOLE_GENERAL: readonly number[] = [0, 1, 2, 6, 7, 8, 9, 10, 11, 3, 12, 13, 14, 15];
export const FLOATS: readonly number[] = [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29];
export const WHOLE_FLOATS: readonly number[] = [...FLOATS, ...FLOAT_SCRATCH];

export const INTEGER_ARGUMENTS: readonly number[] = [RDI, RSI, RDX, RCX, R8, R9];
export const FLOAT_ARGUMENTS: readonly number[] = [16, 17, 18, 19, 20, 21, 22, 23];
export const INTEGER_RESULTS: readonly number[] = [RAX, RDX];
export const FLOAT_RESULTS: readonly number[] = [16, 17];

const NAMES64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;

export type Register64 = (typeof NAMES64)[number];

export function isFloat(register: number): boolean {
  return register >= XMM0;
}

/** For dumps: `rax`, `xmm3`, `v12`. */
export function registerName(register: number): string {
  if (register === FRAME) return 'frame';
  if (register >= FIRST_VIRTUAL) return `v${register - FIRST_VIRTUAL}`;
  return register >= XMM0 ? `xmm${register - XMM0}` : (NAMES64[register] ?? 'none');
}

export function name64(register: number): Register64 {
  return NAMES64[register & 15] ?? 'rax';
}

/** The number of a 64-bit register by its name, or -1. */
export function registerByName(name: string): number {
  return (NAMES64 as readonly string[]).indexOf(name);
}
