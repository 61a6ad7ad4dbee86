/**
 * Page tables read as they lie in RAM. What was read of a table is kept with the version of its frame, so that after a change only the tables that
 * changed are read again.
 */
import { type Machine, RIGHT } from '../../machine/index.ts';

/** A present leaf. `page` and `frame` are numbers of 4 KiB units (linear addresses within 48 bits), `pages` their count, `rights` bits of RIGHT over all levels. */
export interface Mapping {
  readonly page: number;
  readonly frame: number;
  readonly pages: number;
  readonly rights: number;
}

/** One half of an address space. */
export interface Half {
  readonly root: bigint;
  /** In page order. */
  readonly mappings: readonly Mapping[];
  /** Frames of the tables, each with the version that was read. */
  readonly tables: ReadonlyMap<number, number>;
}

/** An entry that points to a table of the next level. */
interface Pointer {
  readonly table: number;
  readonly page: number;
  readonly rights: number;
}

/** A table as it was read: only present entries, in their order. */
interface Table {
  readonly version: number;
  readonly page: number;
  readonly rights: number;
  readonly entries: readonly (Mapping | Pointer)[];
}

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const LARGE = 0x80;
const ALL_RIGHTS = RIGHT.write | RIGHT.user | RIGHT.execute;
/** Pages that an entry of a table at level 1 … 4 covers. */
const COVERS: readonly number[] = [0, 1, 2 ** 9, 2 ** 18, 2 ** 27];

export class TableReader {
  readonly #machine: Machine;
  readonly #frames: number;
  readonly #ram: DataView;
  /** By frame and level (of a root: by half). */
  readonly #known = new Map<number, Table>();

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#ram = machine.ram;
    this.#frames = machine.config.memoryBytes >> 12;
  }

  read(root: bigint, half: 'user' | 'kernel'): Half {
    const mappings: Mapping[] = [];
    const tables = new Map<number, number>();
    const first = half === 'user' ? 0 : 256;
    const visit = (frame: number, level: number, page: number, rights: number) => {
      if (frame >= this.#frames) return;
      const table = this.#table(frame, level, page, rights, level === 4 ? first : 0, level === 4 ? first + 256 : 512);
      tables.set(frame, table.version);
      for (const entry of table.entries)
        if ('table' in entry) visit(entry.table, level - 1, entry.page, entry.rights);
        else mappings.push(entry);
    };
    visit(Number(root >> 12n), 4, 0, ALL_RIGHTS);
    return { root, mappings, tables };
  }

  /** The frame is watched no longer. */
  forget(frame: number): void {
    for (let level = 1; level <= 5; level++) this.#known.delete(frame * 8 + level);
    this.#machine.forgetFrameVersion(frame);
  }

  #table(frame: number, level: number, page: number, rights: number, from: number, to: number): Table {
    const version = this.#machine.frameVersion(frame);
    const key = frame * 8 + (from === 0 ? level : 5);
    const known = this.#known.get(key);
    if (known && known.version === version && known.page === page && known.rights === rights) return known;
    const table = { version, page, rights, entries: this.#entries(frame, level, page, rights, from, to) };
    this.#known.set(key, table);
    return table;
  }

  #entries(table: number, level: number, base: number, above: number, from: number, to: number): (Mapping | Pointer)[] {
    const entries: (Mapping | Pointer)[] = [];
    const pages = COVERS[level] ?? 1;
    for (let index = from; index < to; index++) {
      const low = this.#ram.getUint32(table * 4096 + index * 8, true);
      if ((low & PRESENT) === 0) continue;
      const high = this.#ram.getInt32(table * 4096 + index * 8 + 4, true);
      let rights = above;
      if ((low & WRITABLE) === 0) rights &= ~RIGHT.write;
      if ((low & USER) === 0) rights &= ~RIGHT.user;
      if (high < 0) rights &= ~RIGHT.execute;
      const frame = (high & 0xff) * 2 ** 20 + (low >>> 12);
      const page = base + index * pages;
      if (level > 1 && (level === 4 || (low & LARGE) === 0)) entries.push({ table: frame, page, rights });
      else entries.push({ page, frame: frame - (frame % pages), pages, rights });
    }
    return entries;
  }
}
