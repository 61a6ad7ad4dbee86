/** Loading segment registers and LDTR, TR; what LAR, LSL, VERR and VERW say of a selector (SDM Vol. 2, MOV, LLDT, LTR, LAR …). */
import { bug } from '../../isa/bug.ts';
import { READ } from '../../memory/mmu-control.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { FOUND } from '../descriptor-code.ts';
import { HELPER } from '../ports.ts';
import { GPR, INTERRUPT_SHADOW, SEGMENT_BASE, SEGMENT_UNUSABLE, STEP_DONE, ZR } from '../state.ts';
import { type Cpu, type Helper, SEG } from './cpu.ts';
import { Descriptor, setFromDescriptor } from './descriptors.ts';

/** One segment load after another uses it. */
const scratch = (): Descriptor => new Descriptor();

/**
 * Loads ES, SS, DS, FS or GS. False: a fault is pending and nothing has changed. In real mode the base is the selector times 16.
 */
export function loadSegment(cpu: Cpu, segment: number, selector: number): boolean {
  if (!cpu.isProtected) {
    // The limit and rights stay as they were ("unreal mode"); a null selector's mark goes.
    cpu.setSegment(
      segment,
      selector,
      selector << 4,
      0,
      cpu.limit(segment),
      cpu.attributes(segment) & SEGMENT_UNUSABLE ? 0x93 : cpu.attributes(segment),
    );
    return true;
  }
  if ((selector & 0xfffc) === 0) return loadNull(cpu, segment, selector);
  const descriptor = scratch();
  const code = selector & 0xfffc;
  const found = descriptor.read(cpu, selector);
  if (found === FOUND.fault) return false;
  if (found === FOUND.outside) return fail(cpu, VECTOR.GP, code);
  const cpl = cpu.cpl;
  const rpl = selector & 3;
  if (segment === SEG.SS) {
    if (rpl !== cpl || !descriptor.isWritableData || descriptor.dpl !== cpl) return fail(cpu, VECTOR.GP, code);
    if (!descriptor.isPresent) return fail(cpu, VECTOR.SS, code);
  } else {
    if (!descriptor.isReadable) return fail(cpu, VECTOR.GP, code);
    if (!(descriptor.isCode && descriptor.isConforming) && (rpl > descriptor.dpl || cpl > descriptor.dpl))
      return fail(cpu, VECTOR.GP, code);
    if (!descriptor.isPresent) return fail(cpu, VECTOR.NP, code);
  }
  if (!descriptor.mark(cpu, selector, 8)) return false;
  setFromDescriptor(cpu, segment, selector, descriptor);
  return true;
}

function loadNull(cpu: Cpu, segment: number, selector: number): boolean {
  if (segment === SEG.SS && !(cpu.is64 && cpu.cpl < 3 && (selector & 3) === cpu.cpl)) return fail(cpu, VECTOR.GP, 0);
  // FS and GS lose their base, as on Intel's processors.
  cpu.setSegment(segment, selector, 0, 0, 0, SEGMENT_UNUSABLE | (segment === SEG.SS ? cpu.cpl << 5 : 0));
  return true;
}

function fail(cpu: Cpu, vector: number, code: number): boolean {
  cpu.state.raise(vector, code);
  return false;
}

/** Interrupts wait until the instruction after this one has retired. */
export function shadowInterrupts(cpu: Cpu): void {
  cpu.state.setNumber64(INTERRUPT_SHADOW, cpu.count + 2);
}

/** A load of SS holds off interrupts and the single-step trap for one instruction. */
function afterLoad(cpu: Cpu, segment: number): void {
  if (segment !== SEG.SS) return;
  shadowInterrupts(cpu);
  cpu.state.set32(STEP_DONE, 1);
}

export const movSeg: Helper = (cpu, decoded) => {
  const [target, source] = decoded.operands;
  if (target?.kind !== 'reg') return bug('MOV Sw needs a segment register');
  const value = cpu.operandValue(decoded, source, 2, READ);
  if (value === null) return HELPER.fault;
  if (!loadSegment(cpu, target.index, Number(value & 0xffffn))) return HELPER.fault;
  afterLoad(cpu, target.index);
  return HELPER.next;
};

export const popSeg: Helper = (cpu, decoded) => {
  const [target] = decoded.operands;
  if (target?.kind !== 'reg') return bug('POP Sw needs a segment register');
  const size = decoded.operandSize / 8;
  const stackBits = stackWidth(cpu);
  const rsp = BigInt.asUintN(stackBits, cpu.gpr(4));
  const linear = cpu.checkedLinear(SEG.SS, rsp, size, false);
  if (linear === null) return HELPER.fault;
  const value = cpu.read(linear, size, READ);
  if (value === null || !loadSegment(cpu, target.index, Number(value & 0xffffn))) return HELPER.fault;
  setStackPointer(cpu, rsp + BigInt(size), stackBits);
  afterLoad(cpu, target.index);
  return HELPER.next;
};

/** Width of the stack pointer: 64 in 64-bit mode, else by SS.B. */
export function stackWidth(cpu: Cpu): 16 | 32 | 64 {
  if (cpu.is64) return 64;
  return (cpu.attributes(SEG.SS) & 0x400) !== 0 ? 32 : 16;
}

export function setStackPointer(cpu: Cpu, value: bigint, width: 16 | 32 | 64): void {
  if (width === 16) cpu.state.view.setUint16(GPR + 8 * 4, Number(BigInt.asUintN(16, value)), true);
  else cpu.state.set64(GPR + 8 * 4, BigInt.asUintN(width, value));
}

const FAR_SEGMENTS: Readonly<Record<string, number>> = { LES: SEG.ES, LDS: SEG.DS, LSS: SEG.SS, LFS: SEG.FS, LGS: SEG.GS };

export const loadFar: Helper = (cpu, decoded) => {
  const segment = FAR_SEGMENTS[decoded.row.name] ?? bug(`${decoded.row.name} is not a far load`);
  const [target, source] = decoded.operands;
  if (target?.kind !== 'reg' || source?.kind !== 'mem') return bug(`${decoded.row.name} needs a register and memory`);
  const size = decoded.operandSize / 8;
  const at = cpu.offsetOf(decoded, source);
  const linear = cpu.checkedLinear(source.segment, at, size + 2, false);
  if (linear === null) return HELPER.fault;
  const offset = cpu.read(linear, size, READ);
  if (offset === null) return HELPER.fault;
  const selector = cpu.read(cpu.linearOf(source.segment, BigInt.asUintN(source.addressSize, at + BigInt(size))), 2, READ);
  if (selector === null || !loadSegment(cpu, segment, Number(selector))) return HELPER.fault;
  cpu.setGpr(target.index, offset, decoded.operandSize);
  afterLoad(cpu, segment);
  return HELPER.next;
};

export const lldt: Helper = (cpu, decoded) => {
  const value = cpu.operandValue(decoded, decoded.operands[0], 2, READ);
  if (value === null) return HELPER.fault;
  const selector = Number(value & 0xffffn);
  if ((selector & 0xfffc) === 0) {
    cpu.setSegment(SEG.LDTR, selector, 0, 0, 0, SEGMENT_UNUSABLE);
  } else {
    const descriptor = scratch();
    if (!readSystem(cpu, selector, descriptor)) return HELPER.fault;
    if (descriptor.isSegment || descriptor.systemType !== 2) return cpu.fault(VECTOR.GP, selector & 0xfffc);
    if (!descriptor.isPresent) return cpu.fault(VECTOR.NP, selector & 0xfffc);
    cpu.setSegment(SEG.LDTR, selector, descriptor.base, descriptor.upper, descriptor.limit, descriptor.attributes);
  }
  cpu.observer?.descriptorTable?.(cpu.at, 'ldt', cpu.state.get64(SEGMENT_BASE + 8 * SEG.LDTR), cpu.limit(SEG.LDTR));
  return HELPER.next;
};

export const ltr: Helper = (cpu, decoded) => {
  const value = cpu.operandValue(decoded, decoded.operands[0], 2, READ);
  if (value === null) return HELPER.fault;
  const selector = Number(value & 0xffffn);
  if ((selector & 0xfffc) === 0) return cpu.fault(VECTOR.GP, 0);
  const descriptor = scratch();
  if (!readSystem(cpu, selector, descriptor)) return HELPER.fault;
  const type = descriptor.systemType;
  const isAvailable = type === 9 || (type === 1 && !cpu.isLong);
  if (descriptor.isSegment || !isAvailable) return cpu.fault(VECTOR.GP, selector & 0xfffc);
  if (!descriptor.isPresent) return cpu.fault(VECTOR.NP, selector & 0xfffc);
  if (!descriptor.mark(cpu, selector, 9)) return HELPER.fault;
  cpu.setSegment(SEG.TR, selector, descriptor.base, descriptor.upper, descriptor.limit, descriptor.attributes);
  cpu.observer?.descriptorTable?.(cpu.at, 'tr', cpu.state.get64(SEGMENT_BASE + 8 * SEG.TR), cpu.limit(SEG.TR));
  return HELPER.next;
};

/** Reads a system descriptor (16 bytes in IA-32e mode) from the GDT. False: fault pending. */
function readSystem(cpu: Cpu, selector: number, descriptor: Descriptor): boolean {
  if ((selector & 4) !== 0) return fail(cpu, VECTOR.GP, selector & 0xfffc);
  const found = cpu.isLong ? descriptor.read16(cpu, selector) : descriptor.read(cpu, selector);
  if (found === FOUND.outside) return fail(cpu, VECTOR.GP, selector & 0xfffc);
  if (!cpu.isLong) descriptor.upper = 0;
  return found === FOUND.ok;
}

/** Reads a selector's descriptor for LAR, LSL, VERR, VERW. 'none': ZF = 0. */
function inspect(cpu: Cpu, value: bigint, descriptor: Descriptor): 'ok' | 'none' | 'fault' {
  const selector = Number(value & 0xffffn);
  if ((selector & 0xfffc) === 0) return 'none';
  const found = descriptor.read(cpu, selector);
  if (found === FOUND.fault) return 'fault';
  if (found === FOUND.outside) return 'none';
  const isFree = descriptor.isCode && descriptor.isConforming;
  return isFree || (cpu.cpl <= descriptor.dpl && (selector & 3) <= descriptor.dpl) ? 'ok' : 'none';
}

function describe(pick: (cpu: Cpu, descriptor: Descriptor) => number | null): Helper {
  return (cpu, decoded) => {
    const [target, source] = decoded.operands;
    if (target?.kind !== 'reg') return bug(`${decoded.row.name} needs a register`);
    const value = cpu.operandValue(decoded, source, 2, READ);
    if (value === null) return HELPER.fault;
    const descriptor = scratch();
    const found = inspect(cpu, value, descriptor);
    if (found === 'fault') return HELPER.fault;
    const result = found === 'ok' ? pick(cpu, descriptor) : null;
    if (result !== null) cpu.setGpr(target.index, BigInt(result), decoded.operandSize);
    setZf(cpu, result !== null);
    return HELPER.next;
  };
}

/** System types that LAR tells of, outside of and in IA-32e mode. LSL: those with a limit. */
const LAR_TYPES = { legacy: [1, 2, 3, 4, 5, 9, 11, 12], long: [2, 9, 11, 12] };
const LSL_TYPES = { legacy: [1, 2, 3, 9, 11], long: [2, 9, 11] };

export const lar: Helper = describe((cpu, d) =>
  d.isSegment || LAR_TYPES[cpu.isLong ? 'long' : 'legacy'].includes(d.systemType) ? (d.high & 0x00f0ff00) >>> 0 : null,
);

export const lsl: Helper = describe((cpu, d) =>
  d.isSegment || LSL_TYPES[cpu.isLong ? 'long' : 'legacy'].includes(d.systemType) ? d.limit : null,
);

function verify(pick: (descriptor: Descriptor) => boolean): Helper {
  return (cpu, decoded) => {
    const value = cpu.operandValue(decoded, decoded.operands[0], 2, READ);
    if (value === null) return HELPER.fault;
    const descriptor = scratch();
    const found = inspect(cpu, value, descriptor);
    if (found === 'fault') return HELPER.fault;
    setZf(cpu, found === 'ok' && descriptor.isSegment && pick(descriptor));
    return HELPER.next;
  };
}

export const verr: Helper = verify((descriptor) => descriptor.isReadable);
export const verw: Helper = verify((descriptor) => descriptor.isWritableData);

/** Sets or clears ZF alone: SF has a carrier of its own, so ZR may be chosen freely. */
function setZf(cpu: Cpu, value: boolean): void {
  cpu.set(ZR, value ? 0 : 1, 0);
}
