/**
 * Machine code before it has registers and bytes: blocks of x86-64 instructions over virtual registers.
 *
 * An instruction has up to two operands besides an immediate, `a` and `b`: each is a register, `MEMORY` (then base, index, scale, disp,
 * symbol say where; at most one of the two is), `IMMEDIATE` (only `b`) or `NONE`. What it does to `a` stands in its op's row; `b` is read.
 * Virtual registers may be written more than once: this is not SSA any more.
 *
 * A 32-bit operation on a spilled register leaves the upper half of its slot as it was: what is read in 64 bits is written in 64 bits, or by
 * an op that never works in memory (`memoryA` is false), or a constant.
 */

import type { FunctionNotes, Location, Value } from '../../ir/function.ts';
import type { TrapCode } from '../../ir/trap-codes.ts';
import { CALLER_SAVED_MASK, FIRST_VIRTUAL, NONE, RAX, RCX, RDI, RDX, RSI, registerName } from './registers.ts';

/** In the place of a register: the instruction's memory operand. */
export const MEMORY = -2;
/** In the place of `b`: the instruction's immediate. */
export const IMMEDIATE = -3;

export type Width = 8 | 16 | 32 | 64;

/** Condition codes as the SDM numbers them (Vol. 1, appendix B). XOR 1 negates. */
export const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;
export const O = 0;
export const B = 2;
export const AE = 3;
export const E = 4;
export const NE = 5;
export const BE = 6;
export const A = 7;
export const S = 8;
export const NS = 9;
export const P = 10;
export const NP = 11;
export const L = 12;
export const GE = 13;
export const LE = 14;
export const G = 15;

/** What an instruction does to `a`. */
export type Role = 'none' | 'read' | 'write' | 'change';

export interface MachineOp {
  /** Position in the table. */
  readonly id: number;
  /** The mnemonic; a condition is appended to that of conditional ones. What is in `<>` is more than one instruction or none. */
  readonly name: string;
  readonly a: Role;
  /** May `a`, `b` be in memory, so that a spilled register need not be loaded? */
  readonly memoryA: boolean;
  readonly memoryB: boolean;
  readonly readsFlags: boolean;
  readonly writesFlags: boolean;
  /** Registers read and written besides the operands: bit n for register n. */
  readonly reads: number;
  readonly writes: number;
  readonly conditional: boolean;
}

interface Traits {
  memory?: '' | 'a' | 'b' | 'ab';
  flags?: '' | 'r' | 'w' | 'rw';
  reads?: number;
  writes?: number;
  conditional?: true;
}

const bits = (...registers: number[]): number => registers.reduce((mask, register) => mask | (1 << register), 0);

function op(name: string, a: Role, { memory = '', flags = '', reads = 0, writes = 0, conditional }: Traits = {}): MachineOp {
  return {
    id: 0,
    name,
    a,
    memoryA: memory.startsWith('a'),
    memoryB: memory.endsWith('b'),
    readsFlags: flags.startsWith('r'),
    writesFlags: flags.endsWith('w'),
    reads,
    writes,
    conditional: conditional === true,
  };
}

function numbered<T extends Record<string, MachineOp>>(table: T): T {
  let id = 0;
  const entries = Object.entries(table).map(([key, row]) => [key, { ...row, id: id++ }]);
  return Object.fromEntries(entries);
}

const string = bits(RDI, RSI, RCX);

// biome-ignore format: one operation a line
export const M = numbered({
  mov:       op('mov',       'write',  { memory: 'ab' }),
  /** Copies of vector registers and f64 loads, stores. */
  movsd:     op('movsd',     'write',  { memory: 'ab' }),
  /** An immediate of 64 bits: `imm` is its low half, `disp` its high half. */
  movabs:    op('mov',       'write'),
  movzx8:    op('movzx',     'write',  { memory: 'b' }),
  movzx16:   op('movzx',     'write',  { memory: 'b' }),
  /** `mov r32, r/m32` for its clearing of the upper half: not a copy. */
  movzx32:   op('mov',       'write',  { memory: 'b' }),
  /** The same where the upper half of `b` is known to be clear: a copy if both get one register. */
  movclear:  op('mov',       'write',  { memory: 'b' }),
  movsx8:    op('movsx',     'write',  { memory: 'b' }),
  movsx16:   op('movsx',     'write',  { memory: 'b' }),
  movsxd:    op('movsxd',    'write',  { memory: 'b' }),
  lea:       op('lea',       'write'),
  add:       op('add',       'change', { memory: 'ab', flags: 'w' }),
  sub:       op('sub',       'change', { memory: 'ab', flags: 'w' }),
  and:       op('and',       'change', { memory: 'ab', flags: 'w' }),
  or:        op('or',        'change', { memory: 'ab', flags: 'w' }),
  xor:       op('xor',       'change', { memory: 'ab', flags: 'w' }),
  /** xor r32, r32 of one register. */
  clear:     op('xor',       'write',  { flags: 'w' }),
  cmp:       op('cmp',       'read',   { memory: 'ab', flags: 'w' }),
  test:      op('test',      'read',   { memory: 'a', flags: 'w' }),
  neg:       op('neg',       'change', { memory: 'a', flags: 'w' }),
  not:       op('not',       'change', { memory: 'a' }),
  shl:       op('shl',       'change', { memory: 'a', flags: 'w' }),
  shr:       op('shr',       'change', { memory: 'a', flags: 'w' }),
  sar:       op('sar',       'change', { memory: 'a', flags: 'w' }),
  shlcl:     op('shl',       'change', { memory: 'a', flags: 'w', reads: bits(RCX) }),
  shrcl:     op('shr',       'change', { memory: 'a', flags: 'w', reads: bits(RCX) }),
  sarcl:     op('sar',       'change', { memory: 'a', flags: 'w', reads: bits(RCX) }),
  imul:      op('imul',      'change', { memory: 'b', flags: 'w' }),
  /** imul a, b, imm */
  imul3:     op('imul',      'write',  { memory: 'b', flags: 'w' }),
  mul:       op('mul',       'read',   { memory: 'a', flags: 'w', reads: bits(RAX), writes: bits(RAX, RDX) }),
  imul1:     op('imul',      'read',   { memory: 'a', flags: 'w', reads: bits(RAX), writes: bits(RAX, RDX) }),
  div:       op('div',       'read',   { memory: 'a', flags: 'w', reads: bits(RAX, RDX), writes: bits(RAX, RDX) }),
  idiv:      op('idiv',      'read',   { memory: 'a', flags: 'w', reads: bits(RAX, RDX), writes: bits(RAX, RDX) }),
  cdq:       op('cdq',       'none',   { reads: bits(RAX), writes: bits(RDX) }),
  cqo:       op('cqo',       'none',   { reads: bits(RAX), writes: bits(RDX) }),
  bsf:       op('bsf',       'write',  { memory: 'b', flags: 'w' }),
  bsr:       op('bsr',       'write',  { memory: 'b', flags: 'w' }),
  bswap:     op('bswap',     'change'),
  set:       op('set',       'write',  { memory: 'a', flags: 'r', conditional: true }),
  cmov:      op('cmov',      'change', { memory: 'b', flags: 'r', conditional: true }),

  movq:      op('movq',      'write'),
  addsd:     op('addsd',     'change', { memory: 'b' }),
  subsd:     op('subsd',     'change', { memory: 'b' }),
  mulsd:     op('mulsd',     'change', { memory: 'b' }),
  divsd:     op('divsd',     'change', { memory: 'b' }),
  sqrtsd:    op('sqrtsd',    'change', { memory: 'b' }),
  ucomisd:   op('ucomisd',   'read',   { memory: 'b', flags: 'w' }),
  cvtsi2sd:  op('cvtsi2sd',  'change', { memory: 'b' }),
  cvttsd2si: op('cvttsd2si', 'write',  { memory: 'b' }),
  /** Only with a 16-byte constant in memory, or clearing (then `a` and `b` are one). */
  xorpd:     op('xorpd',     'change'),
  andpd:     op('andpd',     'change'),
  clearpd:   op('xorpd',     'write'),

  repmovsb:  op('rep movsb', 'none',   { reads: string, writes: string }),
  repmovsq:  op('rep movsq', 'none',   { reads: string, writes: string }),
  repstosb:  op('rep stosb', 'none',   { reads: bits(RDI, RCX, RAX), writes: bits(RDI, RCX) }),
  repstosq:  op('rep stosq', 'none',   { reads: bits(RDI, RCX, RAX), writes: bits(RDI, RCX) }),
  /** RCX bytes from RSI to RDI, which may overlap. */
  memmove:   op('<memmove>', 'none',   { flags: 'w', reads: string, writes: string | bits(RAX) }),

  call:      op('call',      'none',   { flags: 'w', writes: CALLER_SAVED_MASK }),
  callind:   op('call',      'read',   { memory: 'a', flags: 'w', writes: CALLER_SAVED_MASK }),
  /** The bytes of inline assembly. */
  asm:       op('<asm>',     'none',   { flags: 'w', writes: CALLER_SAVED_MASK }),
  /** To the trap `trap` if the condition holds. */
  trapif:    op('j',         'none',   { flags: 'r', conditional: true }),
  /** Over the next instruction if the condition holds. */
  skip:      op('<skip> j',  'none',   { flags: 'r', conditional: true }),

  jmp:       op('jmp',       'none'),
  jcc:       op('j',         'none',   { flags: 'r', conditional: true }),
  /** Through the table of `table`, by the index register `a`. */
  jmptable:  op('jmp',       'read'),
  std:       op('std',       'none'),
  cld:       op('cld',       'none'),
  ret:       op('ret',       'none'),
  push:      op('push',      'read'),
  pop:       op('pop',       'write'),
  leave:     op('leave',     'none'),
  ud2:       op('ud2',       'none'),
} satisfies Record<string, MachineOp>);

/** Of what has no other field. */
export interface Extra {
  /** `asm`: the text. */
  readonly assembly?: string;
  /** `jmptable`: a target for each index. */
  readonly table?: readonly MachineBlock[];
}

export class MachineInstruction {
  op: MachineOp;
  /** Of the operation; for movzx8, movsx16 …: of the result. */
  width: Width;
  a: number;
  b: number;
  base = NONE;
  index = NONE;
  scale = 1;
  disp = 0;
  /** Added to the memory operand's address; the target of a call. */
  symbol: string | null = null;
  /** Signed 32 bits. */
  imm = 0;
  condition = 0;
  /** As the op's row, and what this call or asm passes besides. */
  reads: number;
  writes: number;
  target: MachineBlock | null = null;
  trap: TrapCode | null = null;
  extra: Extra | null = null;
  location: Location | null;

  constructor(row: MachineOp, width: Width, a: number, b: number, location: Location | null) {
    this.op = row;
    this.width = width;
    this.a = a;
    this.b = b;
    this.reads = row.reads;
    this.writes = row.writes;
    this.location = location;
  }
}

export class MachineBlock {
  /** Position in `MachineFunction.blocks` while registers are allocated. */
  position = 0;
  readonly instructions: MachineInstruction[] = [];
  readonly successors: MachineBlock[] = [];
  /** Loops around it. */
  depth = 0;
  cold = false;
}

/** What debug information needs to know of the function that the machine code was made of. */
export interface Origin {
  readonly notes: FunctionNotes;
  /** Parameters, and where the caller puts them: a fixed register, or `NONE` and bytes behind the return address. */
  readonly parameters: readonly { readonly value: Value; readonly register: number; readonly stack: number }[];
  /** The virtual register of a value, by its id; 0: it has none. */
  readonly registers: Int32Array;
  /** Blocks whose parameters the edges to them have put in place. */
  readonly joins: readonly { readonly block: MachineBlock; readonly parameters: readonly Value[] }[];
}

export class MachineFunction {
  readonly symbol: string;
  /** null: no debug information of variables is wanted. */
  origin: Origin | null = null;
  /** In layout order. */
  blocks: MachineBlock[] = [];
  /** For each virtual register (from 0): is it a vector register? */
  readonly isFloat: boolean[] = [];
  /** Bytes of the function's own slots, and their offsets from `FRAME` by slot index. */
  slotBytes = 0;
  readonly slotOffsets: number[] = [];
  /** Bytes at the bottom of the frame for arguments of calls. */
  argumentBytes = 0;

  constructor(symbol: string) {
    this.symbol = symbol;
  }

  newRegister(float: boolean): number {
    this.isFloat.push(float);
    return FIRST_VIRTUAL + this.isFloat.length - 1;
  }
}

/** For dumps and tests, in Intel syntax; `name` gives the registers' names. */
export function printMachine(fn: MachineFunction, name: (register: number) => string = registerName): string {
  const lines = [`${fn.symbol}:`];
  for (const block of fn.blocks) {
    lines.push(`m${block.position}:${block.depth > 0 ? ` # depth ${block.depth}` : ''}${block.cold ? ' # cold' : ''}`);
    for (const i of block.instructions) lines.push(`  ${printMachineInstruction(i, name)}`);
  }
  return `${lines.join('\n')}\n`;
}

export function printMachineInstruction(i: MachineInstruction, name: (register: number) => string = registerName): string {
  const operand = (register: number): string => {
    if (register === IMMEDIATE) return `${i.imm}`;
    return register === MEMORY ? memory(i, name) : `${name(register)}`;
  };
  const operands = [i.a, i.b].filter((register) => register !== NONE).map(operand);
  if (i.op === M.imul3 || i.op === M.movabs) operands.push(`${i.imm}`);
  if (i.symbol !== null && i.a !== MEMORY && i.b !== MEMORY) operands.push(i.symbol);
  if (i.target !== null) operands.push(`m${i.target.position}`);
  if (i.trap !== null) operands.push(`trap ${i.trap}`);
  for (const target of i.extra?.table ?? []) operands.push(`m${target.position}`);
  const condition = i.op.conditional ? (CONDITIONS[i.condition] ?? '') : '';
  return `${i.op.name}${condition}.${i.width} ${operands.join(', ')}`.trimEnd();
}

function memory(i: MachineInstruction, name: (register: number) => string): string {
  const parts: string[] = [];
  if (i.symbol !== null) parts.push(i.symbol);
  if (i.base !== NONE) parts.push(name(i.base));
  if (i.index !== NONE) parts.push(`${name(i.index)}*${i.scale}`);
  if (i.disp !== 0 || parts.length === 0) parts.push(`${i.disp}`);
  return `[${parts.join(' + ')}]`;
}
