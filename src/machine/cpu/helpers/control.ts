/** MOV to and from control registers, LMSW, CLTS, and what they do to the TLB (SDM Vol. 3, 2.5 and 4.10.4). CPL has been checked by the rows. */
import { bug } from '../../isa/bug.ts';
import { READ } from '../../memory/mmu-control.ts';
import { CR0, CR4, EFER as EFER_BITS } from '../../platform/bits.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { HELPER } from '../ports.ts';
import { CR0 as CR0_SLOT, CR2, CR3, CR4 as CR4_SLOT, EFER, GPR } from '../state.ts';
import { ATTRIBUTE, type Cpu, type Helper, lowHalf, SEG } from './cpu.ts';

/** Bits of CR0 that exist; the others below 32 read as zero and ignore writes. */
export const CR0_BITS = CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG;
/** Bits of CR4 that CPUID offers: setting another is #GP. */
export const CR4_BITS =
  CR4.TSD |
  CR4.DE |
  CR4.PSE |
  CR4.PAE |
  CR4.MCE |
  CR4.PGE |
  CR4.PCE |
  CR4.OSFXSR |
  CR4.OSXMMEXCPT |
  CR4.UMIP |
  CR4.FSGSBASE |
  CR4.PCIDE |
  CR4.SMEP |
  CR4.SMAP;
const CONTROL_SLOT: readonly (number | undefined)[] = [CR0_SLOT, undefined, CR2, CR3, CR4_SLOT];

/** CR0 and CR8, and all outside of 64-bit mode: the others are read by generated code (translator/system-code.ts). */
export const movFromCr: Helper = (cpu, decoded) => {
  const target = decoded.operands[0];
  const source = decoded.operands[1];
  if (target?.kind !== 'reg' || source?.kind !== 'reg') return bug('MOV from CR needs registers');
  const to = GPR + 8 * target.index;
  if (source.index === 8) {
    cpu.set(to, cpu.interrupts.taskPriority, 0);
    return HELPER.next;
  }
  const from = CONTROL_SLOT[source.index];
  if (from === undefined) return cpu.fault(VECTOR.UD, null);
  cpu.set(to, cpu.low(from), decoded.mode === 64 ? cpu.high(from) : 0);
  return HELPER.next;
};

/** All but CR3, which generated code writes (memory/root-code.ts). */
export const movToCr: Helper = (cpu, decoded) => {
  const target = decoded.operands[0];
  const source = decoded.operands[1];
  if (target?.kind !== 'reg' || source?.kind !== 'reg') return bug('MOV to CR needs registers');
  const value = decoded.mode === 64 ? cpu.gpr(source.index) : BigInt.asUintN(32, cpu.gpr(source.index));
  switch (target.index) {
    case 0:
      return writeCr0(cpu, value);
    case 2: {
      const before = cpu.state.get64(CR2);
      cpu.state.set64(CR2, value);
      cpu.observer?.controlRegister?.(cpu.at, 2, before, value);
      return HELPER.next;
    }
    case 3:
      return bug('MOV to CR3 came to TypeScript');
    case 4:
      return writeCr4(cpu, value);
    case 8: {
      if (value > 15n) return cpu.fault(VECTOR.GP, 0);
      const before = cpu.interrupts.taskPriority;
      cpu.interrupts.taskPriority = Number(value);
      cpu.observer?.controlRegister?.(cpu.at, 8, BigInt(before), value);
      return HELPER.next;
    }
    default:
      return cpu.fault(VECTOR.UD, null);
  }
};

function writeCr0(cpu: Cpu, value: bigint): number {
  if (value >> 32n !== 0n) return cpu.fault(VECTOR.GP, 0);
  const before = cpu.cr0;
  const after = (lowHalf(value) & CR0_BITS) | CR0.ET;
  if ((after & CR0.PG) !== 0 && (after & CR0.PE) === 0) return cpu.fault(VECTOR.GP, 0);
  if ((after & CR0.NW) !== 0 && (after & CR0.CD) === 0) return cpu.fault(VECTOR.GP, 0);
  const pagingOn = (after & ~before & CR0.PG) !== 0;
  const pagingOff = (before & ~after & CR0.PG) !== 0;
  let efer = cpu.efer;
  if (pagingOn && (efer & EFER_BITS.LME) !== 0) {
    if ((cpu.cr4 & CR4.PAE) === 0 || (cpu.attributes(SEG.CS) & ATTRIBUTE.long) !== 0) return cpu.fault(VECTOR.GP, 0);
    efer |= EFER_BITS.LMA;
  }
  if (pagingOn && (efer & EFER_BITS.LMA) === 0) return cpu.unsupported((cpu.cr4 & CR4.PAE) === 0 ? 'paging-32' : 'paging-pae');
  if (pagingOff) {
    if (cpu.is64 || (cpu.cr4 & CR4.PCIDE) !== 0) return cpu.fault(VECTOR.GP, 0);
    efer &= ~EFER_BITS.LMA;
  }
  const old = cpu.state.get64(CR0_SLOT);
  cpu.set(EFER, efer, 0);
  cpu.set(CR0_SLOT, after, 0);
  if (pagingOn || pagingOff) cpu.mmu.invalidateAll(true);
  cpu.controlChanged();
  cpu.observer?.controlRegister?.(cpu.at, 0, old, cpu.state.get64(CR0_SLOT));
  if (pagingOn || pagingOff) cpu.tellFlush('all', 0, null);
  return HELPER.next;
}

function writeCr4(cpu: Cpu, value: bigint): number {
  const before = cpu.cr4;
  const after = lowHalf(value);
  if (value >> 32n !== 0n || (after & ~CR4_BITS) !== 0) return cpu.fault(VECTOR.GP, 0);
  if (cpu.isLong && (after & CR4.PAE) === 0) return cpu.fault(VECTOR.GP, 0);
  if ((after & ~before & CR4.PCIDE) !== 0 && (!cpu.isLong || (cpu.low(CR3) & 0xfff) !== 0)) return cpu.fault(VECTOR.GP, 0);
  const changed = before ^ after;
  const old = cpu.state.get64(CR4_SLOT);
  cpu.set(CR4_SLOT, after, 0);
  // SDM 4.10.4.1: PGE changed, PCIDE cleared, or how tables are read changed: everything; SMEP set: the current PCID.
  const everything = (changed & (CR4.PGE | CR4.PAE | CR4.PSE)) !== 0 || (before & ~after & CR4.PCIDE) !== 0;
  if (everything) cpu.mmu.invalidateAll(true);
  else if ((after & ~before & CR4.SMEP) !== 0) cpu.mmu.invalidatePcid(cpu.mmu.pcid);
  cpu.controlChanged();
  cpu.observer?.controlRegister?.(cpu.at, 4, old, cpu.state.get64(CR4_SLOT));
  if (everything) cpu.tellFlush('all', 0, null);
  return HELPER.next;
}

export const lmsw: Helper = (cpu, decoded) => {
  const value = cpu.operandValue(decoded, decoded.operands[0], 2, READ);
  if (value === null) return HELPER.fault;
  // PE can be set, not cleared; MP, EM and TS follow.
  const low = Number(value & 15n) | (cpu.cr0 & CR0.PE);
  return writeCr0(cpu, BigInt(((cpu.cr0 & ~15) | low) >>> 0));
};

export const clts: Helper = (cpu) => {
  const before = cpu.state.get64(CR0_SLOT);
  cpu.set(CR0_SLOT, cpu.cr0 & ~CR0.TS, 0);
  cpu.observer?.controlRegister?.(cpu.at, 0, before, cpu.state.get64(CR0_SLOT));
  return HELPER.next;
};
