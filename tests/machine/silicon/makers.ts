/**
 * Where processors of different makers differ, with the manuals' leave: a host of either kind judges what both agree on.
 *
 *  - REPNE CMPS and SCAS that fault: Intel's restore the flags of before the instruction (SDM Vol. 2, REP), others leave those of the last comparison.
 *  - Repeated string instructions with 32-bit addresses in 64-bit mode that do no iteration (none is left, or the first faults): Intel's clear the upper
 *    halves of RCX, RSI and RDI, others change nothing.
 *  - Near calls to addresses that are not canonical: Intel's may have written the return address below a stack pointer that stays.
 *  - BOUND whose second bound is not to be read: Intel's compare with the first one before.
 *  - A stack access over the end of 4 GiB: whether it exceeds a limit of 4 GiB is left to the implementation (SDM Vol. 3, 5.3).
 *
 * The machine does what the others do: what faults, or does not happen, leaves everything as it was.
 */
import type { Fault, Undefined } from '../../../src/machine/cpu/reference.ts';
import type { Decoded } from '../../../src/machine/isa/decode.ts';
import { STATUS_FLAGS } from '../../../src/machine/isa/flags.ts';
import { VECTOR } from '../../../src/machine/platform/vectors.ts';

/** Notes in `unsure` what an instruction leaves open, of which an attempt (of one iteration) gave `result`. `count`: RCX before it; `isFirst`: no iteration came before. */
export function noteMakers(unsure: Undefined, decoded: Decoded, result: Fault | 'done' | 'again', count: bigint, isFirst: boolean): void {
  const hasFaulted = typeof result === 'object';
  if (decoded.rep === 'nonzero' && hasFaulted) unsure.flags |= STATUS_FLAGS;
  const isNarrow = decoded.rep !== 'none' && decoded.mode === 64 && decoded.addressSize === 32;
  if (isNarrow && isFirst && (hasFaulted || BigInt.asUintN(32, count) === 0n)) unsure.value = true;
  if (!hasFaulted) return;
  const { name, flow } = decoded.row;
  if (flow === 'indirect-call' && result.vector === VECTOR.GP) unsure.value = true;
  if (name === 'BOUND' && result.vector === VECTOR.PF) unsure.value = true;
  if (decoded.mode === 32 && result.vector === VECTOR.SS) unsure.value = true;
}
