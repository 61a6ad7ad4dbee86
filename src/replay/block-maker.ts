/**
 * Makes run blocks out of what the machine tells: the observer of both record and replay, so that what one writes is what the other compares. What
 * happens most does not come here: generated code adds it to the machine's log by itself, where what is told here is added, too.
 */
import type {
  KernelEntry,
  Logged,
  Observer,
  PackedAddresses,
  PathBlock,
  StaleUse,
  SupervisorUserAccess,
  TlbFlushKind,
  TraceLog,
  TranslationView,
  UserEntry,
} from '../machine/index.ts';
import { bug } from '../machine/isa/bug.ts';
import { EVENTS, type EventKind, RIGHTS } from './events.ts';
import type { NameField } from './fields.ts';
import type { Door } from './inputs.ts';
import { MOST_TEXTS, type Mode, type PackedPath, type RunBlock } from './schema.ts';
import { LAYOUT } from './trace/event-stream.ts';

/** How often each kind of event was seen. */
export type EventCounts = { [Kind in EventKind]?: number };

/** The names of a field, whose places stand in the log. */
function namesOf(kind: EventKind, name: string): readonly string[] {
  const field = EVENTS.find((row) => row.kind === kind)?.fields[name as 'at'] as NameField<string> | undefined;
  return field?.names ?? bug(`${kind} has no names in ${name}`);
}

const HOW = namesOf('sysret', 'how');
const CAUSE = namesOf('enter-kernel', 'cause');
const TABLE = namesOf('descriptor-table', 'table');
const FLUSH = namesOf('tlb-flush', 'flush');
const ACCESS = namesOf('stale', 'access');
const SOURCE = namesOf('input', 'source');

/** The event that causes each kind of entry. */
const CAUSE_OF: Readonly<Record<KernelEntry, EventKind>> = {
  irq: 'irq',
  exception: 'exception',
  syscall: 'syscall',
  int: 'software-interrupt',
};

export class BlockMaker implements Required<Omit<Observer, 'input' | 'breakpoint' | 'access' | Logged>> {
  readonly isLogging = true;
  readonly #log: TraceLog;
  #first = 0n;
  #rip = 0n;
  #mode: Mode = 64;
  #path: PathBlock | null = null;
  #texts: string[] = [];
  #data: Uint8Array[] = [];
  /** Of the last `sysret`. */
  #how: UserEntry = 'sysret';

  /** `log`: of the machine that is observed. */
  constructor(log: TraceLog) {
    this.#log = log;
  }

  /** Begins a block at `first`, where the CPU stands at `rip` and the machine has begun one. */
  begin(first: bigint, rip: bigint, mode: Mode): void {
    this.#rip = rip;
    this.#mode = mode;
    this.#first = first;
    this.#path = null;
    this.#texts = [];
    this.#data = [];
  }

  /** The block up to `end`. It lives until the machine runs on. */
  take(end: bigint, recorded: { readonly path: boolean; readonly addresses: boolean }, state: Pick<RunBlock, 'hash' | 'ram'>): RunBlock {
    let tags = 0n;
    for (const { tag } of EVENTS) if (this.#log.count(tag) > 0) tags |= 1n << BigInt(tag);
    return {
      first: this.#first,
      count: Number(end - this.#first),
      rip: this.#rip,
      mode: this.#mode,
      path: recorded.path ? this.#packPath() : null,
      addresses: recorded.addresses ? this.#packAddresses() : null,
      events: { stream: this.#log.stream(), texts: this.#texts, data: Buffer.concat(this.#data), tags },
      ...state,
    };
  }

  #packPath(): PackedPath {
    const { bits, bitCount, guesses, targetCount, targets } = this.#path ?? bug('the path was not drained');
    return { bits, bitCount, guesses, targetCount, targets: new Uint8Array(targets.buffer, targets.byteOffset, targets.byteLength) };
  }

  #packAddresses(): PackedAddresses {
    return this.#path?.addresses ?? bug('the addresses were not drained');
  }

  get events(): number {
    return EVENTS.reduce((sum, { tag }) => sum + this.#log.count(tag), 0);
  }

  /** Adds how many events of each kind the block has. */
  countInto(counts: EventCounts): void {
    for (const { kind, tag } of EVENTS) {
      const count = this.#log.count(tag);
      if (count > 0) counts[kind] = (counts[kind] ?? 0) + count;
    }
  }

  // ---- Events: one method of the observer, one row of the table, whose fields are words in its order -------------------------------------------

  /** What the host gave. It is told by the host's wrapper (inputs.ts), which alone knows the number of the call; so there is no `input` of the observer here. */
  hostInput(at: bigint, source: Door, call: bigint, data: Uint8Array): void {
    this.#data.push(data.slice());
    this.#name(0, SOURCE, source);
    this.#u64(1, call);
    this.#number(2, data.length);
    this.#add('input', at);
  }

  sysret(at: bigint, result: bigint, how: UserEntry): void {
    this.#u64(0, result);
    this.#name(1, HOW, how);
    this.#add('sysret', at);
    this.#how = how;
  }

  enterUser(at: bigint, how: UserEntry): void {
    this.#name(0, HOW, how);
    if (how === this.#how) this.#addEntry('enter-user', 'sysret', at);
    else this.#add('enter-user', at);
  }

  enterKernel(at: bigint, cause: KernelEntry): void {
    this.#name(0, CAUSE, cause);
    this.#addEntry('enter-kernel', CAUSE_OF[cause], at);
  }

  controlRegister(at: bigint, register: number, before: bigint, after: bigint): void {
    this.#change('control-register', at, register, before, after);
  }

  msr(at: bigint, index: number, before: bigint, after: bigint): void {
    this.#change('msr', at, index, before, after);
  }

  debugRegister(at: bigint, register: number, before: bigint, after: bigint): void {
    this.#change('debug-register', at, register, before, after);
  }

  descriptorTable(at: bigint, table: 'gdt' | 'idt' | 'ldt' | 'tr', base: bigint, limit: number): void {
    this.#name(0, TABLE, table);
    this.#u64(1, base);
    this.#number(2, limit);
    this.#add('descriptor-table', at);
  }

  tlbFlush(at: bigint, flush: TlbFlushKind, pcid: number, linear: bigint | null): void {
    this.#name(0, FLUSH, flush);
    this.#number(1, pcid);
    this.#u64(2, linear ?? 0n);
    this.#add('tlb-flush', at);
  }

  stale(at: bigint, { used, now, linear, access, cpl, rip }: StaleUse): void {
    this.#u64(0, linear);
    this.#name(1, ACCESS, access);
    this.#number(2, cpl);
    this.#u64(3, rip);
    this.#translation(4, used);
    this.#translation(6, now);
    this.#add('stale', at);
  }

  supervisorUserAccess(at: bigint, access: SupervisorUserAccess): void {
    this.#u64(0, access.rip);
    this.#u64(1, access.linear);
    this.#number(2, access.size);
    this.#flag(3, access.write);
    this.#flag(4, access.execute);
    this.#flag(5, access.user);
    this.#flag(6, access.implicit);
    this.#flag(7, access.ac);
    this.#flag(8, access.writable);
    this.#flag(9, access.faulted);
    this.#add('supervisor-user-access', at);
  }

  portIn(at: bigint, port: number, size: number, value: number): void {
    this.#port('port-in', at, port, size, value);
  }

  portOut(at: bigint, port: number, size: number, value: number): void {
    this.#port('port-out', at, port, size, value);
  }

  mmio(at: bigint, device: string, offset: number, size: number, write: boolean, value: bigint): void {
    this.#text(0, device);
    this.#number(1, offset);
    this.#number(2, size);
    this.#flag(3, write);
    this.#u64(4, value);
    this.#add('mmio', at);
  }

  output(at: bigint, byte: number): void {
    this.#number(0, byte);
    this.#add('output', at);
  }

  harness(at: bigint, command: number, value: number): void {
    this.#number(0, command);
    this.#number(1, value);
    this.#add('harness', at);
  }

  halt(at: bigint, ticks: bigint): void {
    this.#u64(0, ticks);
    this.#add('halt', at);
  }

  /** The machine keeps the path of a whole block, so that one piece is all. */
  path(block: PathBlock): void {
    this.#path = block;
  }

  // ---- Words -----------------------------------------------------------------------------------------------------------------------------------

  #change(kind: EventKind, at: bigint, number: number, before: bigint, after: bigint): void {
    this.#number(0, number);
    this.#u64(1, before);
    this.#u64(2, after);
    this.#add(kind, at);
  }

  #port(kind: EventKind, at: bigint, port: number, size: number, value: number): void {
    this.#number(0, port);
    this.#number(1, size);
    this.#number(2, value);
    this.#add(kind, at);
  }

  /** Two words: frame and rights. */
  #translation(word: number, view: TranslationView | null): void {
    this.#number(word, view?.frame ?? 0);
    if (view === null) return this.#number(word + 1, 0);
    const rights = (view.writable ? RIGHTS.writable : 0) | (view.user ? RIGHTS.user : 0) | (view.executable ? RIGHTS.executable : 0);
    this.#number(word + 1, rights | RIGHTS.mapped);
  }

  #number(word: number, value: number): void {
    this.#log.set(word, value);
  }

  #u64(word: number, value: bigint): void {
    this.#log.words[word] = value;
  }

  #flag(word: number, value: boolean): void {
    this.#log.set(word, value ? 1 : 0);
  }

  #name(word: number, names: readonly string[], name: string): void {
    this.#log.set(word, names.indexOf(name));
  }

  #text(word: number, text: string): void {
    let place = this.#texts.indexOf(text);
    if (place < 0) place = this.#texts.push(text) - 1;
    if (place >= MOST_TEXTS) bug(`more than ${MOST_TEXTS} different texts in a block`);
    this.#log.set(word, place);
  }

  #add(kind: EventKind, at: bigint): void {
    const { tag, words } = LAYOUT[kind];
    this.#log.add(tag, words, Number(at));
  }

  /** A change of privilege, whose word is set: it stands at its cause, if nothing came between. */
  #addEntry(kind: 'enter-user' | 'enter-kernel', cause: EventKind, at: bigint): void {
    if (!this.#log.entered(LAYOUT[kind].tag, LAYOUT[cause].tag, Number(at))) this.#add(kind, at);
  }
}
