/**
 * Decoded entries: what tier 0 executes. One entry an instruction, 32 bytes, in the code cache's arena in linear memory. The
 * entries of instructions that follow each other stand side by side; a pseudo entry ends each such run.
 *
 *      0  u16  form: the case of the interpreter's br_table (`FORM`, then the inlined forms)
 *      2  u16  offset: RIP = page + offset, where `page` is a local of the interpreter (4096 in a pseudo entry at the end of a page)
 *      4  u16  offset of the next instruction
 *      6  u8   operands 0, 1, 2 where they are registers: gpr: byte offset in GPR (AH…BH: one more), xmm: 16·index, seg: 4·index
 *      9  u8   base register of the memory operand: byte offset in GPR
 *     10  u8   index register, likewise
 *     11  u8   scale: 0–3
 *     12  u8   segment of the memory operand: 8·number (offset in SEGMENT_BASE)
 *     13  u8   1: that segment is SS
 *     14  u16  index of the out-of-line function in the function table
 *     16  i64  immediate, or branch distance, or the 64-bit offset of a moffs operand; of a helper: where the code cache keeps the instruction; of an
 *              indirect jump or call: where it led last, 0: nowhere yet (`tellsTarget`)
 *     24  i32  displacement; of a helper without a memory operand: the operand size
 *     28  i32  link: address of a slot that holds the address of the branch target's entry, or 0 (not in this page, or not decoded yet)
 *
 * A *head* is a pseudo entry through which transfers reach the instruction behind it, so that what is run often is seen:
 *
 *     16  i32  counter: how often it may still be passed until `run` leaves with EXIT.hot
 *     20  i32  region: index of the region's function in the table of regions (FORM.region)
 *     24  i32  behind: address of the entry of the instruction itself
 *     28  i32  inner: which block of which region its instruction begins (region-emit.ts), 0: none
 */
import type { Decoded } from '../isa/decode.ts';
import type { MemoryOperand } from '../isa/operands.ts';

export const ENTRY_BYTES = 32;
export const ENTRY = {
  form: 0,
  offset: 2,
  next: 4,
  operand: 6,
  base: 9,
  index: 10,
  scale: 11,
  segment: 12,
  isStack: 13,
  function: 14,
  immediate: 16,
  target: 16,
  displacement: 24,
  link: 28,
  counter: 16,
  region: 20,
  behind: 24,
  inner: 28,
} as const;

/** The first cases of the br_table. */
export const FORM = {
  /** Pseudo entry, does not count: find the entry for page + offset (decode it if need be). Also every entry of a dropped page. */
  lookup: 0,
  /** Pseudo entry, does not count: goes on at the entry whose slot is `link`, or looks up. */
  link: 1,
  /** Pseudo entry before an instruction that straddles pages: goes on only if the next page is still the one it was decoded from. */
  straddle: 2,
  /** Calls the out-of-line function. */
  call: 3,
  /** A head: does not count, goes on behind it. */
  head: 4,
  /** A head whose region is compiled: runs it. */
  region: 5,
  /** Pseudo entry before an instruction with a breakpoint: leaves with EXIT.breakpoint, or goes on where PASS_BREAKPOINT is set. */
  breakpoint: 6,
  /** From here on: forms inlined in the interpreter's body. */
  inline: 7,
} as const;

/** What an out-of-line function returns; the first five are a helper's results (`HELPER`). */
export const STATUS = {
  /** Retired; go on with the next instruction. */
  next: 0,
  /** A fault is pending, nothing has changed. */
  fault: 1,
  /** Retired; RIP is in the state. */
  jump: 2,
  /** Retired; the same entry again. */
  again: 3,
  /** Retired; RIP is in the state; leave `run`. */
  stop: 4,
} as const;

/** What a region's function returns, with RIP and LEFT in the state. */
export const REGION = {
  /** Go on at RIP. */
  jump: 0,
  /** The instruction at RIP is to be executed by its entry: it is none for a region now. */
  cold: 1,
  /** A fault of the instruction at RIP is pending, and its delivery is left to TypeScript. */
  fault: 2,
  /** A helper asked to leave `run`, or something is due before a fault's handler. */
  stop: 3,
  /** Go on at RIP, where an instruction without a head stands. */
  headless: 4,
} as const;

/**
 * An entry has room for one memory operand. Instructions with two (MOVS, CMPS) use fixed registers: their code has them built in, and
 * their form is told apart by them.
 */
export const hasFixedMemory = (decoded: Decoded): boolean => decoded.operands.filter((o) => o.kind === 'mem').length > 1;

/** An offset without registers can have 64 bits (moffs); it then lies in the immediate's place. */
export function isWideOffset(decoded: Decoded, m: MemoryOperand): boolean {
  if (m.base >= 0 || m.index >= 0 || m.ripRelative || m.addressSize !== 64) return false;
  return !decoded.operands.some((o) => o.kind === 'imm');
}

/** An indirect jump or call whose entry has room for its last target. */
export function tellsTarget(decoded: Decoded): boolean {
  if (decoded.row.flow !== 'indirect' && decoded.row.flow !== 'indirect-call') return false;
  return !decoded.operands.some((o) => o.kind === 'mem' && isWideOffset(decoded, o));
}
