/**
 * The decoded-code cache: bytes of guest memory → entries in linear memory (translator/entry.ts), on demand.
 *
 * Words: a *code page* is one physical page decoded in one mode (code size and segmentation); it has a *table* of 4096 slots, the
 * address of the entry for each byte offset or 0. A *run* is what one decoding adds: consecutive instructions up to an unconditional
 * transfer, an already decoded one, or the end of the page.
 *
 * Exactness: entries are dropped in place, by turning them into FORM.lookup, so that code which runs at that moment (a store into its own page)
 * meets the change at its very next instruction. The arena is only reused when no generated code runs. An instruction that straddles two
 * pages belongs to the first; a pseudo entry before it checks that the second page is still mapped to the same frame, and `written` for the
 * second page drops it too.
 *
 * What was dropped is kept aside with the bytes that it was decoded from, a few versions a page: a snapshot that is restored brings the same
 * bytes back, and with them the entries.
 *
 * It never reads memory through translations of its own: `Ports.fetch` makes them.
 */
import { bug } from '../isa/bug.ts';
import { type Decoded, decode } from '../isa/decode.ts';
import type { Flow } from '../isa/dsl.ts';
import type { Operand } from '../isa/operands.ts';
import { SS } from '../isa/registers.ts';
import type { Segmentation } from '../translator/emit.ts';
import { ENTRY, ENTRY_BYTES, FORM, isWideOffset } from '../translator/entry.ts';
import type { FormLibrary, KnownForm } from '../translator/form-library.ts';
import { codeMode } from './mode.ts';
import type { Ports } from './ports.ts';
import {CODE_BASE, 
  type CpuState, FETCH_PHYSICAL, GPR_ZERO, type MemoryLayout, MODE_INDEX, RIP, SEGMENT_LIMIT, TLB_EXECUTE, TLB_SET, tlbIndex,
} from './state.ts'; // biome-ignore format: one list

const PAGE = 4096;
const TABLE_BYTES = PAGE * 4;
const MAX_RUN = 64;
/** Runs decoded ahead at a time. */
const MAX_AHEAD = 12;
const MAX_LENGTH = 15;
/** A region is asked for after 2^MAX_DELAY times as many passes at most. */
const MAX_DELAY = 10;
/** Versions of a page kept aside. */
const MAX_ASIDE = 4;
const ENDS_RUN: ReadonlySet<Flow> = new Set<Flow>(['jump', 'call', 'ret', 'indirect', 'indirect-call', 'event']);

/** Entries of one page, with their forms and the offset whose slot names each (−1: none does). */
interface Entries {
  readonly addresses: number[];
  readonly forms: number[];
  readonly offsets: number[];
}
const noEntries = (): Entries => ({ addresses: [], forms: [], offsets: [] });

export interface CodePage {
  readonly physicalPage: number;
  readonly mode: 16 | 32 | 64;
  readonly segmentation: Segmentation;
  /** Address of the 4096 slots. */
  readonly table: number;
  entries: Entries;
  /** Instructions whose bytes go on in another page: never kept aside. */
  straddlers: Entries;
  /** The page's content, taken when it began to be watched; null: it is not. */
  bytes: Int32Array | null;
  /** Dropped entries and regions, and the content they belong to, newest first. */
  readonly aside: { readonly bytes: Int32Array; readonly entries: Entries; readonly regions: Region[] }[];
  /** Offsets to which transfers are known to go: their instructions get heads. */
  readonly targets: Set<number>;
  /** Those of them that were looked up. */
  readonly entered: Set<number>;
  /** Regions with code of this page as it is now. */
  regions: Region[];
  /** How often regions were lost by a change of its bytes. */
  losses: number;
}

/** A compiled region (translator/region-emit.ts). It may run while each of its pages has the content that it was compiled from. */
export interface Region {
  /** Address of its head. */
  readonly head: number;
  /** The page of the head. */
  readonly page: CodePage;
  /** Index in the table of regions. */
  readonly function: number;
  readonly parts: readonly { readonly page: CodePage; readonly bytes: Int32Array }[];
}

export type Resolution = 'found' | 'fault';

export class CodeCache {
  readonly #state: CpuState;
  readonly #ports: Ports;
  readonly #library: FormLibrary;
  readonly #layout: MemoryLayout;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #words: Int32Array;
  /** By physical page · 8 + mode number. */
  readonly #pages = new Map<number, CodePage>();
  /** Second page → first pages. */
  readonly #straddlers = new Map<number, Set<CodePage>>();
  /** Instructions that helpers do; their entries' immediate is the index here. */
  readonly #decoded: Decoded[] = [];
  /** How often a head may be passed until its region is asked for; null: there are no heads. */
  readonly #threshold: number | null;
  /** Where each head stands. */
  readonly #heads = new Map<number, { readonly page: CodePage; readonly offset: number }>();
  /** Counts how often everything was forgotten. */
  flushes = 0;
  #used: number;
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
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#words = new Int32Array(memory.buffer);
    this.#used = layout.codeBase + 16;
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
    const { size, segmentation } = codeMode(mode);
    const isLong = size === 64;
    const rip = state.get32(RIP);
    if (!isLong && rip > state.get32(SEGMENT_LIMIT + 4)) return this.#raise(13, 0);
    const low = isLong ? rip : (rip + state.get32(CODE_BASE)) >>> 0;
    const high = isLong ? state.get32(RIP + 4) : 0;
    const physical = this.#fetch(low, high);
    if (physical === null) return 'fault';
    this.#library.renewIfWorn();
    if (this.#isFull() || this.isOutdated) this.flush();
    const page = this.#page(physical >>> 0, mode & 7, size, segmentation);
    const offset = low & 0xfff;
    if (page.bytes === null && page.aside.length > 0) this.#revive(page);
    const found = this.#words[(page.table >> 2) + offset] ?? 0;
    const isReady = found !== 0 && this.#view.getUint16(found, true) !== FORM.straddle;
    const resolution = isReady ? 'found' : this.#decodeFrom(page, offset, low, high);
    // Last: `watchCode` may empty entries of the TLB.
    this.#fillTlb(low, high, mode, page);
    return resolution;
  }

  /** Bytes of this physical page have changed: drops what was decoded from them. (The page is watched again when code is next decoded from it.) */
  written(physicalPage: number): void {
    for (let mode = 0; mode < 8; mode++) {
      const page = this.#pages.get(physicalPage * 8 + mode);
      if (page !== undefined) this.#drop(page);
    }
    const straddlers = this.#straddlers.get(physicalPage);
    if (straddlers === undefined) return;
    this.#straddlers.delete(physicalPage);
    for (const page of straddlers) this.#drop(page);
  }

  /** Whether code was decoded from this physical page. */
  hasCode(physicalPage: number): boolean {
    if (this.#straddlers.has(physicalPage)) return true;
    for (let mode = 0; mode < 8; mode++) {
      const page = this.#pages.get(physicalPage * 8 + mode);
      if (page !== undefined && page.bytes !== null) return true;
    }
    return false;
  }

  /** The library has numbered its functions anew: nothing that was decoded before may run. */
  get isOutdated(): boolean {
    return this.#generation !== this.#library.generation;
  }

  /** Forgets everything. Only while no generated code runs. */
  flush(): void {
    this.#generation = this.#library.generation;
    this.#pages.clear();
    this.#straddlers.clear();
    this.#decoded.length = 0;
    this.#heads.clear();
    this.flushes++;
    this.#used = this.#layout.codeBase + 16;
    this.#state.flushExecuteTlb();
  }

  // ---- Heads and regions -----------------------------------------------------------------------------------------------------------------

  /** The code page that the execute TLB has `n` pages behind a linear page, for the current mode; null: none. */
  pageAt(low: number, high: number, n: number): CodePage | null {
    const at = low + n * PAGE;
    if (at < 0 || at > 0xffff_ffff) return null;
    const state = this.#state;
    const mode = state.get32(MODE_INDEX);
    const entry = state.get32(TLB_SET) + TLB_EXECUTE + tlbIndex(at >>> 12);
    if (state.get32(entry) !== (at | mode) >>> 0 || state.get32(entry + 4) !== high >>> 0) return null;
    return this.#pages.get(state.get32(entry + 12) * 8 + (mode & 7)) ?? null;
  }

  /** Where the head at this address stands; null: it is none any more. */
  headAt(entry: number): { readonly page: CodePage; readonly offset: number } | null {
    if (this.#view.getUint16(entry, true) !== FORM.head) return null;
    return this.#heads.get(entry) ?? null;
  }

  /** The head's next report comes after so many passes. */
  setCounter(head: number, passes: number): void {
    this.#view.setInt32(head + ENTRY.counter, passes, true);
  }

  /** The instruction at an offset of a page that is watched; null: it is not whole or not valid, or the page is not watched. */
  instructionAt(page: CodePage, offset: number): Decoded | null {
    if (page.bytes === null) return null;
    const code = this.#code(page.physicalPage, offset);
    const decoded = decode(code.bytes, code.at, page.mode, Math.min(code.available, MAX_LENGTH));
    return typeof decoded === 'string' ? null : decoded;
  }

  /** Notes at the head of an instruction which block of which region it begins. */
  markInner(page: CodePage, offset: number, mark: number): void {
    const entry = this.#words[(page.table >> 2) + offset] ?? 0;
    if (this.#heads.has(entry)) this.#view.setInt32(entry + ENTRY.inner, mark, true);
  }

  /** From now on the head leads to the region, as long as its parts are what they are now. */
  attach(region: Region): void {
    for (const { page } of region.parts) page.regions.push(region);
    this.#activate(region);
  }

  #activate({ head, function: index }: Region): void {
    this.#view.setInt32(head + ENTRY.region, index, true);
    this.#view.setUint16(head, FORM.region, true);
  }

  #deactivate({ head, function: index, page }: Region): void {
    if (this.#view.getUint16(head, true) !== FORM.region || this.#view.getInt32(head + ENTRY.region, true) !== index) return;
    this.#view.setUint16(head, FORM.head, true);
    this.setCounter(head, this.#passes(page));
  }

  /** Code that changes again and again is compiled ever later. */
  #passes(page: CodePage): number {
    return (this.#threshold ?? 0) << Math.min(page.losses, MAX_DELAY);
  }

  /** An offset of the page to which a transfer goes. `late`: where it is noted if its instruction has been decoded without a head. */
  #target(page: CodePage, offset: number, late: number[]): void {
    if (this.#threshold === null || page.mode !== 64 || offset >= PAGE || page.targets.has(offset)) return;
    page.targets.add(offset);
    if ((this.#words[(page.table >> 2) + offset] ?? 0) !== 0) late.push(offset);
  }

  /** Gives heads to instructions that were decoded without. (Not within a run, whose entries must follow each other.) */
  #addHeads(page: CodePage, late: readonly number[]): void {
    for (const offset of late) {
      const slot = (page.table >> 2) + offset;
      const entry = this.#words[slot] ?? 0;
      const form = this.#view.getUint16(entry, true);
      if (form === FORM.call || form >= FORM.inline) this.#words[slot] = this.#head(page, offset, entry);
    }
  }

  #head(page: CodePage, offset: number, behind: number): number {
    const head = this.#pseudo(page.entries, FORM.head, offset, 0);
    page.entries.offsets[page.entries.offsets.length - 1] = offset;
    this.setCounter(head, this.#passes(page));
    this.#view.setInt32(head + ENTRY.behind, behind === 0 ? head + ENTRY_BYTES : behind, true);
    this.#heads.set(head, { page, offset });
    return head;
  }

  #drop(page: CodePage): void {
    if (page.regions.length > 0) page.losses++;
    for (const region of page.regions) this.#deactivate(region);
    for (const { addresses } of [page.entries, page.straddlers]) {
      for (const entry of addresses) this.#view.setUint16(entry, FORM.lookup, true);
    }
    this.#words.fill(0, page.table >> 2, (page.table + TABLE_BYTES) >> 2);
    if (page.bytes !== null && page.entries.addresses.length > 0) {
      page.aside.unshift({ bytes: page.bytes, entries: page.entries, regions: page.regions });
      if (page.aside.length > MAX_ASIDE) page.aside.pop();
    }
    page.entries = noEntries();
    page.straddlers = noEntries();
    page.regions = [];
    page.bytes = null;
  }

  /** Takes the entries back that were decoded from just these bytes, if there are any. */
  #revive(page: CodePage): void {
    const start = (this.#layout.ramBase + page.physicalPage * PAGE) >> 2;
    const at = page.aside.findIndex(({ bytes }) => {
      for (let i = 0; i < bytes.length; i++) if (bytes[i] !== this.#words[start + i]) return false;
      return true;
    });
    const [found] = at < 0 ? [] : page.aside.splice(at, 1);
    if (found === undefined) return;
    const { addresses, forms, offsets } = found.entries;
    for (let i = 0; i < addresses.length; i++) {
      const entry = addresses[i] ?? bug('an entry without an address');
      this.#view.setUint16(entry, forms[i] ?? FORM.lookup, true);
      const offset = offsets[i] ?? -1;
      if (offset >= 0) this.#words[(page.table >> 2) + offset] = entry;
    }
    page.entries = found.entries;
    page.regions = found.regions;
    page.bytes = found.bytes;
    this.#ports.watchCode(page.physicalPage);
    for (const region of page.regions) if (region.parts.every((part) => part.page.bytes === part.bytes)) this.#activate(region);
  }

  #isFull(): boolean {
    return (
      this.#used + 2 * TABLE_BYTES + (MAX_AHEAD + 1) * (MAX_RUN + 4) * 3 * ENTRY_BYTES > this.#layout.codeBase + this.#layout.codeBytes
    );
  }

  /** The physical page of a linear address, for execution; null: fault pending. */
  #fetch(low: number, high: number): number | null {
    if (this.#ports.fetch(low | 0, high | 0) !== 0) return null;
    return (this.#state.get32(FETCH_PHYSICAL) >>> 12) + this.#state.get32(FETCH_PHYSICAL + 4) * 0x10_0000;
  }

  #page(physicalPage: number, modeNumber: number, size: 16 | 32 | 64, segmentation: Segmentation): CodePage {
    const key = physicalPage * 8 + modeNumber;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const table = (this.#used + 63) & ~63;
    this.#used = table + TABLE_BYTES;
    this.#words.fill(0, table >> 2, this.#used >> 2);
    const page: CodePage = {
      physicalPage,
      mode: size,
      segmentation,
      table,
      entries: noEntries(),
      straddlers: noEntries(),
      bytes: null,
      aside: [],
      targets: new Set(),
      entered: new Set(),
      regions: [],
      losses: 0,
    };
    this.#pages.set(key, page);
    return page;
  }

  #fillTlb(low: number, high: number, mode: number, page: CodePage): void {
    const at = this.#state.get32(TLB_SET) + TLB_EXECUTE + tlbIndex(low >>> 12);
    this.#state.set32(at, (low & ~0xfff) | mode);
    this.#state.set32(at + 4, high);
    this.#state.set32(at + 8, page.table);
    this.#state.set32(at + 12, page.physicalPage);
  }

  /** Up to 15 bytes of code at a physical address; beyond RAM everything reads as ones. */
  #code(physicalPage: number, offset: number): { bytes: Uint8Array; at: number; available: number } {
    if ((physicalPage + 1) * PAGE > this.#layout.ramBytes)
      return { bytes: new Uint8Array(MAX_LENGTH).fill(0xff), at: 0, available: PAGE - offset };
    return { bytes: this.#bytes, at: this.#layout.ramBase + physicalPage * PAGE + offset, available: PAGE - offset };
  }

  /** From now on every change of the page's bytes is told to `written`. */
  #watch(page: CodePage): void {
    if (page.bytes !== null) return;
    const start = (this.#layout.ramBase + page.physicalPage * PAGE) >> 2;
    page.bytes = this.#words.slice(start, start + PAGE / 4);
    this.#ports.watchCode(page.physicalPage);
  }

  /**
   * Decodes the run at an offset, and then, ahead of time, runs in the same page that it leads to: fewer and larger modules of
   * new forms. Nothing of that can be noticed by the guest: faults belong to the moment when an instruction is reached.
   */
  #decodeFrom(page: CodePage, start: number, low: number, high: number): Resolution {
    const ahead: number[] = [];
    const resolution = this.#decodeRun(page, start, ahead, { low, high });
    for (let n = 0; n < MAX_AHEAD && resolution === 'found'; n++) {
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
    for (let n = 0; ; n++) {
      if (n === MAX_RUN || offset >= PAGE) {
        this.#pseudo(page.entries, FORM.lookup, offset, 0);
        break;
      }
      const slot = page.table + 4 * offset;
      if (n > 0 && (this.#words[slot >> 2] ?? 0) !== 0) {
        this.#pseudo(page.entries, FORM.link, offset, slot);
        break;
      }
      const code = this.#code(page.physicalPage, offset);
      const decoded = decode(code.bytes, code.at, page.mode, Math.min(code.available, MAX_LENGTH));
      if (typeof decoded === 'string') {
        // Faults belong to the moment when the instruction is reached.
        if (n === 0 && linear === null) return 'found';
        if (n === 0 && linear !== null) {
          return decoded === 'need-more' ? this.#decodeStraddler(page, offset, linear.low, linear.high) : this.#raiseInvalid(decoded);
        }
        this.#pseudo(page.entries, FORM.lookup, offset, 0);
        break;
      }
      this.#watch(page);
      if (n === 0 && linear !== null) {
        page.entered.add(offset);
        this.#target(page, offset, late);
      }
      const hasHead = page.targets.has(offset);
      const head = hasHead ? this.#head(page, offset, 0) : 0;
      const helpers = this.#decoded.length;
      const entry = this.#add(page, page.entries, decoded, offset);
      if (!hasHead) page.entries.offsets[page.entries.offsets.length - 1] = offset;
      this.#words[slot >> 2] = hasHead ? head : entry;
      offset += decoded.length;
      const target = this.#view.getInt32(entry + ENTRY.link, true);
      const flow = decoded.row.flow ?? 'next';
      if (isLeft(flow) || decoded.rep !== 'none' || this.#decoded.length > helpers) this.#target(page, offset, late);
      if (target !== this.#layout.codeBase) {
        const to = (target - page.table) >> 2;
        this.#target(page, to, late);
        ahead.push(to);
      }
      if (!ENDS_RUN.has(flow)) continue;
      if ((flow === 'call' || flow === 'indirect-call') && offset < PAGE) ahead.push(offset);
      break;
    }
    this.#addHeads(page, late);
    return 'found';
  }

  /** The pseudo entry before the instruction asks the execute TLB for the second page: it is entered there, too. */
  #decodeStraddler(page: CodePage, offset: number, low: number, high: number): Resolution {
    const nextLow = ((low | 0xfff) + 1) >>> 0;
    const nextHigh = page.mode === 64 && nextLow === 0 ? (high + 1) >>> 0 : high;
    const second = this.#fetch(nextLow, nextHigh);
    if (second === null) return 'fault';
    const mode = this.#state.get32(MODE_INDEX);
    const secondPage = this.#page(second, mode & 7, page.mode, page.segmentation);
    const known = this.#words[(page.table >> 2) + offset] ?? 0;
    if (known !== 0 && this.#view.getInt32(known + ENTRY.immediate, true) === second) {
      this.#fillTlb(nextLow, nextHigh, mode, secondPage);
      return 'found';
    }
    const first = PAGE - offset;
    const joined = new Uint8Array(MAX_LENGTH);
    const head = this.#code(page.physicalPage, offset);
    joined.set(head.bytes.subarray(head.at, head.at + first));
    const tail = this.#code(second, 0);
    joined.set(tail.bytes.subarray(tail.at, tail.at + MAX_LENGTH - first), first);
    const decoded = decode(joined, 0, page.mode, MAX_LENGTH);
    if (typeof decoded === 'string') return this.#raiseInvalid(decoded);
    this.#watch(page);
    this.#watch(secondPage);
    this.#fillTlb(nextLow, nextHigh, mode, secondPage);
    const firsts = this.#straddlers.get(second) ?? new Set();
    firsts.add(page);
    this.#straddlers.set(second, firsts);
    const guard = this.#pseudo(page.straddlers, FORM.straddle, offset, 0);
    this.#view.setInt32(guard + ENTRY.immediate, second, true);
    this.#add(page, page.straddlers, decoded, offset);
    this.#pseudo(page.straddlers, FORM.lookup, offset + decoded.length, 0);
    this.#words[(page.table + 4 * offset) >> 2] = guard;
    return 'found';
  }

  #raiseInvalid(why: 'invalid' | 'need-more' | 'too-long'): Resolution {
    return why === 'too-long' ? this.#raise(13, 0) : this.#raise(6, null);
  }

  #raise(vector: number, code: number | null): Resolution {
    this.#state.raise(vector, code);
    return 'fault';
  }

  #allocate(entries: Entries, form: number, offset: number): number {
    const entry = (this.#used + 31) & ~31;
    this.#used = entry + ENTRY_BYTES;
    const v = this.#view;
    v.setUint16(entry + ENTRY.form, form, true);
    v.setUint16(entry + ENTRY.offset, offset, true);
    entries.addresses.push(entry);
    entries.forms.push(form);
    entries.offsets.push(-1);
    return entry;
  }

  #pseudo(entries: Entries, form: number, offset: number, link: number): number {
    const entry = this.#allocate(entries, form, offset);
    this.#view.setInt32(entry + ENTRY.link, link, true);
    return entry;
  }

  #add(page: CodePage, entries: Entries, decoded: Decoded, offset: number): number {
    const form = this.#library.find(decoded, page.segmentation);
    const entry = this.#allocate(entries, form.form, offset);
    this.#fill(entry, form, decoded, page, offset);
    if (!form.isHelper) return entry;
    this.#view.setInt32(entry + ENTRY.immediate, this.#decoded.push(decoded) - 1, true);
    if (!decoded.operands.some((o) => o.kind === 'mem')) this.#view.setInt32(entry + ENTRY.displacement, decoded.operandSize, true);
    return entry;
  }

  #fill(entry: number, form: KnownForm, decoded: Decoded, page: CodePage, offset: number): void {
    const v = this.#view;
    const next = offset + decoded.length;
    v.setUint16(entry + ENTRY.next, next, true);
    v.setUint16(entry + ENTRY.function, form.function, true);
    // The slot before the arena's first table is always zero: "not in this page".
    v.setInt32(entry + ENTRY.link, this.#layout.codeBase, true);
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
const isLeft = (flow: Flow) => flow === 'call' || flow === 'indirect-call' || flow === 'event';

function registerByte(r: Operand & { kind: 'reg' }): number {
  if (r.class === 'gpr') return 8 * r.index + (r.high ? 1 : 0);
  return r.class === 'xmm' ? 16 * r.index : 4 * r.index;
}
