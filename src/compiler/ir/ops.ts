/**
 * The operations of the IR: one row each. The printer, parser, verifier, interpreter and the passes read this table.
 *
 * Semantics in general:
 * - Integers wrap unless the row says `traps`. Shift counts are taken modulo the width. Divisions by zero trap with `divide`;
 *   `sdiv` of the least value by -1 traps with `overflow`, `srem` of it gives 0.
 * - `traps` means: may end the program with a trap, and has no other effect. Such an instruction is not moved before an effect, and not
 *   removed while it may trap; two equal ones may be merged.
 * - An instruction with no effect at all (`isPure`) may be removed, repeated and moved.
 *
 * Operand and result types: `T` is the instruction's own `type`; `int` any integer type; the others are literal.
 */

import * as fold from './fold.ts';
import type { Type } from './types.ts';

export type OperandType = 'T' | 'int' | 'any' | Type;
export type TypeClass = 'integer' | 'float' | 'any' | 'i64';

export interface OpRow {
  readonly meaning: string;
  /** Which types `type` may be. */
  readonly on: TypeClass;
  /** The operands' types; `variadic`: whatever the call passes. */
  readonly args: readonly OperandType[] | 'variadic';
  /** The result's type; `none`; `call`: as the instruction says. */
  readonly result: OperandType | 'none' | 'call';
  readonly traps: boolean;
  readonly reads: boolean;
  readonly writes: boolean;
  readonly commutes: boolean;
  readonly fold: fold.Fold | null;
}

type Effects = Partial<Pick<OpRow, 'traps' | 'reads' | 'writes' | 'commutes'>> & { fold?: fold.Fold };

function row(meaning: string, on: TypeClass, args: OpRow['args'], result: OpRow['result'], effects: Effects = {}): OpRow {
  return { meaning, on, args, result, traps: false, reads: false, writes: false, commutes: false, fold: null, ...effects };
}

const traps = true;
const reads = true;
const writes = true;
const commutes = true;

// biome-ignore format: one operation a line
export const OPS = {
  const:    row('`value`',                                        'any',     [],                      'T'),
  symbol:   row('the address of `symbol` + `offset`',             'i64',     [],                      'T'),
  slot:     row('the address of `slot` + `offset`',               'i64',     [],                      'T'),

  add:      row('a + b',                                          'integer', ['T', 'T'],              'T',    { commutes, fold: fold.add }),
  sub:      row('a - b',                                          'integer', ['T', 'T'],              'T',    { fold: fold.sub }),
  mul:      row('a * b, low half',                                'integer', ['T', 'T'],              'T',    { commutes, fold: fold.mul }),
  and:      row('a & b',                                          'integer', ['T', 'T'],              'T',    { commutes, fold: fold.and }),
  or:       row('a | b',                                          'integer', ['T', 'T'],              'T',    { commutes, fold: fold.or }),
  xor:      row('a ^ b',                                          'integer', ['T', 'T'],              'T',    { commutes, fold: fold.xor }),
  shl:      row('a << (b mod width)',                             'integer', ['T', 'T'],              'T',    { fold: fold.shl }),
  lshr:     row('a >>> (b mod width)',                            'integer', ['T', 'T'],              'T',    { fold: fold.lshr }),
  ashr:     row('a >> (b mod width)',                             'integer', ['T', 'T'],              'T',    { fold: fold.ashr }),
  clz:      row('leading zeros; the width for 0',                 'integer', ['T'],                   'T',    { fold: fold.clz }),
  ctz:      row('trailing zeros; the width for 0',                'integer', ['T'],                   'T',    { fold: fold.ctz }),
  bswap:    row('bytes in reverse order',                         'integer', ['T'],                   'T',    { fold: fold.bswap }),

  sadd:     row('a + b, signed; traps with overflow',             'integer', ['T', 'T'],              'T',    { traps, commutes, fold: fold.sadd }),
  uadd:     row('a + b, unsigned; traps with overflow',           'integer', ['T', 'T'],              'T',    { traps, commutes, fold: fold.uadd }),
  ssub:     row('a - b, signed; traps with overflow',             'integer', ['T', 'T'],              'T',    { traps, fold: fold.ssub }),
  usub:     row('a - b, unsigned; traps with overflow',           'integer', ['T', 'T'],              'T',    { traps, fold: fold.usub }),
  smul:     row('a * b, signed; traps with overflow',             'integer', ['T', 'T'],              'T',    { traps, commutes, fold: fold.smul }),
  umul:     row('a * b, unsigned; traps with overflow',           'integer', ['T', 'T'],              'T',    { traps, commutes, fold: fold.umul }),
  udiv:     row('a / b, unsigned; traps with divide',             'integer', ['T', 'T'],              'T',    { traps, fold: fold.udiv }),
  sdiv:     row('a / b towards 0; traps with divide, overflow',   'integer', ['T', 'T'],              'T',    { traps, fold: fold.sdiv }),
  urem:     row('a % b, unsigned; traps with divide',             'integer', ['T', 'T'],              'T',    { traps, fold: fold.urem }),
  srem:     row('a % b, sign of a; traps with divide',            'integer', ['T', 'T'],              'T',    { traps, fold: fold.srem }),

  icmp:     row('1 if `predicate` holds, else 0',                 'integer', ['T', 'T'],              'i8',   { fold: fold.comparison }),
  fcmp:     row('1 if `predicate` holds, else 0',                 'float',   ['T', 'T'],              'i8',   { fold: fold.comparison }),
  select:   row('b if a is not 0, else c',                        'any',     ['i8', 'T', 'T'],        'T',    { fold: fold.select }),
  zext:     row('a zero-extended to a wider type',                'integer', ['int'],                 'T',    { fold: fold.zext }),
  sext:     row('a sign-extended to a wider type',                'integer', ['int'],                 'T',    { fold: fold.resize }),
  trunc:    row('the low part of a, of a narrower type',          'integer', ['int'],                 'T',    { fold: fold.resize }),
  bitcast:  row('the same bits, i64 to f64 or f64 to i64',        'any',     ['any'],                 'T',    { fold: fold.bitcast }),

  fadd:     row('a + b',                                          'float',   ['T', 'T'],              'T',    { commutes, fold: fold.fadd }),
  fsub:     row('a - b',                                          'float',   ['T', 'T'],              'T',    { fold: fold.fsub }),
  fmul:     row('a * b',                                          'float',   ['T', 'T'],              'T',    { commutes, fold: fold.fmul }),
  fdiv:     row('a / b',                                          'float',   ['T', 'T'],              'T',    { fold: fold.fdiv }),
  fneg:     row('-a, of NaN too',                                 'float',   ['T'],                   'T',    { fold: fold.fneg }),
  fabs:     row('|a|, of NaN too',                                'float',   ['T'],                   'T',    { fold: fold.fabs }),
  fsqrt:    row('square root',                                    'float',   ['T'],                   'T',    { fold: fold.fsqrt }),
  sitofp:   row('i32 or i64, signed, rounded to f64',             'float',   ['int'],                 'T',    { fold: fold.sitofp }),
  uitofp:   row('i32 or i64, unsigned, rounded to f64',           'float',   ['int'],                 'T',    { fold: fold.uitofp }),
  fptosi:   row('f64 towards 0 to i32 or i64; else the least',    'integer', ['f64'],                 'T',    { fold: fold.fptosi }),
  fptoui:   row('f64 towards 0 to i64, unsigned (see fold.ts)',   'i64',     ['f64'],                 'T',    { fold: fold.fptoui }),

  load:     row('`type` at a + `offset`',                         'any',     ['i64'],                 'T',    { reads }),
  store:    row('a → `type` at b + `offset`',                     'any',     ['T', 'i64'],            'none', { writes }),
  memcpy:   row('c bytes from b to a; they must not overlap',     'i64',     ['i64', 'i64', 'i64'],   'none', { reads, writes }),
  memmove:  row('c bytes from b to a; they may overlap',          'i64',     ['i64', 'i64', 'i64'],   'none', { reads, writes }),
  memset:   row('c bytes of b to a',                              'i64',     ['i64', 'i8', 'i64'],    'none', { writes }),

  call:     row('`symbol`(args), SysV',                           'any',     'variadic',              'call', { traps, reads, writes }),
  callind:  row('*args[0](args from 1), SysV',                    'any',     'variadic',              'call', { traps, reads, writes }),
  asm:      row('`assembly`',                                     'any',     'variadic',              'call', { traps, reads, writes }),
  trapif:   row('trap with `trap` if a is not 0',                 'any',     ['i8'],                  'none', { traps }),
} satisfies Record<string, OpRow>;

export type Op = keyof typeof OPS;

/** The rows by name, as rows: for reading an op that is not known when the program is written. */
const ROWS: Readonly<Record<Op, OpRow>> = OPS;

export function opRow(op: Op): OpRow {
  return ROWS[op];
}

/** May be removed when unused, repeated, moved. */
export function isPure(op: Op): boolean {
  const { traps: mayTrap, reads: mayRead, writes: mayWrite } = ROWS[op];
  return !(mayTrap || mayRead || mayWrite);
}
