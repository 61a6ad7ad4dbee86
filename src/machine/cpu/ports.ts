/**
 * What the interpreter asks of the rest of the machine: memory accesses that its inline software TLB cannot serve, instruction
 * fetches, and the instructions that need code. Numbers only, and nothing here may throw: a JavaScript exception must not pass
 * through WebAssembly, so a fault is left pending in the CPU's state (`CpuState.raise`) and told by the result.
 *
 * At each call RIP in the state is that of the current instruction, `CpuState.count` is exact (the current instruction not
 * counted), and no register, flag or memory has been changed by the current instruction.
 *
 * What stands here as a function and not as a method is imported by generated code as it is: in the machine it is generated code itself.
 */
import type { Decoded } from '../isa/decode.ts';

/** What a helper did. */
export const HELPER = {
  /** Retired; goes on with the next instruction. */
  next: 0,
  /** A fault is pending; nothing was changed and the instruction does not count. */
  fault: 1,
  /** Retired; RIP in the state (and maybe the mode) was set by the helper. */
  jump: 2,
  /** One iteration of a repeated instruction retired; the same instruction is to run again. */
  again: 3,
  /** Retired, RIP in the state was set by the helper (to the next instruction at least), and `run` returns 'stop'. */
  stop: 4,
} as const;

/** What became of a fault within a run. */
export const FAULTED = {
  /** Delivered: the handler's first instruction is next. */
  goOn: 0,
  /** Delivered, or not to be delivered at all; `run` returns 'stop', since something is due before the handler. */
  look: 1,
  /** Still pending: `run` returns 'fault'. */
  pending: 2,
} as const;

export interface Ports {
  /** Loads into SCRATCH, zero-extended to eight bytes (16 for size 16); `access` as in state.ts `ACCESS`. 0 done, 1 fault pending. */
  readonly load: (low: number, high: number, access: number) => number;
  /** Stores from SCRATCH: all or nothing. 0 done, 1 fault pending. */
  readonly store: (low: number, high: number, access: number) => number;
  /** 0 when a store (of the access' size) would succeed, 1 fault pending. */
  readonly probe: (low: number, high: number, access: number) => number;
  /**
   * Makes the inline software TLB serve this access. Regions ask it at a miss, and leave the instruction to tier 0 where it cannot: so it changes nothing but
   * what the access itself would change first (A and D bits, the translation), and nobody is told anything. 0: done, 1: the access faults, if a fault is
   * pending, or must take the slow path. `access` with `modify`: for writing; with `tells`: 2 where the entry has the page, but `stored` is to be called when
   * the store has been made.
   */
  readonly refill: (low: number, high: number, access: number) => number;
  /** The store that `refill` let through has been made. 1: translations of code were dropped, so that each page of a region must be asked for anew. */
  readonly stored: () => number;
  /** Makes the translation for an instruction fetch; 0: the page's physical address is in FETCH_PHYSICAL, 1: fault pending. */
  fetch(low: number, high: number): number;
  /** Code was decoded from this physical page: stores to it must from now on come to `store` and be told to `CodeCache.written`. */
  watchCode(physicalPage: number): void;
  /** Another content lies at this physical page now: empties the execute entries that were filled after a `fetch` from it. */
  dropCode(physicalPage: number): void;
  /** RFLAGS was written by generated code, and TF or an interrupt that waits is to have its way after this instruction: `shortenBudget(1)`. */
  attend(): void;
  /** A fault is pending; a value of `FAULTED`. What is derived from the mode (mode.ts) is renewed. */
  readonly faulted: () => number;
  /** IRET of 64-bit code with this operand size; a value of STATUS (translator/entry.ts), or −1: `helper` shall do it, nothing has happened. */
  readonly iret: (operandSize: number) => number;
  /** MOV to CR3 of this value; a value of STATUS. */
  readonly writeCr3: (low: number, high: number) => number;
  /** Where OBSERVED is set: SYSCALL or SYSRET is at one of the moments TELL (translator/system-code.ts). */
  tell(what: number): void;
  /** Runs the helper with this number in HELPER_NAMES for the instruction `decoded`; a value of `HELPER`. */
  helper(number: number, decoded: Decoded): number;
}
