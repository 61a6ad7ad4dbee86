/** IRET (SDM Vol. 2): return within and to an outer level, in 64-bit, compatibility, protected and real mode. Returns to tasks and to virtual-8086 mode are not supported. */
import { RFLAGS } from '../../isa/flags.ts';
import { isCanonical } from '../../memory/linear.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { FOUND } from '../descriptor-code.ts';
import { HELPER } from '../ports.ts';
import { GPR, RFLAGS_REST, RIP, SEGMENT_ATTRIBUTES, SEGMENT_SELECTOR, SEGMENT_UNUSABLE } from '../state.ts';
import { type Cpu, type Helper, SEG } from './cpu.ts';
import { Descriptor, setFromDescriptor } from './descriptors.ts';
import { setStackPointer, stackWidth } from './segments.ts';
import { StackWords } from './stack.ts';

const DATA_SEGMENTS: readonly number[] = [SEG.ES, SEG.DS, SEG.FS, SEG.GS];
const ARITHMETIC = RFLAGS.cf | RFLAGS.pf | RFLAGS.af | RFLAGS.zf | RFLAGS.sf | RFLAGS.tf | RFLAGS.df | RFLAGS.of | RFLAGS.nt;

/** IRET's helper with the objects that it uses again and again; one for each CPU. */
export function makeIret(): Helper {
  const words = new StackWords();
  const code = new Descriptor();
  const stack = new Descriptor();

  return (cpu, decoded) => {
    const size = decoded.operandSize / 8;
    if (!cpu.isProtected) return iretReal(cpu, words, size);
    const is64 = cpu.is64;
    const flagsNow = cpu.state.rflags;
    if ((flagsNow & RFLAGS.nt) !== 0) return cpu.isLong ? cpu.fault(VECTOR.GP, 0) : cpu.unsupported('task-switch');
    if (!words.read(cpu, is64 ? 5 : 3, size, 0)) return HELPER.fault;
    const ripLow = words.low[0] ?? 0;
    const ripHigh = words.high[0] ?? 0;
    const selector = (words.low[1] ?? 0) & 0xffff;
    const image = words.low[2] ?? 0;
    const cpl = cpu.cpl;
    if (!cpu.isLong && (image & RFLAGS.vm) !== 0 && size === 4 && cpl === 0) return cpu.unsupported('virtual-8086');

    const status = checkReturnCode(cpu, code, selector);
    if (status !== HELPER.next) return status;
    const newCpl = selector & 3;
    const toOuter = newCpl > cpl;
    const to64 = cpu.isLong && code.isLong;

    let stackSelector = 0;
    let hasStack = false;
    if (is64 || toOuter) {
      if (!is64 && !words.read(cpu, 5, size, 0)) return HELPER.fault;
      stackSelector = (words.low[4] ?? 0) & 0xffff;
      hasStack = (stackSelector & 0xfffc) !== 0;
      const stackStatus = checkReturnStack(cpu, stack, stackSelector, newCpl, to64);
      if (stackStatus !== HELPER.next) return stackStatus;
    }
    if (to64 ? !isCanonical(ripHigh) : ripHigh !== 0 || ripLow >>> 0 > code.limit) return cpu.fault(VECTOR.GP, 0);
    if (!code.mark(cpu, selector, 8)) return HELPER.fault;
    if (hasStack && !stack.mark(cpu, stackSelector, 8)) return HELPER.fault;

    // Nothing fails from here on.
    const { observer } = cpu;
    if (newCpl === 3 && toOuter && observer !== null) observer.sysret?.(cpu.at, cpu.gpr(0), 'iret');
    const mask = flagMask(size, cpl, (flagsNow >>> 12) & 3);
    setFromDescriptor(cpu, SEG.CS, selector, code);
    cpu.set(RIP, ripLow, ripHigh);
    if (is64 || toOuter) {
      if (hasStack) setFromDescriptor(cpu, SEG.SS, stackSelector, stack);
      else cpu.setSegment(SEG.SS, stackSelector, 0, 0, 0, SEGMENT_UNUSABLE | (newCpl << 5));
      setReturnStackPointer(cpu, words, size, to64);
    } else {
      const width = stackWidth(cpu);
      setStackPointer(cpu, cpu.gpr(4) + BigInt(3 * size), width);
    }
    cpu.state.rflags = ((flagsNow & ~mask) | (image & mask)) & ~RFLAGS.rf;
    if (toOuter) dropSegments(cpu, newCpl);
    cpu.setCpl(newCpl);
    cpu.endNmi();
    cpu.flagsChanged();
    if (newCpl === 3 && toOuter) cpu.enteredUser('iret');
    return HELPER.jump;
  };
}

function setReturnStackPointer(cpu: Cpu, words: StackWords, size: number, to64: boolean): void {
  const rsp = GPR + 8 * 4;
  if (size === 8) cpu.set(rsp, words.low[3] ?? 0, words.high[3] ?? 0);
  else if (size === 4 || to64) cpu.set(rsp, words.low[3] ?? 0, 0);
  else cpu.state.view.setUint16(rsp, words.low[3] ?? 0, true);
}

/** Flags that the image may change (SDM Vol. 2, IRET). */
function flagMask(size: number, cpl: number, iopl: number): number {
  let mask: number = ARITHMETIC;
  if (cpl <= iopl) mask |= RFLAGS.if;
  if (cpl === 0) mask |= RFLAGS.iopl;
  if (size === 2) return mask;
  mask |= RFLAGS.ac | RFLAGS.id;
  if (cpl === 0) mask |= RFLAGS.vif | RFLAGS.vip;
  return mask;
}

/** The code segment that IRET and far returns go to. HELPER.next: it may be entered. */
export function checkReturnCode(cpu: Cpu, code: Descriptor, selector: number): number {
  if ((selector & 0xfffc) === 0) return cpu.fault(VECTOR.GP, 0);
  const error = selector & 0xfffc;
  const found = code.read(cpu, selector);
  if (found === FOUND.fault) return HELPER.fault;
  const rpl = selector & 3;
  if (found === FOUND.outside || !code.isCode || rpl < cpu.cpl) return cpu.fault(VECTOR.GP, error);
  if (cpu.isLong && code.isLong && code.isBig) return cpu.fault(VECTOR.GP, error);
  if (code.isConforming ? code.dpl > rpl : code.dpl !== rpl) return cpu.fault(VECTOR.GP, error);
  return code.isPresent ? HELPER.next : cpu.fault(VECTOR.NP, error);
}

/** The stack segment that comes with it. A null selector is allowed for 64-bit code below CPL 3. */
export function checkReturnStack(cpu: Cpu, stack: Descriptor, selector: number, newCpl: number, to64: boolean): number {
  const error = selector & 0xfffc;
  const rpl = selector & 3;
  if (error === 0) return to64 && newCpl !== 3 && rpl === newCpl ? HELPER.next : cpu.fault(VECTOR.GP, 0);
  const found = stack.read(cpu, selector);
  if (found === FOUND.fault) return HELPER.fault;
  if (found === FOUND.outside || rpl !== newCpl || !stack.isWritableData || stack.dpl !== newCpl) return cpu.fault(VECTOR.GP, error);
  return stack.isPresent ? HELPER.next : cpu.fault(VECTOR.SS, error);
}

/** On a return to an outer level, data segments that the new CPL may not use become null; FS and GS keep their bases. */
export function dropSegments(cpu: Cpu, cpl: number): void {
  for (const segment of DATA_SEGMENTS) {
    const attributes = cpu.attributes(segment);
    if ((attributes & SEGMENT_UNUSABLE) !== 0) {
      // A null selector keeps its RPL bits only where it is still null for the new level: the processor zeroes it.
      cpu.i32[(SEGMENT_SELECTOR >> 2) + segment] = 0;
      continue;
    }
    const isConforming = (attributes & 0xc) === 0xc;
    if (isConforming || ((attributes >>> 5) & 3) >= cpl) continue;
    cpu.i32[(SEGMENT_SELECTOR >> 2) + segment] = 0;
    cpu.i32[(SEGMENT_ATTRIBUTES >> 2) + segment] = SEGMENT_UNUSABLE;
  }
}

function iretReal(cpu: Cpu, words: StackWords, size: number): number {
  if (!words.read(cpu, 3, size, 0)) return HELPER.fault;
  const rip = words.low[0] ?? 0;
  if (rip >>> 0 > 0xffff) return cpu.fault(VECTOR.GP, 0);
  const selector = (words.low[1] ?? 0) & 0xffff;
  const mask = flagMask(size, 0, (cpu.low(RFLAGS_REST) >>> 12) & 3);
  cpu.setSegment(SEG.CS, selector, selector << 4, 0, 0xffff, 0x9b);
  cpu.set(RIP, rip, 0);
  setStackPointer(cpu, cpu.gpr(4) + BigInt(3 * size), 16);
  cpu.state.rflags = (cpu.state.rflags & ~mask) | ((words.low[2] ?? 0) & mask);
  cpu.endNmi();
  cpu.flagsChanged();
  return HELPER.jump;
}
