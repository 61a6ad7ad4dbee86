/**
 * The code of a guest while its path is walked: by address space and linear page, as the CPU would fetch it at the moment.
 *
 * The CPU uses a translation until it is invalidated, so a page is looked up again after a flush alone (`flush`), in the page tables of that moment. What
 * a page holds is read once; the machine counts stores to its frame from then on, and `changes` tells those that were stored to.
 */
import type { Machine } from '../../machine/index.ts';
import type { TraceEventOf } from '../events.ts';
import type { Mode } from '../schema.ts';
import { Malformed } from '../trace/malformed.ts';
import { type CodeBlock, CodePage, makeBlock, type OwnerOf } from './code-block.ts';

const PAGE_BYTES = 4096;

/** A linear page of an address space, and the flush up to which it is known. */
interface Known<Owner> {
  page: CodePage<Owner>;
  isGlobal: boolean;
  age: number;
}

interface Space<Owner> {
  readonly pcid: number;
  readonly pages: Map<bigint, Known<Owner>>;
  age: number;
}

interface Frame<Owner> {
  version: number;
  readonly pages: CodePage<Owner>[];
}

const PG = 1n << 31n;
const PCIDE = 1n << 17n;
const LOW = 0xfffn;
const ROOT = 0x000f_ffff_ffff_f000n;
const UNPAGED = -1n;
/** Address spaces that are kept; the oldest goes. */
const MOST_SPACES = 1024;

export class CodeMap<Owner> {
  mode: Mode = 64;
  base = 0n;
  /** Links between blocks of another age than this are not to be used. */
  age = 0;
  readonly #machine: Machine;
  readonly #ownerOf: OwnerOf<Owner>;
  readonly #dropped: CodeBlock<Owner>[] = [];
  readonly #spaces = new Map<bigint, Space<Owner>>();
  readonly #frames = new Map<number, Frame<Owner>>();
  #space: Space<Owner>;
  #globalAge = 0;
  #nextAge = 1;
  #cr0: bigint;
  #cr3: bigint;
  #cr4: bigint;
  #changes: number;

  constructor(machine: Machine, ownerOf: OwnerOf<Owner>) {
    this.#machine = machine;
    this.#ownerOf = ownerOf;
    this.#cr0 = machine.controls.cr0;
    this.#cr3 = machine.cr3;
    this.#cr4 = machine.controls.cr4;
    this.#changes = machine.frameChanges;
    this.#space = this.#select();
  }

  /** The root page table, as a physical address. */
  get root(): bigint {
    return this.#cr3 & ROOT;
  }

  /** Takes over what an event says of address spaces. */
  control({ register, after }: TraceEventOf<'control-register'>): void {
    if (register === 0) this.#cr0 = after;
    else if (register === 3) this.#cr3 = after;
    else if (register === 4) this.#cr4 = after;
    else return;
    this.#space = this.#select();
    this.age = this.#nextAge++;
  }

  #select(): Space<Owner> {
    const isPaged = (this.#cr0 & PG) !== 0n;
    const pcid = (this.#cr4 & PCIDE) === 0n ? 0 : Number(this.#cr3 & LOW);
    const key = isPaged ? (this.#cr3 & ROOT) | BigInt(pcid) : UNPAGED;
    let space = this.#spaces.get(key);
    if (space === undefined) {
      const [oldest] = this.#spaces.keys();
      if (this.#spaces.size >= MOST_SPACES && oldest !== undefined) this.#spaces.delete(oldest);
      this.#spaces.set(key, (space = { pcid, pages: new Map(), age: this.#nextAge++ }));
    }
    return space;
  }

  /** Takes over an invalidation of translations. */
  flush({ flush, pcid, linear }: TraceEventOf<'tlb-flush'>): void {
    if (flush === 'page') {
      const number = linear >> 12n;
      let isKnown = false;
      for (const { pages } of this.#spaces.values()) {
        const known = pages.get(number);
        if (known !== undefined) [known.age, isKnown] = [-1, true];
      }
      if (isKnown) this.age = this.#nextAge++;
      return;
    }
    const age = this.#nextAge++;
    for (const space of this.#spaces.values()) if (flush !== 'pcid' || space.pcid === pcid) space.age = age;
    if (flush === 'all') this.#globalAge = age;
    this.age = age;
  }

  /** Takes over that an instruction was fetched from a frame that the page tables no longer give. */
  stale({ linear, usedFrame, access }: TraceEventOf<'stale'>): void {
    if (access !== 'execute') return;
    const number = linear >> 12n;
    const page = this.#load(number, Number(usedFrame));
    this.#space.pages.set(number, { page, isGlobal: false, age: this.#space.age });
    this.age = this.#nextAge++;
  }

  /** The machine stands elsewhere: takes its address space, and knows no translation. */
  restart(): void {
    this.#cr0 = this.#machine.controls.cr0;
    this.#cr3 = this.#machine.cr3;
    this.#cr4 = this.#machine.controls.cr4;
    this.#space = this.#select();
    const age = this.#nextAge++;
    for (const space of this.#spaces.values()) space.age = age;
    this.#globalAge = age;
    this.age = age;
  }

  /**
   * The block at an address; null where `reach`, which is to bring the machine to the walk's position, could not. `window`: of the walk, noted on the page.
   */
  blockAt(rip: bigint, window: number, reach: () => boolean): CodeBlock<Owner> | null {
    const linear = this.mode === 64 ? rip : (this.base + rip) & 0xffff_ffffn;
    const page = this.#page(linear >> 12n, reach);
    if (page === null) return null;
    page.usedIn = window;
    const offset = Number(linear & LOW);
    const found = page.blocks.get(offset);
    if (found?.second === null) return found;
    if (found !== undefined) {
      const second = this.#page((linear >> 12n) + 1n, reach);
      if (second === null) return null;
      second.usedIn = window;
      if (second === found.second) return found;
      page.blocks.delete(offset);
      this.#dropped.push(found);
    }
    const block = makeBlock(rip, this.mode, page.bytes.subarray(offset), page, null, this.#ownerOf);
    if (block !== 'need-more') {
      page.blocks.set(offset, block);
      return block;
    }
    const second = this.#page((linear >> 12n) + 1n, reach);
    if (second === null) return null;
    second.usedIn = window;
    const code = new Uint8Array(PAGE_BYTES - offset + 15);
    code.set(page.bytes.subarray(offset));
    code.set(second.bytes.subarray(0, 15), PAGE_BYTES - offset);
    const crossing = makeBlock(rip, this.mode, code, page, second, this.#ownerOf);
    if (crossing === 'need-more') throw new Malformed(`the code at 0x${rip.toString(16)} has no end`);
    page.blocks.set(offset, crossing);
    return crossing;
  }

  /** The block at an address, where nothing has to be looked up for it. */
  knownAt(rip: bigint): CodeBlock<Owner> | null {
    const linear = this.mode === 64 ? rip : (this.base + rip) & 0xffff_ffffn;
    const known = this.#space.pages.get(linear >> 12n);
    const block = known !== undefined && this.#isCurrent(known) ? known.page.blocks.get(Number(linear & LOW)) : undefined;
    return block?.second === null ? block : null;
  }

  #isCurrent({ page, isGlobal, age }: Known<Owner>): boolean {
    if (page.mode !== this.mode || page.base !== this.base) return false;
    return age === this.#space.age || (isGlobal && age >= this.#globalAge);
  }

  #page(number: bigint, reach: () => boolean): CodePage<Owner> | null {
    const space = this.#space;
    const known = space.pages.get(number);
    if (known !== undefined && this.#isCurrent(known)) return known.page;
    if (!reach()) return null;
    const translation = this.#machine.translate(number << 12n);
    if (translation === null) throw new Malformed(`the path leads to 0x${(number << 12n).toString(16)}, which is not mapped`);
    const page = this.#load(number, Number(translation.physical >> 12n));
    space.pages.set(number, { page, isGlobal: translation.global, age: space.age });
    return page;
  }

  #load(number: bigint, frame: number): CodePage<Owner> {
    const { mode, base } = this;
    // page tables, and events of a trace, may name any frame
    if ((frame + 1) * PAGE_BYTES > this.#machine.config.memoryBytes)
      throw new Malformed(`the path leads to 0x${(number << 12n).toString(16)}, where there is no memory`);
    let frames = this.#frames.get(frame);
    if (frames === undefined) this.#frames.set(frame, (frames = { version: this.#machine.frameVersion(frame), pages: [] }));
    const known = frames.pages.find((page) => page.number === number && page.mode === mode && page.base === base);
    if (known !== undefined) return known;
    const page = new CodePage<Owner>(number, frame, mode, base, this.#machine.readPhysical(BigInt(frame) << 12n, PAGE_BYTES));
    frames.pages.push(page);
    return page;
  }

  /** Whether any frame with code was stored to since the last `settle`. */
  get hasChanged(): boolean {
    return this.#machine.frameChanges !== this.#changes;
  }

  /** Whether one of them was from which code was executed in this window. */
  isStoredTo(window: number): boolean {
    for (const [frame, { version, pages }] of this.#frames)
      if (pages.some(({ usedIn }) => usedIn === window) && this.#machine.frameVersion(frame) !== version) return true;
    return false;
  }

  /** The frames from which code was executed in this window. */
  framesUsed(window: number): number[] {
    return [...this.#frames].filter(([, { pages }]) => pages.some(({ usedIn }) => usedIn === window)).map(([frame]) => frame);
  }

  /** Takes code as it is in memory now. */
  settle(): void {
    if (!this.hasChanged) return;
    for (const [frame, known] of this.#frames) {
      const version = this.#machine.frameVersion(frame);
      if (version === known.version) continue;
      known.version = version;
      const bytes = this.#machine.readPhysical(BigInt(frame) << 12n, PAGE_BYTES);
      for (const page of known.pages) this.#renew(page, bytes);
    }
    this.#changes = this.#machine.frameChanges;
  }

  #renew(page: CodePage<Owner>, bytes: Uint8Array): void {
    const before = page.bytes;
    page.bytes = bytes;
    if (Buffer.compare(before, bytes) === 0) return;
    for (const [offset, block] of page.blocks) {
      const end = Math.min(PAGE_BYTES, offset + block.bytes.length);
      if (block.second === null && Buffer.compare(before.subarray(offset, end), bytes.subarray(offset, end)) === 0) continue;
      page.blocks.delete(offset);
      this.#dropped.push(block);
    }
    // instructions that end on this page begin on the one before
    for (const { pages } of this.#frames.values()) {
      for (const other of pages) {
        for (const [offset, block] of other.blocks) {
          if (block.second !== page) continue;
          other.blocks.delete(offset);
          this.#dropped.push(block);
        }
      }
    }
    this.age = this.#nextAge++;
  }

  /** The blocks that will not be executed again, as their code has changed. */
  takeDropped(): CodeBlock<Owner>[] {
    return this.#dropped.splice(0);
  }

  /** All other blocks. */
  *blocks(): Generator<CodeBlock<Owner>> {
    for (const { pages } of this.#frames.values()) for (const page of pages) yield* page.blocks.values();
  }
}
