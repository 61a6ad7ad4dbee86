/**
 * The walk along a recorded path, a block of code at a time: which instructions retired, in order, without stepping a machine through them.
 *
 *     const walker = await Walker.open(trace, { ownerOf: …, sink: { block(block, count) {…}, event(event, rip) {…} } }, options);
 *     walker.walk(0n, trace.instructions);
 *
 * The path says where control goes, but code says what stands there; so a machine plays the trace behind the walk, and is brought to the walk's position
 * where a page of code is looked at for the first time, or again after its translation was flushed. Code may change under the walk: it goes on in
 * *windows*, and the machine tells at a window's end whether anything was stored to a page that was walked in it. Then machine and walk go back to the
 * window's begin and take a shorter one, at last of one instruction, behind which code is read again. The sink is told what a window holds when it is certain.
 */
import type { Machine } from '../../machine/index.ts';
import { bug, UserError } from '../../machine/isa/bug.ts';
import { type TraceEvent, tagsOfKinds } from '../events.ts';
import { targetsOf } from '../path.ts';
import { type Mark, Player, type PlayerOptions } from '../player.ts';
import type { Mode, PackedPath, RunBlock } from '../schema.ts';
import { Malformed } from '../trace/malformed.ts';
import type { Trace } from '../trace/reader.ts';
import type { CodeBlock, OwnerOf } from './code-block.ts';
import { CodeMap } from './code-map.ts';

/** Who is told of the walk. */
export interface Sink<Owner> {
  /** The machine stands at the first position that is told of, control at `rip`. */
  begin?(machine: Machine, rip: bigint): void;
  /**
   * The first `count` instructions of a block were executed, all of them where that is its `count`; `isTaken`: and the branch at its end was taken. Of a
   * repeated instruction `count` iterations, and `isTaken` where it goes on after the last. `at`: position of the first.
   */
  block(block: CodeBlock<Owner>, count: number, isTaken: boolean, at: number): void;
  /**
   * An event that moves control, privilege or address spaces. `rip`: where control stood, before an interrupt or exception took it away, or after the instruction of any other event. `looked`: what
   * `look` has said of it.
   */
  event?(event: TraceEvent, rip: bigint, looked: string | null): void;
  /** An instruction has exchanged the stack (code-block.ts): RSP before and after it. */
  stack?(before: bigint, after: bigint): void;
  /** The block will not be executed again: its code has changed. */
  dropped?(block: CodeBlock<Owner>): void;
}

export interface WalkerParts<Owner> {
  readonly ownerOf: OwnerOf<Owner>;
  readonly sink: Sink<Owner>;
  /** Has the sink's `stack` told: it takes time at each such instruction. */
  readonly watchesStack?: boolean;
  /**
   * Where it wants an event, the machine is brought to the position behind it, and what `at` says is told to the sink with the event. It is asked as the walk
   * goes, before it is certain: of one event perhaps several times.
   */
  readonly look?: { wants(event: TraceEvent): boolean; at(event: TraceEvent, machine: Machine): string | null };
  /**
   * Whether certainly nothing was stored to a frame by instructions `from` ≤ n < `to`, as somebody knows who has seen the run (index-file/). Then the machine
   * stays behind where it is not needed for more; also when `begin` is told.
   */
  isUnwritten?(frame: number, from: bigint, to: bigint): boolean;
}

/** Events that are before the instruction at their position, and change where control is. */
const DELIVERED: ReadonlySet<string> = new Set(['irq', 'exception', 'stale']);
/** Events that the walk takes notice of. The others are the affair of who reads events. */
const TOLD = tagsOfKinds([
  'irq',
  'exception',
  'stale',
  'software-interrupt',
  'syscall',
  'enter-user',
  'enter-kernel',
  'control-register',
  'tlb-flush',
  'context-switch',
]);

const CALLERS = 32;
const MOST_ENTRIES = 1 << 14;
const MOST_INSTRUCTIONS = 1 << 20;
/** Instructions between marks: so many are executed once more where a window has to be taken again. */
const MARK_INSTRUCTIONS = 1 << 18;
/** Entries that a step of the walk may add. */
const ROOM = 8;
const TAKEN = 1 << 30;
const RSP = 4;
const LMA = 1n << 10n;

/** Where the walk is. */
interface Place<Owner> {
  readonly at: number;
  readonly rip: bigint;
  readonly bit: number;
  readonly target: number;
  readonly due: number;
  readonly callers: readonly CodeBlock<Owner>[];
  readonly mode: Mode;
}

/** An event of the block, and the position up to which instructions come first. */
interface Due {
  readonly event: TraceEvent;
  readonly due: number;
}

export class Walker<Owner> {
  readonly player: Player;
  readonly #parts: WalkerParts<Owner>;
  readonly #map: CodeMap<Owner>;
  // of the trace's block
  #bits: Uint8Array = new Uint8Array(0);
  #bitCount = 0;
  #targets: BigUint64Array = new BigUint64Array(0);
  #dues: readonly Due[] = [];
  /** The sink is not told: what is walked lies before what was asked for. */
  #isSilent = false;
  #isStopped = false;
  // where the walk is
  #at = 0;
  #rip = 0n;
  #bit = 0;
  #target = 0;
  #due = 0;
  #callers: CodeBlock<Owner>[] = [];
  /** The block at #rip, where it is known. */
  #next: CodeBlock<Owner> | null = null;
  // what the window holds
  #window = 0;
  #windowStart = 0;
  #length = MOST_INSTRUCTIONS;
  #entries = 0;
  readonly #blocks: (CodeBlock<Owner> | null)[] = new Array(MOST_ENTRIES).fill(null);
  readonly #counts = new Int32Array(MOST_ENTRIES);
  readonly #told: (() => void)[] = [];
  #mark: Mark | null = null;
  readonly #reach = (): boolean => this.#reachHere();

  private constructor(player: Player, parts: WalkerParts<Owner>) {
    this.player = player;
    this.#parts = parts;
    this.#map = new CodeMap(player.machine, parts.ownerOf);
  }

  /** UserError where an image is missing. */
  static async open<Owner>(trace: Trace, parts: WalkerParts<Owner>, options: PlayerOptions = {}): Promise<Walker<Owner>> {
    return new Walker(await Player.open(trace, options), parts);
  }

  /** Tells the sink of the instructions `from` ≤ at < `to`. UserError where the trace has no path; `TraceDamage` where it does not fit the code. */
  walk(from: bigint, to: bigint): void {
    for (const _ of this.blockwise(from, to));
  }

  /** The same, and comes back to the caller with the position behind each block of the trace. */
  *blockwise(from: bigint, to: bigint): Generator<bigint> {
    const { trace } = this.player;
    const end = to < trace.instructions ? to : trace.instructions;
    if (from >= end) return;
    this.#isStopped = false;
    const first = trace.runAt(from);
    this.player.seek(trace.firstOf(first));
    this.#map.restart();
    this.#mark = null;
    for (let index = first; index < trace.runs && trace.firstOf(index) < end; index++) {
      const run = trace.run(index);
      if (run.path === null) throw new UserError('the trace holds no path: it was recorded by an older version, or by something else');
      const { path } = run;
      const last = Number(run.first) + run.count;
      trace.placed(index, () => {
        this.#begin(run, path, trace.events(index, TOLD));
        this.#isSilent = true;
        this.#walkTo(Math.min(Number(from), last));
        this.#isSilent = false;
        if (index === first) this.#parts.sink.begin?.(this.player.machine, this.#rip);
        this.#walkTo(Math.min(Number(end), last));
        if (this.#at === last && !this.#isStopped && (this.#bit !== this.#bitCount || this.#target !== this.#targets.length))
          throw new Malformed('the path says more than the instructions of the block take');
      });
      yield BigInt(this.#at);
      if (this.#isStopped) return;
    }
  }

  /** Ends the walk; the sink is told no more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** All blocks of code that were walked and not dropped. */
  blocks(): Iterable<CodeBlock<Owner>> {
    return this.#map.blocks();
  }

  #begin(run: RunBlock, path: PackedPath, events: readonly TraceEvent[]): void {
    this.#bits = path.bits;
    this.#bitCount = path.bitCount;
    this.#targets = targetsOf(path);
    this.#dues = events.map((event) => ({ event, due: Number(event.at) + (isBefore(event) ? 0 : 1) }));
    this.#at = Number(run.first);
    this.#rip = run.rip;
    this.#bit = 0;
    this.#target = 0;
    this.#due = 0;
    this.#callers = [];
    this.#next = null;
    // outside of 64-bit mode the base of the code segment is asked for
    if (run.mode !== 64) {
      this.player.run(run.first);
      this.#map.settle();
    }
    this.#takeMode(run.mode);
  }

  #takeMode(mode: Mode): void {
    this.#map.mode = mode;
    this.#map.base = mode === 64 ? 0n : this.player.machine.registers().segments.cs.base;
  }

  #walkTo(end: number): void {
    while (this.#at < end && !this.#isStopped) {
      const start = this.#place();
      this.#window++;
      this.#windowStart = start.at;
      this.#entries = 0;
      this.#next = null;
      this.#told.length = 0;
      if (this.#isMarkFar(start.at)) this.#takeMark();
      const until = Math.min(end, start.at + this.#length);
      if (this.#tryWindow(until)) {
        this.#tell(start.at);
        for (const block of this.#map.takeDropped()) this.#parts.sink.dropped?.(block);
        this.#length = Math.min(MOST_INSTRUCTIONS, 2 * this.#length);
      } else {
        this.#length = Math.max(1, (Math.min(this.#at, until) - start.at) >> 3);
        this.#goBack(start);
      }
    }
  }

  #isMarkFar(at: number): boolean {
    if (this.#mark === null) return true;
    const { position } = this.#mark;
    return position !== this.player.position && at - Number(position) >= Math.min(MARK_INSTRUCTIONS, 16 * this.#length);
  }

  #takeMark(): void {
    this.#mark = this.player.mark();
  }

  #place(): Place<Owner> {
    return {
      at: this.#at,
      rip: this.#rip,
      bit: this.#bit,
      target: this.#target,
      due: this.#due,
      callers: [...this.#callers],
      mode: this.#map.mode,
    };
  }

  #goBack(to: Place<Owner>): void {
    this.#mark?.restore();
    this.player.run(BigInt(to.at));
    this.#at = to.at;
    this.#rip = to.rip;
    this.#bit = to.bit;
    this.#target = to.target;
    this.#due = to.due;
    this.#callers = [...to.callers];
    this.#next = null;
    this.#map.settle();
    this.#map.restart();
    this.#takeMode(to.mode);
  }

  /** Brings the machine to the walk's position; false where code of this window has changed on the way, so that the window is to be taken again. */
  #reachHere(): boolean {
    const { player } = this;
    const from = Number(player.position);
    player.run(BigInt(this.#at));
    if (Number(player.position) !== this.#at) throw new Malformed(`the run stops at ${player.position}, the path goes on`);
    if (!this.#map.hasChanged) return true;
    if (this.#mayHaveMissed(from) && this.#map.isStoredTo(this.#window)) return false;
    this.#map.settle();
    this.#next = null;
    return true;
  }

  /** Whether stores since `from`, where the machine stood, may have changed what was walked in this window: one instruction changes only those behind it. */
  #mayHaveMissed(from: number): boolean {
    return this.#at - this.#windowStart > 1 || from < this.#windowStart;
  }

  #tell(at: number): void {
    const { sink } = this.#parts;
    let told = 0;
    for (let entry = 0; entry < this.#entries && !this.#isStopped; entry++) {
      const block = this.#blocks[entry];
      if (block === null || block === undefined) {
        if (!this.#isSilent) this.#told[told]?.();
        told++;
        continue;
      }
      const packed = this.#counts[entry] ?? 0;
      const count = packed & ~TAKEN;
      if (!this.#isSilent) {
        block.add(count, (packed & TAKEN) !== 0);
        sink.block(block, count, (packed & TAKEN) !== 0, at);
      }
      at += count;
    }
  }

  #enter(block: CodeBlock<Owner>, count: number, isTaken: boolean): void {
    this.#blocks[this.#entries] = block;
    this.#counts[this.#entries++] = isTaken ? count | TAKEN : count;
    this.#at += count;
  }

  #enterTold(tell: () => void): void {
    this.#told.push(tell);
    this.#blocks[this.#entries++] = null;
  }

  /** Walks a window to its end; false where it is to be taken again. Code that is not there any more may have led the walk astray. */
  #tryWindow(end: number): boolean {
    try {
      return this.#walkWindow(end) && (this.#isUnwritten() || this.#reachHere());
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      const { player } = this;
      const from = Number(player.position);
      player.run(BigInt(this.#at));
      if (!this.#mayHaveMissed(from) || !this.#map.isStoredTo(this.#window)) throw error;
      return false;
    }
  }

  /** Whether the code of this window is known to be what it was where the machine stands. */
  #isUnwritten(): boolean {
    const { isUnwritten } = this.#parts;
    if (isUnwritten === undefined) return false;
    const from = this.player.position;
    return this.#map.framesUsed(this.#window).every((frame) => isUnwritten(frame, from, BigInt(this.#at)));
  }

  /** Walks up to a position, or until the window is full; false where it is to be taken again. */
  #walkWindow(end: number): boolean {
    for (;;) {
      let next = this.#dues[this.#due];
      while (next !== undefined && next.due <= this.#at) {
        this.#due++;
        if (!this.#take(next.event)) return false;
        next = this.#dues[this.#due];
      }
      if (this.#at >= end || this.#entries >= MOST_ENTRIES - ROOM) return true;
      if (!this.#walkCode(next === undefined || next.due > end ? end : next.due)) return false;
    }
  }

  /** Takes over an event; false where the window is to be taken again. */
  #take(event: TraceEvent): boolean {
    const { look, sink } = this.#parts;
    const rip = this.#rip;
    switch (event.kind) {
      case 'irq':
      case 'exception':
        if (this.#map.mode !== 64) {
          if (!this.#reachHere()) return false;
          // the gates of long mode lead to 64-bit code
          if ((this.player.machine.controls.efer & LMA) !== 0n) this.#takeMode(64);
        }
        this.#go(event.target, null);
        this.#callers.length = 0;
        break;
      case 'stale':
        this.#map.stale(event);
        break;
      case 'control-register':
        this.#map.control(event);
        break;
      case 'tlb-flush':
        this.#map.flush(event);
        break;
    }
    // what an instruction does to translations holds from the next on
    if (event.kind !== 'irq' && event.kind !== 'exception') this.#next = null;
    if (sink.event === undefined) return true;
    if (look?.wants(event) === true && !this.#isSilent) {
      if (!this.#reachHere()) return false;
      const looked = look.at(event, this.player.machine);
      this.#enterTold(() => sink.event?.(event, rip, looked));
    } else this.#enterTold(() => sink.event?.(event, rip, null));
    return true;
  }

  #go(rip: bigint, block: CodeBlock<Owner> | null): void {
    this.#rip = rip;
    this.#next = block;
  }

  /** Walks code up to a position in front of which there is no event; false where the window is to be taken again. */
  #walkCode(end: number): boolean {
    while (this.#at < end && this.#entries < MOST_ENTRIES - ROOM) {
      const block = this.#next ?? this.#map.blockAt(this.#rip, this.#window, this.#reach);
      if (block === null) return false;
      block.page.usedIn = this.#window;
      if (block.second !== null) block.second.usedIn = this.#window;
      if (block.isRepeated) {
        this.#repeat(block, end);
        continue;
      }
      const left = end - this.#at;
      if (block.count > left) {
        this.#enter(block, left, false);
        this.#go(block.ripOf(left), null);
        return true;
      }
      if (block.switchesStack && this.#parts.watchesStack === true && !this.#isSilent) {
        if (!this.#walkSwitch(block)) return false;
      } else if (!this.#follow(block)) return false;
    }
    return true;
  }

  #walkSwitch(block: CodeBlock<Owner>): boolean {
    const { machine } = this.player;
    if (!this.#reachHere()) return false;
    const before = machine.register(RSP);
    if (!this.#follow(block) || !this.#reachHere()) return false;
    const after = machine.register(RSP);
    this.#enterTold(() => this.#parts.sink.stack?.(before, after));
    return true;
  }

  #repeat(block: CodeBlock<Owner>, end: number): void {
    let count = 0;
    const most = end - this.#at;
    let goesOn = true;
    while (goesOn && count < most) {
      goesOn = this.#takeBit();
      count++;
    }
    this.#enter(block, count, goesOn);
    if (goesOn) this.#go(block.rip, block);
    else this.#goAfter(block);
  }

  #takeBit(): boolean {
    const index = this.#bit++;
    if (index >= this.#bitCount) throw new Malformed(`the path has no bit ${index}`);
    return (((this.#bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  }

  #takeTarget(): bigint {
    const index = this.#target++;
    const target = this.#targets[index];
    if (target === undefined) throw new Malformed(`the path has no target ${index}`);
    return target;
  }

  /** Enters a block that is executed wholly, and goes on to the next; false where the window is to be taken again. */
  #follow(block: CodeBlock<Owner>): boolean {
    const { count } = block;
    switch (block.flow) {
      case 'next':
        this.#enter(block, count, false);
        this.#goAfter(block);
        return true;
      case 'branch': {
        const isTaken = this.#takeBit();
        this.#enter(block, count, isTaken);
        if (isTaken) this.#goTarget(block);
        else this.#goAfter(block);
        return true;
      }
      case 'call':
        this.#call(block);
        this.#enter(block, count, true);
        this.#goTarget(block);
        return true;
      case 'jump':
        this.#enter(block, count, true);
        this.#goTarget(block);
        return true;
      case 'indirect-call':
        this.#call(block);
        this.#enter(block, count, true);
        this.#go(this.#takeTarget(), null);
        return true;
      case 'indirect':
        this.#enter(block, count, true);
        this.#go(this.#takeTarget(), null);
        return true;
      case 'ret': {
        const caller = this.#callers.pop();
        this.#enter(block, count, true);
        if (!this.#takeBit()) this.#go(this.#takeTarget(), null);
        else if (caller === undefined) throw new Malformed(`a return at 0x${block.rip.toString(16)} matches a call that is not there`);
        else this.#goAfter(caller);
        return true;
      }
      case 'event':
        return this.#followEvent(block);
    }
  }

  #followEvent(block: CodeBlock<Owner>): boolean {
    const { name } = block.last.row;
    const at = this.#at + block.count - 1;
    this.#enter(block, block.count, true);
    if (name === 'INTO' && !this.#isInterruptAt(at)) {
      this.#goAfter(block);
      return true;
    }
    this.#callers.length = 0;
    this.#go(this.#takeTarget(), null);
    // SYSCALL, SYSRETQ and the gates of long mode lead from 64-bit code to 64-bit code
    if (name === 'SYSCALL' || name === 'SYSRETQ') this.#takeMode(64);
    else if (!(block.mode === 64 && name.startsWith('INT'))) {
      if (!this.#reachHere()) return false;
      this.#takeMode(this.player.machine.codeBits);
    }
    return true;
  }

  #isInterruptAt(at: number): boolean {
    for (let index = this.#due; ; index++) {
      const next = this.#dues[index];
      if (next === undefined || next.due > at + 1) return false;
      if (next.event.kind === 'software-interrupt' && Number(next.event.at) === at) return true;
    }
  }

  #call(block: CodeBlock<Owner>): void {
    this.#callers.push(block);
    if (this.#callers.length > CALLERS) this.#callers.shift();
  }

  #goAfter(block: CodeBlock<Owner>): void {
    const { age } = this.#map;
    if (block.afterAge !== age) {
      const link = this.#map.knownAt(block.after);
      if (link === null) {
        this.#go(block.after, null);
        return;
      }
      block.afterLink = link;
      block.afterAge = age;
    }
    this.#go(block.after, block.afterLink);
  }

  #goTarget(block: CodeBlock<Owner>): void {
    const { age } = this.#map;
    const target = block.target ?? bug('a direct transfer without a target');
    if (block.targetAge !== age) {
      const link = this.#map.knownAt(target);
      if (link === null) {
        this.#go(target, null);
        return;
      }
      block.targetLink = link;
      block.targetAge = age;
    }
    this.#go(target, block.targetLink);
  }
}

/** Whether an event comes before the instruction at its position; else that instruction makes it. */
export function isBefore(event: TraceEvent): boolean {
  return DELIVERED.has(event.kind) || (event.kind === 'enter-kernel' && (event.cause === 'irq' || event.cause === 'exception'));
}
