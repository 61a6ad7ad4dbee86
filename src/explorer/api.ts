/** What the page may ask: each question with its parameters and their ranges, and the thread that answers it. */
import type { TraceInfo } from './protocol.ts';
import { LANES, MOST_LEVEL, MOST_POSITION } from './protocol.ts';
import type { Query } from './query.ts';
import type { Sources } from './sources.ts';
import { Thread } from './thread.ts';

/** Takes a question's parameters out of the query, and answers. */
type Answerer = (query: Query, signal: AbortSignal) => unknown;

const MOST_LISTED = 200;
const MOST_MEMORY = 4096;
const MOST_WATCHED = 4096;

const CHANGES: ReadonlySet<string> = new Set(['mark', 'unmark']);

export class Api {
  readonly #threads: readonly Thread[];
  readonly #answers: Readonly<Record<string, Answerer>>;

  /** `path`: the trace's. */
  constructor(path: string, info: TraceInfo, sources: Sources) {
    const failure = info.findings[0]?.at ?? null;
    const overview = new Thread({ role: 'overview', path, failure });
    const moment = new Thread({ role: 'moment', path, failure });
    const names = new Thread({ role: 'names', path, failure });
    const who = new Thread({ role: 'who', path, failure });
    this.#threads = [overview, moment, names, who];
    const position = (query: Query, name = 'at'): number => query.number(name, 0, MOST_POSITION);
    const space = (query: Query) => query.choice('space', ['linear', 'physical'], 'linear');
    const direction = (query: Query) => query.choice('direction', ['forward', 'back'], 'forward');
    this.#answers = {
      trace: () => info,
      spaces: (_query, signal) => overview.ask('spaces', {}, signal),
      tile: (query, signal) =>
        overview.ask('tile', { level: query.number('level', 0, MOST_LEVEL), index: query.number('index', 0, MOST_POSITION) }, signal),
      events: (query, signal) => {
        const limit = query.number('limit', 1, MOST_LISTED, 50);
        const lanes = query.choices('lanes', LANES);
        return overview.ask('events', { from: position(query, 'from'), direction: direction(query), limit, lanes }, signal);
      },
      name: (query, signal) =>
        names.ask('name', { root: query.address('root'), from: position(query, 'from'), to: position(query, 'to') }, signal),
      moment: (query, signal) => {
        const before = query.number('before', 0, MOST_LISTED, 0);
        return moment.ask('moment', { at: position(query), before, after: query.number('after', 0, MOST_LISTED, 0) }, signal);
      },
      memory: (query, signal) => {
        const length = query.number('length', 1, MOST_MEMORY);
        return moment.ask('memory', { at: position(query), space: space(query), address: query.address('address'), length }, signal);
      },
      who: (query, signal) => {
        const length = query.number('length', 1, 8, 1);
        return who.ask('who', { at: position(query), space: space(query), address: query.address('address'), length }, signal);
      },
      walk: (query, signal) => moment.ask('walk', { at: position(query), address: query.address('address') }, signal),
      variables: (query, signal) => moment.ask('variables', { at: position(query) }, signal),
      processes: (query, signal) => moment.ask('processes', { at: position(query) }, signal),
      search: (query, signal) => {
        const what = query.choice('what', ['execute', 'read', 'write', 'access']);
        const length = query.number('length', 1, MOST_WATCHED, 1);
        const address = query.address('address');
        return moment.ask(
          'search',
          { at: position(query), direction: direction(query), what, space: space(query), address, length },
          signal,
        );
      },
      resolve: (query, signal) => moment.ask('resolve', { at: position(query), text: query.text('text') }, signal),
      marks: (_query, signal) => moment.ask('marks', {}, signal),
      mark: (query, signal) => moment.ask('mark', { at: position(query), name: query.text('name') }, signal),
      unmark: (query, signal) => moment.ask('unmark', { name: query.text('name') }, signal),
      source: (query) => {
        const file = query.text('file');
        return { file, lines: sources.lines(file) };
      },
    };
  }

  /** Whether a question changes something, which a GET must not. */
  isChange(name: string): boolean {
    return CHANGES.has(name);
  }

  /** The answer to a question: bytes, or what becomes JSON; null: there is no such question. */
  async answer(name: string, query: Query, signal: AbortSignal): Promise<unknown> {
    if (!Object.hasOwn(this.#answers, name)) return null;
    return this.#answers[name]?.(query, signal) ?? null;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}
