/**
 * Encodings in the manual's notation, compiled for decoder and encoder. An encoding is written in up to three parts, two spaces between them:
 *
 *     '01 /r  Ev,Gv'      '83 /0  Ev,sIb'      '50+r  Zv  d64'      'F3 0F B8 /r  Gv,Ev'      'VEX.LZ.F2.0F38.W F7 /r  Gy,Ey,By'      '98  -  os16'
 *
 * 1. Bytes. NP NFx 66 F3 F2 first: a mandatory prefix (NP: none of the three; NFx: neither F2 nor F3). REX.W: needs W = 1; W0: needs W = 0. `/r`: a ModRM byte follows;
 *    `/3`: its reg field is 3; `mem` or `reg` after it: of this kind only. A byte after the opcode of 0F 01 and the like is the whole ModRM byte. `+r`: the register is in the opcode.
 *    VEX.LZ.pp.map.W: as in the manual (pp: NP 66 F3 F2).
 * 2. Operands: letters of SDM Vol. 2 appendix A.2: what, then how wide.
 *    E GPR or memory by ModRM · R the GPR of it only · M the memory of it only · G GPR in reg · Z GPR in the opcode · B GPR in VEX.vvvv · I immediate · sI immediate,
 *    sign-extended · J branch distance · A far pointer · O offset without ModRM · S C D segment, control, debug register · X Y string operands · V XMM in reg · W XMM or memory · U the XMM of it only.
 *    b w d q dq: 8 16 32 64 128 bits · v operand size · z operand size, at most 32 · y 64 with REX.W, else 32 · p far pointer · s pseudo-descriptor ·
 *    ss sd ps pd: 32 64 128 128 · none: no access. Register names stand for themselves, rAX for the accumulator at operand size.
 * 3. Superscripts of the manual: i64 not in 64-bit mode · o64 only there · d64 default operand size 64 there · f64 always 64 there;
 *    ours: b0 b1 an opcode with low bits 000 needs this REX.B ·
 *    os16 os32 os64 as16 as32 as64 only with this operand or address size.
 */
import { bug } from './bug.ts';
import type { Instruction } from './dsl.ts';
import { type AddressSize, type OperandSize, reg } from './operands.ts';
import { REGISTERS } from './registers.ts';

export type Addressing =
  | 'E'
  | 'R'
  | 'M'
  | 'G'
  | 'Z'
  | 'B'
  | 'I'
  | 'sI'
  | 'J'
  | 'A'
  | 'O'
  | 'S'
  | 'C'
  | 'D'
  | 'X'
  | 'Y'
  | 'V'
  | 'W'
  | 'U'
  | 'fixed'
  | 'one';
export type SizeCode = 'b' | 'w' | 'd' | 'q' | 'dq' | 'v' | 'z' | 'y' | 'p' | 's' | 'none';

export interface OperandCode {
  readonly text: string;
  readonly what: Addressing;
  readonly size: SizeCode;
  /** Of 'fixed': the register; its width if `size` is not v. */
  readonly register: string;
}

/** A mandatory prefix; 'any': prefixes have their usual meaning. */
export type Mandatory = 'any' | 'np' | 'nfx' | '66' | 'f3' | 'f2';

export interface Encoding {
  /** Number in the whole table, dense from 0: readers may index arrays by it. */
  readonly id: number;
  /** As written in the row. */
  readonly text: string;
  readonly row: Instruction;
  readonly vex: boolean;
  /** 0 one byte · 1 0F · 2 0F 38 · 3 0F 3A */
  readonly map: 0 | 1 | 2 | 3;
  readonly opcode: number;
  readonly plusR: boolean;
  readonly mandatory: Mandatory;
  /** -1 either, 0, 1. */
  readonly w: -1 | 0 | 1;
  readonly hasModrm: boolean;
  /** The reg field, -1: an operand. */
  readonly digit: number;
  readonly modrm: 'any' | 'mem' | 'reg';
  /** The whole ModRM byte, -1: not fixed. */
  readonly fixedModrm: number;
  readonly operands: readonly OperandCode[];
  readonly not64: boolean;
  readonly only64: boolean;
  readonly default64: boolean;
  readonly force64: boolean;
  /** Needed REX.B where the opcode's low three bits are 0 (NOP against XCHG R8), -1: any. */
  readonly rexB: -1 | 0 | 1;
  /** 0: any. */
  readonly operandSize: 0 | OperandSize;
  readonly addressSize: 0 | AddressSize;
}

const SIZES: Readonly<Record<string, SizeCode>> = {
  b: 'b', w: 'w', d: 'd', q: 'q', dq: 'dq', v: 'v', z: 'z', y: 'y', p: 'p', s: 's', ss: 'd', sd: 'q', ps: 'dq', pd: 'dq', x: 'dq', '': 'none',
}; // biome-ignore format: short

/** By their text: what encodings share. */
const operandLists = new Map<string, readonly OperandCode[]>();

function operandList(text: string): readonly OperandCode[] {
  const known = operandLists.get(text);
  if (known !== undefined) return known;
  const operands = text === '-' ? [] : text.split(',').map(operandCode);
  operandLists.set(text, operands);
  return operands;
}

function operandCode(text: string): OperandCode {
  if (text === '1') return { text, what: 'one', size: 'b', register: '' };
  if (text === 'rAX') return { text, what: 'fixed', size: 'v', register: 'rax' };
  if (REGISTERS.has(text.toLowerCase())) return { text, what: 'fixed', size: 'none', register: text.toLowerCase() };
  const match = /^(sI|[ERMGZBIJAOSCDXYVWU])([a-z]*)$/.exec(text);
  const size = match === null ? undefined : SIZES[match[2] ?? ''];
  if (match === null || size === undefined) return bug(`operand '${text}' is not in the notation`);
  return { text, what: match[1] as Addressing, size, register: '' };
}

interface Head {
  vex: boolean;
  map: 0 | 1 | 2 | 3;
  opcode: number;
  plusR: boolean;
  mandatory: Mandatory;
  w: -1 | 0 | 1;
  hasModrm: boolean;
  digit: number;
  modrm: 'any' | 'mem' | 'reg';
  fixedModrm: number;
}

const MANDATORY: Readonly<Record<string, Mandatory>> = { NP: 'np', NFx: 'nfx', '66': '66', F3: 'f3', F2: 'f2' };
const VEX_MAPS: Readonly<Record<string, 0 | 1 | 2 | 3>> = { '0F': 1, '0F38': 2, '0F3A': 3 };

function vexHead(head: Head, token: string): void {
  head.vex = true;
  head.mandatory = 'np';
  for (const part of token.split('.').slice(1)) {
    const mandatory = MANDATORY[part];
    const map = VEX_MAPS[part];
    if (mandatory !== undefined) head.mandatory = mandatory;
    else if (map !== undefined) head.map = map;
    else if (part === 'W0' || part === 'W1') head.w = part === 'W1' ? 1 : 0;
    else if (part !== 'LZ' && part !== 'W') bug(`'${part}' in ${token}`);
  }
}

/** '00' … 'FF'. */
const BYTES: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 256 }, (_, byte) => [byte.toString(16).toUpperCase().padStart(2, '0'), byte]),
);
const startsWithByte = (token: string): boolean => BYTES.has(token.slice(0, 2));

/** The bytes part, token by token. Every process does this for the whole table. */
function parseHead(text: string): Head {
  const head: Head = {
    vex: false,
    map: 0,
    opcode: -1,
    plusR: false,
    mandatory: 'any',
    w: -1,
    hasModrm: false,
    digit: -1,
    modrm: 'any',
    fixedModrm: -1,
  };
  const tokens = text.split(' ');
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? '';
    const byte = BYTES.get(token);
    if (byte === undefined) otherToken(head, token, text);
    else if (head.opcode >= 0) {
      head.fixedModrm = byte;
      head.hasModrm = true;
    } else if (byte === 0x0f && head.map === 0) head.map = 1;
    else if ((byte === 0x38 || byte === 0x3a) && head.map === 1 && !head.vex) head.map = byte === 0x38 ? 2 : 3;
    else if (head.map === 0 && MANDATORY[token] !== undefined && tokens.slice(i + 1).some(startsWithByte))
      head.mandatory = MANDATORY[token];
    else head.opcode = byte;
  }
  return head.opcode < 0 ? bug(`no opcode in the encoding '${text}'`) : head;
}

function otherToken(head: Head, token: string, text: string): void {
  if (token === '/r') head.hasModrm = true;
  else if (/^\/[0-7]$/.test(token)) {
    head.hasModrm = true;
    head.digit = Number(token[1]);
  } else if (token === 'NP' || token === 'NFx') head.mandatory = token === 'NP' ? 'np' : 'nfx';
  else if (token.startsWith('VEX.')) vexHead(head, token);
  else if (token === 'REX.W') head.w = 1;
  else if (token === 'W0') head.w = 0;
  else if (token === 'mem' || token === 'reg') head.modrm = token;
  else if (token.length === 4 && token.endsWith('+r')) {
    head.opcode = BYTES.get(token.slice(0, 2)) ?? bug(`'${token}' in the encoding '${text}'`);
    head.plusR = true;
  } else bug(`'${token}' in the encoding '${text}'`);
}

/** Compiles one encoding of a row. */
export function parseEncoding(row: Instruction, text: string, id: number): Encoding {
  const [bytes = '', operandText = '-', superscripts = ''] = text.split(/ {2,}/);
  const head = parseHead(bytes);
  const operands = operandList(operandText);
  const marks = new Set(superscripts === '' ? [] : superscripts.split(' '));
  const take = (mark: string) => marks.delete(mark);
  const sizeMark = (prefix: string): 0 | 16 | 32 | 64 =>
    take(`${prefix}16`) ? 16 : take(`${prefix}32`) ? 32 : take(`${prefix}64`) ? 64 : 0;
  for (const o of operands) {
    if (o.what === 'M') head.modrm = 'mem';
    // MOV to and from control and debug registers ignores the mod field (SDM Vol. 2): the decoder handles it.
    if ((o.what === 'R' || o.what === 'U') && !operands.some((p) => p.what === 'C' || p.what === 'D')) head.modrm = 'reg';
    if (o.what === 'fixed' && o.size !== 'v') reg(o.register);
  }
  const encoding: Encoding = {
    id,
    text,
    row,
    ...head,
    operands,
    not64: take('i64'),
    only64: take('o64'),
    default64: take('d64'),
    force64: take('f64'),
    rexB: take('b0') ? 0 : take('b1') ? 1 : -1,
    operandSize: sizeMark('os'),
    addressSize: sizeMark('as'),
  };
  return marks.size === 0 ? encoding : bug(`superscript '${[...marks].join(' ')}' in '${text}' of ${row.name}`);
}

/** Bits of a size code; 0: no plain value. `w64`: REX.W or VEX.W. */
export function bitsOf(size: SizeCode, operandSize: OperandSize, w64: boolean): number {
  switch (size) {
    case 'v':
      return operandSize;
    case 'b':
      return 8;
    case 'd':
      return 32;
    case 'q':
      return 64;
    case 'z':
      return operandSize === 16 ? 16 : 32;
    case 'w':
      return 16;
    case 'y':
      return w64 ? 64 : 32;
    case 'dq':
      return 128;
    case 'p':
      return operandSize + 16;
    case 's':
    case 'none':
      return 0;
  }
}
