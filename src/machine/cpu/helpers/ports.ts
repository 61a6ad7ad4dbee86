/** IN OUT INS OUTS: I/O permission, then the bus. Events of the ports are told by the bus. */
import { bug } from '../../isa/bug.ts';
import type { Decoded } from '../../isa/decode.ts';
import { RFLAGS } from '../../isa/flags.ts';
import type { Operand } from '../../isa/operands.ts';
import { IMPLICIT, READ, WRITE } from '../../memory/mmu-control.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { HELPER } from '../ports.ts';
import { GPR, RFLAGS_REST, SEGMENT_BASE, STOP_REQUEST } from '../state.ts';
import { ATTRIBUTE, type Cpu, type Helper, highHalf, lowHalf, SEG } from './cpu.ts';

/** CPL ≤ IOPL, else the TSS's bitmap (SDM Vol. 1, 19.5.2). False: a fault is pending. */
function mayAccess(cpu: Cpu, port: number, size: number): boolean {
  if (!cpu.isProtected) return true;
  const iopl = (cpu.low(RFLAGS_REST) >>> 12) & 3;
  if (cpu.cpl <= iopl) return true;
  const attributes = cpu.attributes(SEG.TR);
  const is32 = (attributes & ATTRIBUTE.present) !== 0 && (attributes & 8) !== 0;
  const limit = cpu.limit(SEG.TR);
  if (!is32 || limit < 103) return refuse(cpu);
  const base = cpu.state.get64(SEGMENT_BASE + 8 * SEG.TR);
  const map = cpu.read(BigInt.asUintN(64, base + 102n), 2, READ | IMPLICIT);
  if (map === null) return false;
  // Two bytes are read, so that a port at a byte's end finds its bits.
  const at = Number(map) + (port >>> 3);
  if (at + 1 > limit) return refuse(cpu);
  const bytes = cpu.read(BigInt.asUintN(64, base + BigInt(at)), 2, READ | IMPLICIT);
  if (bytes === null) return false;
  const mask = ((1 << size) - 1) << (port & 7);
  return (Number(bytes) & mask) === 0 ? true : refuse(cpu);
}

function refuse(cpu: Cpu): boolean {
  cpu.state.raise(VECTOR.GP, 0);
  return false;
}

function portOf(cpu: Cpu, operand: Operand | undefined): number {
  if (operand?.kind === 'imm') return Number(BigInt.asUintN(8, operand.value));
  if (operand?.kind === 'reg') return cpu.low(GPR + 16) & 0xffff;
  return bug('a port is an immediate or DX');
}

function sizeOf(operand: Operand | undefined): number {
  if (operand?.kind === 'reg' || operand?.kind === 'mem') return operand.width / 8;
  return bug('a port access has a register or memory operand');
}

/** After a port access: the device may have ended the run. Of a repeated instruction the reader counts the iteration first; that was the last of its budget. */
function leave(cpu: Cpu, decoded: Decoded): number {
  if (cpu.low(STOP_REQUEST) === 0 || decoded.rep !== 'none') return HELPER.next;
  cpu.advance(decoded);
  return HELPER.stop;
}

export const input: Helper = (cpu, decoded) => {
  const [target, from] = decoded.operands;
  const size = sizeOf(target);
  const port = portOf(cpu, from);
  if (!mayAccess(cpu, port, size)) return HELPER.fault;
  const value = cpu.bus.read(port, size);
  if (size === 4) cpu.set(GPR, value | 0, 0);
  else if (size === 2) cpu.state.view.setUint16(GPR, value, true);
  else cpu.state.view.setUint8(GPR, value);
  return leave(cpu, decoded);
};

export const output: Helper = (cpu, decoded) => {
  const [to, source] = decoded.operands;
  const size = sizeOf(source);
  const port = portOf(cpu, to);
  if (!mayAccess(cpu, port, size)) return HELPER.fault;
  const value = cpu.low(GPR) >>> 0;
  cpu.bus.write(port, size, size === 4 ? value : size === 2 ? value & 0xffff : value & 0xff);
  return leave(cpu, decoded);
};

/** rSI or rDI moved on by one element. */
function step(cpu: Cpu, register: number, size: number, addressSize: number): void {
  const by = (cpu.low(RFLAGS_REST) & RFLAGS.df) !== 0 ? -size : size;
  cpu.setGpr(register, cpu.gpr(register) + BigInt(by), addressSize);
}

export const inputString: Helper = (cpu, decoded) => {
  const [target] = decoded.operands;
  if (target?.kind !== 'mem') return bug('INS needs memory');
  const size = sizeOf(target);
  const port = cpu.low(GPR + 16) & 0xffff;
  if (!mayAccess(cpu, port, size)) return HELPER.fault;
  const linear = cpu.checkedLinear(SEG.ES, BigInt.asUintN(decoded.addressSize, cpu.gpr(7)), size, true);
  if (linear === null) return HELPER.fault;
  // The port is read only when the store is sure to succeed.
  if (cpu.mmu.code.probe(lowHalf(linear), highHalf(linear), size) !== 0) return HELPER.fault;
  const value = cpu.bus.read(port, size);
  if (!cpu.write(linear, size, BigInt(value), WRITE)) return bug('a probed store faulted');
  step(cpu, 7, size, decoded.addressSize);
  return leave(cpu, decoded);
};

export const outputString: Helper = (cpu, decoded) => {
  const [, source] = decoded.operands;
  if (source?.kind !== 'mem') return bug('OUTS needs memory');
  const size = sizeOf(source);
  const port = cpu.low(GPR + 16) & 0xffff;
  if (!mayAccess(cpu, port, size)) return HELPER.fault;
  const linear = cpu.checkedLinear(source.segment, BigInt.asUintN(decoded.addressSize, cpu.gpr(6)), size, false);
  if (linear === null) return HELPER.fault;
  const value = cpu.read(linear, size, READ);
  if (value === null) return HELPER.fault;
  cpu.bus.write(port, size, Number(value));
  step(cpu, 6, size, decoded.addressSize);
  return leave(cpu, decoded);
};
