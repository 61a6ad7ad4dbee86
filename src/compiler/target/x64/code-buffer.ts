/**
 * Bytes of a function being written: instructions from templates, jumps left open until all distances are known.
 *
 * Jumps take no room in `bytes`: `finish` decides their sizes and inserts them. A `Mark` is a place in the code that survives this.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Relocation } from '../../image/object.ts';
import { IMMEDIATE, M, type MachineInstruction, MEMORY } from './machine.ts';
import { NONE, R12, RBP, RSP } from './registers.ts';
import { type JumpOpcodes, learnCall, learnJump, type Template, Templates } from './templates.ts';

/** A place between bytes: `raw` bytes and `jumps` jumps come before it. */
export interface Mark {
  raw: number;
  jumps: number;
}

interface Jump {
  readonly raw: number;
  /** -1: always. */
  readonly condition: number;
  readonly target: Mark;
}

interface RawRelocation extends Relocation {
  readonly jumps: number;
}

/** What is learnt about encodings; shared by all functions of a compiler. */
export class Encodings {
  readonly templates = new Templates();
  private readonly jumps: (JumpOpcodes | undefined)[] = [];
  private callOpcode: readonly number[] | null = null;

  jump(condition: number): JumpOpcodes {
    return (this.jumps[condition + 1] ??= learnJump(condition));
  }

  call(): readonly number[] {
    return (this.callOpcode ??= learnCall());
  }
}

export interface FinishedCode {
  readonly bytes: Uint8Array;
  readonly relocations: Relocation[];
  /** The final offset of a mark. */
  offsetOf(mark: Mark): number;
}

export class CodeBuffer {
  private readonly encodings: Encodings;
  private bytes = new Uint8Array(1024);
  private at = 0;
  private jumps: Jump[] = [];
  private relocations: RawRelocation[] = [];

  constructor(encodings: Encodings) {
    this.encodings = encodings;
  }

  mark(): Mark {
    return { raw: this.at, jumps: this.jumps.length };
  }

  /** Puts a mark that was made before here. */
  place(mark: Mark): void {
    mark.raw = this.at;
    mark.jumps = this.jumps.length;
  }

  jump(condition: number, target: Mark): void {
    this.jumps.push({ raw: this.at, condition, target });
  }

  call(symbol: string): void {
    this.reserve();
    for (const byte of this.encodings.call()) this.bytes[this.at++] = byte;
    this.relocate('pc32', symbol, -4);
    this.write32(0);
  }

  /** Finished bytes, with their relocations relative to themselves. */
  raw(code: Uint8Array, relocations: readonly Relocation[]): void {
    this.reserve(code.length);
    for (const r of relocations) this.relocations.push({ ...r, offset: this.at + r.offset, jumps: this.jumps.length });
    this.bytes.set(code, this.at);
    this.at += code.length;
  }

  /** An instruction whose registers are fixed ones. */
  instruction(i: MachineInstruction): void {
    this.reserve();
    const size = immediateSize(i);
    const t = this.encodings.templates.get(i, size);
    if (t.prefix !== 0) this.bytes[this.at++] = t.prefix;
    const b = i.op === M.clear || i.op === M.clearpd ? i.a : i.b;
    const reg = t.form !== 'modrm' ? 0 : t.reg === 'a' ? i.a & 15 : t.reg === 'b' ? b & 15 : t.extension;
    const rm = t.reg === 'a' && t.form === 'modrm' ? b : i.a;
    const isMemory = i.a === MEMORY || i.b === MEMORY;
    this.rex(i, t, reg, rm, isMemory);
    const last = t.opcode.length - 1;
    for (let k = 0; k < last; k++) this.bytes[this.at++] = t.opcode[k] ?? 0;
    this.bytes[this.at++] = (t.opcode[last] ?? 0) | (t.form === 'plus' ? i.a & 7 : 0);
    if (t.form === 'modrm') {
      if (isMemory) this.memory(i, (reg & 7) << 3, size);
      else this.bytes[this.at++] = 0xc0 | ((reg & 7) << 3) | (rm & 7);
    }
    if (size > 0) this.immediate(i, size);
  }

  private rex(i: MachineInstruction, t: Template, reg: number, rm: number, isMemory: boolean): void {
    let rex = t.rexW ? 0x48 : 0;
    if (t.form === 'modrm' && reg >= 8) rex |= 0x44;
    if (isMemory) {
      if (i.base >= 8) rex |= 0x41;
      if (i.index >= 8) rex |= 0x42;
    } else if (t.form !== 'none' && (rm & 15) >= 8) rex |= 0x41;
    if ((t.byteA && i.a >= 4 && i.a < 8) || (t.byteB && i.b >= 4 && i.b < 8)) rex |= 0x40;
    if (rex !== 0) this.bytes[this.at++] = rex;
  }

  private memory(i: MachineInstruction, reg: number, immediateBytes: number): void {
    const { base, index, disp, symbol } = i;
    if (base === NONE && index === NONE && symbol !== null) {
      // RIP-relative: from the end of the instruction.
      this.bytes[this.at++] = reg | 5;
      this.relocate('pc32', symbol, disp - 4 - immediateBytes);
      this.write32(0);
      return;
    }
    const scale = i.scale === 1 ? 0 : i.scale === 2 ? 0x40 : i.scale === 4 ? 0x80 : 0xc0;
    if (base === NONE) {
      this.bytes[this.at++] = reg | 4;
      this.bytes[this.at++] = scale | ((index === NONE ? 4 : index & 7) << 3) | 5;
      this.displacement(disp, symbol);
      return;
    }
    const isLong = symbol !== null || disp < -128 || disp > 127;
    const mod = isLong ? 0x80 : disp !== 0 || (base & 7) === RBP ? 0x40 : 0;
    if (index !== NONE || base === RSP || base === R12) {
      this.bytes[this.at++] = mod | reg | 4;
      this.bytes[this.at++] = scale | ((index === NONE ? 4 : index & 7) << 3) | (base & 7);
    } else this.bytes[this.at++] = mod | reg | (base & 7);
    if (isLong) this.displacement(disp, symbol);
    else if (mod !== 0) this.bytes[this.at++] = disp;
  }

  private displacement(disp: number, symbol: string | null): void {
    if (symbol !== null) this.relocate('abs32s', symbol, disp);
    this.write32(symbol === null ? disp : 0);
  }

  private immediate(i: MachineInstruction, size: number): void {
    if (size === 1) this.bytes[this.at++] = i.imm;
    else if (size === 2) {
      this.bytes[this.at++] = i.imm;
      this.bytes[this.at++] = i.imm >> 8;
    } else {
      this.write32(i.imm);
      if (size === 8) this.write32(i.disp);
    }
  }

  private relocate(kind: Relocation['kind'], symbol: string, addend: number): void {
    this.relocations.push({ kind, offset: this.at, symbol, addend, jumps: this.jumps.length });
  }

  private write32(value: number): void {
    this.bytes[this.at++] = value;
    this.bytes[this.at++] = value >> 8;
    this.bytes[this.at++] = value >> 16;
    this.bytes[this.at++] = value >> 24;
  }

  private reserve(bytes = 16): void {
    if (this.at + bytes <= this.bytes.length) return;
    const bigger = new Uint8Array(2 * this.bytes.length + bytes);
    bigger.set(this.bytes);
    this.bytes = bigger;
  }

  /** Chooses the sizes of jumps, shortest first, puts everything together, and makes the buffer empty. */
  finish(): FinishedCode {
    const { jumps, relocations } = this;
    const before = this.chooseSizes();
    const offsetOf = (mark: Mark): number => mark.raw + (before[mark.jumps] ?? 0);
    const bytes = new Uint8Array(this.at + (before[jumps.length] ?? 0));
    let from = 0;
    for (let k = 0; k < jumps.length; k++) {
      const jump = jumps[k] ?? bug('a hole in jumps');
      const start = jump.raw + (before[k] ?? 0);
      const end = jump.raw + (before[k + 1] ?? 0);
      bytes.set(this.bytes.subarray(from, jump.raw), from + (before[k] ?? 0));
      from = jump.raw;
      const opcodes = this.encodings.jump(jump.condition);
      const isShort = end - start === opcodes.short.length + 1;
      const opcode = isShort ? opcodes.short : opcodes.long;
      for (let n = 0; n < opcode.length; n++) bytes[start + n] = opcode[n] ?? 0;
      const distance = offsetOf(jump.target) - end;
      for (let n = start + opcode.length, rest = distance; n < end; n++, rest >>= 8) bytes[n] = rest;
    }
    bytes.set(this.bytes.subarray(from, this.at), from + (before[jumps.length] ?? 0));
    const moved = relocations.map(({ jumps: count, ...r }): Relocation => ({ ...r, offset: r.offset + (before[count] ?? 0) }));
    this.clear();
    return { bytes, relocations: moved, offsetOf };
  }

  /** Makes it empty for the next function. */
  clear(): void {
    this.at = 0;
    this.jumps = [];
    this.relocations = [];
  }

  /** Bytes of jumps before each jump and, last, of all. Jumps start short and only grow, so it ends. */
  private chooseSizes(): Int32Array {
    const { jumps } = this;
    const before = new Int32Array(jumps.length + 1);
    const sizes = jumps.map(({ condition }) => this.encodings.jump(condition).short.length + 1);
    for (let grown = true; grown; ) {
      grown = false;
      for (let k = 0; k < sizes.length; k++) before[k + 1] = (before[k] ?? 0) + (sizes[k] ?? 0);
      for (let k = 0; k < sizes.length; k++) {
        if ((sizes[k] ?? 0) > 2) continue;
        const { raw, target, condition } = jumps[k] ?? bug('a hole in jumps');
        const distance = target.raw + (before[target.jumps] ?? 0) - (raw + (before[k + 1] ?? 0));
        if (distance >= -128 && distance <= 127) continue;
        sizes[k] = this.encodings.jump(condition).long.length + 4;
        grown = true;
      }
    }
    return before;
  }
}

/** Bytes of the immediate's field. */
function immediateSize(i: MachineInstruction): number {
  if (i.op === M.movabs) return 8;
  if (i.b !== IMMEDIATE && i.op !== M.imul3) return 0;
  if (i.op === M.shl || i.op === M.shr || i.op === M.sar) return 1;
  const full = i.width === 8 ? 1 : i.width === 16 ? 2 : 4;
  if (i.op === M.mov || i.op === M.test) return full;
  return i.imm >= -128 && i.imm <= 127 ? 1 : full;
}
