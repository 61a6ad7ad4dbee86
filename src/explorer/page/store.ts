/** What the page shows, in one object, and the ways to change it. Panes read it with `useStore` and are drawn again when it changes. */
import { useEffect, useState } from 'preact/hooks';
import type {
  EventLine,
  Lane,
  MarksView,
  MemoryView,
  Moment,
  PositionView,
  ProcessesView,
  SourceText,
  SpacesInfo,
  TraceInfo,
  VariablesView,
  WalkView,
  WriterView,
} from '../protocol.ts';
import { LANES } from '../protocol.ts';
import { ask, change, Failure, isGivenUp, type Parameters } from './client.ts';
import { grouped } from './format.ts';

/** A byte that was clicked, and what is known of who wrote it. */
export interface Picked {
  readonly address: string;
  readonly space: 'linear' | 'physical';
  /** Null while the answer is on its way. */
  readonly writer: WriterView | null;
}

export interface State {
  readonly info: TraceInfo;
  readonly spaces: SpacesInfo;
  /** Where the cursor is; what `moment` shows may still be of the position before. */
  readonly position: number;
  readonly moment: Moment | null;
  /** The one that was shown before: what differs is highlighted. */
  readonly before: Moment | null;
  readonly memory: MemoryView | null;
  readonly memoryBefore: MemoryView | null;
  readonly memoryAddress: string;
  readonly memorySpace: 'linear' | 'physical';
  readonly walk: WalkView | null;
  readonly walkAddress: string;
  readonly processes: ProcessesView | null;
  readonly variables: VariablesView | null;
  readonly source: SourceText | null;
  readonly picked: Picked | null;
  readonly events: readonly EventLine[];
  /** Of the table of events, and of the keys for the next and previous event. */
  readonly lanes: ReadonlySet<Lane>;
  readonly marks: MarksView['marks'];
  /** What a screen reader is told, and the line at the bottom shows. */
  readonly said: string;
  readonly isBusy: boolean;
  readonly isHelpShown: boolean;
}

const BEFORE = 24;
const AFTER = 40;
const MEMORY_BYTES = 256;
const EVENTS_AROUND = 40;

export class Store {
  #state: State;
  readonly #listeners = new Set<() => void>();
  #target: number | null = null;
  #isGoing = false;
  /** Given up when a new search begins, or by Escape. */
  #search: AbortController | null = null;
  #details: AbortController | null = null;
  readonly #sources = new Map<string, SourceText>();

  constructor(info: TraceInfo, spaces: SpacesInfo) {
    this.#state = {
      info,
      spaces,
      position: info.start,
      moment: null,
      before: null,
      memory: null,
      memoryBefore: null,
      memoryAddress: '',
      memorySpace: 'linear',
      walk: null,
      walkAddress: '',
      processes: null,
      variables: null,
      source: null,
      picked: null,
      events: [],
      lanes: new Set(LANES),
      marks: [],
      said: '',
      isBusy: false,
      isHelpShown: false,
    };
  }

  get state(): State {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  update(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  // ---- Moving -----------------------------------------------------------------------------------------------------------------------------

  /** Goes to a position. While an answer is on its way only the last wish counts. */
  goTo(position: number): void {
    const at = Math.max(this.#state.info.start, Math.min(position, this.#state.info.end));
    this.#target = at;
    this.update({ position: at, isBusy: true });
    if (!this.#isGoing) void this.#go();
  }

  step(count: number): void {
    this.goTo(this.#state.position + count);
  }

  async #go(): Promise<void> {
    this.#isGoing = true;
    try {
      while (this.#target !== null) {
        const at = this.#target;
        this.#target = null;
        const moment = await ask<Moment>('moment', { at, before: BEFORE, after: AFTER });
        if (this.#target === null) this.#show(moment);
        else this.update({ before: this.#state.moment, moment });
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isGoing = false;
      this.update({ isBusy: false });
    }
  }

  #show(moment: Moment): void {
    const line = moment.instructions.find(({ at }) => at === moment.at);
    const place = line === undefined ? 'the end of the run' : `${line.text}${line.symbol === null ? '' : `, ${line.symbol}`}`;
    const rsp = moment.registers.general.find(({ name }) => name === 'RSP')?.value ?? '0x0';
    this.update({
      before: this.#state.moment,
      moment,
      position: moment.at,
      said: `Position ${grouped(moment.at)}: ${place}. ${moment.process ?? ''}`,
      ...(this.#state.memoryAddress === '' && { memoryAddress: aligned(rsp) }),
      ...(this.#state.walkAddress === '' && { walkAddress: line?.rip ?? rsp }),
    });
    history.replaceState(null, '', `#at=${moment.at}`);
    void this.#showDetails(line?.file ?? null);
  }

  /** What belongs to the moment and the panes' own addresses. */
  async #showDetails(file: string | null): Promise<void> {
    this.#details?.abort();
    const { signal } = (this.#details = new AbortController());
    const { position: at, memoryAddress, memorySpace, walkAddress } = this.#state;
    const query = { at, address: memoryAddress, space: memorySpace, length: MEMORY_BYTES };
    const parts: Promise<Partial<State>>[] = [
      ask<MemoryView>('memory', query, signal).then((memory) => ({ memory, memoryBefore: this.#state.memory })),
      ask<WalkView>('walk', { at, address: walkAddress }, signal).then((walk) => ({ walk })),
      ask<ProcessesView>('processes', { at }, signal).then((processes) => ({ processes })),
      ask<VariablesView>('variables', { at }, signal).then((variables) => ({ variables })),
      this.#eventsAround(at, signal).then((events) => ({ events })),
      this.#sourceOf(file, signal).then((source) => ({ source })),
    ];
    await Promise.all(
      parts.map((part) =>
        part.then(
          (change) => this.update(change),
          (error: unknown) => this.#fail(error),
        ),
      ),
    );
  }

  async #eventsAround(at: number, signal: AbortSignal): Promise<readonly EventLine[]> {
    const lanes = [...this.#state.lanes].join(',');
    if (lanes === '') return [];
    const page = (direction: string) =>
      ask<{ events: EventLine[] }>('events', { from: at, direction, limit: EVENTS_AROUND, lanes }, signal);
    const [before, after] = await Promise.all([page('back'), page('forward')]);
    return [...before.events, ...after.events];
  }

  async #sourceOf(file: string | null, signal: AbortSignal): Promise<SourceText | null> {
    if (file === null) return null;
    const known = this.#sources.get(file) ?? (await ask<SourceText>('source', { file }, signal));
    this.#sources.set(file, known);
    return known;
  }

  // ---- Looking --------------------------------------------------------------------------------------------------------------------------

  showMemory(address: string, space: 'linear' | 'physical'): void {
    this.update({ memoryAddress: address, memorySpace: space, memory: null, memoryBefore: null });
    void this.#showDetails(this.#state.source?.file ?? null);
  }

  showWalk(address: string): void {
    this.update({ walkAddress: address });
    void this.#showDetails(this.#state.source?.file ?? null);
  }

  showLanes(lanes: ReadonlySet<Lane>): void {
    this.update({ lanes });
    void this.#showDetails(this.#state.source?.file ?? null);
  }

  // ---- Searching --------------------------------------------------------------------------------------------------------------------------

  /** Goes to the next or previous event of the chosen lanes. */
  async goToEvent(direction: 'forward' | 'back'): Promise<void> {
    const { position, lanes } = this.#state;
    if (lanes.size === 0) return this.say('No kind of event is chosen.');
    const from = direction === 'forward' ? position + 1 : position;
    await this.#searching(async (signal) => {
      const query = { from, direction, limit: 1, lanes: [...lanes].join(',') };
      const { events } = await ask<{ events: EventLine[] }>('events', query, signal);
      const [event] = events;
      if (event === undefined) this.say(direction === 'forward' ? 'No event comes after this.' : 'No event comes before this.');
      else this.goTo(event.at);
    });
  }

  /** Goes to where something is executed or accessed next, or was before. */
  async search(parameters: Parameters): Promise<void> {
    await this.#searching(async (signal) => {
      this.say('Searching … (Escape ends it)');
      const { at, why, isFound } = await ask<{ at: number; why: string; isFound: boolean }>(
        'search',
        { at: this.#state.position, ...parameters },
        signal,
      );
      if (isFound) this.goTo(at);
      this.say(why);
    });
  }

  /** Who wrote the byte that was clicked. */
  async pick(address: string, space: 'linear' | 'physical'): Promise<void> {
    this.update({ picked: { address, space, writer: null } });
    await this.#searching(async (signal) => {
      this.say(`Looking for who wrote ${address} … (Escape ends it)`);
      const writer = await ask<WriterView>('who', { at: this.#state.position, address, space, length: 1 }, signal);
      if (this.#state.picked?.address === address) this.update({ picked: { address, space, writer } });
      this.say(writer.text);
    });
  }

  endSearch(): void {
    this.#search?.abort();
  }

  async #searching(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.#search?.abort();
    const search = new AbortController();
    this.#search = search;
    this.update({ isBusy: true });
    try {
      await work(search.signal);
    } catch (error) {
      if (isGivenUp(error)) this.say('The search was ended.');
      else this.#fail(error);
    } finally {
      if (this.#search === search) this.update({ isBusy: this.#isGoing });
    }
  }

  // ---- Marks ----------------------------------------------------------------------------------------------------------------------------

  async readMarks(): Promise<void> {
    await this.#searching(async (signal) => this.update(await ask<MarksView>('marks', {}, signal)));
  }

  /** Sets a mark at the position, or removes the one that is there. They are kept beside the trace, for the other commands too. */
  async mark(): Promise<void> {
    const { position, marks } = this.#state;
    const here = marks.find(({ at }) => at === position);
    await this.#searching(async () => {
      if (here !== undefined) {
        this.update(await change<MarksView>('unmark', { name: here.name }));
        return this.say(`Removed ${here.name}.`);
      }
      let number = 1;
      while (marks.some(({ name }) => name === `mark${number}`)) number++;
      this.update(await change<MarksView>('mark', { at: position, name: `mark${number}` }));
      this.say(`Set mark${number} at ${grouped(position)}.`);
    });
  }

  /** Goes where a text means: a count, an event, a mark … */
  async goToText(text: string): Promise<void> {
    await this.#searching(async (signal) => {
      const { at } = await ask<PositionView>('resolve', { at: this.#state.position, text }, signal);
      this.goTo(at);
    });
  }

  /** Goes to the next or previous mark or finding. */
  goToMark(direction: 'forward' | 'back'): void {
    const { marks, info, position } = this.#state;
    const places = [...marks, ...info.findings].map(({ at }) => at).sort((a, b) => a - b);
    const place = direction === 'forward' ? places.find((at) => at > position) : places.findLast((at) => at < position);
    if (place === undefined) this.say('There is no mark in this direction.');
    else this.goTo(place);
  }

  say(said: string): void {
    this.update({ said });
  }

  #fail(error: unknown): void {
    if (isGivenUp(error)) return;
    this.say(error instanceof Failure ? `Error: ${error.message}` : `A bug of the page: ${String(error)}`);
    if (!(error instanceof Failure)) throw error;
  }
}

/** The state, and a drawing again at each change of it. */
export function useStore(store: Store): State {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.subscribe(() => setState(store.state));
  }, [store]);
  return state;
}

function aligned(address: string): string {
  return `0x${(BigInt(address) & ~15n).toString(16)}`;
}
