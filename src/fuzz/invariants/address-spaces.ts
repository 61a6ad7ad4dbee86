/**
 * The mappings of all live address spaces, read from the page tables themselves and kept up to date: a root is walked again only when a frame
 * that holds one of its tables was written since.
 */
import { type Machine, RIGHT } from '../../machine/index.ts';
import type { KernelView } from './kernel-view.ts';

/** A present leaf. `page` and `frame` are numbers of 4 KiB units, `pages` their count, `rights` bits of RIGHT over all levels. */
export interface Mapping {
  readonly page: number;
  readonly frame: number;
  readonly pages: number;
  readonly rights: number;
}

/** The first page of the upper (kernel) half, in the numbering of `Machine.walkLeaves`. */
export const KERNEL_HALF = 2 ** 35;
const ALL_PAGES = 2 ** 36;

/** One half of one address space as it was last walked. */
interface Walked {
  readonly mappings: Mapping[];
  /** Frames of the tables, with the version that was read. */
  readonly tables: Map<number, number>;
}

/** The half of an address space that user mode owns. */
export interface UserSpace {
  readonly root: bigint;
  readonly mappings: readonly Mapping[];
  readonly tables: ReadonlySet<number>;
}

export class AddressSpaces {
  readonly #machine: Machine;
  readonly #kernel: KernelView;
  readonly #users = new Map<bigint, Walked>();
  #kernelHalf: Walked | null = null;
  #generation = 0;

  constructor(machine: Machine, kernel: KernelView) {
    this.#machine = machine;
    this.#kernel = kernel;
  }

  /**
   * Looks whether any table changed, and walks again what did. Returns a number that grows with each change: a judge that remembers it
   * need not look at mappings that it has judged.
   */
  refresh(): number {
    const live = this.#kernel.liveRoots();
    for (const root of this.#users.keys()) if (!live.includes(root)) this.#forget(root);
    for (const root of live) {
      const walked = this.#users.get(root);
      if (walked && this.#isFresh(walked)) continue;
      this.#users.set(root, this.#walk(root, 0, KERNEL_HALF));
      this.#generation++;
    }
    if (!this.#kernelHalf || !this.#isFresh(this.#kernelHalf)) {
      this.#kernelHalf = this.#walk(this.#kernel.kernelRoot, KERNEL_HALF, ALL_PAGES);
      this.#generation++;
    }
    return this.#generation;
  }

  /** The user halves of all live address spaces, as of the last refresh. */
  *users(): Iterable<UserSpace> {
    for (const [root, { mappings, tables }] of this.#users) yield { root, mappings, tables: new Set(tables.keys()) };
  }

  /** The kernel half, as of the last refresh. */
  get kernelHalf(): readonly Mapping[] {
    return this.#kernelHalf?.mappings ?? [];
  }

  #forget(root: bigint): void {
    this.#users.delete(root);
    this.#generation++;
  }

  #isFresh({ tables }: Walked): boolean {
    for (const [frame, version] of tables) if (this.#machine.frameVersion(frame) !== version) return false;
    return true;
  }

  #walk(root: bigint, from: number, to: number): Walked {
    const tables = new Map<number, number>();
    const mappings: Mapping[] = [];
    this.#machine.walkTables(root, (frame) => tables.set(frame, this.#machine.frameVersion(frame)));
    this.#machine.walkLeaves(root, (page, frame, pages, rights) => mappings.push({ page, frame, pages, rights }), from, to);
    return { mappings, tables };
  }
}

/** A page number of `walkLeaves` as a canonical linear address. */
export const linearOf = (page: number): bigint => BigInt.asUintN(64, BigInt.asIntN(48, BigInt(page) << 12n));

export const isWritable = ({ rights }: Mapping): boolean => (rights & RIGHT.write) !== 0;
export const isExecutable = ({ rights }: Mapping): boolean => (rights & RIGHT.execute) !== 0;
export const isUser = ({ rights }: Mapping): boolean => (rights & RIGHT.user) !== 0;
