/**
 * Instruction → bytes: the shortest encoding of the table that fits the operands. The candidates of a mnemonic are sorted by length once, so
 * that the first that matches is the answer.
 *
 *     encode({ mnemonic: 'add', operands: [reg('eax'), imm(1)], mode: 64 }).bytes   → 83 C0 01
 *     encodeInto(out, at, request, fields)                                          → the same without allocating a result
 */

import { UserError } from './bug.ts';
import { encodingsByMnemonic } from './mnemonics.ts';
import type { Encoding, OperandCode } from './notation.ts';
import type { MemoryOperand, Mode, Operand, OperandSize, RegisterOperand } from './operands.ts';
import { FS, RBP, RBX, RDI, RSI, RSP } from './registers.ts';

export interface EncodeRequest {
  /** All upper or all lower case; the manual's aliases (JZ, SETC, CMOVNAE, SAL …) are known. */
  readonly mnemonic: string;
  /** String instructions may leave their memory operands out. */
  readonly operands: readonly Operand[];
  readonly mode: Mode;
  readonly lock?: boolean;
  readonly rep?: 'rep' | 'repe' | 'repne';
  /** For instructions whose operands do not say it (RETF, LEAVE, PUSH of an immediate …). */
  readonly operandSize?: OperandSize;
  /** Force the size of the immediate or displacement field (for values that are filled in later). Displacements: 1 (1 byte) or 4 (2 with 16-bit addresses). */
  readonly immBytes?: 1 | 2 | 4 | 8;
  readonly dispBytes?: 1 | 4;
}

/** The operands do not fit any encoding: the user's error. */
export class EncodeError extends UserError {
  constructor(message: string) {
    super(message);
    this.name = 'EncodeError';
  }
}

/** Where the fields of an encoded instruction lie, relative to its start; offset -1: there is none. */
export interface Fields {
  /** The displacement; RIP-relative ones are relative to the end of the instruction. */
  dispOffset: number;
  dispBytes: number;
  /** The first immediate, or the branch distance (relative to the end of the instruction). */
  immOffset: number;
  immBytes: number;
}

export interface Encoded extends Readonly<Fields> {
  readonly bytes: Uint8Array;
}

const prefixOfSegment = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const mandatoryByte: Readonly<Record<string, number>> = { '66': 0x66, f3: 0xf3, f2: 0xf2 };
const vexPrefixField: Readonly<Record<string, number>> = { np: 0, '66': 1, f3: 2, f2: 3 };

/** One request in progress: matching fills it, `emit` writes it. */
class Attempt {
  private readonly request: EncodeRequest;
  private readonly mode: Mode;
  private encoding: Encoding | null = null;

  // Filled by matching.
  private size: 0 | OperandSize = 0;
  private w: -1 | 0 | 1 = -1;
  private regField = 0;
  private hasReg = false;
  private rm: RegisterOperand | null = null;
  private memory: MemoryOperand | null = null;
  private implicitMemory: MemoryOperand | null = null;
  private plus = 0;
  private vvvv = 0;
  private rexBits = 0;
  private needsRex = false;
  private forbidsRex = false;

  // Filled by emission.
  private at = 0;

  constructor(request: EncodeRequest) {
    this.request = request;
    this.mode = request.mode;
  }

  private reset(): void {
    this.size = 0;
    this.w = -1;
    this.regField = 0;
    this.hasReg = false;
    this.rm = null;
    this.memory = null;
    this.implicitMemory = null;
    this.plus = 0;
    this.vvvv = 0;
    this.rexBits = 0;
    this.needsRex = false;
    this.forbidsRex = false;
  }

  isNatural(e: Encoding): boolean {
    return e.operandSize === 0 || e.operandSize === (this.request.operandSize ?? this.defaultSize(e));
  }

  matches(e: Encoding): boolean {
    const { operands } = this.request;
    if (this.mode === 64 ? e.not64 : e.only64) return false;
    if (e.operands.length !== operands.length && !(operands.length === 0 && isAllImplicit(e))) return false;
    this.reset();
    this.encoding = e;
    if (e.operandSize !== 0 && !this.takeSize(e.operandSize)) return false;
    for (let i = 0; i < operands.length; i++) if (!this.register(e, e.operands[i] as OperandCode, operands[i] as Operand)) return false;
    if (e.modrm !== 'any' && (e.modrm === 'reg') === (this.memory !== null)) return false;
    if (e.digit >= 0 && this.hasReg && e.digit !== this.regField) return false;
    if (this.size === 0) this.size = this.request.operandSize ?? this.defaultSize(e);
    for (let i = 0; i < operands.length; i++) if (!this.value(e.operands[i] as OperandCode, operands[i] as Operand)) return false;
    if (e.rexB >= 0 && e.plusR && (this.plus & 7) === 0 && this.plus !== 8) return false;
    if (this.needsRex && (this.forbidsRex || this.mode !== 64)) return false;
    if (this.forbidsRex && this.rexWanted() !== 0) return false;
    if (this.mode !== 64 && (this.rexBits !== 0 || this.size === 64 || this.w === 1)) return false;
    return e.addressSize === 0 || (this.memory === null && this.implicitMemory === null) || e.addressSize === this.addressSize();
  }

  private defaultSize(e: Encoding): OperandSize {
    const last = this.request.operands.at(-1);
    if (e.default64 && last?.kind === 'imm' && (last.width === 16 || (last.width === 32 && this.mode !== 64))) return last.width;
    if (this.mode !== 64) return this.mode;
    return e.force64 || e.default64 ? 64 : 32;
  }

  private addressSize(): number {
    return this.memory?.addressSize ?? this.implicitMemory?.addressSize ?? this.mode;
  }

  private takeSize(width: number): boolean {
    if (this.size !== 0) return this.size === width;
    if (width !== 16 && width !== 32 && width !== 64) return false;
    this.size = width;
    return true;
  }

  /** Does the width of a register or memory operand fit the size code? Notes the operand size or W. */
  private fits(e: Encoding, code: OperandCode, width: number): boolean {
    switch (code.size) {
      case 'v':
        if (this.mode === 64 && width === 32 && (e.default64 || e.force64)) return false;
        if (this.mode === 64 && width === 16 && e.force64) return false;
        return this.takeSize(width);
      case 'b':
        return width === 8;
      case 'w':
        return width === 16;
      case 'd':
        return width === 32;
      case 'q':
        return width === 64;
      case 'dq':
        return width === 128;
      case 'y': {
        if (width !== 32 && width !== 64) return false;
        const w = width === 64 ? 1 : 0;
        if (this.w >= 0 && this.w !== w) return false;
        this.w = w;
        return true;
      }
      case 'z':
        return false;
      case 'p':
        return (width === 32 || width === 48 || width === 80) && this.takeSize(width - 16);
      case 's':
      case 'none':
        return true;
    }
  }

  private gpr(e: Encoding, code: OperandCode, r: RegisterOperand): boolean {
    if (r.class !== 'gpr' || !this.fits(e, code, r.width)) return false;
    if (r.width === 8) {
      if (r.high) this.forbidsRex = true;
      else if (r.index >= 4 && r.index < 8) this.needsRex = true;
    }
    return true;
  }
  private number(r: RegisterOperand): number {
    return r.high ? r.index + 4 : r.index;
  }

  /** First pass: registers and memory, which settle the operand size. Immediates pass. */
  private register(e: Encoding, code: OperandCode, o: Operand): boolean {
    switch (code.what) {
      case 'E':
      case 'R':
      case 'M':
        if (o.kind === 'mem') return code.what !== 'R' && this.fits(e, code, o.width) && this.address(o);
        return code.what !== 'M' && o.kind === 'reg' && this.gpr(e, code, o) && this.setRm(o);
      case 'G':
        return o.kind === 'reg' && this.gpr(e, code, o) && this.setReg(this.number(o));
      case 'Z':
        if (o.kind !== 'reg' || !this.gpr(e, code, o)) return false;
        this.plus = this.number(o);
        this.rexBits |= this.plus >> 3;
        return true;
      case 'B':
        if (o.kind !== 'reg' || !this.gpr(e, code, o)) return false;
        this.vvvv = o.index;
        return true;
      case 'V':
        return o.kind === 'reg' && o.class === 'xmm' && this.setReg(o.index);
      case 'U':
        return o.kind === 'reg' && o.class === 'xmm' && this.setRm(o);
      case 'W':
        if (o.kind === 'mem') return this.fits(e, code, o.width) && this.address(o);
        return o.kind === 'reg' && o.class === 'xmm' && this.setRm(o);
      case 'S':
        return o.kind === 'reg' && o.class === 'seg' && this.setReg(o.index);
      case 'C':
        return o.kind === 'reg' && o.class === 'cr' && this.setReg(o.index);
      case 'D':
        return o.kind === 'reg' && o.class === 'dr' && this.setReg(o.index);
      case 'fixed':
        return (
          o.kind === 'reg' && (code.size === 'v' ? o.class === 'gpr' && o.index === 0 && this.gpr(e, code, o) : isNamed(o, code.register))
        );
      case 'O':
        return o.kind === 'mem' && this.fits(e, code, o.width) && this.moffs(o);
      case 'X':
        return o.kind === 'mem' && o.base === RSI && isBare(o) && this.fits(e, code, o.width) && this.implicit(o);
      case 'Y':
        return o.kind === 'mem' && o.base === RDI && isBare(o) && o.segment === 0 && this.fits(e, code, o.width) && this.implicit(o);
      case 'I':
      case 'sI':
        return o.kind === 'imm';
      case 'one':
        return o.kind === 'imm' && o.value === 1n && this.request.immBytes === undefined;
      case 'J':
        if (o.kind !== 'rel') return false;
        return code.size === 'b' || this.mode === 64 || o.width < 16 || this.takeSize(o.width);
      case 'A':
        return o.kind === 'far' && this.takeSize(o.width);
    }
  }

  private setReg(index: number): boolean {
    this.regField = index & 7;
    this.hasReg = true;
    if (index > 7) this.rexBits |= 4;
    return true;
  }
  private setRm(r: RegisterOperand): boolean {
    this.rm = r;
    if (r.index > 7) this.rexBits |= 1;
    return true;
  }
  private address(m: MemoryOperand): boolean {
    this.memory = m;
    if (m.base > 7) this.rexBits |= 1;
    if (m.index > 7) this.rexBits |= 2;
    return true;
  }
  private implicit(m: MemoryOperand): boolean {
    if (this.implicitMemory !== null && this.implicitMemory.addressSize !== m.addressSize) return false;
    // The source's segment counts: a destination is always ES.
    if (this.implicitMemory === null || m.base === RSI) this.implicitMemory = m;
    return true;
  }
  /** Offsets without ModRM: in 64-bit mode only where a displacement cannot hold them. */
  private moffs(m: MemoryOperand): boolean {
    if (m.base >= 0 || m.index >= 0 || m.ripRelative) return false;
    if (this.mode === 64 && (m.addressSize !== 64 || BigInt.asIntN(32, m.disp) === BigInt.asIntN(64, m.disp))) return false;
    this.implicitMemory = m;
    return true;
  }

  /** Second pass: does an immediate or distance fit the field? */
  private value(code: OperandCode, o: Operand): boolean {
    if (o.kind === 'imm' && (code.what === 'I' || code.what === 'sI')) return this.immediateFits(code, o.value);
    if (o.kind === 'rel') {
      const bits = this.relBits(code);
      if (o.width !== 0 && o.width !== bits) return false;
      const n = Number(o.value);
      return n >= -(2 ** (bits - 1)) && n < 2 ** (bits - 1);
    }
    return true;
  }
  private relBits(code: OperandCode): number {
    return code.size === 'b' ? 8 : this.size === 16 ? 16 : 32;
  }
  private immediateBytes(code: OperandCode): number {
    if (code.size === 'b') return 1;
    if (code.size === 'w') return 2;
    if (code.size === 'v') return this.size / 8;
    return this.size === 16 ? 2 : 4;
  }
  private immediateFits(code: OperandCode, value: bigint): boolean {
    const bytes = this.immediateBytes(code);
    const forced = this.request.immBytes;
    if (forced !== undefined && forced !== bytes) return false;
    let n = Number(value);
    if (code.what === 'sI' || (code.size === 'z' && this.size === 64)) {
      // Sign-extended to the operand size: an unsigned reading of that size counts too.
      const width = this.size === 0 ? 64 : this.size;
      if (width === 64 && n >= 2 ** 63) n = Number(BigInt.asIntN(64, value));
      else if (width !== 64 && n >= 2 ** (width - 1)) n -= 2 ** width;
      const half = 2 ** (bytes * 8 - 1);
      return n >= -half && n < half;
    }
    if (code.size === 'v' && this.size === 64) {
      // The ten-byte MOV only where the sign-extended form cannot say it.
      if (forced === undefined && n >= -0x80000000 && n < 0x80000000) return false;
      return value >= -(1n << 63n) && value < 1n << 64n && (forced === 8 || BigInt.asIntN(64, value) !== BigInt.asIntN(32, value));
    }
    return n >= -(2 ** (bytes * 8 - 1)) && n < 2 ** (bytes * 8);
  }

  private rexWanted(): number {
    const e = this.encoding as Encoding;
    const wide = e.w === 1 || this.w === 1 || (this.size === 64 && !e.default64 && !e.force64);
    const bits = this.rexBits | (wide ? 8 : 0);
    return bits !== 0 || this.needsRex ? 0x40 | bits : 0;
  }

  // ---- Emission

  emit(out: Uint8Array, start: number, fields: Fields): number {
    const e = this.encoding as Encoding;
    this.at = start;
    fields.dispOffset = fields.immOffset = -1;
    fields.dispBytes = fields.immBytes = 0;
    this.prefixes(out, e);
    const rex = this.rexWanted();
    if (e.vex) this.vex(out, e, rex);
    else {
      const mandatory = mandatoryByte[e.mandatory];
      if (mandatory !== undefined) out[this.at++] = mandatory;
      if (rex !== 0) out[this.at++] = rex;
      if (e.map !== 0) out[this.at++] = 0x0f;
      if (e.map > 1) out[this.at++] = e.map === 2 ? 0x38 : 0x3a;
    }
    out[this.at++] = e.opcode + (e.plusR ? this.plus & 7 : 0);
    if (e.fixedModrm >= 0) out[this.at++] = e.fixedModrm;
    else if (e.hasModrm) this.modrm(out, e.digit >= 0 ? e.digit : this.regField, start, fields);
    const { operands } = this.request;
    for (let i = 0; i < operands.length; i++) this.immediate(out, e.operands[i] as OperandCode, operands[i] as Operand, start, fields);
    return this.at - start;
  }

  private prefixes(out: Uint8Array, e: Encoding): void {
    const { lock, rep, operands, mnemonic } = this.request;
    if (lock === true) {
      const first = operands[0]?.kind === 'mem' || (e.row.name === 'XCHG' && operands[1]?.kind === 'mem');
      if (e.row.lock !== true || !first)
        throw new EncodeError(`${mnemonic} cannot be locked${e.row.lock === true ? ' unless its destination is memory' : ''}`);
      out[this.at++] = 0xf0;
    }
    if (rep !== undefined) {
      if (e.row.rep === undefined) throw new EncodeError(`${mnemonic} cannot be repeated`);
      out[this.at++] = rep === 'repne' ? 0xf2 : 0xf3;
    }
    const memory = this.memory ?? this.implicitMemory;
    const isDestination = this.memory === null && memory?.base === RDI;
    if (memory !== null && !isDestination && memory.segment !== defaultSegment(memory) && (this.mode !== 64 || memory.segment >= FS)) {
      out[this.at++] = prefixOfSegment[memory.segment] ?? 0x3e;
    }
    const defaultSize = this.mode === 16 ? 16 : 32;
    if (!e.vex && e.mandatory !== '66' && (this.size === 16) !== (defaultSize === 16)) out[this.at++] = 0x66;
    const address = memory?.addressSize ?? (e.addressSize === 0 ? this.mode : e.addressSize);
    if (address !== this.mode) {
      if (this.mode === 64 ? address === 16 : address === 64)
        throw new EncodeError(`${mnemonic}: no ${address}-bit addresses in ${this.mode}-bit mode`);
      out[this.at++] = 0x67;
    }
  }

  private vex(out: Uint8Array, e: Encoding, rex: number): void {
    const low = ((~this.vvvv & 15) << 3) | (vexPrefixField[e.mandatory] ?? 0);
    if (e.map === 1 && (rex & 0x0b) === 0) {
      out[this.at++] = 0xc5;
      out[this.at++] = (rex & 4 ? 0 : 0x80) | low;
      return;
    }
    out[this.at++] = 0xc4;
    out[this.at++] = ((~rex & 7) << 5) | e.map;
    out[this.at++] = (rex & 8 ? 0x80 : 0) | low;
  }

  private modrm(out: Uint8Array, reg: number, start: number, fields: Fields): void {
    const { memory } = this;
    if (memory === null) {
      out[this.at++] = 0xc0 | (reg << 3) | (this.rm === null ? 0 : this.number(this.rm) & 7);
      return;
    }
    if (memory.addressSize === 16) {
      this.modrm16(out, reg, memory, start, fields);
      return;
    }
    const { base, index } = memory;
    if (index === RSP) throw new EncodeError(`${this.request.mnemonic}: rSP cannot be an index`);
    const disp = Number(BigInt.asIntN(memory.addressSize, memory.disp));
    if (disp !== (disp | 0)) throw new EncodeError(`${this.request.mnemonic}: displacement ${memory.disp} does not fit 32 bits`);
    if (memory.ripRelative) {
      out[this.at++] = (reg << 3) | 5;
      this.displacement(out, disp, 4, start, fields);
      return;
    }
    const needsSib = index >= 0 || base < 0 ? this.mode === 64 || index >= 0 : (base & 7) === RSP;
    const short = disp >= -128 && disp < 128;
    const forced = this.request.dispBytes;
    if (forced === 1 && !short) throw new EncodeError(`${this.request.mnemonic}: displacement ${disp} does not fit 8 bits`);
    const mod = base < 0 ? 0 : forced === 4 ? 2 : forced === 1 ? 1 : disp === 0 && (base & 7) !== RBP ? 0 : short ? 1 : 2;
    if (needsSib) {
      out[this.at++] = (mod << 6) | (reg << 3) | 4;
      const scale = memory.scale === 8 ? 3 : memory.scale === 4 ? 2 : memory.scale === 2 ? 1 : 0;
      out[this.at++] = (scale << 6) | ((index < 0 ? 4 : index & 7) << 3) | (base < 0 ? 5 : base & 7);
    } else out[this.at++] = (mod << 6) | (reg << 3) | (base < 0 ? 5 : base & 7);
    if (base < 0 || mod === 2) this.displacement(out, disp, 4, start, fields);
    else if (mod === 1) this.displacement(out, disp, 1, start, fields);
  }

  private modrm16(out: Uint8Array, reg: number, memory: MemoryOperand, start: number, fields: Fields): void {
    const rm = form16(memory);
    if (rm < 0) throw new EncodeError(`${this.request.mnemonic}: these registers do not make a 16-bit address`);
    const disp = Number(BigInt.asIntN(16, memory.disp));
    const direct = memory.base < 0;
    const forced = this.request.dispBytes;
    const mod = direct ? 0 : forced === 4 ? 2 : forced === 1 ? 1 : disp === 0 && rm !== 6 ? 0 : disp >= -128 && disp < 128 ? 1 : 2;
    out[this.at++] = (mod << 6) | (reg << 3) | rm;
    if (direct || mod === 2) this.displacement(out, disp, 2, start, fields);
    else if (mod === 1) this.displacement(out, disp, 1, start, fields);
  }

  private displacement(out: Uint8Array, value: number, bytes: number, start: number, fields: Fields): void {
    fields.dispOffset = this.at - start;
    fields.dispBytes = bytes;
    this.number32(out, value, bytes);
  }
  private number32(out: Uint8Array, value: number, bytes: number): void {
    for (let i = 0, v = value; i < bytes; i++, v >>= 8) out[this.at++] = v;
  }
  private number64(out: Uint8Array, value: bigint): void {
    this.number32(out, Number(BigInt.asIntN(32, value)), 4);
    this.number32(out, Number(BigInt.asIntN(32, value >> 32n)), 4);
  }

  private immediate(out: Uint8Array, code: OperandCode, o: Operand, start: number, fields: Fields): void {
    let bytes: number;
    if (code.what === 'I' || code.what === 'sI') bytes = this.immediateBytes(code);
    else if (code.what === 'J') bytes = this.relBits(code) / 8;
    else if (code.what === 'O') bytes = this.addressSize() / 8;
    else if (code.what === 'A') bytes = this.size === 16 ? 2 : 4;
    else return;
    if (fields.immOffset < 0) {
      fields.immOffset = this.at - start;
      fields.immBytes = bytes;
    }
    const value = o.kind === 'imm' || o.kind === 'rel' ? o.value : o.kind === 'mem' ? o.disp : o.kind === 'far' ? o.offset : 0n;
    if (bytes === 8) this.number64(out, value);
    else this.number32(out, Number(value) | 0, bytes);
    if (o.kind === 'far') this.number32(out, o.selector, 2);
  }
}

/** Operands of XCHG and TEST may change places: memory stands first in the table, the accumulator of the one-byte XCHG second. */
function isSwapped({ mnemonic, operands: [a, b] }: EncodeRequest): boolean {
  const isXchg = mnemonic === 'XCHG' || mnemonic === 'xchg';
  if ((!isXchg && mnemonic !== 'TEST' && mnemonic !== 'test') || a?.kind !== 'reg') return false;
  if (b?.kind === 'mem') return true;
  return isXchg && b?.kind === 'reg' && a.index === 0 && a.width > 8 && b.index !== 0 && a.class === 'gpr';
}

/** Operands that the instruction implies: they may be left out. */
function isAllImplicit(e: Encoding): boolean {
  return e.operands.every((o) => o.what === 'X' || o.what === 'Y' || (o.what === 'fixed' && e.row.rep !== undefined));
}
const isBare = (m: MemoryOperand) => m.index < 0 && m.disp === 0n && !m.ripRelative;

function isNamed(r: RegisterOperand, name: string): boolean {
  const wanted = fixedRegisters[name];
  return (
    wanted !== undefined &&
    wanted.class === r.class &&
    wanted.index === r.index &&
    !r.high &&
    (r.class !== 'gpr' || wanted.width === r.width)
  );
}
const gprNamed = (index: number, width: number) => ({ class: 'gpr', index, width });
const segNamed = (index: number) => ({ class: 'seg', index, width: 16 });
const fixedRegisters: Readonly<Record<string, { class: string; index: number; width: number }>> = {
  al: gprNamed(0, 8),
  ax: gprNamed(0, 16),
  eax: gprNamed(0, 32),
  cl: gprNamed(1, 8),
  dx: gprNamed(2, 16),
  es: segNamed(0),
  cs: segNamed(1),
  ss: segNamed(2),
  ds: segNamed(3),
  fs: segNamed(4),
  gs: segNamed(5),
};

const defaultSegment = (m: MemoryOperand): number => (m.base === RSP || m.base === RBP ? 2 : 3);

/** The rm field of a 16-bit address, -1: there is none. SDM Vol. 2 table 2-1. */
function form16(m: MemoryOperand): number {
  const { base, index } = m;
  if (m.scale !== 1) return -1;
  if (base < 0) return index < 0 ? 6 : -1;
  if (index < 0) return base === RSI ? 4 : base === RDI ? 5 : base === RBP ? 6 : base === RBX ? 7 : -1;
  if (index !== RSI && index !== RDI) return -1;
  return base === RBX ? index - RSI : base === RBP ? 2 + index - RSI : -1;
}

function describe(o: Operand): string {
  if (o.kind === 'reg') return `${o.class} of ${o.width} bits`;
  if (o.kind === 'mem') return `memory of ${o.width} bits`;
  return o.kind === 'far' ? 'far pointer' : `${o.kind === 'imm' ? 'immediate' : 'distance'} ${o.value}`;
}

function fail(request: EncodeRequest, candidates: readonly Encoding[] | undefined): never {
  const { mnemonic, operands, mode } = request;
  if (candidates === undefined) throw new EncodeError(`there is no instruction '${mnemonic}'`);
  throw new EncodeError(
    `${mnemonic} has no form in ${mode}-bit mode with ${operands.length === 0 ? 'no operands' : operands.map(describe).join(', ')}`,
  );
}

/** The fast path: writes at `out[at]` (needs 15 bytes of room), fills `fields`, returns the length. Throws EncodeError. */
export function encodeInto(out: Uint8Array, at: number, request: EncodeRequest, fields: Fields): number {
  const candidates = encodingsByMnemonic.get(request.mnemonic);
  if (candidates === undefined) return fail(request, candidates);
  const attempt = new Attempt(isSwapped(request) ? { ...request, operands: [...request.operands].reverse() } : request);
  // Encodings marked with another operand size than the mode's come second: RETF is CB in every mode, CBW needs its 66.
  for (const e of candidates) if (attempt.isNatural(e) && attempt.matches(e)) return attempt.emit(out, at, fields);
  for (const e of candidates) if (!attempt.isNatural(e) && attempt.matches(e)) return attempt.emit(out, at, fields);
  return fail(request, candidates);
}

export function encode(request: EncodeRequest): Encoded {
  const out = new Uint8Array(16);
  const fields: Fields = { dispOffset: -1, dispBytes: 0, immOffset: -1, immBytes: 0 };
  const length = encodeInto(out, 0, request, fields);
  return { bytes: out.slice(0, length), ...fields };
}
