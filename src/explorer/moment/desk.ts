/** The thread that has the machine: it is moved along the timeline, and what is asked of a position is read there. */
import { Bug, UserError } from '../../machine/index.ts';
import { processName, type Stopped, Timeline, type Trace } from '../../replay/index.ts';
import type { MarksView, MemoryView, Moment, PositionView, ProcessesView, SearchResult, VariablesView, WalkView } from '../protocol.ts';
import type { Desk, ThreadRequest } from '../thread.ts';
import { Listing } from './lines.ts';
import { readMemory, walk } from './memory.ts';
import { registerValues } from './registers.ts';
import { variablesAt } from './variables.ts';

export interface MomentQuery {
  readonly at: number;
  /** Instructions that are listed in front of the position, and from it on. */
  readonly before: number;
  readonly after: number;
}

export interface MemoryQuery {
  readonly at: number;
  readonly space: 'linear' | 'physical';
  readonly address: string;
  readonly length: number;
}

export interface SearchQuery {
  readonly at: number;
  readonly direction: 'forward' | 'back';
  readonly what: 'execute' | 'read' | 'write' | 'access';
  readonly space: 'linear' | 'physical';
  readonly address: string;
  readonly length: number;
}

export interface MarkQuery {
  readonly at: number;
  readonly name: string;
}

export class MomentDesk implements Desk {
  readonly #timeline: Timeline;
  readonly #listing: Listing;

  private constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#listing = new Listing(timeline);
  }

  /** `path`: the trace's, beside which its marks are kept; `failure`: where the run failed, where that is known. */
  static async open(trace: Trace, path: string, failure: number | null): Promise<MomentDesk> {
    const known = failure === null ? {} : { failure: BigInt(failure) };
    return new MomentDesk(await Timeline.open(trace, { marks: `${path}.marks`, ...known }));
  }

  async answer({ operation, query }: ThreadRequest, isCancelled: () => boolean): Promise<unknown> {
    switch (operation) {
      case 'moment':
        return this.#moment(query as unknown as MomentQuery, isCancelled);
      case 'memory':
        return this.#memory(query as unknown as MemoryQuery, isCancelled);
      case 'walk':
        return this.#walk(query as unknown as { at: number; address: string }, isCancelled);
      case 'processes':
        return this.#processes(query as unknown as { at: number }, isCancelled);
      case 'search':
        return this.#search(query as unknown as SearchQuery, isCancelled);
      case 'resolve':
        return this.#resolve(query as unknown as { at: number; text: string }, isCancelled);
      case 'marks':
        return this.#marks();
      case 'mark': {
        const { at, name } = query as unknown as MarkQuery;
        this.#timeline.marks.set(name, this.#inside(at));
        return this.#marks();
      }
      case 'unmark':
        this.#timeline.marks.remove((query as unknown as MarkQuery).name);
        return this.#marks();
      case 'variables':
        return this.#variables(query as unknown as { at: number }, isCancelled);
      default:
        throw new Bug(`no operation ${operation}`);
    }
  }

  async #goTo(position: number, isInterrupted: () => boolean): Promise<number> {
    const timeline = this.#timeline;
    const until = this.#inside(position);
    const { why } = await timeline.travel('seek', { until, isInterrupted });
    if (why === 'interrupted') throw new UserError('the request was given up');
    return Number(timeline.position);
  }

  /** A position that the trace has; UserError for another. */
  #inside(position: number): bigint {
    const { start, end } = this.#timeline;
    if (position < start) throw new UserError(`the trace begins at ${start}; ${position} lies before that`);
    if (position > end) throw new UserError(`the trace ends at ${end}; ${position} lies behind that`);
    return BigInt(position);
  }

  /** Where a text means, as it is read from a position. */
  async #resolve({ at, text }: { at: number; text: string }, isInterrupted: () => boolean): Promise<PositionView> {
    await this.#goTo(at, isInterrupted);
    return { at: Number(this.#timeline.resolve(text)) };
  }

  #marks(): MarksView {
    return { marks: this.#timeline.marks.all.map(([name, at]) => ({ name, at: Number(at) })) };
  }

  async #moment({ at: position, before, after }: MomentQuery, isCancelled: () => boolean): Promise<Moment> {
    const from = Math.max(Number(this.#timeline.start), position - before);
    await this.#goTo(from, isCancelled);
    const instructions = this.#listing.between(BigInt(from), BigInt(position + after));
    const at = await this.#goTo(position, isCancelled);
    const { machine, end } = this.#timeline;
    return {
      at,
      end: Number(end),
      registers: registerValues(machine.registers()),
      mode: machine.codeBits,
      instructions,
      process: this.#timeline.keel?.nameOf(machine.cr3 & ~0xfffn) ?? null,
    };
  }

  async #memory({ at, space, address, length }: MemoryQuery, isCancelled: () => boolean): Promise<MemoryView> {
    const position = await this.#goTo(at, isCancelled);
    return { at: position, ...readMemory(this.#timeline.machine, space, BigInt(address), length) };
  }

  async #walk({ at, address }: { at: number; address: string }, isCancelled: () => boolean): Promise<WalkView> {
    const position = await this.#goTo(at, isCancelled);
    return { at: position, ...walk(this.#timeline.machine, BigInt(address)) };
  }

  async #processes({ at }: { at: number }, isCancelled: () => boolean): Promise<ProcessesView> {
    const position = await this.#goTo(at, isCancelled);
    const { keel } = this.#timeline;
    const { machine } = this.#timeline;
    if (keel === null) return { at: position, root: `0x${machine.cr3.toString(16)}`, current: null, processes: [] };
    const { current } = keel;
    return {
      at: position,
      root: `0x${machine.cr3.toString(16)}`,
      current: keel.nameOf(machine.cr3 & ~0xfffn),
      processes: keel.processes().map((process) => ({
        name: processName(process),
        root: process.root === null ? null : `0x${process.root.toString(16)}`,
        state: process.state,
        isCurrent: process.slot === current,
      })),
    };
  }

  async #variables({ at }: { at: number }, isCancelled: () => boolean): Promise<VariablesView> {
    const position = await this.#goTo(at, isCancelled);
    return { at: position, calls: variablesAt(this.#timeline.machine, this.#timeline.symbols) };
  }

  async #search({ at, direction, what, space, address, length }: SearchQuery, isInterrupted: () => boolean): Promise<SearchResult> {
    await this.#goTo(at, isInterrupted);
    const place = BigInt(address);
    const search =
      what === 'execute'
        ? { breakpoints: [{ address: place }], isInterrupted }
        : { watchpoints: [{ space, address: place, length, access: what }], isInterrupted };
    const stopped = await this.#timeline.travel(direction, search);
    return { at: Number(stopped.position), why: whyText(stopped, address), isFound: stopped.hit !== null };
  }
}

function whyText({ why, hit }: Stopped, address: string): string {
  switch (why) {
    case 'breakpoint':
      return `instruction ${hit?.at} is at ${address}`;
    case 'watchpoint':
      return hit?.kind === 'watchpoint'
        ? `instruction ${hit.at} ${hit.access.write ? 'writes' : 'reads'} ${address}${hit.access.implicit ? ' (by the CPU itself)' : ''}`
        : why;
    case 'start':
      return `not found: this is the begin of the trace`;
    case 'end':
      return `not found: this is the end of the trace`;
    default:
      return `the search was ended`;
  }
}
