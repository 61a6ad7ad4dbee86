/**
 * What a machine writes down by itself while it is recorded or replayed, in linear memory: its events, encoded, and the targets of its path,
 * predicted. Generated code does both (translator/log-code.ts), so that neither costs a call into TypeScript or an object; what happens in
 * TypeScript is added through the same code. What was written is a function of the events and targets since `begin`, whoever added them.
 *
 * *Events* are a stream of bytes. An event is
 *
 *     tag         u8      bit 7: the change of privilege that it causes stands at the same position, and is not written by itself
 *     distance    LEB128  instructions since the event before (the first: since `begin`)
 *     lengths             4 bits for each of the event's words: how many bytes of `changes` belong to it; 1, 2, 4 or 8 bytes (`lengthBytes`)
 *     changes             of each word its difference from the same word of the last event of that tag, little-endian, as few bytes as hold it:
 *                         2·d for d ≥ 0, −2·d − 1 below
 *
 * *Targets*: each is guessed from the few before it: PREDICTIONS holds what followed the same history last time. A guess that was right is a bit 1
 * in GUESSES, a wrong one a bit 0 and the target in MISSES.
 */
import { bug } from '../isa/bug.ts';

/** Bytes of the events of a block: the machine asks for its end when there are this many, and a few more follow. */
const STREAM_LIMIT = 1 << 20;
/** Room for the events of a block that is made as an older version made it, with up to 2^20 events. */
const STREAM_BYTES = 48 << 20;
/** More than any event has: when so little is left, nothing may be added. */
const MARGIN = 4096;
/** The most targets of a block: each instruction has at most one. */
export const LOG_INSTRUCTIONS = 1 << 22;
/** Histories that are told apart. */
export const HISTORIES = 4096;
/** Words of the event that has most. */
export const MOST_WORDS = 12;
const TAGS = 64;

/** The events that generated code adds by itself, with their numbers in traces (a test holds them against replay's table), and how many words each has. */
export const LOGGED = {
  irq: { tag: 1, words: 2 },
  exception: { tag: 2, words: 5 },
  softwareInterrupt: { tag: 3, words: 3 },
  syscall: { tag: 4, words: 8 },
  sysret: { tag: 5, words: 2 },
  enterUser: { tag: 6, words: 1 },
  enterKernel: { tag: 7, words: 1 },
  controlRegister: { tag: 8, words: 3 },
  tlbFlush: { tag: 12, words: 3 },
  pageTableWrite: { tag: 15, words: 3 },
  contextSwitch: { tag: 23, words: 4 },
} as const;
/** The words that say what entered the kernel, how user mode was entered, and which translations were dropped. */
export const CAUSE = { irq: 0, exception: 1, syscall: 2, int: 3 } as const;
export const HOW = { sysret: 0, iret: 1 } as const;
export const FLUSH = { pcid: 1 } as const;
/** What a SYSCALL's event begins with: RAX, then RDI RSI RDX R10 R8 R9. */
export const SYSCALL_REGISTERS = [0, 7, 6, 2, 10, 8, 9];

/** Where the parts lie, from the log's begin on. */
export const LOG = {
  /** Address of the next byte of the stream. */
  next: 0,
  /** Address of the last event's tag, to which a change of privilege may be added; 0 where none may. */
  last: 4,
  /** Low 32 bits of the last event's position. */
  at: 8,
  /** What chooses the place in `predictions`. */
  history: 12,
  guessCount: 16,
  missCount: 20,
  /** The stream's end is asked for when `next` has come here. */
  limit: 24,
  /** The words of the event that is being added, 64 bits each. */
  words: 64,
  /** For each tag the words of its last event, and how many events there were (u32 at `countOf`). */
  lastWords: 4096,
  predictions: 4096 + TAGS * 128,
  stream: 4096 + TAGS * 128 + HISTORIES * 8,
  guesses: 4096 + TAGS * 128 + HISTORIES * 8 + STREAM_BYTES,
  misses: 4096 + TAGS * 128 + HISTORIES * 8 + STREAM_BYTES + LOG_INSTRUCTIONS / 8 + 4096,
} as const;
export const LAST_BYTES = 128;
export const COUNT_OF = 120;
export const LOG_BYTES: number = LOG.misses + LOG_INSTRUCTIONS * 8 + 4096;
/** Bit 7 of a tag: see above. */
export const ENTERED = 0x80;

/** Bytes of the `lengths` of an event with so many words. */
export function lengthBytes(words: number): 0 | 1 | 2 | 4 | 8 {
  return words === 0 ? 0 : words <= 2 ? 1 : words <= 4 ? 2 : words <= 8 ? 4 : 8;
}

/** The place in PREDICTIONS after a target whose low 32 bits are `low`. */
export function nextHistory(history: number, low: number): number {
  return ((history << 4) ^ low ^ (low >>> 7)) & (HISTORIES - 1);
}

/** The functions of log-code.ts. */
interface LogCode {
  /** Adds an event with so many words, which stand in `LOG.words`. */
  readonly [add: `add${number}`]: (tag: number, at: number) => void;
  readonly entered: (tag: number, cause: number, at: number) => number;
  readonly fold: (base: number) => void;
}

/** The targets since `begin`; views. */
export interface FoldedTargets {
  /** Bit i is bit i & 7 of byte i >> 3. */
  readonly guesses: Uint8Array;
  readonly targetCount: number;
  /** Those that were not guessed. */
  readonly targets: BigUint64Array;
}

/** A log, from TypeScript. */
export class TraceLog {
  /** The functions that other generated code may import. */
  readonly exports: Readonly<Record<string, unknown>>;
  readonly memory: WebAssembly.Memory;
  /** Its address there. */
  readonly base: number;
  /** Words of the next event, to be set before `add`. */
  readonly words: BigUint64Array;
  /** Called where the events since `begin` have become many: the block should end. */
  full: () => void = () => {};
  readonly #u32: Uint32Array;
  readonly #add: readonly ((tag: number, at: number) => void)[];
  readonly #code: LogCode;

  /** `module`: of log-code.ts. `base`: where LOG_BYTES of the memory are the log's. */
  constructor(memory: WebAssembly.Memory, base: number, module: WebAssembly.Module) {
    this.memory = memory;
    this.base = base;
    this.#u32 = new Uint32Array(memory.buffer, base, LOG.stream / 4);
    this.words = new BigUint64Array(memory.buffer, base + LOG.words, MOST_WORDS);
    const env = { memory, log: base, full: () => this.#full() };
    this.exports = new WebAssembly.Instance(module, { env }).exports;
    this.#code = this.exports as unknown as LogCode;
    this.#add = Array.from({ length: MOST_WORDS + 1 }, (_, n) => this.#code[`add${n}`] ?? bug(`no code adds ${n} words`));
    this.#u32[LOG.limit >> 2] = base + LOG.stream + STREAM_LIMIT;
    this.begin(0);
  }

  /** From now on blocks end where somebody else says. `noRoom` is called where the events of one do not fit. */
  neverFull(noRoom: () => never): void {
    this.#u32[LOG.limit >> 2] = this.base + LOG.guesses - 2 * MARGIN;
    this.full = noRoom;
  }

  /** Forgets all; `at`: the position at which what follows begins. */
  begin(at: number): void {
    const u32 = this.#u32;
    u32.fill(0, LOG.lastWords >> 2, LOG.stream >> 2);
    u32[LOG.next >> 2] = this.base + LOG.stream;
    u32[LOG.last >> 2] = 0;
    u32[LOG.at >> 2] = at;
    u32[LOG.history >> 2] = 0;
    u32[LOG.guessCount >> 2] = 0;
    u32[LOG.missCount >> 2] = 0;
  }

  /** Sets a word to a whole number below 2^32. */
  set(word: number, value: number): void {
    const at = (LOG.words >> 2) + 2 * word;
    this.#u32[at] = value;
    this.#u32[at + 1] = 0;
  }

  /** Adds an event whose `words` are set. */
  add(tag: number, words: number, at: number): void {
    (this.#add[words] ?? bug(`an event of ${words} words`))(tag, at);
  }

  /** Adds a change of privilege that needs no words, where the last event is `cause` at the same position; else says false. */
  entered(tag: number, cause: number, at: number): boolean {
    return this.#code.entered(tag, cause, at) !== 0;
  }

  /** How many events of a tag there were since `begin`. */
  count(tag: number): number {
    return this.#u32[(LOG.lastWords + tag * LAST_BYTES + COUNT_OF) >> 2] ?? 0;
  }

  /** A view of the events since `begin`. */
  stream(): Uint8Array {
    const from = this.base + LOG.stream;
    return new Uint8Array(this.memory.buffer, from, (this.#u32[LOG.next >> 2] ?? 0) - from);
  }

  /** Takes the targets that the CPU with this base has put into its buffer, and empties that. */
  fold(cpuBase: number): void {
    this.#code.fold(cpuBase);
  }

  /** How many targets were folded since the last `takeTargets`. */
  get targetCount(): number {
    return this.#u32[LOG.guessCount >> 2] ?? 0;
  }

  /** The targets that were folded since the last call. The guesses go on from what was before. */
  takeTargets(): FoldedTargets {
    const { targetCount } = this;
    const { buffer } = this.memory;
    const guesses = new Uint8Array(buffer, this.base + LOG.guesses, (targetCount + 7) >> 3);
    const targets = new BigUint64Array(buffer, this.base + LOG.misses, this.#u32[LOG.missCount >> 2] ?? 0);
    this.#u32[LOG.guessCount >> 2] = 0;
    this.#u32[LOG.missCount >> 2] = 0;
    return { guesses, targetCount, targets };
  }

  #full(): void {
    if ((this.#u32[LOG.next >> 2] ?? 0) > this.base + LOG.guesses - MARGIN) bug('the events of a block do not fit into the log');
    this.full();
  }
}
