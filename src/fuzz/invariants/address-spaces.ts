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
  /** The kernel's half was walked (again). */
  readonly kernel: boolean;
}

const FRAMES = 2 ** 18;

export class AddressSpaces {
  readonly #machine: Machine;
  readonly #kernel: KernelView;
  readonly #reader: TableReader;
  readonly #users = new Map<bigint, Half>();
  #kernelHalf: Half | null = null;
  #at = -1n;
  #changes: Changes = { spaces: [], kernel: false };
  /** By frame: how many user leaves map it, how many of them may write, how many may execute. */
  readonly #mappers: Uint16Array;
  readonly #writers: Uint16Array;
  readonly #executors: Uint16Array;

  constructor(machine: Machine, kernel: KernelView) {
    this.#machine = machine;
    this.#kernel = kernel;
    this.#reader = new TableReader(machine);
    const frames = Math.min(FRAMES, machine.config.memoryBytes >> 12);
    this.#mappers = new Uint16Array(frames);
    this.#writers = new Uint16Array(frames);
    this.#executors = new Uint16Array(frames);
  }

  /** Looks, once a moment `at`, which tables have changed since the last moment that was asked for. */
  changes(at: bigint): Changes {
    if (at === this.#at) return this.#changes;
    this.#at = at;
    const live = this.#kernel.liveRoots();
    for (const [root, space] of this.#users)
      if (!live.includes(root)) {
        this.#count(space, -1);
        this.#users.delete(root);
        this.#forget(space, null);
      }
    const spaces: Half[] = [];
    for (const root of live) {
      const before = this.#users.get(root);
      if (before) {
        if (this.#isFresh(before)) continue;
        this.#count(before, -1);
      }
      const space = this.#reader.read(root, 'user');
      this.#users.set(root, space);
      if (before) this.#forget(before, space);
      this.#count(space, 1);
      spaces.push(space);
    }
    const kernel = this.#kernelHalf === null || !this.#isFresh(this.#kernelHalf);
    if (kernel) this.#kernelHalf = this.#reader.read(this.#kernel.kernelRoot, 'kernel');
    this.#changes = { spaces, kernel };
    return this.#changes;
  }

  /** All live spaces, as of the last moment. */
  users(): Iterable<Half> {
    return this.#users.values();
  }

  user(root: bigint): Half | null {
    return this.#users.get(root) ?? null;
  }

  /** The kernel half, as of the last moment. */
  get kernelHalf(): readonly Mapping[] {
    return this.#kernelHalf?.mappings ?? [];
  }

  /** Frames of the tables of the kernel half. */
  get kernelTables(): ReadonlyMap<number, number> {
    return this.#kernelHalf?.tables ?? new Map();
  }

  /** The run is over: no table is watched any more. */
  end(): void {
    for (const space of this.#users.values()) this.#forget(space, null);
    if (this.#kernelHalf) this.#forget(this.#kernelHalf, null);
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

  #count({ mappings }: Half, by: number): void {
    for (const { frame, pages, rights } of mappings)
      for (let each = frame; each < frame + pages; each++) {
        this.#mappers[each] = (this.#mappers[each] ?? 0) + by;
        if (rights & RIGHT.write) this.#writers[each] = (this.#writers[each] ?? 0) + by;
        if (rights & RIGHT.execute) this.#executors[each] = (this.#executors[each] ?? 0) + by;
      }
  }

  #isFresh({ tables }: Half): boolean {
    for (const [frame, version] of tables) if (this.#machine.frameVersion(frame) !== version) return false;
    return true;
  }

  /** Tables that are no longer part of a space need no watching: their frames are used for something else. */
  #forget(before: Half, now: Half | null): void {
    for (const frame of before.tables.keys()) if (!now?.tables.has(frame)) this.#reader.forget(frame);
  }
}

/** A page number of `walkLeaves` as a canonical linear address. */
export const linearOf = (page: number): bigint => BigInt.asUintN(64, BigInt.asIntN(48, BigInt(page) << 12n));

export const isWritable = ({ rights }: Mapping): boolean => (rights & RIGHT.write) !== 0;
export const isExecutable = ({ rights }: Mapping): boolean => (rights & RIGHT.execute) !== 0;
export const isUser = ({ rights }: Mapping): boolean => (rights & RIGHT.user) !== 0;
