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
 * instruction n does itself) has not happened yet at position n, and has at n + 1. An event's `at` is the position before it.
 */
import type { Machine } from '../../machine/index.ts';
import type { TraceEvent } from '../events.ts';
import { Player, type PlayerOptions } from '../player.ts';
import type { InstructionView } from '../step.ts';
import type { Symbols } from '../symbols.ts';
import type { Trace } from '../trace/reader.ts';
import { type ConsoleLine, consoleLines } from './console.ts';
import { EventFinder, type EventMatch } from './event-finder.ts';
import { type Hit, type Search, type Stopped, scan } from './search.ts';

/** A search backwards looks first at so many instructions, and then at twice as many each time. */
const FIRST_WINDOW = 1024n;

export class Timeline {
  /** Events by their kind and number. */
  readonly events: EventFinder;
  readonly #player: Player;
  #console: readonly ConsoleLine[] | null = null;
  #isInterrupted = false;

  private constructor(player: Player) {
    this.#player = player;
    this.events = new EventFinder(player.trace);
  }

  /** At the start of the trace. Throws UserError where an image is missing or bad. */
  static async open(trace: Trace, options: PlayerOptions = {}): Promise<Timeline> {
    return new Timeline(await Player.open(trace, options));
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

  get position(): bigint {
    return this.#player.position;
  }

  /** The first position. */
  get start(): bigint {
    return 0n;
  }

  /** The last position: nothing more was recorded. */
  get end(): bigint {
    return this.#player.end;
  }

  // ---- Moving -----------------------------------------------------------------------------------------------------------------------------

  /** Goes to a position; to the start or the end where it is outside of them. */
  seek(to: bigint): void {
    this.#player.seek(latest(to, this.start));
  }

  /** Executes so many instructions (fewer where the run ends). */
  step(count = 1n): void {
    this.seek(this.position + count);
  }

  /** Takes back so many instructions. */
  stepBack(count = 1n): void {
    this.seek(this.position - count);
  }

  /** The instruction that is executed next, as it will be; null at the end. The position stays. */
  next(): InstructionView | null {
    const here = this.position;
    const view = this.#player.step();
    this.seek(here);
    return view;
  }

  /** Runs on until something is found. What stands at the position itself counts only if it happens again later: a breakpoint that was reached is left. */
  forward(search: Search): Stopped {
    return finished(this.#forward(search), search);
  }

  /** Goes back to the last breakpoint or access before the position. */
  back(search: Search): Stopped {
    return finished(this.#back(search), search);
  }

  /** `forward` or `back`, with turns of the event loop in between, in which `interrupt` may be called. */
  async travel(direction: 'forward' | 'back', search: Search): Promise<Stopped> {
    this.#isInterrupted = false;
    const way = direction === 'forward' ? this.#forward(search) : this.#back(search);
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

  /** Gives `undefined` between slices, and is told whether it is interrupted. */
  *#forward(search: Search): Generator<void, Stopped, boolean> {
    const start = this.position;
    const to = earliest(search.until ?? this.end, this.end);
    let hit: Hit | null = null;
    const way = scan(this.#player, to, search, (found) => {
      if (found.kind === 'breakpoint' && found.at === start) return false;
      hit = found;
      return true;
    });
    while (way.next().done !== true) if (yield) return this.#stopped('interrupted', null);
    if (hit === null) return this.#stopped(this.position === this.end ? 'end' : 'until', null);
    return this.#stoppedAt(hit, 'forward');
  }

  *#back(search: Search): Generator<void, Stopped, boolean> {
    const least = latest(search.until ?? this.start, this.start);
    let to = this.position;
    for (let size = FIRST_WINDOW; to > least; size *= 2n) {
      const from = latest(to - size, least);
      this.seek(from);
      let hit: Hit | null = null;
      const way = scan(this.#player, to, search, (found) => {
        hit = found;
        return false;
      });
      while (way.next().done !== true) if (yield) return this.#stopped('interrupted', null);
      if (hit !== null) return this.#stoppedAt(hit, 'back');
      to = from;
    }
    this.seek(least);
    return this.#stopped(least === this.start ? 'start' : 'until', null);
  }

  #stoppedAt(hit: Hit, direction: 'forward' | 'back'): Stopped {
    this.seek(hit.kind === 'watchpoint' && direction === 'forward' ? hit.at + 1n : hit.at);
    return this.#stopped(hit.kind, hit);
  }

  #stopped(why: Stopped['why'], hit: Hit | null): Stopped {
    return { why, position: this.position, hit };
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

function finished(way: Generator<void, Stopped, boolean>, { isInterrupted }: Search): Stopped {
  for (;;) {
    const step = way.next(isInterrupted?.() === true);
    if (step.done === true) return step.value;
  }
}

function isIn(text: string | RegExp, line: string): boolean {
  return typeof text === 'string' ? line.includes(text) : text.test(line);
}

function earliest(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function latest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
