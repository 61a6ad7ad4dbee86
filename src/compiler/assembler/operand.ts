/**
 * Operands in Intel syntax: registers, immediates (`5`, `CONSTANT`, `offset symbol`), memory (`dword ptr fs:[rax + rcx*4 + table]`, `[rip + message]`,
 * `table[rdi]`), far pointers (`0x10:start`). A bare symbol is the memory there, as in GNU as, except for branches.
 */
import type { AddressSize, Mode } from '../../machine/isa/operands.ts';
import { REGISTERS, type RegisterName, SEGMENTS, type Segment } from '../../machine/isa/registers.ts';
import type { Expression, TokenReader } from './expression.ts';

export type ParsedOperand =
  | { readonly kind: 'register'; readonly name: string; readonly register: RegisterName; readonly column: number }
  | {
      readonly kind: 'value';
      readonly value: Expression;
      readonly isAddress: boolean;
      readonly size: 'short' | 'near' | null;
      readonly column: number;
    }
  | ParsedMemory
  | { readonly kind: 'far'; readonly selector: Expression; readonly offset: Expression; readonly width: 16 | 32; readonly column: number };

export interface ParsedMemory {
  readonly kind: 'memory';
  /** A register's name, `rip` or `eip`. */
  readonly base: string | null;
  readonly index: string | null;
  readonly scale: 1 | 2 | 4 | 8;
  readonly displacement: Expression | null;
  readonly segment: Segment | null;
  /** Bits; null: not written. */
  readonly width: number | null;
  readonly addressSize: AddressSize;
  /** `far ptr` was written. */
  readonly isFar: boolean;
  readonly column: number;
}

const sizes: Readonly<Record<string, number>> = { byte: 8, word: 16, dword: 32, qword: 64, fword: 48, tbyte: 80, oword: 128, xmmword: 128 };

/**
 * @param isConstant whether a name is a constant (`.equ`) and thus an immediate
 * @param isBranch a bare symbol is the target then, not memory
 */
export function parseOperand(reader: TokenReader, mode: Mode, isConstant: (name: string) => boolean, isBranch: boolean): ParsedOperand {
  const { column } = reader.peek();
  const width = sizeKeyword(reader);
  const isFar = width === null && isKeyword(reader) && reader.acceptWord('far');
  if (isFar) reader.acceptWord('ptr');
  const hasSize = isKeyword(reader);
  const size = hasSize && reader.acceptWord('short') ? 'short' : hasSize && reader.acceptWord('near') ? 'near' : null;
  if (reader.acceptWord('offset')) {
    reader.acceptWord('flat');
    reader.accept(':');
    return { kind: 'value', value: reader.expression(), isAddress: true, size, column };
  }
  const segment = segmentOverride(reader);
  const outside = reader.isPunctuation('[') ? null : reader.expression();
  if (segment === null && outside?.kind === 'register' && !reader.isPunctuation('[')) {
    const register = REGISTERS.get(outside.name);
    if (register === undefined) return reader.fail(`${outside.name} can only stand in an address`, column);
    return { kind: 'register', name: outside.name, register, column };
  }
  if (outside !== null && reader.accept(':')) {
    const offsetWidth = width === 32 || (width === null && mode !== 16) ? 32 : 16;
    return { kind: 'far', selector: outside, offset: reader.expression(), width: offsetWidth, column };
  }
  let inside: Expression | null = null;
  while (reader.accept('[')) {
    const more = reader.expression();
    inside = inside === null ? more : { kind: 'binary', op: '+', left: inside, right: more, column };
    reader.expect(']');
  }
  if (inside === null && segment === null && width === null && outside !== null && (isBranch || !isAddress(outside, isConstant))) {
    return { kind: 'value', value: outside, isAddress: false, size, column };
  }
  const parts: Parts = { base: null, index: null, scale: 1, displacement: outside };
  if (inside !== null) takeApart(inside, parts, reader);
  const farWidth = mode === 16 ? 32 : 48;
  return {
    kind: 'memory',
    ...parts,
    segment,
    width: isFar ? farWidth : width,
    addressSize: addressSizeOf(parts, mode, reader),
    isFar,
    column,
  };
}

/** A word that something follows: alone it is a symbol of that name. */
function isKeyword(reader: TokenReader): boolean {
  const { kind } = reader.peek(1);
  return reader.peek().kind === 'name' && (kind === 'name' || kind === 'local' || reader.isPunctuation('[', 1));
}

function sizeKeyword(reader: TokenReader): number | null {
  const token = reader.peek();
  const width = token.kind === 'name' ? sizes[token.text.toLowerCase()] : undefined;
  if (width === undefined) return null;
  reader.take();
  reader.acceptWord('ptr');
  return width;
}

function segmentOverride(reader: TokenReader): Segment | null {
  const token = reader.peek();
  const segment = token.kind === 'name' ? SEGMENTS.find((s) => s === token.text.toLowerCase()) : undefined;
  if (segment === undefined || !reader.isPunctuation(':', 1)) return null;
  reader.take();
  reader.take();
  return segment;
}

/** Does the bare expression stand for a place in memory? Not if it is made of constants, or is the distance between two addresses. */
export function isAddress(expression: Expression, isConstant: (name: string) => boolean): boolean {
  const count = (e: Expression): number => {
    switch (e.kind) {
      case 'symbol':
        return isConstant(e.name) ? 0 : 1;
      case 'unary':
        return -count(e.of);
      case 'binary':
        return e.op === '-' ? count(e.left) - count(e.right) : count(e.left) + count(e.right);
      default:
        return 0;
    }
  };
  return count(expression) !== 0;
}

interface Parts {
  base: string | null;
  index: string | null;
  scale: 1 | 2 | 4 | 8;
  displacement: Expression | null;
}

/** Splits what stands in brackets into base, index * scale and the rest. */
function takeApart(expression: Expression, parts: Parts, reader: TokenReader): void {
  if (expression.kind === 'binary' && expression.op === '+') {
    takeApart(expression.left, parts, reader);
    takeApart(expression.right, parts, reader);
    return;
  }
  if (expression.kind === 'binary' && expression.op === '-' && hasRegister(expression.left) && !hasRegister(expression.right)) {
    takeApart(expression.left, parts, reader);
    addDisplacement({ kind: 'unary', op: '-', of: expression.right, column: expression.column }, parts);
    return;
  }
  if (expression.kind === 'register') {
    if (parts.base === null) parts.base = expression.name;
    else if (parts.index === null) parts.index = expression.name;
    else reader.fail('an address has at most two registers', expression.column);
    return;
  }
  if (expression.kind === 'binary' && expression.op === '*' && hasRegister(expression)) {
    const { left, right, column } = expression;
    const register = left.kind === 'register' ? left : right.kind === 'register' ? right : null;
    const factor = left.kind === 'constant' ? left.value : right.kind === 'constant' ? right.value : null;
    const scale = ([1, 2, 4, 8] as const).find((s) => BigInt(s) === factor);
    if (register === null || scale === undefined) return reader.fail('an index is register*1, *2, *4 or *8', column);
    if (parts.index !== null) {
      if (parts.scale !== 1 || parts.base !== null) return reader.fail('an address has one index', column);
      parts.base = parts.index;
    }
    parts.index = register.name;
    parts.scale = scale;
    return;
  }
  if (hasRegister(expression))
    reader.fail('an address is [base + index*scale + displacement]', parts.displacement === null ? undefined : 1);
  addDisplacement(expression, parts);
}

function addDisplacement(expression: Expression, parts: Parts): void {
  const before = parts.displacement;
  parts.displacement = before === null ? expression : { kind: 'binary', op: '+', left: before, right: expression, column: 1 };
}

function hasRegister(expression: Expression): boolean {
  switch (expression.kind) {
    case 'register':
      return true;
    case 'unary':
      return hasRegister(expression.of);
    case 'binary':
      return hasRegister(expression.left) || hasRegister(expression.right);
    default:
      return false;
  }
}

function addressSizeOf(parts: Parts, mode: Mode, reader: TokenReader): AddressSize {
  // ESP cannot be an index, BP and BX come before SI and DI: the order of two plain registers is free.
  if (parts.scale === 1 && parts.index !== null && parts.base !== null && swaps(parts.base, parts.index)) {
    [parts.base, parts.index] = [parts.index, parts.base];
  }
  let size: number | null = null;
  for (const name of [parts.base, parts.index]) {
    if (name === null) continue;
    const register = REGISTERS.get(name);
    const width = name === 'rip' ? 64 : name === 'eip' ? 32 : register?.class === 'gpr' ? register.width : 0;
    if (width !== 16 && width !== 32 && width !== 64) return reader.fail(`${name} cannot be part of an address`);
    if (size !== null && size !== width) return reader.fail(`${parts.base} and ${parts.index} are of different sizes`);
    size = width;
  }
  return size === null ? mode : (size as AddressSize);
}

function swaps(base: string, index: string): boolean {
  return index === 'rsp' || index === 'esp' || ((base === 'si' || base === 'di') && (index === 'bx' || index === 'bp'));
}
