/** What the keys of a selection mean, one a row. */
import { resultText, vectorName } from '../describe.ts';
import { NO_LIMIT } from '../engine.ts';
import { EVENTS, type EventKind, type TraceEvent } from '../events.ts';
import type { Place } from '../symbols.ts';

/** What is looked at: an event or an instruction. */
export interface Subject {
  readonly at: bigint;
  readonly event: TraceEvent | null;
  /** Of an instruction: its mnemonic, as the manual has it. */
  readonly mnemonic: string | null;
  /** Of an instruction its own; of an event those that it names: where it happened, and what it was about. */
  readonly addresses: readonly bigint[];
  /** What is known of the first of the addresses; of code that is not looked at in memory, of every image that could stand there. */
  readonly places: () => readonly Place[];
  /** Who has the address space: `kernel`, `pid 17 hello`; null: unknown. */
  readonly process: string | null;
  readonly isUser: boolean;
  /** The system call that the event begins or ends. */
  readonly call: string | null;
}

type Test = (subject: Subject) => boolean;

export interface Key {
  readonly name: string;
  /** How a value looks, and what it selects. */
  readonly value: string;
  readonly doc: string;
  /** It can be judged by the code alone: it is the same each time when an instruction is executed. */
  readonly isStatic: boolean;
  /** Selects instructions where no kind is asked for. */
  readonly isOfInstructions: boolean;
  /** Throws `WrongValue`. */
  readonly parse: (text: string) => Test;
}

/** Why a text is no value of a key. */
export class WrongValue extends Error {}

export const INSTRUCTION = 'instruction';

interface Alias {
  readonly kinds: readonly EventKind[];
  readonly test: (event: TraceEvent) => boolean;
  readonly doc: string;
}

/** Names of more, or less, than one kind of event. */
const ALIASES: Readonly<Record<string, Alias>> = {
  event: { kinds: EVENTS.map(({ kind }) => kind), test: () => true, doc: 'every event' },
  interrupt: { kinds: ['irq'], test: () => true, doc: 'irq' },
  fault: { kinds: ['exception'], test: () => true, doc: 'exception' },
  'page-fault': {
    kinds: ['exception'],
    test: (event) => event.kind === 'exception' && event.vector === 14,
    doc: 'exception with vector 14',
  },
  console: { kinds: ['output'], test: () => true, doc: 'output' },
};

/** The names are the user's: `constructor` is none of ours. */
const aliasOf = (name: string): Alias | undefined => (Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined);

/** The kinds of event that a value of `kind` may select; null: it is no kind. */
export function kindsOf(text: string): readonly EventKind[] | null {
  if (text === INSTRUCTION) return [];
  const row = EVENTS.find(({ kind }) => kind === text);
  return row === undefined ? (aliasOf(text)?.kinds ?? null) : [row.kind];
}

// biome-ignore format: one key a row
export const KEYS: readonly Key[] = [
  { name: 'kind', value: 'NAME', doc: `${INSTRUCTION}, or a kind of event`, isStatic: true, isOfInstructions: false, parse: kind },
  { name: 'at', value: 'N or N..M', doc: 'a position; N ≤ position < M, each of the two may be left out', isStatic: false, isOfInstructions: false, parse: (text) => { const isIn = range(text, 'a position'); return ({ at }) => isIn(at); } },
  { name: 'process', value: 'PID, NAME or kernel', doc: 'who has the address space, by pid or program (with * and ?)', isStatic: false, isOfInstructions: false, parse: process },
  { name: 'mode', value: 'user or kernel', doc: 'CPL 3, or lower', isStatic: false, isOfInstructions: false, parse: mode },
  { name: 'call', value: 'NAME', doc: 'system calls of this name (with * and ?), and their returns', isStatic: true, isOfInstructions: false, parse: (text) => { const fits = pattern(text); return ({ call }) => call !== null && fits(call); } },
  { name: 'result', value: 'NUMBER or -ERRNO', doc: 'returns from the kernel with this in RAX', isStatic: true, isOfInstructions: false, parse: (text) => ({ event }) => event?.kind === 'sysret' && resultText(event.result) === text },
  { name: 'vector', value: 'N or #PF', doc: 'interrupts and exceptions of this vector', isStatic: true, isOfInstructions: false, parse: vector },
  { name: 'address', value: 'A or A..B', doc: 'instructions there; events that name such an address', isStatic: true, isOfInstructions: false, parse: (text) => { const isIn = range(text, 'an address'); return ({ addresses }) => addresses.some(isIn); } },
  { name: 'symbol', value: 'NAME', doc: 'code of this function (with * and ?)', isStatic: true, isOfInstructions: true, parse: symbol },
  { name: 'source', value: 'FILE, FILE:LINE or FILE:N..M', doc: 'code of these lines; FILE may be the end of a path', isStatic: true, isOfInstructions: true, parse: source },
  { name: 'image', value: 'NAME', doc: 'code of this file (with * and ?)', isStatic: true, isOfInstructions: true, parse: (text) => { const fits = pattern(text); return ({ places }) => places().some(({ image }) => fits(image)); } },
  { name: 'op', value: 'NAME', doc: "instructions by the manual's mnemonic (with * and ?)", isStatic: true, isOfInstructions: true, parse: (text) => { const fits = pattern(text.toUpperCase()); return ({ mnemonic }) => mnemonic !== null && fits(mnemonic); } },
];

function kind(text: string): Test {
  if (text === INSTRUCTION) return ({ event }) => event === null;
  const alias = aliasOf(text);
  if (alias !== undefined) return ({ event }) => event !== null && alias.kinds.includes(event.kind) && alias.test(event);
  if (kindsOf(text) === null)
    throw new WrongValue(
      `there is no kind "${text}"; kinds: ${[INSTRUCTION, ...Object.keys(ALIASES), ...EVENTS.map((row) => row.kind)].join(', ')}`,
    );
  return ({ event }) => event?.kind === text;
}

function process(text: string): Test {
  if (/^\d+$/.test(text)) return (subject) => subject.process?.split(' ')[1] === text;
  const fits = pattern(text);
  return (subject) => subject.process !== null && (fits(subject.process) || fits(subject.process.replace(/^pid \d+ ?/, '')));
}

function mode(text: string): Test {
  if (text !== 'user' && text !== 'kernel') throw new WrongValue(`the mode is user or kernel, not "${text}"`);
  return ({ isUser }) => isUser === (text === 'user');
}

function vector(text: string): Test {
  const wanted = Array.from({ length: 256 }, (_, n) => n).find((n) => vectorName(n) === text.toUpperCase() || `${n}` === text);
  if (wanted === undefined) throw new WrongValue(`"${text}" is no vector: give 0 to 255, or a name such as #PF`);
  return ({ event }) => event !== null && 'vector' in event && event.vector === wanted;
}

function symbol(text: string): Test {
  const fits = pattern(text);
  return ({ places }) => places().some((place) => place.symbol !== null && fits(place.symbol.replace(/\+0x[0-9a-f]+$/, '')));
}

function source(text: string): Test {
  const colon = /^(.*):([\d.]+)$/.exec(text);
  const file = colon?.[1] ?? text;
  const isIn = colon === null ? () => true : range(colon[2] ?? '', 'a line');
  return ({ places }) =>
    places().some((place) => {
      const found = /^(.*):(\d+):\d+$/.exec(place.source ?? '');
      if (found === null) return false;
      const name = found[1] ?? '';
      return (name === file || name.endsWith(`/${file}`)) && isIn(BigInt(found[2] ?? 0));
    });
}

/** `5`, `5..9`, `5..`, `..9`; numbers decimal or with 0x, and `_` or `,` nowhere. */
function range(text: string, what: string): (value: bigint) => boolean {
  const match = /^(\d+|0x[0-9a-f]+)?(\.\.)?(\d+|0x[0-9a-f]+)?$/i.exec(text);
  if (match === null || text === '' || text === '..') throw new WrongValue(`"${text}" is not ${what} or a range N..M`);
  const [from, to] = [match[1], match[3]].map((number) => (number === undefined ? null : BigInt(number)));
  if (match[2] === undefined) return (value) => value === from;
  if (from !== null && from !== undefined && to !== null && to !== undefined && to <= from)
    throw new WrongValue(`the range ${text} is empty: its end is left out`);
  return (value) => (from ?? 0n) <= value && (to === null || to === undefined || value < to);
}

/** Positions that a value of `at` allows: the first, and the first behind it that is left out. */
export function spanOf(text: string): readonly [bigint, bigint] {
  const [from = '', to] = text.split('..');
  const first = from === '' ? 0n : BigInt(from);
  return [first, to === undefined ? first + 1n : to === '' ? NO_LIMIT : BigInt(to)];
}

/** A name in which * stands for any characters and ? for one; in time that grows with the product of their lengths at most. */
function pattern(text: string): (name: string) => boolean {
  const wanted = text.replaceAll(/\*+/g, '*');
  return (name) => {
    let [at, next] = [0, 0];
    let [star, tried] = [-1, 0];
    while (at < name.length) {
      if (wanted[next] === '*') [star, tried, next] = [next, at, next + 1];
      else if (next < wanted.length && (wanted[next] === '?' || wanted[next] === name[at])) [at, next] = [at + 1, next + 1];
      else if (star < 0) return false;
      else [next, at, tried] = [star + 1, tried + 1, tried + 1];
    }
    return next === wanted.length || (next === wanted.length - 1 && wanted[next] === '*');
  };
}
