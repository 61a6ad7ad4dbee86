/**
 * Tier 1's compiler as the interpreter drives it: heads that have become hot wait until there are enough of them, or they have waited long enough; then
 * their regions are compiled as one module (translator/region-module.ts). Nothing of that can be noticed by the guest.
 *
 * Regions keep their functions until there are too many: then all decoded code is forgotten, and they with it.
 */

import { bug } from '../isa/bug.ts';
import type { Recorded } from '../translator/recorders.ts';
import { innerMark, type RegionSource } from '../translator/region-emit.ts';
import { RegionForms } from '../translator/region-form.ts';
import { type Foresight, pageOf, RegionGraph } from '../translator/region-graph.ts';
import { regionsModule } from '../translator/region-module.ts';
import type { CodeCache } from './code-cache.ts';
import { type CodePage, PAGE } from './code-pages.ts';
import { type CpuState, MSR_SLOT, RIP } from './state.ts';

/** 0: interpreter alone · 1: everything that is reached by a transfer is compiled at once (for tests) · auto: what is run often is compiled. */
export type Tier = 0 | 1 | 'auto';

/** An instruction that runs so often in tier 0 costs about what its translation does. */
const AUTO_PASSES = 40_000;
/** What has more passes left when a region is compiled stays out of it. */
const WARM = AUTO_PASSES - AUTO_PASSES / 64;
/**
 * A head within the region of another is only needed if it is passed often though that region is there. Tier 0 goes some way at the end of each slice:
 * SHA-256 passes an inner head 40,000 times so while it executes 730 million instructions.
 */
const INNER_PASSES = 8 * AUTO_PASSES;
/** Regions in one module. */
const BATCH = 32;
/** Instructions after which waiting heads are compiled, however few they are. */
const AGE = 1 << 17;
/** Far more than programs have that run often; each costs some 10 KB of host memory. */
const CAPACITY = 8192;
/** Pages that one region has code in. */
const MOST_PAGES = 8;
const NEVER = 0x7fff_ffff;

/** How often a head is passed until its region is asked for; null: never. */
export const passesUntilHot = (tier: Tier): number | null => (tier === 0 ? null : tier === 1 ? 1 : AUTO_PASSES);

export class Regions {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 64 });
  imports: Record<string, Record<string, unknown>> = {};
  readonly #codeCache: CodeCache;
  readonly #state: CpuState;
  readonly #recorded: Recorded;
  readonly #tier: Tier;
  readonly #forms = new RegionForms();
  /** Heads, and the linear pages where they were met. */
  #waiting: { readonly head: number; readonly low: number; readonly high: number }[] = [];
  #since = 0;
  /** Functions in the table; slot 0 stays empty. */
  #length = 1;
  #flushes = 0;

  constructor(codeCache: CodeCache, state: CpuState, recorded: Recorded, tier: Tier) {
    this.#codeCache = codeCache;
    this.#state = state;
    this.#recorded = recorded;
    this.#tier = tier;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** A head has been passed often. */
  hot(head: number): void {
    this.#forget();
    this.#codeCache.setCounter(head, NEVER);
    const at = this.#codeCache.headAt(head);
    if (at === null) return;
    if (this.#codeCache.instructionAt(at.page, at.offset) === null) return;
    if (this.#waiting.length === 0) this.#since = this.#state.retired;
    this.#waiting.push({ head, low: (this.#state.get32(RIP) & ~0xfff) >>> 0, high: this.#state.get32(RIP + 4) });
    if (this.#tier === 1) this.#compile();
  }

  compileIfDue(): void {
    const { length } = this.#waiting;
    if (length === 0) return;
    if (length >= BATCH || this.#state.retired - this.#since >= AGE) this.#compile();
  }

  #compile(): void {
    this.#forget();
    const heads = this.#waiting;
    this.#waiting = [];
    if (this.#length + heads.length > CAPACITY) return this.#codeCache.flush();
    const found: { head: number; source: RegionSource; page: CodePage }[] = [];
    const inside = new Set<number>();
    for (const { head, low, high } of heads) {
      const at = this.#codeCache.headAt(head);
      if (at === null) continue;
      if (inside.has(at.page.number * PAGE + at.offset)) {
        this.#codeCache.setCounter(head, INNER_PASSES);
        continue;
      }
      const { graph, pages } = this.#graph(at.page, at.offset, low, high);
      for (const address of graph.blocks.keys()) {
        const page = pages.get(pageOf(address)) ?? bug('a block in no page');
        inside.add(page.number * PAGE + (address & 0xfff));
        if (this.#tier === 'auto') this.#codeCache.slowCounter(page, address & 0xfff, AUTO_PASSES, INNER_PASSES);
      }
      const numbers = new Map([...pages].map(([n, { number }]) => [n, number]));
      found.push({ head, source: { head: graph.head, pages: numbers }, page: at.page });
    }
    if (found.length === 0) return;
    const first = this.#length;
    this.#length += found.length;
    if (this.#length > this.table.length) this.table.grow(Math.max(this.table.length, this.#length - this.table.length));
    const sources = found.map((f) => f.source);
    const { bytes, inner } = regionsModule(sources, first, this.#recorded);
    new WebAssembly.Instance(new WebAssembly.Module(bytes), this.imports);
    for (const [i, { head, page }] of found.entries()) {
      for (const [number, offset] of (inner[i] ?? []).entries()) this.#codeCache.markInner(page, offset, innerMark(first + i, number));
      this.#codeCache.attach(head, page, first + i);
    }
  }

  /** What a head at an offset of a page leads to, and the pages that it lies in; the page was met at the linear address `low`, `high`. */
  #graph(first: CodePage, offset: number, low: number, high: number): { graph: RegionGraph; pages: ReadonlyMap<number, CodePage> } {
    const pages = new Map([[0, first]]);
    const page = (n: number): CodePage | null => {
      const known = pages.get(n) ?? this.#codeCache.pageAt(low, high, n);
      if (known === null || known.stale !== null || (!pages.has(n) && pages.size === MOST_PAGES)) return null;
      pages.set(n, known);
      return known;
    };
    const read = (address: number) => {
      const from = page(pageOf(address));
      const found = from === null ? null : this.#codeCache.instructionAt(from, address & 0xfff);
      return found === null ? null : { ...found, form: this.#forms.of(found.decoded) };
    };
    const isCold = (address: number): boolean => {
      const from = page(pageOf(address));
      const left = from === null ? null : this.#codeCache.passesLeft(from, address & 0xfff);
      return left !== null && left <= AUTO_PASSES && left > WARM;
    };
    const graph = new RegionGraph(read, offset, [...first.entered], isCold, this.#foresight(low, high));
    return { graph, pages };
  }

  /** Where computed targets lie from a linear page. */
  #foresight(low: number, high: number): Foresight {
    const from = (BigInt(high) << 32n) | BigInt(low);
    return ({ form, entry }) => {
      const target = form.system === 'SYSCALL' ? this.#state.get64(MSR_SLOT.LSTAR) : this.#codeCache.ledTo(form.decoded, entry);
      if (target === null) return null;
      const distance = BigInt.asIntN(64, target - from);
      return BigInt.asIntN(33, distance) === distance ? Number(distance) : null;
    };
  }

  /** Everything was forgotten: so are the regions. */
  #forget(): void {
    for (const orphan of this.#codeCache.orphans.splice(0)) this.table.set(orphan, null);
    if (this.#flushes === this.#codeCache.flushes) return;
    this.#flushes = this.#codeCache.flushes;
    this.#waiting = [];
    for (let i = 1; i < this.#length; i++) this.table.set(i, null);
    this.#length = 1;
  }
}
