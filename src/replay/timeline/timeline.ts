/**
 * A trace as a line of time: a machine that is moved along it in both directions, to positions, to instructions and accesses, and to events.
 *
 *     const timeline = await Timeline.open(await openTrace('run.mpk'));
 *     timeline.seek(timeline.end);
 *     timeline.back({ watchpoints: [{ space: 'linear', address, length: 8, access: 'write' }] });   // before the last instruction that wrote there
 *     timeline.stepBack();
 *     const call = timeline.previousEvent({ kinds: ['syscall'] });                                 // out of the trace, without running
 *     if (call !== null) timeline.seek(call.at);
 *     timeline.machine.registers();
 *
 * *Position* n: n instructions have retired. What happens at n (interrupts and faults that are delivered before instruction n retires, and all that
 * instruction n does itself) has not happened yet at position n, and has at n + 1. An event's `at` is the position before it. Only a search that ends at a
 * breakpoint behind something that was delivered (on the first instruction of a handler) stands within a position: `delivered` says how much of it has
 * happened; a step back goes to the position itself.
 */

import type { Breakpoint, Machine } from '../../machine/index.ts';
import { bug, UserError } from '../../machine/isa/bug.ts';
import type { TraceEvent } from '../events.ts';
import { Keel } from '../keel.ts';
import { bootOf, Player, type PlayerOptions } from '../player.ts';
import type { Recording } from '../record.ts';
import type { InstructionView } from '../step.ts';
import type { Symbols } from '../symbols.ts';
import type { Trace } from '../trace/reader.ts';
import { type BranchOptions, recordBranch } from './branch.ts';
import { type ConsoleLine, consoleLines } from './console.ts';
import { EventFinder } from './event-finder.ts';
import type { EventMatch } from './event-match.ts';
import { endingOf, failureOf } from './failure.ts';
import { Marks } from './marks.ts';
import { resolvePosition } from './positions.ts';
import { type Hit, Scan, type Search, type Stopped } from './search.ts';
import { earliest, latest, Traveller } from './traveller.ts';

/** A search backwards looks first at so many instructions, and then at twice as many each time. */
const FIRST_WINDOW = 8192n;

export interface TimelineOptions extends PlayerOptions {
  /** The file that keeps the marks; without it they are kept in memory. */
  readonly marks?: string;
  /** Where the run failed, where that is known from elsewhere (a finding). */
  readonly failure?: bigint;
}

export class Timeline {
  /** Positions with names. */
  readonly marks: Marks;
  /** Events by their kind and number. */
  readonly events: EventFinder;
  readonly #player: Player;
  readonly #options: TimelineOptions;
  readonly #traveller: Traveller;
  /** How much has been delivered at the position. */
  #delivered = 0;
  #console: readonly ConsoleLine[] | null = null;
  #keel: Keel | null | undefined;
  #isInterrupted = false;

  private constructor(player: Player, options: TimelineOptions) {
    this.#player = player;
    this.#options = options;
    this.#traveller = new Traveller(player);
    this.events = new EventFinder(player.trace);
    this.marks = Marks.open(options.marks ?? null, () => Buffer.from(player.trace.digest()).toString('hex'));
  }

  /** At the start of the trace. Throws UserError where an image is missing or bad, or the file of marks. */
  static async open(trace: Trace, options: TimelineOptions = {}): Promise<Timeline> {
    return new Timeline(await Player.open(trace, options), options);
  }

  get trace(): Trace {
    return this.#player.trace;
  }

  /** The machine at the position. It may be read; who runs or changes it breaks the timeline. */
  get machine(): Machine {
    return this.#player.machine;
  }

  get symbols(): Symbols {
    return this.#player.symbols;
  }

  /** keel's processes as they are at the position; null where the guest is another kernel. */
  get keel(): Keel | null {
    if (this.#keel === undefined) this.#keel = Keel.of(this.machine, bootOf(this.trace, this.#options).image);
    return this.#keel;
  }

  get position(): bigint {
    return this.#player.position;
  }

  /** How many interrupts and faults have been delivered at the position: 0 but for a search that ended behind some. */
  get delivered(): number {
    return this.#delivered;
  }

  /** The first position. */
  get start(): bigint {
    return this.trace.start;
  }

  /** The last position: nothing more was recorded. */
  get end(): bigint {
    return this.#player.end;
  }

  // ---- Moving -----------------------------------------------------------------------------------------------------------------------------

  /** Goes to a position; to the start or the end where it is outside of them. */
  seek(to: bigint): void {
    drained(this.#seek(to));
  }

  /** Executes so many instructions (fewer where the run ends). */
  step(count = 1n): void {
    this.seek(this.position + count);
  }

  /** Takes back so many instructions. What was delivered at the position counts as one. */
  stepBack(count = 1n): void {
    this.seek(this.position - (this.#delivered > 0 ? count - 1n : count));
  }

  /** The instruction that is executed next, as it will be; null at the end. The position stays. */
  next(): InstructionView | null {
    return this.#staying(() => this.#player.step());
  }

  /** The same of the next few. */
  ahead(count: number): InstructionView[] {
    const delivered = this.#delivered;
    return this.#staying(() => {
      const views = this.instructions(count);
      this.#delivered = delivered;
      return views;
    });
  }

  /** Executes so many instructions (fewer where the run ends) and tells which they were. */
  instructions(count: number): InstructionView[] {
    const views: InstructionView[] = [];
    while (views.length < count) {
      const view = this.#player.step();
      if (view === null) break;
      this.#delivered = 0;
      views.push(view);
    }
    return views;
  }

  /** Runs on until something is found. A breakpoint at which the timeline stands is left, not found. */
  forward(search: Search): Stopped {
    return drained(this.#forward(search), search.isInterrupted);
  }

  /** Goes back to the last breakpoint or access before the position. */
  back(search: Search): Stopped {
    return drained(this.#back(search), search.isInterrupted);
  }

  /** `forward`, `back` or a seek (`until` alone), with turns of the event loop in between, in which `interrupt` may be called. */
  async travel(direction: 'forward' | 'back' | 'seek', search: Search): Promise<Stopped> {
    this.#isInterrupted = false;
    const way = this.#way(direction, search);
    for (;;) {
      const step = way.next(this.#isInterrupted || search.isInterrupted?.() === true);
      if (step.done === true) return step.value;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Ends a `travel` soon: `interrupted`, wherever it is by then. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  #way(direction: 'forward' | 'back' | 'seek', search: Search): Way {
    if (direction === 'seek') return this.#seek(search.until ?? this.position);
    return direction === 'forward' ? this.#forward(search) : this.#back(search);
  }

  *#seek(to: bigint): Way {
    const isThere = yield* this.#go(to);
    return this.#stopped(isThere ? 'until' : 'interrupted', null);
  }

  /** To a position, before anything that happens at it; false: interrupted on the way. */
  *#go(to: bigint, isAnew = this.#delivered > 0): Generator<void, boolean, boolean> {
    const isThere = yield* this.#traveller.go(earliest(latest(to, this.start), this.end), isAnew);
    this.#delivered = 0;
    return isThere;
  }

  *#forward(search: Search): Way {
    const start = this.position;
    const delivered = this.#delivered;
    const to = earliest(search.until ?? this.end, this.end);
    const found = new Found(true);
    const scan = new Scan(this.#player, search, delivered, (hit) => {
      const isHere = hit.kind === 'breakpoint' && hit.at === start && hit.delivered <= delivered;
      return !isHere && found.take(hit);
    });
    const isThere = yield* this.#traveller.run(to, { run: (until) => scan.run(until), isDone: () => found.hit !== null, keep: 'here' });
    if (found.hit !== null) return yield* this.#stopAt(found.hit, true);
    if (this.position > start) this.#delivered = 0;
    if (!isThere) return this.#stopped('interrupted', null);
    return this.#stopped(this.position === this.end ? 'end' : 'until', null);
  }

  *#back(search: Search): Way {
    const least = latest(search.until ?? this.start, this.start);
    let to = this.position;
    let delivered = this.#delivered;
    for (let size = FIRST_WINDOW; to > least || delivered > 0; size *= 2n) {
      const from = latest(this.#traveller.restartNear(latest(to - size, this.start), size), least);
      if (!(yield* this.#go(from))) return this.#stopped('interrupted', null);
      const [border, within] = [to, delivered];
      const found = new Found(false);
      const scan = new Scan(this.#player, search, 0, (hit) => (hit.at < border || hit.delivered < within) && found.take(hit));
      const last = within > 0 ? border + 1n : border;
      if (!(yield* this.#traveller.run(last, { run: (until) => scan.run(until), keep: 'target' })))
        return this.#stopped('interrupted', null);
      if (found.hit !== null) return yield* this.#stopAt(found.hit, false);
      to = from;
      delivered = 0;
    }
    if (!(yield* this.#go(least))) return this.#stopped('interrupted', null);
    return this.#stopped(least === this.start ? 'start' : 'until', null);
  }

  /** Goes to where a hit ends a search. The machine may stand somewhere within the hit's instruction. */
  *#stopAt(hit: Hit, isForward: boolean): Way {
    const isAfter = hit.kind === 'watchpoint' && isForward;
    if (!(yield* this.#go(isAfter ? hit.at + 1n : hit.at, true))) return this.#stopped('interrupted', null);
    if (hit.kind === 'breakpoint' && hit.delivered > 0) this.#enter(hit.breakpoint, hit.at, hit.delivered);
    return this.#stopped(hit.kind, hit);
  }

  /** On within the position, to where a breakpoint was told behind what was delivered. */
  #enter(breakpoint: Breakpoint, at: bigint, delivered: number): void {
    new Scan(this.#player, { breakpoints: [breakpoint] }, 0, (hit) => hit.delivered === delivered).run(at + 1n);
    if (this.position !== at) bug(`the breakpoint behind ${delivered} deliveries at ${at} was not met again`);
    this.#delivered = delivered;
  }

  #stopped(why: Stopped['why'], hit: Hit | null): Stopped {
    return { why, position: this.position, hit };
  }

  /**
   * Leaves the recorded run here, with what `options` change, and records what happens then as a trace of its own (branch.ts). The timeline stays. UserError
   * where a change cannot be made.
   */
  branch(options: BranchOptions): Promise<Recording> {
    return recordBranch(this.#player, options);
  }

  // ---- Events -----------------------------------------------------------------------------------------------------------------------------

  /** The first event after `from` (-1n: also at the first position). */
  nextEvent(match: EventMatch, from = this.position): TraceEvent | null {
    return this.events.next(match, from);
  }

  /** The last event before `from`. */
  previousEvent(match: EventMatch, from = this.position): TraceEvent | null {
    return this.events.previous(match, from);
  }

  /**
   * Switches to a process of keel, by its number, its program, or `kernel`; or to the page tables with this root (`0x…`). Who has them is read out of memory as
   * it is behind the switch: each look costs the way there. UserError where the guest is another kernel, unless a root is given.
   */
  switchesTo(process: string): EventMatch {
    const root = /^0x[0-9a-f]{1,16}$/i.test(process) ? BigInt(process) : null;
    if (root !== null) return { kinds: ['context-switch'], matches: (event) => event.kind === 'context-switch' && event.to === root };
    const keel = this.keel;
    if (keel === null) throw new UserError(`process ${process}: this guest is not keel; give the physical address of the page tables: 0x…`);
    const isNamed = (name: string | null): boolean => name === process || name?.split(' ').slice(1).includes(process) === true;
    const matches = (event: TraceEvent): boolean =>
      event.kind === 'context-switch' &&
      this.#staying(() => {
        this.#player.seek(event.at + 1n);
        return isNamed(keel.nameOf(event.to));
      });
    return { kinds: ['context-switch'], matches };
  }

  /** Does something that moves the machine, and comes back. */
  #staying<T>(work: () => T): T {
    const mark = this.#player.mark();
    try {
      return work();
    } finally {
      mark.restore();
    }
  }

  /** The position that a text says (positions.ts tells the forms). UserError where it says none, or there is no such position. */
  resolve(text: string): bigint {
    const { position, start, end, console, events, marks } = this;
    return resolvePosition(
      {
        position,
        start,
        end,
        console,
        failure: this.failure,
        ending: this.ending,
        mark: (name) => marks.get(name),
        event: (number) => events.at(number),
        all: (match, isBackwards) => events.all(match, isBackwards),
        nextEvent: (match, after) => events.next(match, after),
        previousEvent: (match, before) => events.previous(match, before),
        switchesTo: (process) => this.switchesTo(process),
      },
      text,
    );
  }

  /** Where the run failed: of a kernel that panicked, or a run that ended badly; null where it did not fail. */
  get failure(): bigint | null {
    return this.#options.failure ?? failureOf(this.trace, this.events);
  }

  /** How the run ended, for people. */
  get ending(): string {
    return endingOf(this.trace);
  }

  /** All that the guest printed. */
  get console(): readonly ConsoleLine[] {
    this.#console ??= consoleLines(this.trace);
    return this.#console;
  }

  /** The first line printed after `from` that has this text, or matches. */
  nextLine(text: string | RegExp, from = this.position): ConsoleLine | null {
    return this.console.find(({ at, text: line }) => at > from && isIn(text, line)) ?? null;
  }

  previousLine(text: string | RegExp, from = this.position): ConsoleLine | null {
    return this.console.findLast(({ at, text: line }) => at < from && isIn(text, line)) ?? null;
  }
}

/** The first hit, at which the run ends, or the last. */
class Found {
  hit: Hit | null = null;
  readonly #isFirst: boolean;

  constructor(isFirst: boolean) {
    this.#isFirst = isFirst;
  }

  /** Whether the run ends. */
  take(hit: Hit): boolean {
    if (this.hit === null || !this.#isFirst) this.hit = hit;
    return this.#isFirst;
  }
}

/** A way that gives control back between slices, and is told then whether it is interrupted. */
type Way = Generator<void, Stopped, boolean>;

function drained(way: Way, isInterrupted?: () => boolean): Stopped {
  for (;;) {
    const step = way.next(isInterrupted?.() === true);
    if (step.done === true) return step.value;
  }
}

function isIn(text: string | RegExp, line: string): boolean {
  return typeof text === 'string' ? line.includes(text) : text.test(line);
}
