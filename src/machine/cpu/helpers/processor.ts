/** HLT and the invalidation of translations. CPL and IOPL have been checked by the rows. */
import { bug } from '../../isa/bug.ts';
import { READ } from '../../memory/mmu-control.ts';
import { CR4 } from '../../platform/bits.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { HELPER } from '../ports.ts';
import { type Cpu, type Helper, highHalf, isCanonical64, lowHalf } from './cpu.ts';

export const hlt: Helper = (cpu, decoded) => {
  cpu.run.halted = true;
  cpu.advance(decoded);
  return HELPER.stop;
};

export const invlpg: Helper = (cpu, decoded) => {
  const [target] = decoded.operands;
  if (target?.kind !== 'mem') return bug('INVLPG needs memory');
  const linear = cpu.linearOf(target.segment, cpu.offsetOf(decoded, target));
  if (cpu.is64 && !isCanonical64(linear)) return HELPER.next;
  cpu.mmu.invalidatePage(lowHalf(linear), highHalf(linear), cpu.mmu.pcid, true);
  cpu.tellFlush('page', cpu.mmu.pcid, linear);
  return HELPER.next;
};

export const invpcid: Helper = (cpu, decoded) => {
  const [kind, target] = decoded.operands;
  if (kind?.kind !== 'reg' || target?.kind !== 'mem') return bug('INVPCID needs a register and memory');
  const type = decoded.mode === 64 ? cpu.gpr(kind.index) : BigInt.asUintN(32, cpu.gpr(kind.index));
  const at = cpu.checkedLinear(target.segment, cpu.offsetOf(decoded, target), 16, false);
  if (at === null) return HELPER.fault;
  const pcid = cpu.read(at, 8, READ);
  if (pcid === null) return HELPER.fault;
  const linear = cpu.read(BigInt.asUintN(64, at + 8n), 8, READ);
  if (linear === null) return HELPER.fault;
  const isEnabled = (cpu.cr4 & CR4.PCIDE) !== 0;
  if (type > 3n || pcid > 0xfffn) return cpu.fault(VECTOR.GP, 0);
  if (type < 2n && !isEnabled && pcid !== 0n) return cpu.fault(VECTOR.GP, 0);
  if (type === 0n && !isCanonical64(linear)) return cpu.fault(VECTOR.GP, 0);
  invalidate(cpu, Number(type), Number(pcid), linear);
  return HELPER.next;
};

function invalidate(cpu: Cpu, type: number, pcid: number, linear: bigint): void {
  if (type === 0) {
    cpu.mmu.invalidatePage(lowHalf(linear), highHalf(linear), pcid, false);
    cpu.tellFlush('page', pcid, linear);
  } else if (type === 1) {
    cpu.mmu.invalidatePcid(pcid);
    cpu.tellFlush('pcid', pcid, null);
  } else {
    cpu.mmu.invalidateAll(type === 2);
    cpu.tellFlush(type === 2 ? 'all' : 'all-but-global', 0, null);
  }
}
