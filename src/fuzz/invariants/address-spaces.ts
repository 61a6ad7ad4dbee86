/**
 * The mappings of all live address spaces, read from the page tables themselves and kept up to date: a root is walked again only when a frame
 * that holds one of its tables was written since, and what is known of each frame's mappers changes with it.
 */
import { type Machine, RIGHT } from '../../machine/index.ts';
import type { KernelView } from './kernel-view.ts';
import { type Half, type Mapping, TableReader } from './table-reader.ts';

/** What changed between two quiescent moments. */
export interface Changes {
  /** Spaces that are new or were walked again. */
  readonly spaces: readonly Half[];
  /** The kernel's half was walked (again), or is looked at for the first time in this run. */
  readonly kernel: boolean;
}

const FRAMES = 2 ** 18;
const NOTHING: Changes = { spaces: [], kernel: false };

export class AddressSpaces {
  readonly #machine: Machine;
  readonly #kernel: KernelView;
  readonly #reader: TableReader;
  readonly #users = new Map<number, Half>();
  #kernelHalf: Half | null = null;
  #kernelTables: ReadonlySet<number> = new Set();
  /** Whether the kernel's half was told in this run. */
  #hasKernel = false;
  #at = -1n;
  #changes: Changes = NOTHING;
  /** The live roots and the machine's frameChanges at the last moment. */
  #roots: Int32Array;
  #rootCount = 0;
  #latest: Int32Array;
  #seen = -1;
  /** By frame: how many user leaves map it, how many of them may write, how many may execute; and how many user halves have it as a table. */
  readonly #mappers: Uint16Array;
  readonly #writers: Uint16Array;
  readonly #executors: Uint16Array;
  readonly #tables: Uint16Array;

  constructor(machine: Machine, kernel: KernelView) {
    this.#machine = machine;
    this.#kernel = kernel;
    this.#reader = new TableReader(machine);
    this.#roots = new Int32Array(kernel.mostRoots);
    this.#latest = new Int32Array(kernel.mostRoots);
    const frames = Math.min(FRAMES, machine.config.memoryBytes >> 12);
    this.#mappers = new Uint16Array(frames);
    this.#writers = new Uint16Array(frames);
    this.#executors = new Uint16Array(frames);
    this.#tables = new Uint16Array(frames);
  }

  /** A run begins: no space is known. What is known of the kernel's half stays, while its tables are what they were. */
  begin(): void {
    for (const space of this.#users.values()) this.#end(space);
    this.#users.clear();
    this.#hasKernel = false;
    this.#at = -1n;
    this.#rootCount = 0;
    this.#seen = -1;
  }

  /** Looks, once a moment `at`, which tables have changed since the last moment that was asked for. */
  changes(at: bigint): Changes {
    if (at !== this.#at) {
      this.#at = at;
      this.#changes = this.#haveSameRoots() && this.#machine.frameChanges === this.#seen ? NOTHING : this.#look();
    }
    return this.#changes;
  }

  /** Takes the live roots of now; whether they are those of the last moment. */
  #haveSameRoots(): boolean {
    const before = this.#roots;
    const now = this.#latest;
    const count = this.#kernel.liveRoots(now);
    let isSame = count === this.#rootCount;
    for (let n = 0; n < count && isSame; n++) isSame = before[n] === now[n];
    this.#roots = now;
    this.#latest = before;
    this.#rootCount = count;
    return isSame;
  }

  #look(): Changes {
    const live = this.#roots.subarray(0, this.#rootCount);
    for (const [root, space] of this.#users)
      if (!live.includes(root)) {
        this.#end(space);
        this.#users.delete(root);
      }
    const spaces: Half[] = [];
    for (const root of live) {
      const before = this.#users.get(root) ?? null;
      if (before && this.#isFresh(before)) continue;
      const space = this.#reader.read(root, 'user', before);
      this.#users.set(root, space);
      this.#count(space.removed, -1);
      this.#count(space.added, 1);
      this.#change(before?.tables ?? [], space.tables);
      spaces.push(space);
    }
    const isRead = this.#kernelHalf === null || !this.#isFresh(this.#kernelHalf);
    if (isRead) {
      this.#kernelHalf = this.#reader.read(this.#kernel.kernelRoot, 'kernel', this.#kernelHalf);
      this.#kernelTables = new Set(this.#kernelHalf.tables);
    }
    const kernel = isRead || !this.#hasKernel;
    this.#hasKernel = true;
    this.#seen = this.#machine.frameChanges;
    return { spaces, kernel };
  }

  /** All live spaces, as of the last moment. */
  users(): Iterable<Half> {
    return this.#users.values();
  }

  user(root: number): Half | null {
    return this.#users.get(root) ?? null;
  }

  /** The kernel half, as of the last moment. */
  get kernelHalf(): Half | null {
    return this.#kernelHalf;
  }

  /** Whether a frame holds a table of the kernel half. */
  isKernelTable(frame: number): boolean {
    return this.#kernelTables.has(frame);
  }

  /** User leaves that map a frame. */
  mappers(frame: number): number {
    return this.#mappers[frame] ?? 0;
  }

  writers(frame: number): number {
    return this.#writers[frame] ?? 0;
  }

  executors(frame: number): number {
    return this.#executors[frame] ?? 0;
  }

  /** User halves in which a frame is a table. */
  tableUses(frame: number): number {
    return this.#tables[frame] ?? 0;
  }

  #count(mappings: readonly Mapping[], by: number): void {
    for (const { frame, pages, rights } of mappings)
      for (let each = frame; each < frame + pages; each++) {
        this.#mappers[each] = (this.#mappers[each] ?? 0) + by;
        if (rights & RIGHT.write) this.#writers[each] = (this.#writers[each] ?? 0) + by;
        if (rights & RIGHT.execute) this.#executors[each] = (this.#executors[each] ?? 0) + by;
      }
  }

  /** Tables that are no longer part of a space need no watching: their frames are used for something else. */
  #change(before: readonly number[], now: readonly number[]): void {
    for (const frame of before) {
      this.#tables[frame] = (this.#tables[frame] ?? 0) - 1;
      if (!now.includes(frame)) this.#reader.forget(frame);
    }
    for (const frame of now) this.#tables[frame] = (this.#tables[frame] ?? 0) + 1;
  }

  #end({ mappings, tables }: Half): void {
    this.#count(mappings, -1);
    this.#change(tables, []);
  }

  #isFresh({ tables, versions }: Half): boolean {
    for (let n = 0; n < tables.length; n++) if (this.#machine.frameVersion(tables[n] ?? 0) !== versions[n]) return false;
    return true;
  }
}

/** A page number of `walkLeaves` as a canonical linear address. */
export const linearOf = (page: number): bigint => BigInt.asUintN(64, BigInt.asIntN(48, BigInt(page) << 12n));
/** The page number of a linear address, as `walkLeaves` counts them. */
export const pageOf = (linear: bigint): number => Number(BigInt.asUintN(48, linear) >> 12n);
/** The physical address of a frame: of a root, as people write it. */
export const addressOf = (frame: number): bigint => BigInt(frame) << 12n;

export const isWritable = ({ rights }: Mapping): boolean => (rights & RIGHT.write) !== 0;
export const isExecutable = ({ rights }: Mapping): boolean => (rights & RIGHT.execute) !== 0;
export const isUser = ({ rights }: Mapping): boolean => (rights & RIGHT.user) !== 0;
