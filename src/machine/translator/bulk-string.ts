/**
 * REP STOS and REP MOVS in bulk: all iterations but one that are certain to be straight, by WebAssembly's own fill and copy; REPE and REPNE SCAS by a loop
 * over the elements after which it goes on. What is done is what as many single iterations do: each counts, each has its bit in the path, registers move by
 * as much. The iteration that follows is done as ever.
 *
 * Certain: DF is clear, the bytes lie in one page that the software TLB serves, the budget lasts, and a copy does not read what it has written. Of a scan
 * the iteration that follows must set the flags: so it lies in the same page, where it cannot fault.
 */
import { KEYS, STEADY } from '../cpu/address-log.ts';
import { ADDRESS_NEXT, GPR, LEFT, PATH_BIT_COUNT, PATH_BITS, RFLAGS_REST, TLB_ENTRIES, TLB_READ, TLB_WRITE } from '../cpu/state.ts';
import { FLAG_BIT } from '../isa/flags.ts';
import { FS, RAX, RCX, RDI, RSI } from '../isa/registers.ts';
import { Code, I32, Var32, Var64 } from './code.ts';
import type { Form } from './emit.ts';
import { ENTRY } from './entry.ts';
import type { EntryLocals } from './entry-access.ts';
import type { LocalPool } from './lowering-context.ts';
import { keepBelow } from './path-recorder.ts';
import type { Recorded } from './recorders.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

/** Whether there is bulk code for this form. */
export const hasBulk = ({ decoded, segmentation }: Form): boolean =>
  ((/^(STOS|MOVS)[BWDQ]$/.test(decoded.row.name) && decoded.rep === 'count') ||
    (/^SCAS[BWDQ]$/.test(decoded.row.name) && decoded.rep !== 'none')) &&
  decoded.addressSize === 64 &&
  segmentation === 'long' &&
  decoded.segment < FS;

/** `repeat`: function of address-code.ts; null: addresses are not recorded. */
export interface BulkRecorded extends Recorded {
  readonly repeat: number | null;
}

/** `at.tlb`: a local with the address of the TLB set in use. Falls through when all that can be done in bulk is done. */
export function emitBulk(
  f: FunctionBuilder,
  { decoded }: Form,
  locals: LocalPool,
  at: EntryLocals & { readonly tlb: number },
  recorded: BulkRecorded,
): void {
  const { base, tlb } = at;
  const isCopy = decoded.row.name.startsWith('MOVS');
  const isScan = decoded.row.name.startsWith('SCAS');
  const size = widthOf(decoded.operands) / 8;
  const shift = BigInt(31 - Math.clz32(size));
  const n = locals.take('i64');
  const to = locals.take('i32');
  const from = locals.take('i32');
  const bytes = locals.take('i32');
  const register = (index: number) => {
    f.get(base);
    f.load('i64', GPR + 8 * index);
  };
  /** n ← min(n, what is on the stack), unsigned. */
  const atMost = () => {
    const limit = locals.take('i64');
    f.set(limit);
    f.get(n);
    f.get(limit);
    f.get(n);
    f.get(limit);
    f.op(OP.i64.lt_u, OP.select);
    f.set(n);
  };
  const toPageEnd = (index: number, kept: bigint) => {
    f.i64(4096n - kept);
    register(index);
    f.i64(4095n);
    f.op(OP.i64.and, OP.i64.sub);
    f.i64(shift);
    f.op(OP.i64.shr_u);
    atMost();
  };

  const none = f.block();
  f.get(base);
  f.load('i32', RFLAGS_REST);
  f.i32(1 << FLAG_BIT.df);
  f.op(OP.i32.and);
  f.brIf(none, false);
  register(RCX);
  f.op(OP.i64.eqz);
  f.brIf(none, false);
  // One iteration is left over, of the count and of the budget.
  register(RCX);
  f.i64(1n);
  f.op(OP.i64.sub);
  f.set(n);
  f.get(base);
  f.load('i64_32u', LEFT);
  f.i64(1n);
  f.op(OP.i64.sub);
  atMost();
  if (isScan && size > 1) {
    // So the last element of a page does not reach into the next one.
    register(RDI);
    f.i64(BigInt(size - 1));
    f.op(OP.i64.and, OP.i64.eqz, OP.i32.eqz);
    f.brIf(none, false);
  }
  toPageEnd(RDI, isScan ? BigInt(size) : 0n);
  if (isCopy) toPageEnd(RSI, 0n);
  f.get(n);
  f.op(OP.i64.eqz);
  f.brIf(none);
  host(f, locals, tlb, isScan ? TLB_READ : TLB_WRITE, () => register(RDI), none);
  f.set(to);
  if (isCopy) {
    host(f, locals, tlb, TLB_READ, () => register(RSI), none);
    f.set(from);
  }
  f.get(n);
  f.i64(shift);
  f.op(OP.i64.shl, OP.i32.wrap_i64);
  f.set(bytes);
  if (isScan) {
    scan(f, locals, { to, bytes, size, isWhileEqual: decoded.rep === 'zero' }, () => register(RAX));
    f.get(bytes);
    f.op(OP.i32.eqz);
    f.brIf(none);
    f.get(bytes);
    f.op(OP.i64.extend_i32_u);
    f.i64(shift);
    f.op(OP.i64.shr_u);
    f.set(n);
  } else if (isCopy) {
    // A destination within the source, or at it, would be written before it is read.
    f.get(to);
    f.get(from);
    f.op(OP.i32.sub);
    f.get(bytes);
    f.op(OP.i32.lt_u);
    f.brIf(none, false);
    f.get(to);
    f.get(from);
    f.get(bytes);
    f.memoryCopy();
  } else {
    if (size > 1) {
      // Only where all bytes of the value are alike.
      const value = locals.take('i64');
      register(RAX);
      f.i64(64n - 8n * BigInt(size));
      f.op(OP.i64.shl);
      f.set(value);
      f.get(value);
      f.i64(8n);
      f.op(OP.i64.shl);
      f.get(value);
      f.op(OP.i64.xor);
      f.i64(72n - 8n * BigInt(size));
      f.op(OP.i64.shr_u, OP.i64.eqz, OP.i32.eqz);
      f.brIf(none, false);
    }
    f.get(to);
    register(RAX);
    f.op(OP.i32.wrap_i64);
    f.get(bytes);
    f.memoryFill();
  }
  if (recorded.repeat !== null) recordElements(f, at, { n, size, pointers: isCopy ? [RSI, RDI] : [RDI], repeat: recorded.repeat });
  for (const index of isCopy ? [RDI, RSI] : [RDI]) {
    f.get(base);
    register(index);
    f.get(bytes);
    f.op(OP.i64.extend_i32_u, OP.i64.add);
    f.store('i64', GPR + 8 * index);
  }
  f.get(base);
  register(RCX);
  f.get(n);
  f.op(OP.i64.sub);
  f.store('i64', GPR + 8 * RCX);
  f.get(base);
  f.get(base);
  f.load('i32', LEFT);
  f.get(n);
  f.op(OP.i32.wrap_i64, OP.i32.sub);
  f.store('i32', LEFT);
  if (recorded.hasPath) appendOnes(f, locals, base, n);
  f.end();
}

const widthOf = (operands: Form['decoded']['operands']): number => {
  const [first] = operands;
  return first?.kind === 'mem' ? first.width : 8;
};

/** Cuts `bytes` down to those of the elements from `to` on after which a scan for what lies in the accumulator goes on. */
function scan(
  f: FunctionBuilder,
  locals: LocalPool,
  { to, bytes, size, isWhileEqual }: { to: number; bytes: number; size: number; isWhileEqual: boolean },
  accumulator: () => void,
): void {
  const [wanted, at, end] = [locals.take('i64'), locals.take('i32'), locals.take('i32')];
  accumulator();
  if (size < 8) {
    f.i64((1n << BigInt(8 * size)) - 1n);
    f.op(OP.i64.and);
  }
  f.set(wanted);
  f.get(to);
  f.tee(at);
  f.get(bytes);
  f.op(OP.i32.add);
  f.set(end);
  const found = f.block();
  const again = f.loop();
  f.get(at);
  f.get(end);
  f.op(OP.i32.eq);
  f.brIf(found, false);
  f.get(at);
  f.load(size === 8 ? 'i64' : size === 4 ? 'i64_32u' : size === 2 ? 'i64_16u' : 'i64_8u', 0);
  f.get(wanted);
  f.op(isWhileEqual ? OP.i64.ne : OP.i64.eq);
  f.brIf(found, false);
  f.get(at);
  f.i32(size);
  f.op(OP.i32.add);
  f.set(at);
  f.br(again);
  f.end();
  f.end();
  f.get(at);
  f.get(to);
  f.op(OP.i32.sub);
  f.set(bytes);
}

/** Leaves the host address of a linear one, whose page the software TLB must serve. */
function host(f: FunctionBuilder, locals: LocalPool, tlb: number, kind: number, linear: () => void, none: Label): void {
  const slot = locals.take('i32');
  linear();
  f.op(OP.i32.wrap_i64);
  f.i32(8);
  f.op(OP.i32.shr_u);
  f.i32((TLB_ENTRIES - 1) << 4);
  f.op(OP.i32.and);
  f.get(tlb);
  f.op(OP.i32.add);
  f.tee(slot);
  f.load('i64', kind);
  linear();
  f.i64(-4096n);
  f.op(OP.i64.and, OP.i64.ne);
  f.brIf(none, false);
  linear();
  f.op(OP.i32.wrap_i64);
  f.get(slot);
  f.load('i32', kind + 8);
  f.op(OP.i32.add);
}

/** The addresses of `n` elements: the first of them one by one, until all others follow from them. `pointers`: in the order in which they are used. */
function recordElements(
  f: FunctionBuilder,
  { base, entry, page }: EntryLocals,
  { n, size, pointers, repeat }: { n: number; size: number; pointers: readonly number[]; repeat: number },
): void {
  const code = new Code(f);
  const state = new Var32(f, base);
  const all = new Var64(f, n);
  const next = code.var32(state.load32(ADDRESS_NEXT));
  const rip = code.var64(new Var64(f, page).add(new Var32(f, entry).load16(ENTRY.offset).unsigned64));
  const offset = code.var64(0n);
  const left = code.var64(BigInt(STEADY));
  code.if(all.ltU(BigInt(STEADY)), () => left.set(all));
  const rest = code.var32(all.sub(left).low);
  code.loop((leave) => {
    code.if(left.eq(0n), leave);
    for (const [i, pointer] of pointers.entries()) {
      const address = state.load64(GPR + 8 * pointer).add(offset);
      code.store64(next, 8 * i, address.shl(16n).or(rip.add(BigInt(i)).and(BigInt(KEYS - 1))));
    }
    next.set(next.add(8 * pointers.length));
    offset.set(offset.add(BigInt(size)));
    left.set(left.sub(1n));
  });
  code.store32(state, ADDRESS_NEXT, next);
  code.if(rest.ne(0), () => {
    for (const value of [state, rest, I32.of(pointers.length)]) value.push(f);
    f.call(repeat);
  });
}

/** "It goes on", n times: ones from the first bit on; what lies behind the last is not yet written. */
function appendOnes(f: FunctionBuilder, locals: LocalPool, base: number, n: number): void {
  const [count, first, last] = [locals.take('i32'), locals.take('i32'), locals.take('i32')];
  const byteOf = (push: () => void) => {
    f.get(base);
    f.load('i32', PATH_BITS);
    push();
    f.i32(3);
    f.op(OP.i32.shr_u, OP.i32.add);
  };
  f.get(base);
  f.load('i32', PATH_BIT_COUNT);
  f.set(count);
  byteOf(() => f.get(count));
  f.set(first);
  f.get(first);
  f.get(first);
  f.load('i32_8u', 0);
  keepBelow(f, count);
  f.i32(-1);
  f.get(count);
  f.i32(7);
  f.op(OP.i32.and, OP.i32.shl, OP.i32.or);
  f.store('i32_8', 0);
  f.get(count);
  f.get(n);
  f.op(OP.i32.wrap_i64, OP.i32.add);
  f.set(count);
  byteOf(() => f.get(count));
  f.set(last);
  f.get(first);
  f.i32(1);
  f.op(OP.i32.add);
  f.i32(0xff);
  f.get(last);
  f.get(first);
  f.op(OP.i32.sub);
  f.memoryFill();
  f.get(base);
  f.get(count);
  f.store('i32', PATH_BIT_COUNT);
}
