/**
 * The state of instruction selection for one function: which register a value is in, what a user may take into itself, and the means to
 * emit instructions. `select.ts` drives it; the lowerings (`lower-*.ts`) are functions on it.
 *
 * Integers narrower than 64 bits live in registers with *undefined* upper bits, except where `isUpperClear` says so.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Block, Edge, FunctionNotes, Instruction, IrFunction, Location, StackSlot, Value } from '../../ir/function.ts';
import { Instruction as IrInstruction } from '../../ir/function.ts';
import { opRow } from '../../ir/ops.ts';
import { bitsOf, type Type } from '../../ir/types.ts';
import {
  IMMEDIATE,
  M,
  MachineBlock,
  MachineFunction,
  MachineInstruction,
  type MachineOp,
  MEMORY,
  type Origin,
  type Width,
} from './machine.ts';
import { sequentialise } from './parallel-moves.ts';
import { FIRST_VIRTUAL, FRAME, isFloat, NONE } from './registers.ts';
import { Uses } from './uses.ts';

/** Where the constants go that instructions read from memory. */
export interface ConstantPool {
  /** The symbol of an f64 in read-only memory, 8 bytes. */
  float(value: number): string;
  /** The symbol of 16 bytes: the mask for `fneg` (sign bits) or `fabs` (all others). */
  mask(kind: 'sign' | 'magnitude'): string;
}

/** A memory operand. */
export interface Address {
  base: number;
  index: number;
  scale: number;
  disp: number;
  symbol: string | null;
}

const ADD_RANGE = 2 ** 31;

export class Selector {
  readonly fn: IrFunction;
  readonly out: MachineFunction;
  readonly pool: ConstantPool;
  /** Location of the instructions emitted now. */
  location: Location | null = null;
  private readonly uses: Uses;
  /** Position of the block that is lowered now, and writes before the instruction that is. */
  private here = 0;
  private writesHere = 0;
  /** Virtual register by value id; 0: nobody has wanted it. */
  private readonly registers: Int32Array;
  private sequence: MachineInstruction[] = [];
  private readonly blocks: (MachineBlock | undefined)[] = [];
  /** Blocks for edges that move values, behind the block that they leave. */
  private edgeBlocks: MachineBlock[] = [];

  /** @param order the reachable blocks; positions are positions there */
  constructor(fn: IrFunction, pool: ConstantPool, order: readonly Block[]) {
    this.fn = fn;
    this.pool = pool;
    this.out = new MachineFunction(fn.symbol);
    this.uses = new Uses(fn, order);
    this.registers = new Int32Array(fn.valueCount);
    for (const slot of fn.slots) this.layoutSlot(slot);
    for (const block of order) this.blocks[block.id] = new MachineBlock();
  }

  // Driving

  /** The end of the block at this position is lowered next. */
  enter(position: number): void {
    this.here = position;
    this.writesHere = this.uses.writesAtEnd(position);
    this.edgeBlocks = [];
  }

  /** Instruction `i` of the block is passed, backwards. @returns true if it must be lowered */
  step(i: Instruction): boolean {
    const row = opRow(i.op);
    if (row.writes) this.writesHere--;
    this.location = i.location;
    if (row.traps || row.writes || i.volatile) return true;
    const [result] = i.results;
    return result !== undefined && this.isWanted(result);
  }

  /** What was emitted since the last time. */
  take(): MachineInstruction[] {
    const { sequence } = this;
    this.sequence = [];
    return sequence;
  }

  /** Blocks that belong behind the one that was entered. */
  takeEdgeBlocks(): MachineBlock[] {
    return this.edgeBlocks;
  }

  // Registers and values

  temporary(float = false): number {
    return this.out.newRegister(float);
  }

  /** The register that a value is to be put in by its definition. */
  result(value: Value | undefined): number {
    if (value === undefined) return bug('the instruction has no result');
    let register = this.registers[value.id] ?? 0;
    if (register === 0) {
      register = this.temporary(value.type === 'f64');
      this.registers[value.id] = register;
    }
    return register;
  }

  /** For debug information: which register each value has got. */
  noteOrigin(notes: FunctionNotes, order: readonly Block[], parameters: Origin['parameters']): void {
    const joins = order.slice(1).filter(({ params }) => params.length > 0);
    this.out.origin = {
      notes,
      parameters,
      registers: this.registers,
      joins: joins.map((block) => ({ block: this.machineBlock(block), parameters: block.params })),
    };
  }

  isWanted(value: Value): boolean {
    return this.registers[value.id] !== 0;
  }

  /** The register that holds a value, its low bits for narrow types. Emits code for constants and addresses. Do not write to it. */
  use(value: Value): number {
    const source = throughTrunc(value);
    const def = definition(source);
    if (def === null || !isRematerialised(def)) return this.result(source);
    const register = this.temporary(source.type === 'f64');
    this.rematerialise(register, def);
    return register;
  }

  /** Makes `register` hold the value. */
  into(register: number, value: Value): void {
    const source = throughTrunc(value);
    const def = definition(source);
    if (def !== null && isRematerialised(def)) this.rematerialise(register, def);
    else if (def !== null && source === value && this.mayTakeIn(source)) this.loadInto(register, def);
    else this.copy(register, this.result(source), source.type);
  }

  copy(to: number, from: number, type: Type): void {
    if (type === 'f64') this.rr(M.movsd, 64, to, from);
    else this.rr(M.mov, type === 'i64' ? 64 : 32, to, from);
  }

  /** A copy of the value that may be written to. */
  copyOf(value: Value): number {
    const register = this.temporary(value.type === 'f64');
    this.into(register, value);
    return register;
  }

  rematerialise(register: number, def: Instruction): void {
    if (def.op === 'symbol') this.rm(M.lea, 64, register, { base: NONE, index: NONE, scale: 1, disp: def.offset, symbol: def.symbol });
    else if (def.op === 'slot') {
      this.rm(M.lea, 64, register, { base: FRAME, index: NONE, scale: 1, disp: this.slotOffset(def), symbol: null });
    } else if (def.type === 'f64') {
      if (Object.is(def.value, 0)) this.rr(M.clearpd, 64, register, NONE);
      else this.rm(M.movsd, 64, register, symbolAddress(this.pool.float(Number(def.value))));
    } else this.constant(register, def.value);
  }

  /** Any integer constant, with all 64 bits right. */
  constant(register: number, value: number | bigint): void {
    if (typeof value === 'number') {
      this.ri(M.mov, 32, register, value);
    } else if (value >= 0n && value <= 0xffff_ffffn) {
      this.ri(M.mov, 32, register, Number(BigInt.asIntN(32, value)));
    } else if (BigInt.asIntN(32, value) === value) {
      this.ri(M.mov, 64, register, Number(value));
    } else {
      const i = this.emit(M.movabs, 64, register, NONE);
      i.imm = Number(BigInt.asIntN(32, value));
      i.disp = Number(BigInt.asIntN(32, value >> 32n));
    }
  }

  /** The constant as a sign-extended 32-bit immediate, or null if the value is no constant or does not fit. */
  immediate(value: Value): number | null {
    const def = definition(throughTrunc(value));
    if (def === null || def.op !== 'const' || def.type === 'f64') return null;
    const constant = value.type === def.type ? def.value : BigInt.asIntN(bitsOf(value.type), BigInt(def.value));
    if (typeof constant === 'number') return constant;
    return BigInt.asIntN(32, constant) === constant ? Number(constant) : null;
  }

  /** Are the bits of the value's register above its own type known to be 0, up to 64? */
  isUpperClear(value: Value): boolean {
    const def = definition(value);
    if (def === null) return false;
    switch (def.op) {
      case 'load':
        return value.type !== 'f64';
      case 'zext':
        return value.type === 'i32' || this.isUpperClear(def.args[0] ?? value);
      case 'add':
      case 'sub':
      case 'mul':
      case 'and':
      case 'or':
      case 'xor':
      case 'shl':
      case 'lshr':
      case 'ashr':
      case 'sadd':
      case 'uadd':
      case 'ssub':
      case 'usub':
      case 'smul':
      case 'umul':
      case 'udiv':
      case 'sdiv':
      case 'urem':
      case 'srem':
      case 'select':
      case 'sext':
        return value.type === 'i32';
      default:
        return false;
    }
  }

  // Taking definitions in

  /** May the user that is lowered now evaluate this load itself? Only if it is the one user and nothing was written in between. */
  mayTakeIn(value: Value): boolean {
    const def = definition(value);
    return (
      def !== null &&
      def.op === 'load' &&
      !def.volatile &&
      this.uses.count(value) === 1 &&
      this.uses.position(value) === this.here &&
      this.uses.writesBefore(value) === this.writesHere
    );
  }

  /** Is a pure definition better repeated at this use than kept in a register? */
  mayRepeat(value: Value): boolean {
    return this.uses.count(value) === 1 || this.uses.position(value) === this.here;
  }

  isOnlyUse(value: Value): boolean {
    return this.uses.count(value) === 1;
  }

  /** The memory operand for `value + offset`. */
  address(value: Value, offset: number): Address {
    const address: Address = { base: NONE, index: NONE, scale: 1, disp: offset, symbol: null };
    const rest = this.addConstants(value, address);
    const def = definition(rest);
    if (def !== null && def.op === 'add' && this.mayTakeInSum(rest)) {
      let [a, b] = def.args;
      if (a === undefined || b === undefined) return bug('add has two operands');
      if (scaleOf(a) > 0 || isPlace(b)) [a, b] = [b, a];
      const base = this.addConstants(a, address);
      this.addBase(base, address);
      this.addIndex(b, address);
      if (address.base === NONE && address.scale === 1) {
        address.base = address.index;
        address.index = NONE;
      }
    } else this.addBase(rest, address);
    return address;
  }

  private mayTakeInSum(value: Value): boolean {
    return this.uses.isOnlyAddress(value) && this.mayRepeat(value);
  }

  private addConstants(value: Value, address: Address): Value {
    for (let at = value; ; ) {
      const def = definition(at);
      const [base, constant] = def?.op === 'add' ? def.args : [];
      const imm = constant === undefined ? null : this.immediate(constant);
      if (base === undefined || imm === null || Math.abs(address.disp + imm) >= ADD_RANGE) return at;
      address.disp += imm;
      at = base;
    }
  }

  private addBase(value: Value, address: Address): void {
    const def = definition(value);
    if (def?.op === 'symbol' && Math.abs(address.disp + def.offset) < ADD_RANGE) {
      address.symbol = def.symbol;
      address.disp += def.offset;
    } else if (def?.op === 'slot') {
      address.base = FRAME;
      address.disp += this.slotOffset(def);
    } else address.base = this.use(value);
  }

  private addIndex(value: Value, address: Address): void {
    const scale = scaleOf(value);
    const inner = scale > 0 ? definition(value)?.args[0] : value;
    if (inner === undefined) return bug('a shift has operands');
    // A constant or a symbol as index: it is in a register then, which is rare.
    address.index = this.use(inner);
    address.scale = scale > 0 ? scale : 1;
  }

  private slotOffset(def: Instruction): number {
    return (this.out.slotOffsets[def.slot?.index ?? -1] ?? bug('a slot without a place')) + def.offset;
  }

  private layoutSlot(slot: StackSlot): void {
    this.out.slotBytes = Math.ceil((this.out.slotBytes + slot.size) / slot.align) * slot.align;
    this.out.slotOffsets[slot.index] = -this.out.slotBytes;
  }

  // Emitting

  emit(op: MachineOp, width: Width, a: number, b: number): MachineInstruction {
    const i = new MachineInstruction(op, width, a, b, this.location);
    this.sequence.push(i);
    return i;
  }

  rr(op: MachineOp, width: Width, a: number, b: number): MachineInstruction {
    return this.emit(op, width, a, b);
  }

  ri(op: MachineOp, width: Width, a: number, imm: number): MachineInstruction {
    const i = this.emit(op, width, a, IMMEDIATE);
    i.imm = imm;
    return i;
  }

  r(op: MachineOp, width: Width, a: number): MachineInstruction {
    return this.emit(op, width, a, NONE);
  }

  rm(op: MachineOp, width: Width, a: number, address: Address): MachineInstruction {
    return setAddress(this.emit(op, width, a, MEMORY), address);
  }

  mr(op: MachineOp, width: Width, address: Address, b: number): MachineInstruction {
    return setAddress(this.emit(op, width, MEMORY, b), address);
  }

  mi(op: MachineOp, width: Width, address: Address, imm: number): MachineInstruction {
    const i = this.mr(op, width, address, IMMEDIATE);
    i.imm = imm;
    return i;
  }

  condition(op: MachineOp, width: Width, condition: number, a: number, b: number): MachineInstruction {
    const i = this.emit(op, width, a, b);
    i.condition = condition;
    return i;
  }

  /** `op a, value` with the value as immediate, memory operand or register, whichever is best. `op` may read 32 bits of narrow types. */
  withOperand(op: MachineOp, width: Width, a: number, value: Value, allowImmediate = true): MachineInstruction {
    const imm = allowImmediate ? this.immediate(value) : null;
    if (imm !== null) return this.ri(op, width, a, imm);
    if (bitsOf(value.type) === width && this.mayTakeIn(value)) return this.rm(op, width, a, this.addressOfLoad(value));
    return this.rr(op, width, a, this.use(value));
  }

  /** The address that a load which is taken in reads. */
  addressOfLoad(value: Value): Address {
    const def = definition(value);
    const address = def?.args[0];
    if (def === null || address === undefined) return bug('not a load');
    return this.address(address, def.offset);
  }

  loadInto(register: number, def: Instruction): void {
    const address = this.address(def.args[0] ?? bug('a load has an address'), def.offset);
    const { type } = def;
    if (type === 'f64') this.rm(M.movsd, 64, register, address);
    else if (type === 'i8') this.rm(M.movzx8, 32, register, address);
    else if (type === 'i16') this.rm(M.movzx16, 32, register, address);
    else this.rm(M.mov, type === 'i64' ? 64 : 32, register, address);
  }

  // Blocks and edges

  machineBlock(block: Block): MachineBlock {
    return this.blocks[block.id] ?? bug(`b${block.id} is not reachable`);
  }

  /** The machine block to go to for `edge`: the target, or a new block that moves the arguments first. */
  edgeTarget(edge: Edge, from: MachineBlock): MachineBlock {
    const target = this.machineBlock(edge.block);
    if (edge.block.params.every((param) => this.uses.count(param) === 0)) return target;
    const between = this.innerBlock(from, (inner) => {
      this.moveArguments(edge);
      this.jump(inner, target);
    });
    between.depth = Math.min(from.depth, target.depth);
    between.cold = from.cold || target.cold;
    return between;
  }

  /** A block behind `from` without an IR block of its own, filled by `fill`. */
  innerBlock(from: MachineBlock, fill: (inner: MachineBlock) => void): MachineBlock {
    const inner = new MachineBlock();
    inner.depth = from.depth;
    inner.cold = from.cold;
    const outer = this.sequence;
    this.sequence = inner.instructions;
    fill(inner);
    this.sequence = outer;
    this.edgeBlocks.push(inner);
    return inner;
  }

  jump(from: MachineBlock, to: MachineBlock): void {
    this.emit(M.jmp, 64, NONE, NONE).target = to;
    from.successors.push(to);
  }

  /** All at once: an argument may be a parameter of the same block. Constants come last, since they read nothing. */
  moveArguments(edge: Edge): void {
    if (edge.args.length === 0) return;
    const to: number[] = [];
    const from: number[] = [];
    const late: { readonly register: number; readonly value: Value }[] = [];
    for (let k = 0; k < edge.args.length; k++) {
      const param = edge.block.params[k] ?? bug('more arguments than parameters');
      const value = edge.args[k] ?? bug('a hole in arguments');
      if (this.uses.count(param) === 0) continue;
      const source = throughTrunc(value);
      const def = definition(source);
      const register = this.result(param);
      if (def !== null && isRematerialised(def)) late.push({ register, value: source });
      else {
        to.push(register);
        from.push(this.result(source));
      }
    }
    const isFloatRegister = (register: number): boolean =>
      register >= FIRST_VIRTUAL ? this.out.isFloat[register - FIRST_VIRTUAL] === true : isFloat(register);
    for (const [target, source] of sequentialise(to, from, (like) => this.temporary(isFloatRegister(like)))) {
      if (isFloatRegister(target)) this.rr(M.movsd, 64, target, source);
      else this.rr(M.mov, 64, target, source);
    }
    for (const { register, value } of late) this.into(register, value);
  }
}

export function definition(value: Value): Instruction | null {
  return value.def instanceof IrInstruction ? value.def : null;
}

/** Constants and addresses are made anew at each use: no register is kept for them. */
function isRematerialised(def: Instruction): boolean {
  return def.op === 'const' || def.op === 'symbol' || def.op === 'slot';
}

/** The low bits of a value are in the wider value's register. */
export function throughTrunc(value: Value): Value {
  let at = value;
  for (let def = definition(at); def !== null && def.op === 'trunc'; def = definition(at)) at = def.args[0] ?? bug('trunc has an operand');
  return at;
}

export function symbolAddress(symbol: string): Address {
  return { base: NONE, index: NONE, scale: 1, disp: 0, symbol };
}

export function setAddress(i: MachineInstruction, address: Address): MachineInstruction {
  i.base = address.base;
  i.index = address.index;
  i.scale = address.scale;
  i.disp = address.disp;
  i.symbol = address.symbol;
  return i;
}

/** An address that needs no register of its own in a memory operand. */
function isPlace(value: Value): boolean {
  const def = definition(value);
  return def?.op === 'symbol' || def?.op === 'slot';
}

/** 2, 4 or 8 if the value is another one shifted or multiplied so, else 0. */
function scaleOf(value: Value): number {
  const def = definition(value);
  if (def === null || (def.op !== 'shl' && def.op !== 'mul')) return 0;
  const constant = definition(def.args[1] ?? value);
  if (constant === null || constant.op !== 'const') return 0;
  const n = Number(constant.value);
  if (def.op === 'shl') return n >= 1 && n <= 3 ? 1 << n : 0;
  return n === 2 || n === 4 || n === 8 ? n : 0;
}
