/**
 * Page tables read as they lie in RAM. What was read of a table is kept with the version of its frame, so that after a change only the tables that
 * changed are read again, and an entry that says what it said stays the same object: what is new of a half is told by identity.
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
  /** Frame of the root. */
  readonly root: number;
  /** In page order. */
  readonly mappings: readonly Mapping[];
  /** Those of `mappings` that were not there, or otherwise, when the half was read before; and those of then that are there no longer. */
  readonly added: readonly Mapping[];
  readonly removed: readonly Mapping[];
  /** Frames of the tables, the root first, and with which version each was read. */
  readonly tables: readonly number[];
  readonly versions: readonly number[];
}

/** A table as it was read: only present entries, in their order. An entry of POINTER pages names the frame of a table of the next level. */
interface Table {
  readonly version: number;
  readonly page: number;
  readonly rights: number;
  readonly entries: readonly Mapping[];
}

const POINTER = 0;
const TABLE_BYTES = 4096;

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
  readonly #words: Int32Array;
  /** By frame and level (of a root: by half). */
  readonly #known = new Map<number, Table>();

  constructor(machine: Machine) {
    this.#machine = machine;
    const { buffer, byteOffset, byteLength } = machine.ram;
    this.#words = new Int32Array(buffer, byteOffset, byteLength >> 2);
    this.#frames = machine.config.memoryBytes >> 12;
  }

  /** `before`: the same half as it was read last, null if it is new. */
  read(root: number, half: 'user' | 'kernel', before: Half | null): Half {
    const found = { root, mappings: [] as Mapping[], tables: [] as number[], versions: [] as number[] };
    this.#visit(found, root, 4, 0, ALL_RIGHTS, half === 'user' ? 0 : 256);
    return { ...found, ...difference(before?.mappings ?? [], found.mappings) };
  }

  /** The frame is watched no longer. */
  forget(frame: number): void {
    for (let level = 1; level <= 5; level++) this.#known.delete(frame * 8 + level);
    this.#machine.forgetFrameVersion(frame);
  }

  #visit(
    found: { mappings: Mapping[]; tables: number[]; versions: number[] },
    frame: number,
    level: number,
    page: number,
    rights: number,
    from: number,
  ): void {
    if (frame >= this.#frames) return;
    const table = this.#table(frame, level, page, rights, from);
    if (!found.tables.includes(frame)) {
      found.tables.push(frame);
      found.versions.push(table.version);
    }
    for (const entry of table.entries)
      if (entry.pages === POINTER) this.#visit(found, entry.frame, level - 1, entry.page, entry.rights, 0);
      else found.mappings.push(entry);
  }

  /** Of a root, entries `from` … `from` + 255; of any other table all. */
  #table(frame: number, level: number, page: number, rights: number, from: number): Table {
    const version = this.#machine.frameVersion(frame);
    const key = frame * 8 + (from === 0 ? level : 5);
    const known = this.#known.get(key);
    if (known && known.version === version && known.page === page && known.rights === rights) return known;
    const entries = this.#entries(frame, level, page, rights, from, level === 4 ? from + 256 : 512, known?.entries ?? []);
    const table = { version, page, rights, entries };
    this.#known.set(key, table);
    return table;
  }

  /** Entries are those of `before`, as far as they say the same. */
  #entries(table: number, level: number, base: number, above: number, from: number, to: number, before: readonly Mapping[]): Mapping[] {
    const entries: Mapping[] = [];
    let passed = 0;
    const words = this.#words;
    const pages = COVERS[level] ?? 1;
    const first = table * TABLE_BYTES;
    const end = first + to * 8;
    for (let at = this.#machine.nextUsed(first + from * 8, end); at < end; at = this.#machine.nextUsed(at + 8, end)) {
      const index = (at - first) / 8;
      const low = words[at >>> 2] ?? 0;
      if ((low & PRESENT) === 0) continue;
      const high = words[(at >>> 2) + 1] ?? 0;
      let rights = above;
      if ((low & WRITABLE) === 0) rights &= ~RIGHT.write;
      if ((low & USER) === 0) rights &= ~RIGHT.user;
      if (high < 0) rights &= ~RIGHT.execute;
      const frame = (high & 0xff) * 2 ** 20 + (low >>> 12);
      const page = base + index * pages;
      const isLeaf = level === 1 || (level < 4 && (low & LARGE) !== 0);
      const entry = { page, frame: isLeaf ? frame - (frame % pages) : frame, pages: isLeaf ? pages : POINTER, rights };
      while ((before[passed]?.page ?? Number.POSITIVE_INFINITY) < page) passed++;
      const last = before[passed];
      entries.push(last && isSame(last, entry) ? last : entry);
    }
    return entries;
  }
}

const isSame = (a: Mapping, b: Mapping): boolean =>
  a.page === b.page && a.frame === b.frame && a.pages === b.pages && a.rights === b.rights;

/** Both lists are in page order. */
function difference(before: readonly Mapping[], now: readonly Mapping[]): Pick<Half, 'added' | 'removed'> {
  const added: Mapping[] = [];
  const removed: Mapping[] = [];
  let passed = 0;
  for (const mapping of now) {
    for (; (before[passed]?.page ?? Number.POSITIVE_INFINITY) < mapping.page; passed++) removed.push(before[passed] as Mapping);
    const last = before[passed];
    if (last?.page === mapping.page) passed++;
    if (last === mapping) continue;
    added.push(mapping);
    if (last?.page === mapping.page) removed.push(last);
  }
  removed.push(...before.slice(passed));
  return { added, removed };
}
