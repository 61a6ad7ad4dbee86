/** RDMSR WRMSR, the time stamp counter, SWAPGS and the FS and GS bases. What is not in this list raises #GP(0). */
import { EFER as EFER_BITS } from '../../platform/bits.ts';
import { MSR } from '../../platform/msr.ts';
import { VECTOR } from '../../platform/vectors.ts';
import type { Unsupported } from '../../unsupported.ts';
import { HELPER } from '../ports.ts';
import { CR0 as CR0_SLOT, EFER, GPR, MSR_SLOT, SEGMENT_BASE, TSC_AUX, TSC_OFFSET } from '../state.ts';
import { type Cpu, type Helper, isCanonical64, SEG } from './cpu.ts';

/** What PAT holds after reset. */
export const PAT_RESET = 0x0007_0406_0007_0406n;

const RAX = GPR;
const RCX = GPR + 8;
const RDX = GPR + 16;

/** By MSR: where the value lies, and which values may be written. */
interface Plain {
  readonly at: number;
  readonly allows: (value: bigint) => boolean;
}
const canonical = (at: number): Plain => ({ at, allows: isCanonical64 });
const masked = (at: number, mask: bigint): Plain => ({ at, allows: (value) => (value & ~mask) === 0n });
const isPat = (value: bigint): boolean => {
  for (let i = 0n; i < 64n; i += 8n) {
    const type = (value >> i) & 0xffn;
    if (type > 7n || type === 2n || type === 3n) return false;
  }
  return true;
};

const PLAIN: ReadonlyMap<number, Plain> = new Map<number, Plain>([
  [MSR.IA32_STAR, masked(MSR_SLOT.STAR, 0xffff_ffff_ffff_ffffn)],
  [MSR.IA32_LSTAR, canonical(MSR_SLOT.LSTAR)],
  [MSR.IA32_CSTAR, canonical(MSR_SLOT.CSTAR)],
  [MSR.IA32_FMASK, masked(MSR_SLOT.FMASK, 0xffff_ffffn)],
  [MSR.IA32_FS_BASE, canonical(SEGMENT_BASE + 8 * SEG.FS)],
  [MSR.IA32_GS_BASE, canonical(SEGMENT_BASE + 8 * SEG.GS)],
  [MSR.IA32_KERNEL_GS_BASE, canonical(MSR_SLOT.KERNEL_GS_BASE)],
  [MSR.IA32_TSC_AUX, masked(TSC_AUX, 0xffff_ffffn)],
  [MSR.IA32_PAT, { at: MSR_SLOT.PAT, allows: isPat }],
  // IBRS, STIBP, SSBD: nothing is speculated here, so they are remembered only.
  [MSR.IA32_SPEC_CTRL, masked(MSR_SLOT.SPEC_CTRL, 7n)],
]);
/** FS and GS bases change what addresses mean, but never code. */
const EFER_BITS_ALL = EFER_BITS.SCE | EFER_BITS.LME | EFER_BITS.NXE;

/** The value of an MSR; null where there is none. Without side effects. */
export function readMsr(cpu: Cpu, index: number): bigint | null {
  const plain = PLAIN.get(index);
  if (plain !== undefined) return cpu.state.get64(plain.at);
  if (index === MSR.IA32_TSC) return cpu.tsc;
  if (index === MSR.IA32_EFER) return cpu.state.get64(EFER);
  if (index === MSR.IA32_BIOS_SIGN_ID) return 0n;
  return cpu.interrupts.readMsr(index);
}

/** False: the value or the MSR is not allowed; or the name of what would be needed. Then nothing has changed. */
function writeMsr(cpu: Cpu, index: number, value: bigint): boolean | Unsupported {
  const plain = PLAIN.get(index);
  if (plain !== undefined) {
    if (!plain.allows(value)) return false;
    cpu.state.set64(plain.at, value);
    return true;
  }
  if (index === MSR.IA32_TSC) {
    cpu.state.set64(TSC_OFFSET, BigInt.asUintN(64, value - BigInt(cpu.now)));
    return true;
  }
  if (index === MSR.IA32_EFER) return writeEfer(cpu, value);
  // IBPB: there is no predictor to flush. The microcode's version is read-only: writes are ignored.
  if (index === MSR.IA32_PRED_CMD) return value <= 1n;
  if (index === MSR.IA32_BIOS_SIGN_ID) return true;
  return cpu.interrupts.writeMsr(index, value);
}

function writeEfer(cpu: Cpu, value: bigint): boolean {
  const before = cpu.efer;
  if ((value & ~BigInt(EFER_BITS_ALL | EFER_BITS.LMA)) !== 0n) return false;
  const after = (Number(value) & EFER_BITS_ALL) | (before & EFER_BITS.LMA);
  if (((before ^ after) & EFER_BITS.LME) !== 0 && (cpu.state.get64(CR0_SLOT) & 0x80000000n) !== 0n) return false;
  cpu.set(EFER, after, 0);
  cpu.controlChanged();
  return true;
}

export const rdmsr: Helper = (cpu) => {
  const value = readMsr(cpu, cpu.low(RCX) >>> 0);
  if (value === null) return cpu.fault(VECTOR.GP, 0);
  setPair(cpu, value);
  return HELPER.next;
};

export const wrmsr: Helper = (cpu) => {
  const index = cpu.low(RCX) >>> 0;
  const value = (BigInt(cpu.low(RDX) >>> 0) << 32n) | BigInt(cpu.low(RAX) >>> 0);
  const before = cpu.observer?.msr === undefined ? null : readMsr(cpu, index);
  const written = writeMsr(cpu, index, value);
  if (written === false) return cpu.fault(VECTOR.GP, 0);
  if (written !== true) return cpu.unsupported(written);
  if (before !== null) cpu.observer?.msr?.(cpu.at, index, before, value);
  return HELPER.next;
};

/** EDX:EAX, upper halves cleared. */
function setPair(cpu: Cpu, value: bigint): void {
  cpu.state.set64(RAX, value & 0xffff_ffffn);
  cpu.state.set64(RDX, value >> 32n);
}

/** The time stamp counter into EDX:EAX, without a bigint where it is the virtual time. */
function readTsc(cpu: Cpu): void {
  if (cpu.tscOffset !== 0n) return setPair(cpu, cpu.tsc);
  const { now } = cpu;
  cpu.set(RAX, now >>> 0, 0);
  cpu.set(RDX, Math.floor(now / 2 ** 32), 0);
}

export const rdtsc: Helper = (cpu) => {
  readTsc(cpu);
  return HELPER.next;
};

export const rdtscp: Helper = (cpu) => {
  readTsc(cpu);
  cpu.set(RCX, cpu.low(TSC_AUX), 0);
  return HELPER.next;
};
