/** What each integer operation of `term.ts` computes, on unsigned BigInts below 2^width. Used to fold constants and by the reference evaluator. */
import { bug } from './bug.ts';
import type { IntegerOp } from './ops.ts';

const arg = (args: readonly bigint[], i: number): bigint => args[i] ?? bug(`operand ${i} is missing`);

export function popcount(value: bigint): bigint {
  let n = 0n;
  for (let v = value; v !== 0n; v &= v - 1n) n++;
  return n;
}

/** Bits of the number: 0 → 0, 1 → 1, 255 → 8. */
export const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);

function reverseBytes(value: bigint, width: number): bigint {
  let r = 0n;
  for (let i = 0; i < width; i += 8) r = (r << 8n) | ((value >> BigInt(i)) & 0xffn);
  return r;
}

/** PDEP (deposit) or PEXT (extract): walks the mask's ones from the lowest. */
function scatter(value: bigint, mask: bigint, deposit: boolean): bigint {
  let r = 0n;
  let k = 0n;
  for (let i = 0n; mask >> i !== 0n; i++) {
    if (((mask >> i) & 1n) === 0n) continue;
    r |= deposit ? ((value >> k) & 1n) << i : ((value >> i) & 1n) << k;
    k++;
  }
  return r;
}

/**
 * `width`: of the result; `widths`: of the operands; `lo`: of extract. The result is below 2^width.
 */
export function compute(op: IntegerOp, width: number, args: readonly bigint[], widths: readonly number[], lo: number): bigint {
  const a = arg(args, 0);
  const unsigned = (v: bigint) => BigInt.asUintN(width, v);
  const signed = (v: bigint) => BigInt.asIntN(width, v);
  const b = () => arg(args, 1);
  switch (op) {
    case 'add':
      return unsigned(a + b());
    case 'sub':
      return unsigned(a - b());
    case 'mul':
      return unsigned(a * b());
    case 'and':
      return a & b();
    case 'or':
      return a | b();
    case 'xor':
      return a ^ b();
    case 'not':
      return unsigned(~a);
    case 'neg':
      return unsigned(-a);
    case 'shl':
      return b() >= width ? 0n : unsigned(a << b());
    case 'lshr':
      return b() >= width ? 0n : a >> b();
    case 'ashr':
      return unsigned(signed(a) >> (b() >= width ? BigInt(width - 1) : b()));
    case 'umulh':
      return (a * b()) >> BigInt(width);
    case 'smulh':
      return unsigned((signed(a) * signed(b())) >> BigInt(width));
    case 'udiv':
      return b() === 0n ? 0n : a / b();
    case 'urem':
      return b() === 0n ? 0n : a % b();
    case 'sdiv':
      return b() === 0n ? 0n : unsigned(signed(a) / signed(b()));
    case 'srem':
      return b() === 0n ? 0n : unsigned(signed(a) % signed(b()));
    case 'udivw':
    case 'uremw': {
      const dividend = (a << BigInt(width)) | b();
      const divisor = arg(args, 2);
      return divisor === 0n ? 0n : unsigned(op === 'udivw' ? dividend / divisor : dividend % divisor);
    }
    case 'pdep':
      return scatter(a, b(), true);
    case 'pext':
      return scatter(a, b(), false);
    case 'eq':
      return a === b() ? 1n : 0n;
    case 'ult':
      return a < b() ? 1n : 0n;
    case 'slt': {
      const w = widths[0] ?? bug('slt without operands');
      return BigInt.asIntN(w, a) < BigInt.asIntN(w, b()) ? 1n : 0n;
    }
    case 'ite':
      return a === 1n ? b() : arg(args, 2);
    case 'zext':
      return a;
    case 'sext':
      return unsigned(BigInt.asIntN(widths[0] ?? bug('sext without operands'), a));
    case 'trunc':
      return unsigned(a);
    case 'extract':
      return unsigned(a >> BigInt(lo));
    case 'concat': {
      let r = 0n;
      for (let i = 0; i < args.length; i++) r = (r << BigInt(widths[i] ?? bug('concat'))) | arg(args, i);
      return r;
    }
    case 'popcnt':
      return popcount(a);
    case 'clz':
      return BigInt(width - bitLength(a));
    case 'ctz':
      return a === 0n ? BigInt(width) : BigInt(bitLength(a & -a) - 1);
    case 'bswap':
      return reverseBytes(a, width);
    case 'parity':
      return 1n - (popcount(a & 0xffn) & 1n);
  }
}
