/**
 * Bytes → instruction. `decode(bytes, offset, mode, available)` reads prefixes, opcode, ModRM, SIB, displacement and immediates as SDM Vol. 2
 * chapter 2 orders them and finds the encoding in the table.
 *
 * What is not in the table is 'invalid' (#UD), and so are LOCK where it is not allowed and prefixes before VEX.
 */
import type { Instruction, Rep, Shape } from './dsl.ts';
import { bitsOf, type Encoding, type OperandCode } from './notation.ts';
import { type AddressSize, type MemoryOperand, type Mode, type Operand, type OperandSize, type RegisterOperand, reg } from './operands.ts';
import { CS, DS, ES, FS, GS, RBP, RBX, RDI, RSI, RSP, type SegmentIndex, SS } from './registers.ts';
import { legacySlots, vexSlots } from './table.ts';

/** One instruction. It is also the `Shape` that `effectOf` takes. */
export interface Decoded extends Shape {
  readonly row: Instruction;
  readonly encoding: Encoding;
  /** Bytes, 1–15. */
  readonly length: number;
  readonly mode: Mode;
  readonly operandSize: OperandSize;
  readonly addressSize: AddressSize;
  readonly rep: Rep;
  readonly lock: boolean;
  /** Segment of string sources and XLAT: DS, or the override in effect. */
  readonly segment: SegmentIndex;
  readonly operands: readonly Operand[];
}

/** `need-more`: the instruction goes on after `available` bytes. `invalid`: #UD. `too-long`: more than 15 bytes, #GP(0). */
export type DecodeResult = Decoded | 'need-more' | 'invalid' | 'too-long';

const MAX_LENGTH = 15;

// What a one-byte value is as a prefix: 0 none · 1 segment · 2 operand size · 3 address size · 4 LOCK · 5 F2 · 6 F3 · 7 REX (64-bit mode only)
const prefixKinds = Uint8Array.from({ length: 256 }, (_, b) => {
  if (b === 0x26 || b === 0x2e || b === 0x36 || b === 0x3e || b === 0x64 || b === 0x65) return 1;
  if (b === 0x66) return 2;
  if (b === 0x67) return 3;
  if (b === 0xf0) return 4;
  if (b === 0xf2) return 5;
  if (b === 0xf3) return 6;
  return (b & 0xf0) === 0x40 ? 7 : 0;
});
const segmentOfPrefix: Readonly<Record<number, SegmentIndex>> = { 38: ES, 46: CS, 54: SS, 62: DS, 100: FS, 101: GS };

function registers(width: 8 | 16 | 32 | 64, high: boolean): readonly RegisterOperand[] {
  return Array.from({ length: 16 }, (_, i) =>
    high && i >= 4 && i < 8
      ? { kind: 'reg', class: 'gpr', index: i - 4, width, high: true }
      : { kind: 'reg', class: 'gpr', index: i, width, high: false },
  );
}
const gpr8Legacy = registers(8, true);
const gpr8Rex = registers(8, false);
const gpr16 = registers(16, false);
const gpr32 = registers(32, false);
const gpr64 = registers(64, false);
const other = (c: 'seg' | 'cr' | 'dr' | 'xmm', width: 16 | 32 | 64 | 128): readonly RegisterOperand[] =>
  Array.from({ length: 16 }, (_, index) => ({ kind: 'reg', class: c, index, width, high: false }));
const segmentRegisters = other('seg', 16);
const controlRegisters = other('cr', 64);
const debugRegisters = other('dr', 64);
const controlRegisters32 = other('cr', 32);
const debugRegisters32 = other('dr', 32);
const xmm32 = other('xmm', 32);
const xmm64 = other('xmm', 64);
const xmm128 = other('xmm', 128);

// SDM Vol. 2 table 2-1.
const base16 = [RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX];
const index16 = [RSI, RDI, RSI, RDI, -1, -1, -1, -1];

/** One decoding in progress. */
class Decoder {
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private at: number;
  private readonly limit: number;
  private readonly mode: Mode;
  /** 'need-more' or 'too-long' once a byte was missing. */
  private failure: 'need-more' | 'too-long' | 'invalid' | null = null;

  private override: SegmentIndex | -1 = -1;
  private has66 = false;
  private has67 = false;
  private lock = false;
  private repPrefix: 0 | 0xf2 | 0xf3 = 0;
  private rex = 0;
  private vvvv = 0;
  private modrm = 0;
  private operandSize: OperandSize = 32;
  private addressSize: AddressSize = 32;
  private memory: Omit<MemoryOperand, 'width'> | null = null;

  constructor(bytes: Uint8Array, offset: number, mode: Mode, available: number) {
    this.bytes = bytes;
    this.start = offset;
    this.at = offset;
    this.limit = offset + Math.min(available, MAX_LENGTH);
    this.mode = mode;
  }

  private byte(): number {
    if (this.at >= this.limit) {
      this.failure ??= this.at - this.start >= MAX_LENGTH ? 'too-long' : 'need-more';
      return 0;
    }
    return this.bytes[this.at++] as number;
  }
  private signedByte(): number {
    return (this.byte() << 24) >> 24;
  }
  private u16(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }
  private i32(): number {
    const low = this.u16();
    return low | (this.u16() << 16);
  }
  private u64(): bigint {
    const low = this.i32() >>> 0;
    return (BigInt(this.i32() >>> 0) << 32n) | BigInt(low);
  }

  run(): DecodeResult {
    let opcode = this.prefixes();
    if (this.failure !== null) return this.failure;
    let map: 0 | 1 | 2 | 3 = 0;
    let vex = false;
    let mandatory: 'np' | '66' | 'f3' | 'f2' = this.repPrefix === 0xf3 ? 'f3' : this.repPrefix === 0xf2 ? 'f2' : this.has66 ? '66' : 'np';
    if (opcode === 0x0f) {
      opcode = this.byte();
      map = 1;
      if (opcode === 0x38 || opcode === 0x3a) {
        map = opcode === 0x38 ? 2 : 3;
        opcode = this.byte();
      }
    } else if ((opcode === 0xc4 || opcode === 0xc5) && this.mode !== 16) {
      const next = this.peek();
      if (this.failure !== null) return this.failure;
      if (this.mode === 64 || next >= 0xc0) {
        const field = this.vexPrefix(opcode);
        if (this.failure !== null) return this.failure;
        if (field === null) return 'invalid';
        vex = true;
        map = field.map;
        mandatory = field.mandatory;
        opcode = this.byte();
      }
    }
    if (this.failure !== null) return this.failure;
    const slots = vex ? vexSlots : legacySlots;
    const slot = (this.mode === 64 ? slots.in64 : slots.other).at(map * 256 + opcode);
    if (slot === null) return 'invalid';
    this.sizes();
    if (slot.hasModrm) {
      this.modrm = this.byte();
      if (this.failure !== null) return this.failure;
    }
    const list = slot.byReg === null ? slot.all : slot.byReg[(this.modrm >> 3) & 7];
    if (list === undefined) return 'invalid';
    const encoding = this.select(list, mandatory, opcode);
    if (encoding === null) return 'invalid';
    return this.finish(encoding, opcode);
  }

  private peek(): number {
    const at = this.at;
    const value = this.byte();
    this.at = at;
    return value;
  }

  /** Reads prefixes and gives the byte after them. REX counts only right before the opcode. */
  private prefixes(): number {
    for (;;) {
      const b = this.byte();
      if (this.failure !== null) return 0;
      const kind = prefixKinds[b];
      if (kind === 0 || (kind === 7 && this.mode !== 64)) return b;
      if (kind === 7) {
        this.rex = b;
        continue;
      }
      this.rex = 0;
      switch (kind) {
        case 1: {
          const segment = segmentOfPrefix[b] ?? -1;
          if (this.mode !== 64 || segment === FS || segment === GS) this.override = segment;
          break;
        }
        case 2:
          this.has66 = true;
          break;
        case 3:
          this.has67 = true;
          break;
        case 4:
          this.lock = true;
          break;
        default:
          this.repPrefix = b === 0xf2 ? 0xf2 : 0xf3;
      }
    }
  }

  /** VEX after its first byte; null: #UD. */
  private vexPrefix(first: number): { map: 0 | 1 | 2 | 3; mandatory: 'np' | '66' | 'f3' | 'f2' } | null {
    if (this.lock || this.has66 || this.repPrefix !== 0 || this.rex !== 0) return null;
    let map = 1;
    const a = this.byte();
    let b = a;
    let rex = 0x40 | (a & 0x80 ? 0 : 4);
    if (first === 0xc4) {
      map = a & 0x1f;
      rex |= (a & 0x40 ? 0 : 2) | (a & 0x20 ? 0 : 1);
      b = this.byte();
      rex |= b & 0x80 ? 8 : 0;
    }
    this.vvvv = (~b >> 3) & 15;
    if (this.mode !== 64) {
      // Outside 64-bit mode R and X are ones by the choice of the byte; B, W and, of an operand, vvvv[3] are ignored.
      rex = 0x40;
    }
    this.rex = rex;
    if ((b & 4) !== 0 || map < 1 || map > 3) return null; // L = 1: no row has it
    return { map: map as 1 | 2 | 3, mandatory: (['np', '66', 'f3', 'f2'] as const)[b & 3] ?? 'np' };
  }

  private sizes(): void {
    const rexW = (this.rex & 8) !== 0;
    if (this.mode === 64) {
      this.operandSize = rexW ? 64 : this.has66 ? 16 : 32;
      this.addressSize = this.has67 ? 32 : 64;
    } else {
      this.operandSize = (this.mode === 16) !== this.has66 ? 16 : 32;
      this.addressSize = (this.mode === 16) !== this.has67 ? 16 : 32;
    }
  }

  private select(list: readonly Encoding[], mandatory: 'np' | '66' | 'f3' | 'f2', opcode: number): Encoding | null {
    for (const e of list) {
      if (e.mandatory !== 'any' && e.mandatory !== mandatory && !(e.mandatory === 'nfx' && (mandatory === 'np' || mandatory === '66')))
        continue;
      if (e.rexB >= 0 && (opcode & 7) === 0 && e.rexB !== (this.rex & 1)) continue;
      if (e.fixedModrm >= 0 ? e.fixedModrm !== this.modrm : e.modrm !== 'any' && (e.modrm === 'reg') !== this.modrm >= 0xc0) continue;
      if (e.w >= 0 && e.w !== ((this.rex >> 3) & 1)) continue;
      if (e.addressSize !== 0 && e.addressSize !== this.addressSize) continue;
      if (e.operandSize !== 0 && e.operandSize !== this.sizeFor(e)) continue;
      return e;
    }
    return null;
  }

  /** The operand size with this encoding: 66 as a mandatory prefix does not count, d64 and f64 do. */
  private sizeFor(e: Encoding): OperandSize {
    if (this.mode !== 64) return e.mandatory === '66' ? (this.mode === 16 ? 16 : 32) : this.operandSize;
    if (e.force64) return 64;
    if (e.default64) return this.has66 && (this.rex & 8) === 0 ? 16 : 64;
    return e.mandatory === '66' && this.operandSize === 16 ? 32 : this.operandSize;
  }

  private finish(e: Encoding, opcode: number): DecodeResult {
    this.operandSize = this.sizeFor(e);
    const control = e.operands.some(isControlOrDebug);
    if (e.hasModrm && this.modrm < 0xc0 && !control) this.address();
    const operands: Operand[] = [];
    for (const code of e.operands) {
      const operand = this.operand(code, opcode);
      if (operand === null) return this.failure ?? 'invalid';
      operands.push(operand);
    }
    if (this.failure !== null) return this.failure;
    // VEX.vvvv must be all ones where no operand is in it.
    if (e.vex && this.vvvv !== 0 && !e.operands.some((o) => o.what === 'B')) return 'invalid';
    const row = e.row;
    if (this.lock && (row.lock !== true || !(isMemory(operands[0]) || (row.name === 'XCHG' && isMemory(operands[1]))))) return 'invalid';
    const repeats = row.rep !== undefined && this.repPrefix !== 0;
    const rep: Rep = !repeats ? 'none' : row.rep === 'count' ? 'count' : this.repPrefix === 0xf3 ? 'zero' : 'nonzero';
    return {
      row,
      encoding: e,
      length: this.at - this.start,
      mode: this.mode,
      operandSize: this.operandSize,
      addressSize: this.addressSize,
      rep,
      lock: this.lock,
      segment: this.override === -1 ? DS : this.override,
      operands,
    };
  }

  /** ModRM with mod ≠ 3, SIB, displacement. */
  private address(): void {
    if (this.addressSize === 16) {
      this.address16();
      return;
    }
    const mod = this.modrm >> 6;
    const rm = this.modrm & 7;
    const rexB = (this.rex & 1) << 3;
    let base = rm | rexB;
    let index = -1;
    let scale: 1 | 2 | 4 | 8 = 1;
    let ripRelative = false;
    let noBase = mod === 0 && rm === 5;
    if (rm === 4) {
      const sib = this.byte();
      base = (sib & 7) | rexB;
      index = ((sib >> 3) & 7) | ((this.rex & 2) << 2);
      if (index === RSP) index = -1;
      else scale = (1 << (sib >> 6)) as 1 | 2 | 4 | 8;
      noBase = mod === 0 && (sib & 7) === 5;
    } else if (noBase) {
      ripRelative = this.mode === 64;
    }
    if (noBase) base = -1;
    const disp = mod === 1 ? this.signedByte() : mod === 2 || noBase ? this.i32() : 0;
    const stack = base === RSP || base === RBP;
    this.memory = {
      kind: 'mem',
      base,
      index,
      scale,
      disp: BigInt(disp),
      segment: this.override !== -1 ? this.override : stack ? SS : DS,
      ripRelative,
      addressSize: this.addressSize,
    };
  }

  private address16(): void {
    const mod = this.modrm >> 6;
    const rm = this.modrm & 7;
    const direct = mod === 0 && rm === 6;
    const base = direct ? -1 : (base16[rm] as number);
    const disp = mod === 1 ? this.signedByte() : mod === 2 || direct ? (this.u16() << 16) >> 16 : 0;
    this.memory = {
      kind: 'mem',
      base,
      index: direct ? -1 : (index16[rm] as number),
      scale: 1,
      disp: BigInt(disp),
      segment: this.override !== -1 ? this.override : base === RBP ? SS : DS,
      ripRelative: false,
      addressSize: 16,
    };
  }

  private gpr(index: number, bits: number): RegisterOperand {
    const list = bits === 32 ? gpr32 : bits === 64 ? gpr64 : bits === 16 ? gpr16 : this.rex !== 0 ? gpr8Rex : gpr8Legacy;
    return list[index] as RegisterOperand;
  }
  private xmm(index: number, bits: number): RegisterOperand {
    return (bits === 128 ? xmm128 : bits === 64 ? xmm64 : xmm32)[index] as RegisterOperand;
  }

  /** null: not a legal operand (#UD), or bytes are missing. */
  private operand(code: OperandCode, opcode: number): Operand | null {
    const bits = bitsOf(code.size, this.operandSize, (this.rex & 8) !== 0);
    const regField = ((this.modrm >> 3) & 7) | ((this.rex & 4) << 1);
    const rmField = (this.modrm & 7) | ((this.rex & 1) << 3);
    switch (code.what) {
      case 'E':
        return this.memory === null ? this.gpr(rmField, bits) : { ...this.memory, width: bits };
      case 'G':
        return this.gpr(regField, bits);
      case 'R':
        return this.gpr(rmField, bits);
      case 'M':
        return this.memory === null ? null : { ...this.memory, width: bits };
      case 'Z':
        return this.gpr((opcode & 7) | ((this.rex & 1) << 3), bits);
      case 'B':
        return this.gpr(this.mode === 64 ? this.vvvv : this.vvvv & 7, bits);
      case 'I':
      case 'sI':
        return this.immediate(code, bits);
      case 'J': {
        const width = code.size === 'b' ? 8 : this.operandSize === 16 ? 16 : 32;
        const value = width === 8 ? this.signedByte() : width === 16 ? (this.u16() << 16) >> 16 : this.i32();
        return { kind: 'rel', value: BigInt(value), width };
      }
      case 'A': {
        const width = this.operandSize === 16 ? 16 : 32;
        const offset = width === 16 ? this.u16() : this.i32() >>> 0;
        return { kind: 'far', offset: BigInt(offset), selector: this.u16(), width };
      }
      case 'O': {
        const disp = this.addressSize === 64 ? this.u64() : BigInt(this.addressSize === 32 ? this.i32() >>> 0 : this.u16());
        return this.plain(-1, disp, this.override === -1 ? DS : this.override, bits);
      }
      case 'X':
        return this.plain(RSI, 0n, this.override === -1 ? DS : this.override, bits);
      case 'Y':
        return this.plain(RDI, 0n, ES, bits);
      case 'S': {
        const index = regField & 7;
        return index > 5 || (index === CS && opcode === 0x8e) ? null : (segmentRegisters[index] as RegisterOperand);
      }
      case 'C':
        if (regField !== 0 && regField !== 2 && regField !== 3 && regField !== 4 && regField !== 8) return null;
        return (bits === 64 ? controlRegisters : controlRegisters32)[regField] as RegisterOperand;
      case 'D':
        return regField > 7 ? null : ((bits === 64 ? debugRegisters : debugRegisters32)[regField] as RegisterOperand);
      case 'V':
        return this.xmm(regField, bits);
      case 'U':
        return this.xmm(rmField, bits);
      case 'W':
        return this.memory === null ? this.xmm(rmField, bits) : { ...this.memory, width: bits };
      case 'fixed':
        return code.size === 'v' ? this.gpr(0, bits) : reg(code.register);
      case 'one':
        return { kind: 'imm', value: 1n, width: 8 };
    }
  }

  private plain(base: number, disp: bigint, segment: SegmentIndex, width: number): MemoryOperand {
    return { kind: 'mem', base, index: -1, scale: 1, disp, segment, ripRelative: false, addressSize: this.addressSize, width };
  }

  private immediate(code: OperandCode, bits: number): Operand {
    if (code.size === 'b') {
      if (code.what === 'I') return { kind: 'imm', value: BigInt(this.byte()), width: 8 };
      return { kind: 'imm', value: BigInt(this.signedByte()), width: this.operandSize };
    }
    if (bits === 16) return { kind: 'imm', value: BigInt(this.u16()), width: 16 };
    if (bits === 64) return { kind: 'imm', value: this.u64(), width: 64 };
    const value = this.i32();
    if (code.size === 'z' && this.operandSize === 64) return { kind: 'imm', value: BigInt(value), width: 64 };
    return { kind: 'imm', value: BigInt(value >>> 0), width: 32 };
  }
}

const isMemory = (o: Operand | undefined) => o?.kind === 'mem';
const isControlOrDebug = (o: OperandCode) => o.what === 'C' || o.what === 'D';

/** Decodes the instruction at `bytes[offset]`, of which `available` bytes may be read. */
export function decode(bytes: Uint8Array, offset: number, mode: Mode, available: number): DecodeResult {
  return new Decoder(bytes, offset, mode, available).run();
}
