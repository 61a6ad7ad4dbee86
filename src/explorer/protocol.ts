/**
 * What the explorer's server and page say to each other. A leaf: it is part of the page, too.
 *
 * All answers are JSON but tiles. Positions are numbers; other 64-bit values are hexadecimal texts (`0x1f`). An error is `{ "error": "one line" }`.
 */

/** What the timeline has a row for, in this order; each event belongs to one of them at most. */
export const LANES = ['calls', 'interrupts', 'faults', 'switches', 'memory', 'devices', 'stale'] as const;
export type Lane = (typeof LANES)[number];

/** No trace has more instructions than numbers can count. */
export const MOST_POSITION = Number.MAX_SAFE_INTEGER;
/** Address spaces beyond these share the last row. */
export const MOST_SPACES = 64;
/** Bins of a tile. */
export const TILE_BINS = 256;
/** A tile with so many events or fewer lists them (where that is cheap). */
export const TILE_EVENTS = 1024;
/** Bins of the coarsest level hold 2^LEVELS − 1 instructions. */
export const MOST_LEVEL = 44;

/** `GET trace`: what there is to look at. */
export interface TraceInfo {
  readonly name: string;
  /** The first position: not 0 in the trace of a branch. */
  readonly start: number;
  /** The first position at which nothing more was recorded. */
  readonly end: number;
  readonly version: number;
  readonly artefacts: readonly { readonly role: string; readonly name: string; readonly size: number }[];
  /** How the run ended; null where the trace was cut. */
  readonly stop: string | null;
  readonly isCut: boolean;
  readonly memoryBytes: number;
  readonly findings: readonly FindingMark[];
  /** Names of system calls by number, of exceptions by vector. */
  readonly calls: Readonly<Record<number, string>>;
  readonly vectors: readonly string[];
  /** Kinds of event by tag, and the lane of each. */
  readonly kinds: Readonly<Record<number, { readonly kind: string; readonly lane: Lane | null }>>;
}

/** Where an invariant was seen broken: out of the finding's directory. */
export interface FindingMark {
  readonly at: number;
  readonly invariant: string;
  readonly title: string;
  readonly because: string;
  readonly message: string;
  /** The report, Markdown. */
  readonly report: string;
}

/** `GET spaces`: the address spaces by order of their first appearance. */
export interface SpacesInfo {
  /** Physical addresses of the page tables' roots. */
  readonly roots: readonly string[];
  /** Instructions whose events are counted already; `end` when all are. */
  readonly scanned: number;
  readonly isComplete: boolean;
}

/** `GET moment?at=`: the machine at a position. */
export interface Moment {
  readonly at: number;
  readonly end: number;
  readonly registers: RegisterValues;
  /** Width of code: 16, 32 or 64. */
  readonly mode: number;
  /** As they were executed, around the position. At the end of the run there is none at it. */
  readonly instructions: readonly InstructionLine[];
  /** Whose page tables are in CR3; null: unknown. */
  readonly process: string | null;
}

export interface RegisterValues {
  /** By the SDM's names, in the order in which they are shown. */
  readonly general: readonly RegisterValue[];
  readonly control: readonly RegisterValue[];
  readonly segments: readonly RegisterValue[];
  readonly vector: readonly RegisterValue[];
  readonly cpl: number;
  readonly msr: readonly RegisterValue[];
}

export interface RegisterValue {
  readonly name: string;
  readonly value: string;
  /** Names of the bits that are set, and what else there is to it. */
  readonly note: string;
}

export interface InstructionLine {
  readonly at: number;
  readonly rip: string;
  readonly cpl: number;
  readonly bytes: string;
  readonly text: string;
  readonly symbol: string | null;
  readonly image: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

/** `GET resolve?at=&text=`: where a text means, in the syntax of positions (replay/timeline/positions.ts). */
export interface PositionView {
  readonly at: number;
}

/** `GET marks`, `POST mark?at=&name=`, `POST unmark?name=`: the marks of the trace, by position. */
export interface MarksView {
  readonly marks: readonly { readonly name: string; readonly at: number }[];
}

/** `GET memory?at=&space=&address=&length=`. */
export interface MemoryView extends MemoryBytes {
  readonly at: number;
}

export interface MemoryBytes {
  readonly space: 'linear' | 'physical';
  readonly address: string;
  /** Two hexadecimal digits a byte, `..` where nothing is mapped to RAM. */
  readonly bytes: string;
  /** Of each page touched: its physical address (linear space) or null. */
  readonly pages: readonly { readonly linear: string; readonly physical: string | null }[];
}

/** `GET walk?at=&address=`: how the page tables translate an address. */
export interface WalkView extends TranslationWalk {
  readonly at: number;
}

export interface TranslationWalk {
  readonly address: string;
  /** CR3. */
  readonly root: string;
  readonly levels: readonly WalkLevel[];
  /** Null where nothing is mapped. */
  readonly result: {
    readonly physical: string;
    readonly size: number;
    readonly rights: string;
  } | null;
  /** Why there is no result. */
  readonly ends: string | null;
  /** Translations of the page that the TLB holds (walked and not invalidated since), by their PCID; stale: the tables no longer grant them. Those of other PCIDs are not used here. */
  readonly cached: readonly {
    readonly tag: number;
    readonly frame: string;
    readonly rights: string;
    readonly isUsed: boolean;
    readonly isStale: boolean;
  }[];
}

export interface WalkLevel {
  readonly name: string;
  readonly index: number;
  readonly address: string;
  readonly entry: string;
  readonly flags: readonly string[];
  readonly frame: string;
}

/** `GET processes?at=`. */
export interface ProcessesView {
  readonly at: number;
  readonly root: string;
  readonly current: string | null;
  readonly processes: readonly {
    readonly name: string;
    readonly root: string | null;
    readonly isCurrent: boolean;
    readonly state: string;
  }[];
}

/** `GET name?root=&from=&to=`: who had an address space when it was last switched to in a range; null: unknown. */
export interface NameView {
  readonly root: string;
  readonly name: string | null;
}

/** `GET source?file=`. */
export interface SourceText {
  readonly file: string;
  /** Null: the file is not at hand. */
  readonly lines: readonly string[] | null;
}

/** `GET events?from=&limit=&direction=&kinds=`. */
export interface EventsPage {
  readonly events: readonly EventLine[];
  /** Where the next page begins; null: there is none. */
  readonly next: number | null;
}

export interface EventLine {
  readonly at: number;
  readonly kind: string;
  readonly lane: Lane | null;
  readonly text: string;
}

/** `GET who?at=&space=&address=&length=`: the last write to these bytes before a position. */
export interface WriterView {
  readonly address: string;
  /** In words. */
  readonly text: string;
  /** The writes, and behind each what it was copied from, one level deeper. */
  readonly links: readonly WriterLink[];
}

export interface WriterLink {
  readonly depth: number;
  /** What the link before it got from this one; null for the write itself. */
  readonly how: 'copied' | 'computed' | null;
  readonly place: string;
  readonly by: string;
  readonly at: number | null;
  readonly instruction: InstructionLine | null;
  readonly process: string | null;
  /** Hexadecimal digits; null: not known. */
  readonly before: string | null;
  readonly after: string;
  /** Where the value ends: an immediate, an input …; null: it is in what follows. */
  readonly end: string | null;
}

/** `GET variables?at=`: of the code at the position. */
export interface VariablesView {
  readonly at: number;
  readonly calls: readonly CallView[];
}

/** A function whose code it is; the innermost inlined one comes first. */
export interface CallView {
  readonly function: string;
  readonly isInlined: boolean;
  readonly variables: readonly VariableView[];
}

export interface VariableView {
  readonly name: string;
  readonly type: string;
  readonly isParameter: boolean;
  /** Null: it is not there (any more). */
  readonly value: string | null;
  /** Where it lies in memory; null: in a register. */
  readonly address: string | null;
}

/** `GET search?at=&direction=&…`: where a search ended. */
export interface SearchResult {
  readonly at: number;
  /** In words: `breakpoint at 0x401094`, `the begin of the trace`. */
  readonly why: string;
  readonly isFound: boolean;
}

/** Decoded form of a tile: 256 bins of 2^level instructions, from `index` × 256 × 2^level on. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** False where events of its range have not been counted yet. */
  readonly isComplete: boolean;
  /** counts[bin × LANES.length + lane] */
  readonly counts: Uint32Array;
  /** Who ran: triples of bin << 16 | space, instructions at CPL 3, instructions below. */
  readonly spans: Float64Array;
  /** Of each event: position less the tile's first, tag, value; null where there are too many. */
  readonly events: Float64Array | null;
}

const HEADER_WORDS = 6;
const MAGIC = 0x4c544950; // "PITL"
const NO_EVENTS = 0xffff_ffff;

/** A tile as it goes over the wire: six words (magic, level, whether complete, spans, events, 0), the index, then spans, events, counts. */
export function encodeTile({ level, index, isComplete, counts, spans, events }: Tile): Uint8Array<ArrayBuffer> {
  const doubles = 1 + spans.length + (events?.length ?? 0);
  const bytes = new Uint8Array(4 * HEADER_WORDS + 8 * doubles + 4 * counts.length);
  const listed = events === null ? NO_EVENTS : events.length / 3;
  new Uint32Array(bytes.buffer, 0, HEADER_WORDS).set([MAGIC, level, isComplete ? 1 : 0, spans.length / 3, listed, 0]);
  const values = new Float64Array(bytes.buffer, 4 * HEADER_WORDS, doubles);
  values[0] = index;
  values.set(spans, 1);
  if (events !== null) values.set(events, 1 + spans.length);
  new Uint32Array(bytes.buffer, 4 * HEADER_WORDS + 8 * doubles).set(counts);
  return bytes;
}

/** Throws where the bytes are no tile. */
export function decodeTile(buffer: ArrayBuffer): Tile {
  const [magic, level = 0, complete, spans = 0, listed = 0] = new Uint32Array(buffer, 0, HEADER_WORDS);
  if (magic !== MAGIC) throw new Error('this is no tile');
  const events = listed === NO_EVENTS ? 0 : listed;
  const values = new Float64Array(buffer, 4 * HEADER_WORDS, 1 + 3 * (spans + events));
  return {
    level,
    index: values[0] ?? 0,
    isComplete: complete === 1,
    counts: new Uint32Array(buffer, 4 * HEADER_WORDS + 8 * values.length, TILE_BINS * LANES.length),
    spans: values.subarray(1, 1 + 3 * spans),
    events: listed === NO_EVENTS ? null : values.subarray(1 + 3 * spans),
  };
}
