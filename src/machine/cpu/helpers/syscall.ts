/**
 * SYSCALL and SYSRET (SDM Vol. 2), as Intel's processors do them: SYSCALL in 64-bit mode only, SYSRET with a non-canonical RCX is #GP at
 * CPL 0. What succeeds in 64-bit mode is generated code (translator/system-code.ts): here are the faults, SYSRET to 32-bit code, and the events.
 */
import { bug } from '../../isa/bug.ts';
import { RFLAGS } from '../../isa/flags.ts';
import { EFER } from '../../platform/bits.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { FLAT_SEGMENT } from '../../translator/privilege-code.ts';
import { SYSRET_FLAGS, TELL } from '../../translator/system-code.ts';
import { HELPER } from '../ports.ts';
import { GPR, MSR_SLOT, RIP } from '../state.ts';
import { type Cpu, type Helper, SEG } from './cpu.ts';

const RCX = GPR + 8;
const R11 = GPR + 88;

export const syscall: Helper = (cpu) => cpu.fault(VECTOR.UD, null);

export const sysret: Helper = (cpu, decoded) => {
  if (!cpu.isLong || (cpu.efer & EFER.SCE) === 0) return cpu.fault(VECTOR.UD, null);
  if (cpu.cpl !== 0 || decoded.operandSize === 64) return cpu.fault(VECTOR.GP, 0);
  tellSystemCall(cpu, TELL.sysret);
  cpu.set(RIP, cpu.low(RCX), 0);
  cpu.state.rflags = (cpu.low(R11) & SYSRET_FLAGS) | RFLAGS.fixed;
  const selector = cpu.high(MSR_SLOT.STAR) >>> 16;
  cpu.setSegment(SEG.CS, selector | 3, 0, 0, -1, FLAT_SEGMENT.code32User);
  cpu.setSegment(SEG.SS, ((selector + 8) & 0xffff) | 3, 0, 0, -1, FLAT_SEGMENT.dataUser);
  cpu.setCpl(3);
  cpu.flagsChanged();
  tellSystemCall(cpu, TELL.enteredUser);
  return HELPER.jump;
};

/** The events of SYSCALL and SYSRET, at the moments of TELL. */
export function tellSystemCall(cpu: Cpu, what: number): void {
  switch (what) {
    case TELL.syscall:
      return cpu.tellSyscall();
    case TELL.enteredKernel:
      return cpu.enteredKernel('syscall');
    case TELL.sysret:
      return cpu.observer?.sysret?.(cpu.at, cpu.gpr(0), 'sysret');
    case TELL.enteredUser:
      return cpu.enteredUser('sysret');
    default:
      return bug(`nothing to tell of ${what}`);
  }
}
