/**
 * The decoded-code cache: pages of code (code-pages.ts) → entries in linear memory (translator/entry.ts), on demand.
 *
 * Words: a *run* is what one decoding adds: consecutive instructions up to an unconditional transfer, an already decoded one, or the end of the page.
 *
 * Exactness: what was decoded from a content is right for ever; what changes is which content lies at an address. So when a watched physical page is
 * written, the execute entries that lead to its code page are emptied (`Ports.dropCode`), and code that runs at that moment (a store into its own page)
 * is looked up anew at its very next instruction. Of a restless page only the entries whose bytes were written are taken away: whoever comes to them
 * looks up. Blocks of the arena are only given to others when no generated code runs. An instruction that straddles two pages belongs to the first; a
 * pseudo entry before it checks that the next linear page has the code page, by its number, that the rest was decoded from.
 *
 * It never reads memory through translations of its own: `Ports.fetch` makes them.
 */
import { bug } from '../isa/bug.ts';
import { type Decoded, decode } from '../isa/decode.ts';
import type { Flow } from '../isa/dsl.ts';
import type { Operand } from '../isa/operands.ts';
import { SS } from '../isa/registers.ts';
import { ENTRY, ENTRY_BYTES, FORM, isWideOffset, tellsTarget } from '../translator/entry.ts';
import type { KnownForm } from '../translator/form-key.ts';
import type { FormLibrary } from '../translator/form-library.ts';
import { BreakPages, type Breaks } from './break-pages.ts';
import { BLOCK_BYTES, type CodePage, CodePages, PAGE } from './code-pages.ts';
import { codeMode, MODE_64, USER } from './mode.ts';
import type { Ports } from './ports.ts';
import {
  CODE_BASE, type CpuState, FETCH_PHYSICAL, GPR_ZERO, type MemoryLayout, MODE_INDEX, RIP, SEGMENT_LIMIT, TLB_CHOICES, TLB_EXECUTE,
  TLB_SET, tlbIndex,
} from './state.ts'; // biome-ignore format: one list

const MAX_RUN = 64;
/** Runs decoded ahead at a time. */
const MAX_AHEAD = 12;
const MAX_LENGTH = 15;
/** A restless page that has as many begins anew: entries are added for ever. */
const MOST_RESTLESS_BLOCKS = 32;
/** Instructions after which restless pages must show again that they are. */
const SETTLE = 1 << 20;
/** Side by side: a breakpoint, a head (or the guard of a straddling instruction), an instruction, and what ends the run. */
const MOST_TOGETHER = 4 * ENTRY_BYTES;
/** An instruction, heads for it and for two places that it leads to, its share of what ends runs and of the rest of a block. */
const MOST_EACH = 5 * ENTRY_BYTES;
/** What one decoding may need: two tables, and the entries of all its runs. */
const NEEDED_BLOCKS = 2 + Math.ceil(((MAX_AHEAD + 1) * (MAX_RUN + 1) * MOST_EACH) / BLOCK_BYTES);
const ENDS_RUN: ReadonlySet<Flow> = new Set<Flow>(['jump', 'call', 'ret', 'indirect', 'indirect-call', 'event']);

export type Resolution = 'found' | 'fault';

export class CodeCache {
  readonly #state: CpuState;
  readonly #ports: Ports;
  readonly #library: FormLibrary;
  readonly #layout: MemoryLayout;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #pages: CodePages;
  readonly #breaks = new BreakPages();
  /** Instructions that helpers do; their entries' immediate is the index here. */
  readonly #decoded: Decoded[] = [];
  /** Indexes in it that are free. */
  readonly #unused: number[] = [];
  /** How often a head may be passed until its region is asked for; null: there are no heads. */
  readonly #threshold: number | null;
  /** Where each head stands. */
  readonly #heads = new Map<number, { readonly page: CodePage; readonly offset: number }>();
  /** Functions of regions whose pages are forgotten, until somebody takes them. */
  readonly orphans: number[] = [];
  /** When restless pages were last left. */
  #settled = 0;
  /** Physical pages that were entered into the execute TLB since `takeExecuted`. */
  readonly #executed = new Set<number>();
  /** Counts how often everything was forgotten. */
  flushes = 0;
  #generation: number;

  constructor(
    memory: WebAssembly.Memory,
    layout: MemoryLayout,
    state: CpuState,
    ports: Ports,
    library: FormLibrary,
    threshold: number | null,
  ) {
    this.#state = state;
    this.#threshold = threshold;
    this.#ports = ports;
    this.#library = library;
    this.#layout = layout;
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#pages = new CodePages(memory, layout, (page) => this.#forgotten(page));
    this.#generation = library.generation;
  }

  /** The instruction behind an entry (helpers look at it). */
  decodedAt(entry: number): Decoded {
    return this.#decoded[this.#words[(entry + ENTRY.immediate) >> 2] ?? 0] ?? bug(`no instruction at entry ${entry}`);
  }

  /** Makes the entry for RIP findable in the execute TLB, or leaves the fault of the fetch pending. */
  resolve(): Resolution {
    const state = this.#state;
    const mode = state.get32(MODE_INDEX);
    const isLong = codeMode(mode).size === 64;
    const rip = state.get32(RIP);
    if (!isLong && rip > state.get32(SEGMENT_LIMIT + 4)) return this.#raise(13, 0);
    const low = isLong ? rip : (rip + state.get32(CODE_BASE)) >>> 0;
    const high = isLong ? state.get32(RIP + 4) : 0;
    const physical = this.#fetch(low, high);
    if (physical === null) return 'fault';
    this.#library.renewIfWorn();
    if (this.isOutdated || !this.#pages.makeRoom(NEEDED_BLOCKS)) this.flush();
    const breaks = this.#breaks.of(low, high);
    const known = this.#pages.at(physical, mode, breaks);
    if (known !== null && known.stale !== null && known.blocks.length >= MOST_RESTLESS_BLOCKS) this.#leave(physical);
    const page = this.#page(physical, mode, breaks);
    const offset = low & 0xfff;
    const found = this.#words[(page.table >> 2) + offset] ?? 0;
    const isReady = found !== 0 && this.#formAt(found) !== FORM.straddle;
    const resolution = isReady ? 'found' : this.#decodeFrom(page, offset, low, high);
    // Last: watching a page may empty entries of the TLB. Where the walk for a second page has written to the first it is looked up anew.
    if (this.#pages.at(physical, mode, breaks) === page) this.#fillTlb(low, high, mode, page);
    this.#executed.add(physical);
    return resolution;
  }

  /** Linear addresses of breakpoints, from now on. Only while no generated code runs; the execute TLB is the caller's to empty. */
  setBreakpoints(addresses: Iterable<bigint>): void {
    this.#breaks.set(addresses);
  }

  #formAt(entry: number): number {
    return this.#view.getUint16(entry, true);
  }

  /** The host has changed this physical page. (It is watched again when code is next run from it.) */
  written(physicalPage: number): void {
    this.#pages.forgive(physicalPage);
    this.#leave(physicalPage);
  }

  #leave(physicalPage: number): void {
    if (this.#pages.leave(physicalPage)) this.#ports.dropCode(physicalPage);
  }

  /** The guest has changed some bytes of this physical page, which is watched. False: it need not be watched any more. */
  stored(physicalPage: number, offset: number, length: number): boolean {
    const restless = this.#pages.restlessAt(physicalPage);
    if (restless === null) {
      this.#leave(physicalPage);
      return false;
    }
    for (const page of restless) this.#takeAway(page, offset, length);
    if (offset < MAX_LENGTH - 1) {
      for (const page of restless) this.#pages.renumber(page);
      this.#ports.dropCode(physicalPage);
    }
    return true;
  }

  /** Lets restless pages come to rest, now and then. Only while no generated code runs. */
  settle(): void {
    const { retired } = this.#state;
    if (retired >= this.#settled && retired - this.#settled < SETTLE) return;
    this.#settled = retired;
    for (const physicalPage of this.#pages.settle()) this.#leave(physicalPage);
  }

  /** The library has numbered its functions anew: nothing that was decoded before may run. */
  get isOutdated(): boolean {
    return this.#generation !== this.#library.generation;
  }

  /** The physical pages that code ran from since the last call. Only while no generated code runs. */
  takeExecuted(): Uint32Array {
    const executed = Uint32Array.from(this.#executed);
    this.#executed.clear();
    this.#state.flushExecuteTlb();
    return executed;
  }

  /** Forgets everything. Only while no generated code runs. */
  flush(): void {
    this.#generation = this.#library.generation;
    this.#pages.clear();
    this.#decoded.length = 0;
    this.#unused.length = 0;
    this.#heads.clear();
    this.orphans.length = 0;
    this.flushes++;
    this.#state.flushExecuteTlb();
  }

  // ---- Heads and regions -----------------------------------------------------------------------------------------------------------------

  /**
   * The code page that the execute TLB has `n` pages behind a linear page, for the current mode or, of 64-bit code, for another privilege; null:
   * none.
   */
  pageAt(low: number, high: number, n: number): CodePage | null {
    const state = this.#state;
    const sum = low + n * PAGE;
    const carry = Math.floor(sum / 2 ** 32);
    const [atLow, atHigh] = [sum - carry * 2 ** 32, (high + carry) >>> 0];
    const mode = state.get32(MODE_INDEX);
    const found = this.#executable(state.get32(TLB_SET), atLow, atHigh, mode);
    if (found !== null || (mode & 7) !== MODE_64) return found;
    for (let choice = 0; choice < 4; choice++) {
      const set = state.get32(TLB_CHOICES + 4 * choice);
      const page = this.#executable(set, atLow, atHigh, choice < 2 ? MODE_64 : MODE_64 | USER);
      if (page !== null) return page;
    }
    return null;
  }

  #executable(set: number, low: number, high: number, mode: number): CodePage | null {
    const state = this.#state;
    const entry = set + TLB_EXECUTE + tlbIndex(low >>> 12);
    if (state.get32(entry) !== (low | mode) >>> 0 || state.get32(entry + 4) !== high) return null;
    return this.#pages.byNumber(state.get32(entry + 12));
  }

  /** Where the head at this address stands; null: it is none any more. */
  headAt(entry: number): { readonly page: CodePage; readonly offset: number } | null {
    if (this.#view.getUint16(entry, true) !== FORM.head) return null;
    return this.#heads.get(entry) ?? null;
  }

  /** Gives the instruction at RIP a head, now that a region leads to it. */
  addHead(): void {
    if (!this.#pages.makeRoom(1)) return this.flush();
    const low = this.#state.get32(RIP);
    const page = this.pageAt((low & ~0xfff) >>> 0, this.#state.get32(RIP + 4), 0) ?? bug('a region leads to a page that is not translated');
    if (page.stale !== null) return;
    page.targets.add(low & 0xfff);
    this.#addHeads(page, [low & 0xfff]);
  }

  /** The head's next report comes after so many passes. */
  setCounter(head: number, passes: number): void {
    this.#view.setInt32(head + ENTRY.counter, passes, true);
  }

  /** How often the head at an offset of a page may be passed until its next report; null: there is none, or it waits for none. */
  passesLeft(page: CodePage, offset: number): number | null {
    const entry = this.#words[(page.table >> 2) + offset] ?? 0;
    return this.headAt(entry) === null ? null : this.#view.getInt32(entry + ENTRY.counter, true);
  }

  /** The head at an offset of a page, if there is one and its next report comes within `most` passes, makes it after `passes`. */
  slowCounter(page: CodePage, offset: number, most: number, passes: number): void {
    const left = this.passesLeft(page, offset);
    if (left !== null && left <= most) this.setCounter(this.#words[(page.table >> 2) + offset] ?? 0, passes);
  }

  /** The instruction at an offset of a page, and the entry that executes it (0: none yet); null: it is not whole or not valid, or has a breakpoint. */
  instructionAt(page: CodePage, offset: number): { readonly decoded: Decoded; readonly entry: number } | null {
    if (page.breaks.offsets.has(offset)) return null;
    const decoded = decode(page.bytes, offset, page.mode, Math.min(PAGE - offset, MAX_LENGTH));
    if (typeof decoded === 'string') return null;
    const found = this.#words[(page.table >> 2) + offset] ?? 0;
    return { decoded, entry: this.#heads.has(found) ? this.#view.getInt32(found + ENTRY.behind, true) : found };
  }

  /** Where an indirect jump or call with this entry (0: it has none) led last; null: nothing is known. */
  ledTo(decoded: Decoded, entry: number): bigint | null {
    if (entry === 0 || !tellsTarget(decoded)) return null;
    const target = this.#view.getBigUint64(entry + ENTRY.target, true);
    return target === 0n ? null : target;
  }

  /** Notes at the head of an instruction which block of which region it begins. */
  markInner(page: CodePage, offset: number, mark: number): void {
    const entry = this.#words[(page.table >> 2) + offset] ?? 0;
    if (this.#heads.has(entry)) this.#view.setInt32(entry + ENTRY.inner, mark, true);
  }

  /** From now on the head, one of the page, leads to the region with this function (translator/region-emit.ts). */
  attach(head: number, page: CodePage, index: number): void {
    page.regions.push(index);
    this.#view.setInt32(head + ENTRY.region, index, true);
    this.#view.setUint16(head, FORM.region, true);
  }

  /** An offset of the page to which a transfer goes. `late`: where it is noted if its instruction has been decoded without a head. */
  #target(page: CodePage, offset: number, late: number[]): void {
    if (this.#threshold === null || page.mode !== 64 || page.stale !== null || offset >= PAGE || page.targets.has(offset)) return;
    if (page.breaks.offsets.has(offset)) return;
    page.targets.add(offset);
    if ((this.#words[(page.table >> 2) + offset] ?? 0) !== 0) late.push(offset);
  }

  /** Gives heads to instructions that were decoded without. (Not within a run, whose entries must follow each other.) */
  #addHeads(page: CodePage, late: readonly number[]): void {
    for (const offset of late) {
      const slot = (page.table >> 2) + offset;
      const entry = this.#words[slot] ?? 0;
      const form = this.#view.getUint16(entry, true);
      if (form !== FORM.call && form < FORM.inline) continue;
      this.#needRoom(page);
      this.#words[slot] = this.#head(page, offset, entry);
    }
  }

  #head(page: CodePage, offset: number, behind: number): number {
    const head = this.#pseudo(page, FORM.head, offset, 0);
    this.setCounter(head, this.#threshold ?? 0);
    this.#view.setInt32(head + ENTRY.behind, behind === 0 ? head + ENTRY_BYTES : behind, true);
    this.#heads.set(head, { page, offset });
    page.heads.push(head);
    return head;
  }

  /** The page has given up its blocks. */
  #forgotten(page: CodePage): void {
    for (const head of page.heads) this.#heads.delete(head);
    this.#unused.push(...page.helpers.values());
    this.orphans.push(...page.regions);
  }

  /** The physical page of a linear address, for execution; null: fault pending. */
  #fetch(low: number, high: number): number | null {
    if (this.#ports.fetch(low | 0, high | 0) !== 0) return null;
    return (this.#state.get32(FETCH_PHYSICAL) >>> 12) + this.#state.get32(FETCH_PHYSICAL + 4) * 0x10_0000;
  }

  #page(physicalPage: number, mode: number, breaks: Breaks): CodePage {
    const known = this.#pages.at(physicalPage, mode, breaks);
    if (known !== null) return known;
    const page = this.#pages.open(physicalPage, mode, breaks);
    this.#ports.watchCode(physicalPage);
    return page;
  }

  #fillTlb(low: number, high: number, mode: number, page: CodePage): void {
    const at = this.#state.get32(TLB_SET) + TLB_EXECUTE + tlbIndex(low >>> 12);
    this.#state.set32(at, (low & ~0xfff) | mode);
    this.#state.set32(at + 4, high);
    this.#state.set32(at + 8, page.table);
    this.#state.set32(at + 12, page.number);
  }

  /**
   * Decodes the run at an offset, and then, ahead of time, runs in the same page that it leads to: fewer and larger modules of
   * new forms. Nothing of that can be noticed by the guest: faults belong to the moment when an instruction is reached.
   */
  #decodeFrom(page: CodePage, start: number, low: number, high: number): Resolution {
    const ahead: number[] = [];
    const resolution = this.#decodeRun(page, start, ahead, { low, high });
    for (let n = 0; n < MAX_AHEAD && resolution === 'found' && page.stale === null; n++) {
      const next = ahead.pop();
      if (next === undefined) break;
      if ((this.#words[(page.table >> 2) + next] ?? 0) === 0) this.#decodeRun(page, next, ahead, null);
    }
    this.#library.compile();
    return resolution;
  }

  /** `linear`: where the run begins; null: not reached yet, only looked at. */
  #decodeRun(page: CodePage, start: number, ahead: number[], linear: { low: number; high: number } | null): Resolution {
    let offset = start;
    const late: number[] = [];
    this.#needRoom(page);
    for (let n = 0; ; n++) {
      if (n === MAX_RUN || offset >= PAGE) {
        this.#pseudo(page, FORM.lookup, offset, 0);
        break;
      }
      const slot = page.table + 4 * offset;
      if (n > 0 && (this.#words[slot >> 2] ?? 0) !== 0) {
        this.#pseudo(page, FORM.link, offset, slot);
        break;
      }
      const decoded = decode(page.bytes, offset, page.mode, Math.min(PAGE - offset, MAX_LENGTH));
      if (typeof decoded === 'string') {
        // Faults belong to the moment when the instruction is reached.
        if (n === 0 && linear === null) return 'found';
        if (n === 0 && linear !== null) {
          return decoded === 'need-more' ? this.#decodeStraddler(page, offset, linear.low, linear.high) : this.#raiseInvalid(decoded);
        }
        this.#pseudo(page, FORM.lookup, offset, 0);
        break;
      }
      if (n === 0 && this.#fillStale(page, offset, decoded)) break;
      if (page.end - page.next < MOST_TOGETHER) {
        this.#pseudo(page, FORM.link, offset, slot);
        this.#pages.extend(page);
      }
      if (n === 0 && linear !== null) {
        page.entered.add(offset);
        this.#target(page, offset, late);
      }
      const isBreakpoint = page.breaks.offsets.has(offset);
      const lead = isBreakpoint
        ? this.#pseudo(page, FORM.breakpoint, offset, 0)
        : page.targets.has(offset)
          ? this.#head(page, offset, 0)
          : 0;
      const entry = this.#allocate(page, FORM.lookup, offset);
      const form = this.#fill(entry, decoded, page, offset);
      this.#words[slot >> 2] = lead === 0 ? entry : lead;
      offset += decoded.length;
      const target = this.#view.getInt32(entry + ENTRY.link, true);
      const flow = decoded.row.flow ?? 'next';
      if (isLeft(flow) || !form.isForRegions || isBreakpoint) this.#target(page, offset, late);
      if (target !== this.#layout.codeBase) {
        const to = (target - page.table) >> 2;
        this.#target(page, to, late);
        ahead.push(to);
      }
      if (!ENDS_RUN.has(flow)) continue;
      if (isLeft(flow) && offset < PAGE) ahead.push(offset);
      // Another instruction may come into its place, which goes on: what stands behind it must be of this page.
      if (page.stale !== null) this.#pseudo(page, FORM.lookup, offset, 0);
      break;
    }
    this.#addHeads(page, late);
    return 'found';
  }

  /** Takes away the entries of instructions that have bytes there: whoever comes to them looks up. */
  #takeAway(page: CodePage, from: number, length: number): void {
    const table = page.table >> 2;
    for (let offset = Math.max(0, from - MAX_LENGTH + 1); offset < from + length; offset++) {
      const entry = this.#words[table + offset] ?? 0;
      if (entry === 0) continue;
      const form = this.#formAt(entry);
      // What is led up to by another entry is decoded anew.
      const isLed = form === FORM.straddle || form === FORM.breakpoint;
      if (!isLed && this.#view.getUint16(entry + ENTRY.next, true) <= from) continue;
      this.#words[table + offset] = 0;
      this.#view.setUint16(entry, FORM.lookup, true);
      if (!isLed) page.stale?.set(offset, entry);
    }
  }

  /** Fills the entry again that was taken away at an offset, if what stands behind it comes behind the new instruction, too. */
  #fillStale(page: CodePage, offset: number, decoded: Decoded): boolean {
    const entry = page.stale?.get(offset);
    if (entry === undefined || this.#view.getUint16(entry + ENTRY_BYTES + ENTRY.offset, true) !== offset + decoded.length) return false;
    this.#fill(entry, decoded, page, offset);
    this.#words[(page.table >> 2) + offset] = entry;
    return true;
  }

  /** The pseudo entry before the instruction asks the execute TLB for the second page: it is entered there, too. */
  #decodeStraddler(page: CodePage, offset: number, low: number, high: number): Resolution {
    const nextLow = ((low | 0xfff) + 1) >>> 0;
    const nextHigh = page.mode === 64 && nextLow === 0 ? (high + 1) >>> 0 : high;
    const physical = this.#fetch(nextLow, nextHigh);
    if (physical === null) return 'fault';
    const mode = this.#state.get32(MODE_INDEX);
    const second = this.#page(physical, mode, this.#breaks.of(nextLow, nextHigh));
    const slot = (page.table >> 2) + offset;
    const known = this.#words[slot] ?? 0;
    // Whatever the bytes are: the fetch has noted for which frame the execute entry is filled.
    this.#fillTlb(nextLow, nextHigh, mode, second);
    this.#executed.add(physical);
    if (known !== 0 && this.#view.getInt32(known + ENTRY.immediate, true) === second.number) return 'found';
    const first = PAGE - offset;
    const joined = new Uint8Array(MAX_LENGTH);
    joined.set(page.bytes.subarray(offset));
    joined.set(second.bytes.subarray(0, MAX_LENGTH - first), first);
    const decoded = decode(joined, 0, page.mode, MAX_LENGTH);
    if (typeof decoded === 'string') return this.#raiseInvalid(decoded);
    // With another second page its entries change in place: none of them runs now.
    const guard = known === 0 ? this.#pseudo(page, FORM.straddle, offset, 0) : known;
    this.#view.setInt32(guard + ENTRY.immediate, second.number, true);
    // Only what can be fetched is led up to by its breakpoint.
    const isBreakpoint = page.breaks.offsets.has(offset);
    if (known === 0 && isBreakpoint) this.#pseudo(page, FORM.breakpoint, offset, 0);
    const entry = known === 0 ? this.#allocate(page, FORM.lookup, offset) : guard + (isBreakpoint ? 2 : 1) * ENTRY_BYTES;
    this.#fill(entry, decoded, page, offset);
    if (known === 0) this.#pseudo(page, FORM.lookup, offset + decoded.length, 0);
    else this.#view.setUint16(entry + ENTRY_BYTES + ENTRY.offset, offset + decoded.length, true);
    this.#words[slot] = guard;
    return 'found';
  }

  #raiseInvalid(why: 'invalid' | 'need-more' | 'too-long'): Resolution {
    return why === 'too-long' ? this.#raise(13, 0) : this.#raise(6, null);
  }

  #raise(vector: number, code: number | null): Resolution {
    this.#state.raise(vector, code);
    return 'fault';
  }

  /** Room for what must lie side by side. */
  #needRoom(page: CodePage): void {
    if (page.end - page.next < MOST_TOGETHER) this.#pages.extend(page);
  }

  #allocate(page: CodePage, form: number, offset: number): number {
    const entry = page.next;
    page.next += ENTRY_BYTES;
    const v = this.#view;
    v.setUint16(entry + ENTRY.form, form, true);
    v.setUint16(entry + ENTRY.offset, offset, true);
    return entry;
  }

  #pseudo(page: CodePage, form: number, offset: number, link: number): number {
    const entry = this.#allocate(page, form, offset);
    this.#view.setInt32(entry + ENTRY.link, link, true);
    return entry;
  }

  /** Writes the instruction's entry. */
  #fill(entry: number, decoded: Decoded, page: CodePage, offset: number): KnownForm {
    const form = this.#library.find(decoded, page.segmentation);
    this.#fillOperands(entry, form, decoded, page, offset);
    if (!form.isHelper) return form;
    const index = page.helpers.get(offset) ?? this.#unused.pop() ?? this.#decoded.length;
    page.helpers.set(offset, index);
    this.#decoded[index] = decoded;
    this.#view.setInt32(entry + ENTRY.immediate, index, true);
    if (!decoded.operands.some((o) => o.kind === 'mem')) this.#view.setInt32(entry + ENTRY.displacement, decoded.operandSize, true);
    return form;
  }

  #fillOperands(entry: number, form: KnownForm, decoded: Decoded, page: CodePage, offset: number): void {
    const v = this.#view;
    const next = offset + decoded.length;
    v.setUint16(entry + ENTRY.form, form.form, true);
    v.setUint16(entry + ENTRY.next, next, true);
    v.setUint16(entry + ENTRY.function, form.function, true);
    // The slot before the arena's first table is always zero: "not in this page".
    v.setInt32(entry + ENTRY.link, this.#layout.codeBase, true);
    if (tellsTarget(decoded)) v.setBigInt64(entry + ENTRY.target, 0n, true);
    const { operands } = decoded;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i] ?? bug('operand');
      if (operand.kind === 'reg') v.setUint8(entry + ENTRY.operand + i, registerByte(operand));
      else if (operand.kind === 'imm') {
        if (i === form.immediate) this.#setImmediate(entry, operand.value);
      } else if (operand.kind === 'rel') {
        this.#setImmediate(entry, operand.value);
        const target = next + Number(operand.value);
        if (page.segmentation !== 'segmented' && decoded.operandSize !== 16 && target >= 0 && target < PAGE) {
          v.setInt32(entry + ENTRY.link, page.table + 4 * target, true);
        }
      } else if (operand.kind === 'mem') {
        v.setUint8(entry + ENTRY.base, operand.base < 0 ? GPR_ZERO : 8 * operand.base);
        v.setUint8(entry + ENTRY.index, operand.index < 0 ? GPR_ZERO : 8 * operand.index);
        v.setUint8(entry + ENTRY.scale, 31 - Math.clz32(operand.scale));
        v.setUint8(entry + ENTRY.segment, 8 * operand.segment);
        v.setUint8(entry + ENTRY.isStack, operand.segment === SS ? 1 : 0);
        v.setInt32(entry + ENTRY.displacement, Number(operand.disp), true);
        if (isWideOffset(decoded, operand)) v.setBigInt64(entry + ENTRY.immediate, operand.disp, true);
      }
    }
  }

  /** Most values are small: without making BigInts. */
  #setImmediate(entry: number, value: bigint): void {
    const n = Number(value);
    if (!Number.isSafeInteger(n)) {
      this.#view.setBigInt64(entry + ENTRY.immediate, value, true);
      return;
    }
    this.#view.setInt32(entry + ENTRY.immediate, n, true);
    this.#view.setInt32(entry + ENTRY.immediate + 4, Math.floor(n / 2 ** 32), true);
  }
}

/** Whether what follows the instruction is come back to. */
const isLeft = (flow: Flow) => flow === 'call' || flow === 'indirect-call';

function registerByte(r: Operand & { kind: 'reg' }): number {
  if (r.class === 'gpr') return 8 * r.index + (r.high ? 1 : 0);
  return r.class === 'xmm' ? 16 * r.index : 4 * r.index;
}
