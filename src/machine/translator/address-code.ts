/**
 * The code that folds the addresses of memory operands into the columns of a trace. What it writes is said in cpu/address-log.ts.
 *
 * A module of its own, which imports `env.memory` and `env.addresses` (the log's address), and exports
 *
 *     fold (base)                       the words that the CPU at `base` has appended, of which there are none afterwards
 *     repeat (base, count, streams)     the same; then the last `streams` of them, each by another key, `count` times more, each going on by its stride:
 *                                       elements of strings, of which STEADY were appended
 */
import { ADDRESS_GUESS, ADDRESS_LOG, BY_STACK, FOLLOWERS, KEYS, MIX } from '../cpu/address-log.ts';
import { ADDRESS_NEXT } from '../cpu/state.ts';
import { type Code, CodeModule, type I32, I64, type Var32, type Var64 } from './code.ts';

export function addressModule(): Uint8Array<ArrayBuffer> {
  const module = new CodeModule();
  module.memory('memory');
  const log = module.global32('addresses');
  const fold = module.define('fold', ['i32'], null, (code, [base]) => emitFold(code, base, log));
  module.define('repeat', ['i32', 'i32', 'i32'], null, (code, [base, count, streams]) => {
    const at = code.var32(base.load32(ADDRESS_NEXT));
    const end = code.var32(at);
    code.do(fold(base));
    code.loop((leave) => {
      at.set(at.sub(8));
      code.if(at.ltU(end.sub(streams.shl(3))), leave);
      const step = at.load64().sub(at.sub(streams.shl(3)).load64());
      const word = code.var64(at.load64().add(step.mul(count.unsigned64)));
      code.store64(slotOf(log, word.low), ADDRESS_LOG.slots, word.shrS(16n));
      code.if(at.eq(end.sub(8)), () => code.store64(log.add(ADDRESS_LOG.words - 8), 0, word));
    });
    for (const sum of [ADDRESS_LOG.count, ADDRESS_LOG.right]) code.store32(log, sum, log.load32(sum).add(count.mul(streams)));
  });
  return module.build();
}

const keyOf = (word: I32): I32 => word.and(KEYS - 1);
/** Less ADDRESS_LOG.slots. */
const slotOf = (log: I32, word: I32): I32 => log.add(keyOf(word).shl(5));

function emitFold(code: Code, base: Var32, global: I32): void {
  const log = code.var32(global);
  const begin = code.var32(log.add(ADDRESS_LOG.words));
  const end = code.var32(base.load32(ADDRESS_NEXT));
  const from = code.var32(begin);
  /** Where the word after the last wrong guess would stand: before the first one, if right guesses of earlier words are counted. */
  const since = code.var32(begin.sub(log.load32(ADDRESS_LOG.right).shl(3)));
  const miss = code.var32(log.load32(ADDRESS_LOG.nextMiss));
  const difference = code.var32(log.load32(ADDRESS_LOG.nextDifference));
  const stack = code.var64(log.load64(ADDRESS_LOG.stack));
  /** The address before. */
  const before = code.var64(begin.sub(8).load64().shrS(16n));
  const [word, address, guess] = [code.var64(0n), code.var64(0n), code.var64(0n)];
  const slot = code.var32(0);
  const columns = { word, address, guess, from, since, miss, difference };
  code.loop((leave) => {
    code.if(from.geU(end), leave);
    word.set(from.load64());
    address.set(word.shrS(16n));
    code.if(
      word.low.has(BY_STACK),
      () => {
        slot.set(log.add(keyOf(word.low).shl(3)));
        guess.set(stack.add(slot.load64(ADDRESS_LOG.distances)));
        code.rarely(guess.ne(address), () => {
          const context = code.var64(slot.load64(ADDRESS_LOG.distances));
          const change = code.var64(address.sub(stack));
          code.store64(slot, ADDRESS_LOG.distances, change);
          emitWrong(code, log, columns, { context, change, other: null });
        });
        stack.set(address);
      },
      () => {
        slot.set(slotOf(log, word.low));
        const way = log.add(keyOf(word.low));
        code.if(
          way.load8(ADDRESS_LOG.ways),
          () => guess.set(before.add(slot.load64(ADDRESS_LOG.near))),
          () => guess.set(slot.load64(ADDRESS_LOG.slots).add(slot.load64(ADDRESS_LOG.stride))),
        );
        code.rarely(guess.ne(address), () => {
          const context = code.var64(slot.load64(ADDRESS_LOG.slots));
          const change = code.var64(address.sub(context));
          const other = code.var64(before.add(slot.load64(ADDRESS_LOG.near)));
          code.if(way.load8(ADDRESS_LOG.ways), () => other.set(context.add(slot.load64(ADDRESS_LOG.stride))));
          code.if(address.eq(other), () => code.store8(way, ADDRESS_LOG.ways, way.load8(ADDRESS_LOG.ways).xor(1)));
          code.store64(slot, ADDRESS_LOG.near, address.sub(before));
          code.if(change.eq(slot.load64(ADDRESS_LOG.change)), () => code.store64(slot, ADDRESS_LOG.stride, change));
          code.store64(slot, ADDRESS_LOG.change, change);
          emitWrong(code, log, columns, { context, change, other });
        });
        code.store64(slot, ADDRESS_LOG.slots, address);
      },
    );
    before.set(address);
    from.set(from.add(8));
  });
  code.store64(begin.sub(8), 0, end.sub(8).load64());
  code.store64(log, ADDRESS_LOG.stack, stack);
  code.store32(log, ADDRESS_LOG.nextMiss, miss);
  code.store32(log, ADDRESS_LOG.nextDifference, difference);
  code.store32(log, ADDRESS_LOG.right, end.sub(since).shrU(3));
  code.store32(log, ADDRESS_LOG.count, log.load32(ADDRESS_LOG.count).add(end.sub(begin).shrU(3)));
  code.store32(base, ADDRESS_NEXT, begin);
}

/** What is written, and where it goes. */
interface Columns {
  readonly word: Var64;
  readonly address: Var64;
  readonly guess: Var64;
  readonly from: Var32;
  readonly since: Var32;
  readonly miss: Var32;
  readonly difference: Var32;
}

/** A wrong guess: its circumstances beside the key, its change, and the other guess (null: there is none). */
interface Wrong {
  readonly context: Var64;
  readonly change: Var64;
  readonly other: Var64 | null;
}

function emitWrong(code: Code, log: I32, columns: Columns, { context, change, other }: Wrong): void {
  const { word, address, guess, from, since, miss, difference } = columns;
  const mixed = context.low.mul(MIX.context).add(word.low.and(0xffff).mul(MIX.key));
  const follow = code.var32(log.add(mixed.shrU(32 - Math.log2(FOLLOWERS)).shl(3)));
  const what = code.var32(ADDRESS_GUESS.other);
  const others = () =>
    code.if(
      change.eq(follow.load64(ADDRESS_LOG.follows)),
      () => what.set(ADDRESS_GUESS.following),
      () => {
        const d = code.var64(address.sub(guess));
        d.set(d.shl(1n).xor(d.shrS(63n)));
        what.set(I64.of(71n).sub(d.leadingZeros).shrU(3n).low);
        code.store64(difference, 0, d);
        difference.set(difference.add(what));
      },
    );
  if (other === null) others();
  else code.if(address.ne(other), others);
  code.store64(follow, ADDRESS_LOG.follows, change);
  const right = code.var32(from.sub(since).shrU(3));
  code.if(
    right.ltU(ADDRESS_GUESS.many),
    () => {
      code.store8(miss, 0, right.shl(4).or(what));
      miss.set(miss.add(1));
    },
    () => {
      code.store8(miss, 0, what.or(ADDRESS_GUESS.many << 4));
      code.store32(miss, 1, right);
      miss.set(miss.add(5));
    },
  );
  since.set(from.add(8));
}
