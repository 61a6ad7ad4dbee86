/** Lowering of the integer operations that take more than a few WebAssembly instructions: see `lower.ts`. */
import { bug } from '../isa/bug.ts';
import type { Width } from '../isa/ops.ts';
import type { Term } from '../isa/term.ts';
import type { LoweringContext } from './lowering-context.ts';
import { INTEGER_SERVICES, type IntegerService, SERVICE_OPERANDS, SERVICE_RESULT } from './services.ts';
import { OP } from './wasm.ts';

/** Calls the TypeScript service for an integer operation that Wasm lacks. */
export function callInteger(l: LoweringContext, op: IntegerService, width: Width, operands: readonly Term[]): void {
  const { f, services } = l;
  if (services.giveUp !== null) return f.br(services.giveUp);
  const locals = operands.map((operand) => {
    const local = l.locals.take('i64');
    l.push64(operand);
    f.set(local);
    return local;
  });
  for (const [i, local] of locals.entries()) {
    f.get(services.base);
    f.get(local);
    f.store('i64', SERVICE_OPERANDS + 8 * i);
  }
  f.i32(INTEGER_SERVICES.indexOf(op));
  f.i32(width);
  f.call(services.integer ?? bug(`no service for ${op}`));
  f.get(services.base);
  f.load(width === 64 ? 'i64' : 'i32', SERVICE_RESULT);
}

export function lowerBswap(l: LoweringContext, t: Term): void {
  const { f } = l;
  const a = l.arg(t, 0);
  if (t.width === 8) return l.push(a);
  const x = l.toLocal(a);
  if (t.width === 16) {
    f.get(x);
    f.i32(8);
    f.op(OP.i32.shr_u);
    f.get(x);
    f.i32(8);
    f.op(OP.i32.shl, OP.i32.or);
    f.i32(0xffff);
    return f.op(OP.i32.and);
  }
  if (t.width === 32) {
    f.get(x);
    f.i32(8);
    f.op(OP.i32.rotl);
    f.i32(0x00ff_00ff);
    f.op(OP.i32.and);
    f.get(x);
    f.i32(8);
    f.op(OP.i32.rotr);
    f.i32(0xff00_ff00 | 0);
    return f.op(OP.i32.and, OP.i32.or);
  }
  // Bytes within 16 bits, 16 bits within 32, 32 within 64.
  for (const [shift, mask] of [
    [8n, 0x00ff_00ff_00ff_00ffn],
    [16n, 0x0000_ffff_0000_ffffn],
  ] as const) {
    f.get(x);
    f.i64(mask);
    f.op(OP.i64.and);
    f.i64(shift);
    f.op(OP.i64.shl);
    f.get(x);
    f.i64(shift);
    f.op(OP.i64.shr_u);
    f.i64(mask);
    f.op(OP.i64.and, OP.i64.or);
    f.set(x);
  }
  f.get(x);
  f.i64(32n);
  f.op(OP.i64.rotl);
}

/** Upper half of a product. */
export function lowerMulHigh(l: LoweringContext, t: Term, signed: boolean): void {
  const { f } = l;
  const [a, b] = [l.arg(t, 0), l.arg(t, 1)];
  if (t.width < 64) {
    for (const operand of [a, b]) {
      if (signed) l.pushSigned(operand);
      else l.push(operand);
      f.op(signed ? OP.i64.extend_i32_s : OP.i64.extend_i32_u);
    }
    f.op(OP.i64.mul);
    f.i64(BigInt(t.width));
    f.op(OP.i64.shr_u, OP.i32.wrap_i64);
    if (t.width < 32) {
      f.i32(2 ** t.width - 1);
      f.op(OP.i32.and);
    }
    return;
  }
  // (xh·2^32 + xl)(yh·2^32 + yl), 32 bits at a time; for signed numbers minus y where x < 0, and minus x where y < 0.
  const [x, y] = [l.toLocal(a), l.toLocal(b)];
  const [xl, xh, yl, yh, mid, low] = [0, 1, 2, 3, 4, 5].map(() => l.locals.take('i64')) as [number, number, number, number, number, number];
  const shr32 = () => {
    f.i64(32n);
    f.op(OP.i64.shr_u);
  };
  const low32 = () => {
    f.i64(0xffff_ffffn);
    f.op(OP.i64.and);
  };
  for (const [v, vl, vh] of [
    [x, xl, xh],
    [y, yl, yh],
  ] as const) {
    f.get(v);
    low32();
    f.set(vl);
    f.get(v);
    shr32();
    f.set(vh);
  }
  const product = (p: number, q: number) => {
    f.get(p);
    f.get(q);
    f.op(OP.i64.mul);
  };
  product(xl, yl);
  shr32();
  product(xh, yl);
  f.op(OP.i64.add);
  f.set(mid);
  f.get(mid);
  low32();
  product(xl, yh);
  f.op(OP.i64.add);
  f.set(low);
  product(xh, yh);
  f.get(mid);
  shr32();
  f.op(OP.i64.add);
  f.get(low);
  shr32();
  f.op(OP.i64.add);
  if (!signed) return;
  for (const [v, w] of [
    [x, y],
    [y, x],
  ] as const) {
    f.get(v);
    f.i64(63n);
    f.op(OP.i64.shr_s);
    f.get(w);
    f.op(OP.i64.and, OP.i64.sub);
  }
}

/** Double-width unsigned dividend: inline where one Wasm division does it, else by the service. Division by zero gives 0. */
export function lowerWideDivision(l: LoweringContext, t: Term, op: 'udivw' | 'uremw'): void {
  const { f } = l;
  const [high, low, divisor] = [l.arg(t, 0), l.arg(t, 1), l.arg(t, 2)];
  const [h, n, d] = [l.locals.take('i64'), l.locals.take('i64'), l.locals.take('i64')];
  const divide = () => {
    f.get(n);
    f.get(d);
    f.op(op === 'udivw' ? OP.i64.div_u : OP.i64.rem_u);
  };
  const narrow = t.width < 64;
  l.push64(high);
  if (narrow) {
    // The dividend fits 64 bits.
    f.i64(BigInt(t.width));
    f.op(OP.i64.shl);
    l.push64(low);
    f.op(OP.i64.or);
    f.set(n);
  } else {
    f.set(h);
    l.push(low);
    f.set(n);
  }
  l.push64(divisor);
  f.tee(d);
  f.op(OP.i64.eqz);
  f.if('i64');
  f.i64(0n);
  f.else();
  if (narrow) divide();
  else {
    f.get(h);
    f.op(OP.i64.eqz);
    f.if('i64', true);
    divide();
    f.else();
    if (l.services.giveUp !== null) f.br(l.services.giveUp);
    else {
      for (const [i, local] of [h, n, d].entries()) {
        f.get(l.services.base);
        f.get(local);
        f.store('i64', SERVICE_OPERANDS + 8 * i);
      }
      f.i32(INTEGER_SERVICES.indexOf(op));
      f.i32(64);
      f.call(l.services.integer ?? bug(`no service for ${op}`));
      f.get(l.services.base);
      f.load('i64', SERVICE_RESULT);
    }
    f.end();
  }
  f.end();
  if (!narrow) return;
  f.op(OP.i32.wrap_i64);
  if (t.width < 32) {
    f.i32(2 ** t.width - 1);
    f.op(OP.i32.and);
  }
}
