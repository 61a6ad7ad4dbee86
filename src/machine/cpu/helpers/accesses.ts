/**
 * The accesses of helper instructions whose addresses are recorded: that of an explicit memory operand (one, however it is read: a limit and a base, a
 * pointer and a selector), and what POP Sreg pops. Frames of transfers by gate or far pointer, descriptors and task state are none.
 */

import type { Decoded } from '../../isa/decode.ts';
import type { HelperName } from '../../isa/helpers.ts';
import { type AddressLog, isByRsp } from '../address-log.ts';
import { HELPER } from '../ports.ts';
import { type Cpu, type Helper, SEG } from './cpu.ts';
import { stackWidth } from './segments.ts';

/** Runs a helper, and records its access if it has not faulted. */
export function recordHelper(cpu: Cpu, name: HelperName, helper: Helper, decoded: Decoded, addresses: AddressLog): number {
  const { rip } = cpu.state;
  const access = accessOf(cpu, name, decoded);
  const status = helper(cpu, decoded);
  if (access !== null && status !== HELPER.fault) addresses.add(rip, access.linear, access.isByStack);
  return status;
}

function accessOf(cpu: Cpu, name: HelperName, decoded: Decoded): { readonly linear: bigint; readonly isByStack: boolean } | null {
  if (name === 'POP_SEG') return { linear: cpu.linearOf(SEG.SS, BigInt.asUintN(stackWidth(cpu), cpu.gpr(4))), isByStack: true };
  // The operand of INVLPG says an address, at which nothing is accessed.
  const operand = name === 'INVLPG' ? undefined : decoded.operands.find(({ kind }) => kind === 'mem');
  if (operand?.kind !== 'mem') return null;
  return { linear: cpu.linearOf(operand.segment, cpu.offsetOf(decoded, operand)), isByStack: isByRsp(operand) };
}
