/**
 * Positions as people write them; the same everywhere (`timeline`, `inspect --at`, `branch --at`, gdb's `monitor seek`):
 *
 *     1100508   1_100_508   0x10cb3c      a count of retired instructions
 *     start   end   failure   .           the ends; where the run failed; here
 *     crash                               a mark; `@crash` too
 *     event:7                             event number 7, from 0
 *     syscall:write:3                     the third call of write; `syscall:write` the first, `syscall::3` the third of any, `syscall:write:-1` the last
 *     irq:32   fault:PF:2   cr3   halt:-1 interrupts, exceptions, writes of CR3, any kind of event
 *     process:hello:2   process:17        the second switch to a process, by its program or number
 *     console:panic   console:/^a.*b$/:2  the first line printed that has the text, the second that matches
 *     next:fault   previous:syscall:read  from here on, or back
 *     end-1000   syscall:write+1   -5     so many instructions after or before a position, or here
 *
 * The position of an event is the one before it: what the instruction or the delivery does has not happened yet.
 */
import { runInNewContext } from 'node:vm';
import { UserError } from '../../machine/index.ts';
import type { TraceEvent } from '../events.ts';
import type { ConsoleLine } from './console.ts';
import { type EventMatch, eventMatch, isEventName, takesArgument } from './event-match.ts';

/** What positions are found in: a timeline. */
export interface Places {
  readonly position: bigint;
  readonly start: bigint;
  readonly end: bigint;
  /** Where the run failed; null where it did not. */
  readonly failure: bigint | null;
  /** Why the run ended, for people. */
  readonly ending: string;
  readonly console: readonly ConsoleLine[];
  mark(name: string): bigint | null;
  /** Event `number`, from 0. */
  event(number: number): TraceEvent | null;
  /** All such events in order, from the first or from the last. */
  all(match: EventMatch, isBackwards: boolean): Iterable<{ readonly at: bigint }>;
  nextEvent(match: EventMatch, after: bigint): { readonly at: bigint } | null;
  previousEvent(match: EventMatch, before: bigint): { readonly at: bigint } | null;
  /** Switches to a process. */
  switchesTo(process: string): EventMatch;
}

const FIXED = ['start', 'end', 'failure'] as const;
const DIRECTIONS: Readonly<Record<string, 'next' | 'previous'>> = { next: 'next', previous: 'previous', prev: 'previous' };
/** Names that stand for events, besides those of event-match.ts. */
const OTHERS = ['event', 'process', 'console'] as const;
const MOST_CHARACTERS = 1000;
/** What the search for a regular expression may take. */
const MATCHING_MS = 2000;

/** Whether a word means a position by itself, and so cannot be a mark. */
export function isReserved(name: string): boolean {
  return [...FIXED, ...OTHERS, ...Object.keys(DIRECTIONS)].some((known) => known === name) || isEventName(name);
}

/** The position that a text says. UserError where it says none, or the trace has no such position. */
export function resolvePosition(places: Places, text: string): bigint {
  if (text.length > MOST_CHARACTERS) throw new UserError(`a position of ${text.length} characters: at most ${MOST_CHARACTERS}`);
  const { base, offset } = split(text.trim());
  const position = baseOf(places, base) + offset;
  if (position < places.start || position > places.end)
    throw new UserError(`${text} is position ${position}; the trace has positions ${places.start} to ${places.end}`);
  return position;
}

/** `BASE+N`; a sign behind a colon belongs to what stands before it, as does all of a regular expression. */
function split(text: string): { readonly base: string; readonly offset: bigint } {
  const match = /^(|.*[^:])([+-])(\d[\d_]{0,20})$/.exec(text);
  if (match === null) return { base: text, offset: 0n };
  const [, base = '', sign, digits = ''] = match;
  const offset = BigInt(digits.replaceAll('_', ''));
  return { base: base === '' ? '.' : base, offset: sign === '-' ? -offset : offset };
}

function baseOf(places: Places, base: string): bigint {
  if (base === '.') return places.position;
  if (base === 'start') return places.start;
  if (base === 'end') return places.end;
  if (base === 'failure') return places.failure ?? missing(`this run did not fail: ${places.ending}`);
  if (/^(\d[\d_]{0,20}|0x[0-9a-f]{1,16})$/i.test(base)) return BigInt(base.replaceAll('_', ''));
  const [head = '', ...rest] = base.split(':');
  const direction = Object.hasOwn(DIRECTIONS, head) ? (DIRECTIONS[head] ?? null) : null;
  if (direction !== null) return occurrence(places, base, rest.join(':'), direction);
  if (head === 'process' || head === 'console' || head === 'event' || isEventName(head)) return occurrence(places, base, base, null);
  return (
    places.mark(base.replace(/^@/, '')) ?? missing(`"${base}" is no position: there is no mark, and there are no events, of this name`)
  );
}

/** Something that happens more than once: its name, and which of them is meant (from 1; below 0: from the last). */
function occurrence(places: Places, whole: string, text: string, direction: 'next' | 'previous' | null): bigint {
  const [name = ''] = text.split(':', 1);
  const rest = text.length > name.length ? text.slice(name.length + 1) : null;
  if (name === 'event') return places.event(wholeNumber(whole, rest ?? ''))?.at ?? missing(`${whole}: the trace has fewer events`);
  const hasArgument = name === 'process' || name === 'console' || takesArgument(name);
  const { argument, count } = hasArgument ? splitCount(rest) : { argument: null, count: rest === null ? 1 : wholeNumber(whole, rest) };
  if (count === 0 || (direction !== null && count < 0)) throw new UserError(`${whole}: occurrences are counted from 1`);
  const found =
    name === 'console' ? line(places, whole, argument, count, direction) : event(places, whole, name, argument, count, direction);
  return (
    found?.at ??
    missing(
      `${whole}: there ${Math.abs(count) === 1 ? 'is none' : `are fewer than ${Math.abs(count)}`}${direction === null ? '' : ` ${direction === 'next' ? 'after' : 'before'} ${places.position}`}`,
    )
  );
}

/** `ARGUMENT:N`, `ARGUMENT`, `:N`. */
function splitCount(rest: string | null): { readonly argument: string | null; readonly count: number } {
  const match = /^(.*):(-?\d{1,15})$/.exec(rest ?? '');
  const argument = match === null ? rest : (match[1] ?? '');
  return { argument: argument === '' ? null : argument, count: match === null ? 1 : Number(match[2]) };
}

type Placed = { readonly at: bigint } | null;

function event(
  places: Places,
  whole: string,
  name: string,
  argument: string | null,
  count: number,
  direction: 'next' | 'previous' | null,
): Placed {
  if (name === 'process' && argument === null)
    throw new UserError(`${whole}: which process? (its number or program: process:17, process:hello)`);
  const match = name === 'process' ? places.switchesTo(argument ?? '') : eventMatch(name, argument);
  if (direction === null) return nth(places.all(match, count < 0), Math.abs(count));
  let found: Placed = { at: places.position };
  for (let i = 0; i < count && found !== null; i++)
    found = direction === 'next' ? places.nextEvent(match, found.at) : places.previousEvent(match, found.at);
  return found;
}

function line(
  { console, position }: Places,
  whole: string,
  text: string | null,
  count: number,
  direction: 'next' | 'previous' | null,
): Placed {
  if (text === null) throw new UserError(`${whole}: which line? (a text in it, or a regular expression: console:panic, console:/^a.*b$/)`);
  const lines = linesWith(whole, text, console);
  if (direction === null) return lines.at(count > 0 ? count - 1 : count) ?? null;
  if (direction === 'next') return lines.filter(({ at }) => at > position)[count - 1] ?? null;
  return lines.filter(({ at }) => at < position).at(-count) ?? null;
}

function linesWith(whole: string, text: string, console: readonly ConsoleLine[]): readonly ConsoleLine[] {
  const pattern = /^\/(.*)\/$/.exec(text)?.[1];
  if (pattern === undefined) return console.filter((each) => each.text.includes(text));
  let expression: RegExp;
  try {
    expression = new RegExp(pattern);
  } catch {
    throw new UserError(`${whole}: this is no regular expression`);
  }
  // Some expressions take time that grows with the exponent of a line's length. Only a context of its own can be ended in the middle of one.
  const test = 'lines.filter(({ text }) => expression.test(text))';
  try {
    return runInNewContext(test, { lines: console, expression }, { timeout: MATCHING_MS }) as ConsoleLine[]; // of `lines`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new UserError(`${whole}: after ${MATCHING_MS / 1000} s this expression was still not through; give a simpler one`);
  }
}

function nth(all: Iterable<{ readonly at: bigint }>, count: number): Placed {
  let left = count;
  for (const each of all) if (--left === 0) return each;
  return null;
}

function wholeNumber(whole: string, text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new UserError(`${whole}: "${text}" is not a whole number`);
  return Number(text);
}

function missing(message: string): never {
  throw new UserError(message);
}
