/**
 * Far jumps, calls and returns (SDM Vol. 2, JMP, CALL, RET): to code segments, through call gates, to outer levels. Task gates and TSS
 * descriptors are not supported outside of IA-32e mode; inside of it they are #GP.
 */

import { bug } from '../../isa/bug.ts';
import type { Decoded } from '../../isa/decode.ts';
import { IMPLICIT, READ, WRITE } from '../../memory/mmu-control.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { vectorOf } from '../../unsupported.ts';
import { FOUND } from '../descriptor-code.ts';
import { HELPER } from '../ports.ts';
import { RIP, SCRATCH, SEGMENT_BASE, SEGMENT_UNUSABLE } from '../state.ts';
import { type Cpu, type Helper, isCanonical64, SEG } from './cpu.ts';
import { Descriptor, setFromDescriptor } from './descriptors.ts';
import { checkReturnCode, checkReturnStack, dropSegments } from './iret.ts';
import { setStackPointer, stackWidth } from './segments.ts';
import { StackWords } from './stack.ts';

interface FarPointer {
  readonly selector: number;
  readonly offset: bigint;
}

/** The operand; null: fault pending. */
function farPointer(cpu: Cpu, decoded: Decoded): FarPointer | null {
  const [operand] = decoded.operands;
  if (operand?.kind === 'far') return operand;
  if (operand?.kind !== 'mem') return bug('a far transfer needs a far pointer');
  const size = decoded.operandSize / 8;
  const at = cpu.offsetOf(decoded, operand);
  const linear = cpu.checkedLinear(operand.segment, at, size + 2, false);
  if (linear === null) return null;
  const offset = cpu.read(linear, size, READ);
  if (offset === null) return null;
  const selector = cpu.read(cpu.linearOf(operand.segment, BigInt.asUintN(operand.addressSize, at + BigInt(size))), 2, READ);
  return selector === null ? null : { offset, selector: Number(selector) };
}

function setCodeReal(cpu: Cpu, pointer: FarPointer): number {
  if (pointer.offset > 0xffffn) return cpu.fault(VECTOR.GP, 0);
  cpu.setSegment(SEG.CS, pointer.selector, pointer.selector << 4, 0, 0xffff, 0x9b);
  cpu.state.set64(RIP, pointer.offset);
  return HELPER.jump;
}

/** Reads the descriptor that a far jump or call names. HELPER.next: read. */
function readTarget(cpu: Cpu, descriptor: Descriptor, selector: number): number {
  if ((selector & 0xfffc) === 0) return cpu.fault(VECTOR.GP, 0);
  const found = descriptor.read(cpu, selector);
  if (found === FOUND.fault) return HELPER.fault;
  return found === FOUND.outside ? cpu.fault(VECTOR.GP, selector & 0xfffc) : HELPER.next;
}

/** A code segment at the same level. HELPER.next: may be entered. */
function checkDirect(cpu: Cpu, code: Descriptor, selector: number, offset: bigint): number {
  const error = selector & 0xfffc;
  if (cpu.isLong && code.isLong && code.isBig) return cpu.fault(VECTOR.GP, error);
  const isAllowed = code.isConforming ? code.dpl <= cpu.cpl : (selector & 3) <= cpu.cpl && code.dpl === cpu.cpl;
  if (!isAllowed) return cpu.fault(VECTOR.GP, error);
  if (!code.isPresent) return cpu.fault(VECTOR.NP, error);
  return checkOffset(cpu, code, offset);
}

function checkOffset(cpu: Cpu, code: Descriptor, offset: bigint): number {
  const inside = cpu.isLong && code.isLong ? isCanonical64(offset) : offset <= BigInt(code.limit);
  return inside ? HELPER.next : cpu.fault(VECTOR.GP, 0);
}

function enter(cpu: Cpu, code: Descriptor, selector: number, cpl: number, offset: bigint): void {
  setFromDescriptor(cpu, SEG.CS, (selector & 0xfffc) | cpl, code);
  cpu.state.set64(RIP, offset);
  cpu.setCpl(cpl);
}

/** A call gate's target; the descriptor of the gate is in `gate`. */
interface GateTarget extends FarPointer {
  readonly parameters: number;
  readonly size: 2 | 4 | 8;
}

/** Checks a call gate. Null: fault pending. */
function throughGate(cpu: Cpu, gate: Descriptor, selector: number): GateTarget | null {
  const error = selector & 0xfffc;
  const type = gate.systemType;
  const isGate = cpu.isLong ? type === 12 : type === 4 || type === 12;
  if (!isGate) {
    if (!cpu.isLong && (type === 1 || type === 9 || type === 5)) return refuse(cpu, vectorOf('task-switch'), 0);
    return refuse(cpu, VECTOR.GP, error);
  }
  if (gate.dpl < cpu.cpl || (selector & 3) > gate.dpl) return refuse(cpu, VECTOR.GP, error);
  if (!gate.isPresent) return refuse(cpu, VECTOR.NP, error);
  const { low, high } = gate;
  let offset = type === 4 ? BigInt(low & 0xffff) : BigInt(((high & 0xffff0000) | (low & 0xffff)) >>> 0);
  if (cpu.isLong) {
    const found = gate.read16(cpu, selector);
    if (found === FOUND.fault) return null;
    if (found === FOUND.outside || (((cpu.low(SCRATCH + 12) >>> 0) >>> 8) & 0x1f) !== 0) return refuse(cpu, VECTOR.GP, error);
    offset |= BigInt(gate.upper >>> 0) << 32n;
  }
  return { selector: low >>> 16, offset, parameters: high & 31, size: cpu.isLong ? 8 : type === 4 ? 2 : 4 };
}

function refuse(cpu: Cpu, vector: number, code: number): null {
  cpu.state.raise(vector, code);
  return null;
}

export const jumpFar: Helper = (cpu, decoded) => {
  const pointer = farPointer(cpu, decoded);
  if (pointer === null) return HELPER.fault;
  if (!cpu.isProtected) return setCodeReal(cpu, pointer);
  const code = new Descriptor();
  let { selector, offset } = pointer;
  let status = readTarget(cpu, code, selector);
  if (status !== HELPER.next) return status;
  if (code.isSegment) {
    if (!code.isCode) return cpu.fault(VECTOR.GP, selector & 0xfffc);
  } else {
    const target = throughGate(cpu, code, selector);
    if (target === null) return HELPER.fault;
    ({ selector, offset } = target);
    status = readTarget(cpu, code, selector);
    if (status !== HELPER.next) return status;
    if (!code.isCode || (cpu.isLong && (!code.isLong || code.isBig))) return cpu.fault(VECTOR.GP, selector & 0xfffc);
    selector &= 0xfffc;
  }
  status = checkDirect(cpu, code, selector, offset);
  if (status !== HELPER.next) return status;
  if (!code.mark(cpu, selector, 8)) return HELPER.fault;
  enter(cpu, code, selector, cpu.cpl, offset);
  return HELPER.jump;
};

/** Pushes words of `size` bytes; the last argument ends lowest. False: fault pending. `kind` as in mmu.ts. */
function push(cpu: Cpu, base: bigint, sp: bigint, width: 16 | 32 | 64, size: number, values: readonly bigint[], kind: number): boolean {
  for (const [i, value] of values.entries()) {
    const at = BigInt.asUintN(width, sp - BigInt(size * (i + 1)));
    const linear = width === 64 ? at : BigInt.asUintN(32, base + at);
    if (width === 64 && !isCanonical64(linear)) {
      cpu.state.raise(VECTOR.SS, 0);
      return false;
    }
    if (!cpu.write(linear, size, value, kind)) return false;
  }
  return true;
}

export const callFar: Helper = (cpu, decoded) => {
  const pointer = farPointer(cpu, decoded);
  if (pointer === null) return HELPER.fault;
  const width = stackWidth(cpu);
  const sp = BigInt.asUintN(width, cpu.gpr(4));
  const base = cpu.is64 ? 0n : cpu.state.get64(SEGMENT_BASE + 8 * SEG.SS);
  const returns = [BigInt(cpu.selector(SEG.CS)), cpu.nextRip(decoded)];
  let size = decoded.operandSize / 8;
  if (!cpu.isProtected) {
    if (pointer.offset > 0xffffn) return cpu.fault(VECTOR.GP, 0);
    if (!push(cpu, base, sp, width, size, returns, WRITE)) return HELPER.fault;
    setStackPointer(cpu, sp - BigInt(2 * size), width);
    return setCodeReal(cpu, pointer);
  }
  const code = new Descriptor();
  let { selector, offset } = pointer;
  let status = readTarget(cpu, code, selector);
  if (status !== HELPER.next) return status;
  if (code.isSegment) {
    if (!code.isCode) return cpu.fault(VECTOR.GP, selector & 0xfffc);
  } else {
    const target = throughGate(cpu, code, selector);
    if (target === null) return HELPER.fault;
    ({ selector, offset, size } = target);
    status = readTarget(cpu, code, selector);
    if (status !== HELPER.next) return status;
    const error = selector & 0xfffc;
    if (!code.isCode || code.dpl > cpu.cpl || (cpu.isLong && (!code.isLong || code.isBig))) return cpu.fault(VECTOR.GP, error);
    if (!code.isPresent) return cpu.fault(VECTOR.NP, error);
    if (!code.isConforming && code.dpl < cpu.cpl) return callInner(cpu, code, target, returns);
    selector = error | cpu.cpl;
    status = checkOffset(cpu, code, offset);
  }
  if (status === HELPER.next) status = checkDirect(cpu, code, selector, offset);
  if (status !== HELPER.next) return status;
  if (!code.mark(cpu, selector, 8)) return HELPER.fault;
  if (!push(cpu, base, sp, width, size, returns, WRITE)) return HELPER.fault;
  setStackPointer(cpu, sp - BigInt(2 * size), width);
  enter(cpu, code, selector, cpu.cpl, offset);
  return HELPER.jump;
};

/** A call gate to an inner level, with the stack of the TSS. */
function callInner(cpu: Cpu, code: Descriptor, target: GateTarget, returns: readonly bigint[]): number {
  const cpl = code.dpl;
  const before = cpu.cpl;
  const status = checkOffset(cpu, code, target.offset);
  if (status !== HELPER.next) return status;
  if (!cpu.isLong) return cpu.unsupported('inner-call-gate');
  const error = cpu.selector(SEG.TR) & 0xfffc;
  if (4 + 8 * cpl + 7 > cpu.limit(SEG.TR)) return cpu.fault(VECTOR.TS, error);
  const rsp = cpu.read(BigInt.asUintN(64, cpu.state.get64(SEGMENT_BASE + 8 * SEG.TR) + BigInt(4 + 8 * cpl)), 8, READ | IMPLICIT);
  if (rsp === null) return HELPER.fault;
  if (!isCanonical64(rsp)) return cpu.fault(VECTOR.SS, 0);
  const values = [BigInt(cpu.selector(SEG.SS)), cpu.gpr(4), ...returns];
  if (!code.mark(cpu, target.selector, 8)) return HELPER.fault;
  if (!push(cpu, 0n, rsp, 64, 8, values, WRITE | IMPLICIT)) return HELPER.fault;
  setStackPointer(cpu, rsp - 32n, 64);
  cpu.setSegment(SEG.SS, cpl, 0, 0, 0, SEGMENT_UNUSABLE | (cpl << 5));
  enter(cpu, code, target.selector, cpl, target.offset);
  if (cpl < before) cpu.enteredKernel('int');
  return HELPER.jump;
}

export const returnFar: Helper = (cpu, decoded) => {
  const size = decoded.operandSize / 8;
  const [release] = decoded.operands;
  const extra = release?.kind === 'imm' ? Number(BigInt.asUintN(16, release.value)) : 0;
  const words = new StackWords();
  if (!words.read(cpu, 2, size, 0)) return HELPER.fault;
  const offset = pair(words, 0);
  const selector = (words.low[1] ?? 0) & 0xffff;
  const width = stackWidth(cpu);
  if (!cpu.isProtected) {
    if (offset > 0xffffn) return cpu.fault(VECTOR.GP, 0);
    setStackPointer(cpu, cpu.gpr(4) + BigInt(2 * size + extra), width);
    return setCodeReal(cpu, { selector, offset });
  }
  const code = new Descriptor();
  let status = checkReturnCode(cpu, code, selector);
  if (status !== HELPER.next) return status;
  const newCpl = selector & 3;
  if (newCpl === cpu.cpl) {
    status = checkOffset(cpu, code, offset);
    if (status !== HELPER.next) return status;
    if (!code.mark(cpu, selector, 8)) return HELPER.fault;
    setStackPointer(cpu, cpu.gpr(4) + BigInt(2 * size + extra), width);
    enter(cpu, code, selector, newCpl, offset);
    return HELPER.jump;
  }
  if (!words.read(cpu, 2, size, 2 * size + extra)) return HELPER.fault;
  const stack = new Descriptor();
  const stackSelector = (words.low[1] ?? 0) & 0xffff;
  status = checkReturnStack(cpu, stack, stackSelector, newCpl, cpu.isLong && code.isLong);
  if (status === HELPER.next) status = checkOffset(cpu, code, offset);
  if (status !== HELPER.next) return status;
  const hasStack = (stackSelector & 0xfffc) !== 0;
  if (!code.mark(cpu, selector, 8) || (hasStack && !stack.mark(cpu, stackSelector, 8))) return HELPER.fault;
  if (newCpl === 3) cpu.observer?.sysret?.(cpu.at, cpu.gpr(0), 'far');
  if (hasStack) setFromDescriptor(cpu, SEG.SS, stackSelector, stack);
  else cpu.setSegment(SEG.SS, stackSelector, 0, 0, 0, SEGMENT_UNUSABLE | (newCpl << 5));
  enter(cpu, code, selector, newCpl, offset);
  setStackPointer(cpu, pair(words, 0) + BigInt(extra), stackWidth(cpu));
  dropSegments(cpu, newCpl);
  if (newCpl === 3) cpu.enteredUser('far');
  return HELPER.jump;
};

const pair = (words: StackWords, i: number): bigint => (BigInt((words.high[i] ?? 0) >>> 0) << 32n) | BigInt((words.low[i] ?? 0) >>> 0);
