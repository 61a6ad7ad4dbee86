/**
 * Pages of code, by what they hold: a *code page* is the content of a physical page, to be decoded in one mode (code size and segmentation) and with the
 * same breakpoints, wherever it lies and however often. A program that is started again, a snapshot that is restored, two processes with one program: all meet the same code
 * page, with its entries and its regions.
 *
 *     open(physicalPage, mode, breaks)   the code page there, from now on watched by the caller, until
 *     leave(physicalPage)                its bytes change: then another content, another code page
 *
 * A physical page whose content changes too often is *restless*: its code pages are its own, belong to no content, and are decoded from RAM as it is,
 * instruction by instruction; a store takes away the entries of those instructions whose bytes it meets. They have neither heads nor regions. Now and then
 * all restless pages are left (`settle`), and have to show anew that they are.
 *
 * A code page has a number that is not given again until all pages are forgotten, which has to be before there are too many. Execute entries of the software TLB carry it: whoever finds it there knows the bytes.
 *
 * Entries and the *table* (4096 slots: the address of the entry for each byte offset, or 0) lie in blocks of the arena in linear memory. Pages that
 * lie nowhere at the moment are *idle*: when blocks run out, those that have been so for longest give theirs up.
 */
import { bug } from '../isa/bug.ts';
import type { Segmentation } from '../translator/emit.ts';
import type { Breaks } from './break-pages.ts';
import { codeMode } from './mode.ts';
import type { MemoryLayout } from './state.ts';

export const PAGE = 4096;
const WORDS = PAGE / 4;
export const BLOCK_BYTES = PAGE * 4;
/** Bits of the mode index that decide what code means. */
const MEANING = 7;
const MODES = 8;
/** Contents that a physical page may have, and all of them together, until `settle`: each costs a hash, two tables, and decoding ahead. */
const MOST_CONTENTS = 8;
const MOST_CONTENTS_OF_ALL = 512;
/** Numbers have 32 bits in the software TLB; so many take a guest seconds at least. */
const MOST_NUMBERS = 1 << 22;

export interface CodePage {
  /** Of a restless page: changes with the bytes in which an instruction of the page before may end. */
  number: number;
  readonly mode: 16 | 32 | 64;
  readonly segmentation: Segmentation;
  readonly breaks: Breaks;
  /** The content, and the same in words. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly hash: number;
  /** Address of the 4096 slots. */
  readonly table: number;
  /** Blocks of its entries; those of the last from `next` to `end` are free. */
  readonly blocks: number[];
  next: number;
  end: number;
  /** Offsets to which transfers are known to go: their instructions get heads. */
  readonly targets: Set<number>;
  /** Those of them that were looked up. */
  readonly entered: Set<number>;
  readonly heads: number[];
  /** By offset: which of the code cache's instructions for helpers is there. */
  readonly helpers: Map<number, number>;
  /** Functions of its regions. */
  readonly regions: number[];
  /** Of a restless page: by offset, the entries that were taken away, which may be filled again in their place; null: the content is for ever. */
  readonly stale: Map<number, number> | null;
  /** Physical pages (and modes of one meaning) where it lies. */
  users: number;
}

export class CodePages {
  readonly #words: Int32Array;
  readonly #layout: MemoryLayout;
  /** By physical page · MODES + meaning; more than one where the same page has several breakpoints, or none. */
  readonly #placed = new Map<number, CodePage[]>();
  readonly #byNumber = new Map<number, CodePage>();
  readonly #byHash = new Map<number, CodePage[]>();
  /** Longest first. */
  readonly #idle = new Set<CodePage>();
  readonly #free: number[] = [];
  /** By restless physical page: what lies there. */
  readonly #restless = new Map<number, CodePage[]>();
  /** By physical page: contents that were met there for the first time since `settle`. */
  readonly #contents = new Map<number, number>();
  #contentsOfAll = 0;
  readonly #outside = new Int32Array(WORDS).fill(-1);
  #untouched: number;
  #numbers = 0;
  /** Told of a page that gives up its blocks. */
  readonly #forgotten: (page: CodePage) => void;

  constructor(memory: WebAssembly.Memory, layout: MemoryLayout, forgotten: (page: CodePage) => void) {
    this.#words = new Int32Array(memory.buffer);
    this.#layout = layout;
    this.#untouched = this.#first;
    this.#forgotten = forgotten;
  }

  /** The arena's first words stay zero: see ENTRY.link. */
  get #first(): number {
    return (this.#layout.codeBase + 16 + 63) & ~63;
  }

  byNumber(number: number): CodePage | null {
    return this.#byNumber.get(number) ?? null;
  }

  /** The code page that lies at a physical page; null: none is known to. */
  at(physicalPage: number, modeIndex: number, breaks: Breaks): CodePage | null {
    const placed = this.#placed.get(physicalPage * MODES + (modeIndex & MEANING));
    if (placed !== undefined) for (const page of placed) if (page.breaks === breaks) return page;
    return null;
  }

  /** The code page of what the physical page (of which `at` knows nothing) holds now. There must be room for a block. */
  open(physicalPage: number, modeIndex: number, breaks: Breaks): CodePage {
    const page = this.#restless.has(physicalPage)
      ? this.#makeRestless(physicalPage, modeIndex, breaks)
      : this.#openContent(physicalPage, modeIndex, breaks);
    page.users++;
    this.#idle.delete(page);
    const key = physicalPage * MODES + (modeIndex & MEANING);
    const placed = this.#placed.get(key);
    if (placed === undefined) this.#placed.set(key, [page]);
    else placed.push(page);
    return page;
  }

  /** The physical page holds something else now. False: no code page lay there. */
  leave(physicalPage: number): boolean {
    let isFound = false;
    this.#restless.delete(physicalPage);
    for (let mode = 0; mode < MODES; mode++) {
      const placed = this.#placed.get(physicalPage * MODES + mode);
      if (placed === undefined) continue;
      this.#placed.delete(physicalPage * MODES + mode);
      for (const page of placed) if (--page.users === 0) this.#idle.add(page);
      isFound = true;
    }
    return isFound;
  }

  /** The code pages of a restless physical page; null: it is none. */
  restlessAt(physicalPage: number): readonly CodePage[] | null {
    return this.#restless.get(physicalPage) ?? null;
  }

  /** Whoever knows a restless page by its number knows it no more. */
  renumber(page: CodePage): void {
    this.#byNumber.delete(page.number);
    page.number = ++this.#numbers;
    this.#byNumber.set(page.number, page);
  }

  /** The physical page holds something else by the host's will: contents that were met there before do not count. */
  forgive(physicalPage: number): void {
    this.#contentsOfAll -= this.#contents.get(physicalPage) ?? 0;
    this.#contents.delete(physicalPage);
  }

  /** Gives all restless pages, which are to be left now, and lets each have contents again. */
  settle(): number[] {
    this.#contents.clear();
    this.#contentsOfAll = 0;
    return [...this.#restless.keys()];
  }

  /** Sees to it that so many blocks can be had. False: there are not as many, though no page is idle, or no numbers; all pages are to be forgotten. */
  makeRoom(blocks: number): boolean {
    if (this.#numbers >= MOST_NUMBERS) return false;
    const end = this.#layout.codeBase + this.#layout.codeBytes;
    while (this.#free.length + Math.floor((end - this.#untouched) / BLOCK_BYTES) < blocks) {
      const [oldest] = this.#idle;
      if (oldest === undefined) return false;
      this.#forget(oldest);
    }
    return true;
  }

  /** Another block for a page's entries. */
  extend(page: CodePage): void {
    page.next = this.#take();
    page.end = page.next + BLOCK_BYTES;
    page.blocks.push(page.next);
  }

  /** Forgets all pages. */
  clear(): void {
    this.#placed.clear();
    this.#restless.clear();
    this.#contents.clear();
    this.#contentsOfAll = 0;
    this.#numbers = 0;
    this.#byNumber.clear();
    this.#byHash.clear();
    this.#idle.clear();
    this.#free.length = 0;
    this.#untouched = this.#first;
  }

  #take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const block = this.#untouched;
    this.#untouched += BLOCK_BYTES;
    if (this.#untouched > this.#layout.codeBase + this.#layout.codeBytes) bug('no room for decoded code');
    return block;
  }

  /** Beyond RAM everything reads as ones. */
  #contentOf(physicalPage: number): { readonly words: Int32Array; readonly start: number } {
    if ((physicalPage + 1) * PAGE > this.#layout.ramBytes) return { words: this.#outside, start: 0 };
    return { words: this.#words, start: (this.#layout.ramBase + physicalPage * PAGE) >> 2 };
  }

  #openContent(physicalPage: number, modeIndex: number, breaks: Breaks): CodePage {
    const from = this.#contentOf(physicalPage);
    const hash = hashOf(from.words, from.start) ^ (modeIndex & MEANING) ^ (breaks.number * MODES);
    const found = this.#find(from, hash, modeIndex, breaks);
    if (found !== null) return found;
    const contents = (this.#contents.get(physicalPage) ?? 0) + 1;
    const isRestless = contents > MOST_CONTENTS || this.#contentsOfAll >= MOST_CONTENTS_OF_ALL;
    // A store is to find either contents there or restless pages.
    if (isRestless && from.words !== this.#outside && !this.#hasContent(physicalPage)) {
      this.#restless.set(physicalPage, []);
      return this.#makeRestless(physicalPage, modeIndex, breaks);
    }
    this.#contents.set(physicalPage, contents);
    this.#contentsOfAll++;
    const content = from.words.slice(from.start, from.start + WORDS);
    const page = this.#make(content, hash, modeIndex, breaks, null);
    const same = this.#byHash.get(hash);
    if (same === undefined) this.#byHash.set(hash, [page]);
    else same.push(page);
    return page;
  }

  #makeRestless(physicalPage: number, modeIndex: number, breaks: Breaks): CodePage {
    const { words, start } = this.#contentOf(physicalPage);
    const page = this.#make(words.subarray(start, start + WORDS), 0, modeIndex, breaks, new Map());
    this.#restless.get(physicalPage)?.push(page);
    return page;
  }

  #hasContent(physicalPage: number): boolean {
    for (let mode = 0; mode < MODES; mode++) if (this.#placed.has(physicalPage * MODES + mode)) return true;
    return false;
  }

  #find(
    { words, start }: { readonly words: Int32Array; readonly start: number },
    hash: number,
    modeIndex: number,
    breaks: Breaks,
  ): CodePage | null {
    const { size, segmentation } = codeMode(modeIndex);
    for (const page of this.#byHash.get(hash) ?? []) {
      const isAlike = page.mode === size && page.segmentation === segmentation && page.breaks === breaks;
      if (isAlike && isEqual(words, start, page.words)) return page;
    }
    return null;
  }

  #make(words: Int32Array, hash: number, modeIndex: number, breaks: Breaks, stale: Map<number, number> | null): CodePage {
    const { size: mode, segmentation } = codeMode(modeIndex);
    const table = this.#take();
    this.#words.fill(0, table >> 2, (table + BLOCK_BYTES) >> 2);
    const page: CodePage = {
      number: ++this.#numbers,
      mode,
      segmentation,
      breaks,
      bytes: new Uint8Array(words.buffer, words.byteOffset, PAGE),
      words,
      hash,
      table,
      blocks: [],
      next: 0,
      end: 0,
      targets: new Set(),
      entered: new Set(),
      heads: [],
      helpers: new Map(),
      regions: [],
      stale,
      users: 0,
    };
    this.#byNumber.set(page.number, page);
    return page;
  }

  #forget(page: CodePage): void {
    this.#idle.delete(page);
    this.#byNumber.delete(page.number);
    const others = (this.#byHash.get(page.hash) ?? []).filter((other) => other !== page);
    if (others.length === 0) this.#byHash.delete(page.hash);
    else this.#byHash.set(page.hash, others);
    this.#free.push(page.table, ...page.blocks);
    this.#forgotten(page);
  }
}

/** Two lanes, since each step waits for the one before. */
function hashOf(words: Int32Array, start: number): number {
  let a = 0x9e37_79b9;
  let b = 0x85eb_ca6b;
  for (let i = start; i < start + WORDS; i += 2) {
    a = Math.imul(a ^ (words[i] ?? 0), 0x9e37_79b1);
    b = Math.imul(b ^ (words[i + 1] ?? 0), 0x85eb_ca77);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  return a ^ Math.imul(b, 0xc2b2_ae3d);
}

function isEqual(words: Int32Array, start: number, other: Int32Array): boolean {
  for (let i = 0; i < WORDS; i++) if (words[start + i] !== other[i]) return false;
  return true;
}
