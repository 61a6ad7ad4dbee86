/**
 * The code that writes a machine's log: events, encoded, and the targets of the path, predicted. What it writes is said in cpu/trace-log.ts.
 *
 * A module of its own, which regions, system-code.ts, event-code.ts and TypeScript call. It imports `env.memory`, `env.log` (the log's address) and
 * `env.full`, and exports
 *
 *     add0 … add12 (tag, at)          an event of so many words, from LOG.words
 *     syscall (base, enters)          SYSCALL by the CPU at `base`, whose state is still that before it; `enters`: with the change of privilege that it makes
 *     sysret (base)                   SYSRET likewise, with its change of privilege
 *     entered (tag, cause, at) → i32  1: added to the last event, which is `cause` at the same position; 0: nothing was done
 *     fold (base)                     the targets in the buffer of the CPU at `base`, which is empty afterwards
 */
import { COUNT_END, GPR, LEFT, PATH_TARGET_COUNT, PATH_TARGETS, RIP } from '../cpu/state.ts';
import {
  COUNT_OF,
  ENTERED,
  HISTORIES,
  HOW,
  LAST_BYTES,
  LOG,
  LOGGED,
  lengthBytes,
  MOST_WORDS,
  SYSCALL_REGISTERS,
} from '../cpu/trace-log.ts';
import { bug } from '../isa/bug.ts';
import { keepBelow } from './path-recorder.ts';
import { type FunctionBuilder, ModuleBuilder, OP } from './wasm.ts';

/** The imported global that holds the log's address. */
const LOG_GLOBAL = 0;

export function logModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  module.importGlobal('env', 'log', 'i32');
  const full = module.importFunction('env', 'full', module.type([], []));
  const addType = module.type(['i32', 'i32'], []);
  for (let words = 0; words <= MOST_WORDS; words++) {
    const f = module.func(addType);
    const log = logAddress(f);
    const tag = () => f.get(0);
    const word = (i: number) => {
      f.get(log);
      f.load('i64', LOG.words + 8 * i);
    };
    emitEvent(f, log, full, { tag, words, word, at: () => f.get(1), entered: null });
    module.exportFunction(`add${words}`, f);
  }
  const syscall = module.func(addType);
  const registers = [...SYSCALL_REGISTERS.map((register) => GPR + 8 * register), RIP];
  emitSystemCall(syscall, full, LOGGED.syscall, registers, { tag: LOGGED.enterKernel.tag, when: () => syscall.get(1) });
  module.exportFunction('syscall', syscall);
  const sysret = module.func(module.type(['i32'], []));
  emitSystemCall(sysret, full, LOGGED.sysret, [GPR, BigInt(HOW.sysret)], { tag: LOGGED.enterUser.tag, when: () => sysret.i32(1) });
  module.exportFunction('sysret', sysret);
  const entered = module.func(module.type(['i32', 'i32', 'i32'], ['i32']));
  emitEntered(entered);
  module.exportFunction('entered', entered);
  const fold = module.func(module.type(['i32'], []));
  emitFold(fold);
  module.exportFunction('fold', fold);
  return module.build();
}

/** What an event is made of: each function leaves a value. */
interface Source {
  readonly tag: () => void;
  readonly words: number;
  readonly word: (index: number) => void;
  readonly at: () => void;
  /** The change of privilege that stands at it, if `when` leaves other than 0. Null: none is known of. */
  readonly entered: { readonly tag: number; readonly when: () => void } | null;
}

function emitEvent(f: FunctionBuilder, log: number, full: number, { tag, words, word, at, entered }: Source): void {
  const [next, last] = [f.local('i32'), f.local('i32')];
  f.get(log);
  f.load('i32', LOG.next);
  f.tee(next);
  f.get(log);
  f.load('i32', LOG.limit);
  f.op(OP.i32.ge_u);
  f.if(undefined, false);
  f.call(full);
  f.end();
  f.get(log);
  f.get(next);
  f.store('i32', LOG.last);
  f.get(next);
  tag();
  f.store('i32_8', 0);
  if (entered !== null) {
    entered.when();
    f.if();
    emitEntry(f, log, next, tag);
    countEvent(f, log, last, () => f.i32(entered.tag));
    f.end();
  }
  add(f, next, 1);
  emitDistance(f, log, next, at);
  countEvent(f, log, last, tag);
  if (words > 0) emitWords(f, words, word, next, last);
  f.get(log);
  f.get(next);
  f.store('i32', LOG.next);
}

/** Says of the event whose tag lies at `place` that it changes the privilege: no other can be added to it. */
function emitEntry(f: FunctionBuilder, log: number, place: number, tag: () => void): void {
  f.get(place);
  tag();
  f.i32(ENTERED);
  f.op(OP.i32.or);
  f.store('i32_8', 0);
  f.get(log);
  f.i32(0);
  f.store('i32', LOG.last);
}

/** Parameter base (0). `words`: places in the CPU's state, or values. */
function emitSystemCall(
  f: FunctionBuilder,
  full: number,
  event: { readonly tag: number; readonly words: number },
  words: readonly (number | bigint)[],
  entered: NonNullable<Source['entered']>,
): void {
  if (words.length !== event.words) bug(`an event of ${event.words} words is given ${words.length}`);
  const load32 = (offset: number) => {
    f.get(0);
    f.load('i32', offset);
  };
  const word = (i: number) => {
    const from = words[i] ?? 0;
    if (typeof from === 'bigint') return f.i64(from);
    f.get(0);
    f.load('i64', from);
  };
  const at = () => {
    load32(COUNT_END);
    load32(LEFT);
    f.op(OP.i32.sub);
  };
  emitEvent(f, logAddress(f), full, { tag: () => f.i32(event.tag), words: words.length, word, at, entered });
}

/** Sets `last` to what was written last of a tag, and counts one more of it. */
function countEvent(f: FunctionBuilder, log: number, last: number, tag: () => void): void {
  f.get(log);
  tag();
  f.i32(Math.log2(LAST_BYTES));
  f.op(OP.i32.shl, OP.i32.add);
  f.tee(last);
  f.get(last);
  f.load('i32', LOG.lastWords + COUNT_OF);
  f.i32(1);
  f.op(OP.i32.add);
  f.store('i32', LOG.lastWords + COUNT_OF);
}

/** at − LOG.at as LEB128. */
function emitDistance(f: FunctionBuilder, log: number, next: number, at: () => void): void {
  const [distance, now] = [f.local('i32'), f.local('i32')];
  at();
  f.tee(now);
  f.get(log);
  f.load('i32', LOG.at);
  f.op(OP.i32.sub);
  f.set(distance);
  f.get(log);
  f.get(now);
  f.store('i32', LOG.at);
  const done = f.block();
  const more = f.loop();
  f.get(next);
  f.get(distance);
  f.store('i32_8', 0);
  f.get(distance);
  f.i32(128);
  f.op(OP.i32.lt_u);
  f.brIf(done, true);
  f.get(next);
  f.get(distance);
  f.i32(128);
  f.op(OP.i32.or);
  f.store('i32_8', 0);
  f.get(distance);
  f.i32(7);
  f.op(OP.i32.shr_u);
  f.set(distance);
  add(f, next, 1);
  f.br(more);
  f.end();
  f.end();
  add(f, next, 1);
}

function emitWords(f: FunctionBuilder, words: number, load: (index: number) => void, next: number, last: number): void {
  const [lengthsAt, length] = [f.local('i32'), f.local('i64')];
  const [lengths, word, change] = [f.local('i64'), f.local('i64'), f.local('i64')];
  const size = lengthBytes(words);
  f.get(next);
  f.set(lengthsAt);
  add(f, next, size);
  for (let i = 0; i < words; i++) {
    load(i);
    f.tee(word);
    f.get(last);
    f.load('i64', LOG.lastWords + 8 * i);
    f.op(OP.i64.sub);
    f.tee(change);
    f.i64(0n);
    f.op(OP.i64.ne);
    f.if();
    f.get(last);
    f.get(word);
    f.store('i64', LOG.lastWords + 8 * i);
    f.get(next);
    f.get(change);
    f.i64(1n);
    f.op(OP.i64.shl);
    f.get(change);
    f.i64(63n);
    f.op(OP.i64.shr_s, OP.i64.xor);
    f.tee(change);
    f.store('i64', 0);
    f.i64(71n);
    f.get(change);
    f.op(OP.i64.clz, OP.i64.sub);
    f.i64(3n);
    f.op(OP.i64.shr_u);
    f.tee(length);
    f.i64(BigInt(4 * i));
    f.op(OP.i64.shl);
    f.get(lengths);
    f.op(OP.i64.or);
    f.set(lengths);
    f.get(next);
    f.get(length);
    f.op(OP.i32.wrap_i64, OP.i32.add);
    f.set(next);
    f.end();
  }
  f.get(lengthsAt);
  f.get(lengths);
  f.store(size === 8 ? 'i64' : size === 4 ? 'i64_32' : size === 2 ? 'i64_16' : 'i64_8', 0);
}

/** Parameters tag (0), cause (1) and at (2). */
function emitEntered(f: FunctionBuilder): void {
  const log = logAddress(f);
  const last = f.local('i32');
  f.get(log);
  f.load('i32', LOG.last);
  f.tee(last);
  f.op(OP.i32.eqz);
  f.get(log);
  f.load('i32', LOG.at);
  f.get(2);
  f.op(OP.i32.ne, OP.i32.or);
  f.if();
  f.i32(0);
  f.op(OP.return);
  f.end();
  f.get(last);
  f.load('i32_8u', 0);
  f.get(1);
  f.op(OP.i32.ne);
  f.if();
  f.i32(0);
  f.op(OP.return);
  f.end();
  emitEntry(f, log, last, () => f.get(1));
  countEvent(f, log, last, () => f.get(0));
  f.i32(1);
}

/** Parameter base (0). */
function emitFold(f: FunctionBuilder): void {
  const log = logAddress(f);
  const [from, end, slot, misses, guesses, history] = [0, 1, 2, 3, 4, 5].map(() => f.local('i32')) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [target, isRight] = [f.local('i64'), f.local('i32')];
  const bits = f.local('i32');
  f.get(0);
  f.load('i32', PATH_TARGETS);
  f.tee(from);
  f.get(0);
  f.load('i32', PATH_TARGET_COUNT);
  f.i32(3);
  f.op(OP.i32.shl, OP.i32.add);
  f.set(end);
  for (const [local, offset] of [
    [history, LOG.history],
    [guesses, LOG.guessCount],
    [misses, LOG.missCount],
  ] as const) {
    f.get(log);
    f.load('i32', offset);
    f.set(local);
  }
  emitGuessByte(f, log, guesses);
  f.load('i32_8u', LOG.guesses);
  keepBelow(f, guesses);
  f.set(bits);
  const done = f.block();
  const more = f.loop();
  f.get(from);
  f.get(end);
  f.op(OP.i32.ge_u);
  f.brIf(done);
  f.get(log);
  f.get(history);
  f.i32(3);
  f.op(OP.i32.shl, OP.i32.add);
  f.tee(slot);
  f.load('i64', LOG.predictions);
  f.get(from);
  f.load('i64', 0);
  f.tee(target);
  f.op(OP.i64.eq);
  f.tee(isRight);
  f.op(OP.i32.eqz);
  f.if();
  f.get(slot);
  f.get(target);
  f.store('i64', LOG.predictions);
  f.get(log);
  f.get(misses);
  f.i32(3);
  f.op(OP.i32.shl, OP.i32.add);
  f.get(target);
  f.store('i64', LOG.misses);
  add(f, misses, 1);
  f.end();
  emitGuess(f, log, { guesses, bits, isRight });
  // nextHistory
  f.get(history);
  f.i32(4);
  f.op(OP.i32.shl);
  f.get(target);
  f.op(OP.i32.wrap_i64, OP.i32.xor);
  f.get(target);
  f.op(OP.i32.wrap_i64);
  f.i32(7);
  f.op(OP.i32.shr_u, OP.i32.xor);
  f.i32(HISTORIES - 1);
  f.op(OP.i32.and);
  f.set(history);
  add(f, from, 8);
  f.br(more);
  f.end();
  f.end();
  emitGuessByte(f, log, guesses);
  f.get(bits);
  f.store('i32_8', LOG.guesses);
  for (const [local, offset] of [
    [history, LOG.history],
    [guesses, LOG.guessCount],
    [misses, LOG.missCount],
  ] as const) {
    f.get(log);
    f.get(local);
    f.store('i32', offset);
  }
  f.get(0);
  f.i32(0);
  f.store('i32', PATH_TARGET_COUNT);
}

/** Appends the bit `isRight`; whole bytes go to memory. */
function emitGuess(f: FunctionBuilder, log: number, { guesses, bits, isRight }: { guesses: number; bits: number; isRight: number }): void {
  f.get(isRight);
  f.get(guesses);
  f.i32(7);
  f.op(OP.i32.and, OP.i32.shl);
  f.get(bits);
  f.op(OP.i32.or);
  f.set(bits);
  f.get(guesses);
  f.i32(7);
  f.op(OP.i32.and);
  f.i32(7);
  f.op(OP.i32.eq);
  f.if();
  emitGuessByte(f, log, guesses);
  f.get(bits);
  f.store('i32_8', LOG.guesses);
  f.i32(0);
  f.set(bits);
  f.end();
  add(f, guesses, 1);
}

/** Leaves the address of the byte that guess `guesses` lies in, less LOG.guesses. */
function emitGuessByte(f: FunctionBuilder, log: number, guesses: number): void {
  f.get(log);
  f.get(guesses);
  f.i32(3);
  f.op(OP.i32.shr_u, OP.i32.add);
}

function logAddress(f: FunctionBuilder): number {
  const log = f.local('i32');
  f.globalGet(LOG_GLOBAL);
  f.set(log);
  return log;
}

function add(f: FunctionBuilder, local: number, n: number): void {
  f.get(local);
  f.i32(n);
  f.op(OP.i32.add);
  f.set(local);
}
