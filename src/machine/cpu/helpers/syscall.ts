/** SYSCALL and SYSRET (SDM Vol. 2), as Intel's processors do them: SYSCALL in 64-bit mode only, SYSRET with a non-canonical RCX is #GP at CPL 0. */
import { RFLAGS } from '../../isa/flags.ts';
import { isCanonical } from '../../memory/mmu.ts';
import { EFER } from '../../platform/bits.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { HELPER } from '../ports.ts';
import { GPR, RIP } from '../state.ts';
import { type Helper, SEG } from './cpu.ts';
import { MSR_SLOT } from './msr.ts';

const RCX = GPR + 8;
const R11 = GPR + 88;
/** Attributes: code 64-bit DPL 0 and 3, code 32-bit DPL 3, data DPL 0 and 3; all flat, present, accessed. */
const CODE64_0 = 0xa9b;
const CODE64_3 = 0xafb;
const CODE32_3 = 0xcfb;
const DATA_0 = 0xc93;
const DATA_3 = 0xcf3;
/** Bits that SYSRET loads from R11. */
const LOADED = 0x3c7fd7;

export const syscall: Helper = (cpu, decoded) => {
  if (!cpu.is64 || (cpu.efer & EFER.SCE) === 0) return cpu.fault(VECTOR.UD, null);
  cpu.tellSyscall();
  const before = cpu.cpl;
  const flags = cpu.state.rflags & ~RFLAGS.rf;
  const sum = (cpu.low(RIP) >>> 0) + decoded.length;
  cpu.set(RCX, sum | 0, sum >= 2 ** 32 ? (cpu.high(RIP) + 1) | 0 : cpu.high(RIP));
  cpu.set(R11, flags, 0);
  cpu.copy64(RIP, MSR_SLOT.LSTAR);
  cpu.state.rflags = flags & ~cpu.low(MSR_SLOT.FMASK);
  const selector = cpu.high(MSR_SLOT.STAR) & 0xfffc;
  cpu.setSegment(SEG.CS, selector, 0, 0, -1, CODE64_0);
  cpu.setSegment(SEG.SS, (selector + 8) & 0xffff, 0, 0, -1, DATA_0);
  cpu.run.stepDone = true;
  cpu.setCpl(0);
  if (before !== 0) cpu.enteredKernel('syscall');
  return HELPER.jump;
};

export const sysret: Helper = (cpu, decoded) => {
  if (!cpu.isLong || (cpu.efer & EFER.SCE) === 0) return cpu.fault(VECTOR.UD, null);
  if (cpu.cpl !== 0) return cpu.fault(VECTOR.GP, 0);
  const to64 = decoded.operandSize === 64;
  if (to64 && !isCanonical(cpu.high(RCX))) return cpu.fault(VECTOR.GP, 0);
  const { observer } = cpu;
  if (observer !== null) observer.sysret?.(cpu.at, cpu.gpr(0), 'sysret');
  cpu.set(RIP, cpu.low(RCX), to64 ? cpu.high(RCX) : 0);
  cpu.state.rflags = (cpu.low(R11) & LOADED) | RFLAGS.fixed;
  const selector = cpu.high(MSR_SLOT.STAR) >>> 16;
  cpu.setSegment(SEG.CS, ((selector + (to64 ? 16 : 0)) & 0xffff) | 3, 0, 0, -1, to64 ? CODE64_3 : CODE32_3);
  cpu.setSegment(SEG.SS, ((selector + 8) & 0xffff) | 3, 0, 0, -1, DATA_3);
  cpu.setCpl(3);
  cpu.flagsChanged();
  cpu.enteredUser('sysret');
  return HELPER.jump;
};
