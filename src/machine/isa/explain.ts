/** An instruction as text, in Intel syntax. For traces and messages; people who want more ask iced-x86. */
import type { Decoded } from './decode.ts';
import type { MemoryOperand, Operand } from './operands.ts';
import { GPR16, GPR32, GPR64, registerName, SEGMENTS, SS } from './registers.ts';

const KEYWORDS: Readonly<Record<number, string>> = {
  8: 'byte ptr ',
  16: 'word ptr ',
  32: 'dword ptr ',
  48: 'fword ptr ',
  64: 'qword ptr ',
  80: 'tbyte ptr ',
  128: 'xmmword ptr ',
};

function number(value: bigint): string {
  const magnitude = value < 0n ? -value : value;
  const text = magnitude < 10n ? magnitude.toString() : `0x${magnitude.toString(16)}`;
  return value < 0n ? `-${text}` : text;
}

function memory(m: MemoryOperand, d: Decoded, rip: bigint): string {
  const names: readonly string[] = m.addressSize === 64 ? GPR64 : m.addressSize === 32 ? GPR32 : GPR16;
  const parts: string[] = [];
  if (m.base >= 0) parts.push(names[m.base] ?? '?');
  if (m.index >= 0) parts.push(`${names[m.index]}${m.scale > 1 ? `*${m.scale}` : ''}`);
  let inside = parts.join('+');
  if (m.ripRelative) inside = number(BigInt.asUintN(m.addressSize, rip + BigInt(d.length) + m.disp));
  else if (inside === '') inside = number(BigInt.asUintN(m.addressSize, m.disp));
  else if (m.disp !== 0n) inside += m.disp < 0n ? number(m.disp) : `+${number(m.disp)}`;
  const usual = m.base === 4 || m.base === 5 ? SS : 3;
  const segment = m.segment !== usual ? `${SEGMENTS[m.segment]}:` : '';
  return `${KEYWORDS[m.width] ?? ''}${segment}[${inside}]`;
}

function operand(o: Operand, d: Decoded, rip: bigint): string {
  switch (o.kind) {
    case 'reg':
      return registerName(o);
    case 'mem':
      return memory(o, d, rip);
    case 'imm':
      return number(o.value);
    case 'rel':
      return number(BigInt.asUintN(d.mode === 64 ? 64 : 32, rip + BigInt(d.length) + o.value));
    case 'far':
      return `${number(BigInt(o.selector))}:${number(o.offset)}`;
  }
}

/** `rip`: the instruction's address, for branch targets and RIP-relative operands. */
export function explain(d: Decoded, rip: bigint): string {
  const prefix = d.lock ? 'lock ' : d.rep === 'none' ? '' : d.rep === 'nonzero' ? 'repne ' : d.rep === 'zero' ? 'repe ' : 'rep ';
  const operands = d.operands.map((o) => operand(o, d, rip)).join(', ');
  return `${prefix}${d.row.name.toLowerCase()}${operands === '' ? '' : ` ${operands}`}`;
}
