/**
 * Snapshots of the whole machine. One holds the state of CPU, TLB and devices as bytes (laid out by the declared fields) and a reference to
 * each page of RAM; pages that did not change are shared with the snapshot before. Taking one copies what was dirtied since the last;
 * restoring copies back what was dirtied, and what differs between that last snapshot and this one.
 */
import { UserError } from '../isa/bug.ts';
import { FRAME } from '../memory/frames.ts';
import type { PhysicalMemory } from '../memory/physical.ts';

/** Pages in ascending order of their frame numbers, 4096 bytes each. */
export interface SnapshotPages {
  readonly numbers: Uint32Array;
  readonly bytes: Uint8Array;
}

/** What another process needs to make a snapshot again. */
export interface SnapshotParts extends SnapshotPages {
  readonly state: Uint8Array;
}

const PAGE = 4096;
/** Pages are kept in chunks, so that snapshots share the chunks in which nothing changed. */
const CHUNK = 64;
type Chunk = readonly (Uint8Array | null)[];

export class Snapshot {
  /** Count of retired instructions at which it was taken. */
  readonly count: bigint;
  /** CPU, TLB, device and run state, canonical: equal states give equal bytes. */
  readonly state: Uint8Array;
  readonly chunks: readonly (Chunk | null)[];

  constructor(count: bigint, state: Uint8Array, chunks: readonly (Chunk | null)[]) {
    this.count = count;
    this.state = state;
    this.chunks = chunks;
  }

  /** RAM pages whose bytes differ from those in `since` (null: from all-zero RAM). Costs what was written since. */
  pages(since: Snapshot | null): SnapshotPages {
    const found: { readonly frame: number; readonly page: Uint8Array }[] = [];
    const before = since?.chunks ?? [];
    // A page that was written with what it held before is no change: whether it is another object depends on how the machine was run.
    forEachDifference(this.chunks, before, (frame) => {
      const page = pageOf(this.chunks, frame) ?? ZEROS;
      if (!isSamePage(page, pageOf(before, frame) ?? ZEROS)) found.push({ frame, page });
    });
    const bytes = new Uint8Array(found.length * PAGE);
    for (const [i, { page }] of found.entries()) bytes.set(page, i * PAGE);
    return { numbers: Uint32Array.from(found, ({ frame }) => frame), bytes };
  }

  /** How many pages it keeps in memory that `other` (null: none) does not. */
  ownPages(other: Snapshot | null): number {
    let count = 0;
    forEachDifference(this.chunks, other?.chunks ?? [], (frame) => {
      if (pageOf(this.chunks, frame) !== null) count++;
    });
    return count;
  }
}

const ZEROS: Uint8Array = new Uint8Array(PAGE);

/** Pages are arrays of their own, so that words are aligned. */
function isSamePage(a: Uint8Array, b: Uint8Array): boolean {
  const left = new Int32Array(a.buffer, a.byteOffset, PAGE / 4);
  const right = new Int32Array(b.buffer, b.byteOffset, PAGE / 4);
  for (let i = 0; i < PAGE / 4; i++) if (left[i] !== right[i]) return false;
  return true;
}

function pageOf(chunks: readonly (Chunk | null)[], frame: number): Uint8Array | null {
  return chunks[Math.floor(frame / CHUNK)]?.[frame % CHUNK] ?? null;
}

/** Calls back for each frame whose page is another object. */
function forEachDifference(a: readonly (Chunk | null)[], b: readonly (Chunk | null)[], visit: (frame: number) => void): void {
  const length = Math.max(a.length, b.length);
  for (let c = 0; c < length; c++) {
    const left = a[c] ?? null;
    const right = b[c] ?? null;
    if (left === right) continue;
    for (let i = 0; i < CHUNK; i++) if ((left?.[i] ?? null) !== (right?.[i] ?? null)) visit(c * CHUNK + i);
  }
}

/** Keeps RAM's pages in step with snapshots. */
export class PageStore {
  readonly #physical: PhysicalMemory;
  /** RAM = these chunks + the frames in `physical.unsaved`. */
  #chunks: readonly (Chunk | null)[];

  constructor(physical: PhysicalMemory) {
    this.#physical = physical;
    this.#chunks = new Array<Chunk | null>(Math.ceil(physical.frames / CHUNK)).fill(null);
  }

  /** The pages of now. The caller has dropped the frames that changed from the write arrays of the software TLB. */
  take(): readonly (Chunk | null)[] {
    const { unsaved, u8 } = this.#physical;
    if (unsaved.length === 0) return this.#chunks;
    const chunks = [...this.#chunks];
    const fresh = new Map<number, (Uint8Array | null)[]>();
    for (let i = 0; i < unsaved.length; i++) {
      const frame = unsaved.items[i] ?? 0;
      const index = Math.floor(frame / CHUNK);
      let chunk = fresh.get(index);
      if (chunk === undefined) {
        chunk = [...(chunks[index] ?? new Array<Uint8Array | null>(CHUNK).fill(null))];
        fresh.set(index, chunk);
        chunks[index] = chunk;
      }
      chunk[frame % CHUNK] = u8.slice(frame * PAGE, frame * PAGE + PAGE);
      this.#physical.saved(frame);
    }
    this.#physical.clearList(unsaved, FRAME.unsaved);
    this.#chunks = chunks;
    return chunks;
  }

  /** Puts RAM back; `changed` is told each frame whose bytes were copied. The caller drops what was derived from RAM. */
  restore(chunks: readonly (Chunk | null)[], changed: (frame: number) => void): void {
    const physical = this.#physical;
    const { unsaved } = physical;
    if (chunks !== this.#chunks)
      forEachDifference(chunks, this.#chunks, (frame) => {
        physical.touch(frame);
        physical.bump(frame);
      });
    for (let i = 0; i < unsaved.length; i++) {
      const frame = unsaved.items[i] ?? 0;
      this.#copy(chunks, frame);
      physical.putBack(frame);
      changed(frame);
    }
    physical.clearList(unsaved, FRAME.unsaved);
    this.#chunks = chunks;
  }

  #copy(chunks: readonly (Chunk | null)[], frame: number): void {
    const page = pageOf(chunks, frame);
    const { u8 } = this.#physical;
    if (page === null) u8.fill(0, frame * PAGE, frame * PAGE + PAGE);
    else u8.set(page, frame * PAGE);
    this.#physical.touch(frame);
  }
}

/** Chunks from stored pages, over zero RAM. UserError where they do not fit into `frames`. */
export function chunksFrom(pages: SnapshotPages, frames: number): readonly (Chunk | null)[] {
  const chunks = new Array<Chunk | null>(Math.ceil(frames / CHUNK)).fill(null);
  const fresh = new Map<number, (Uint8Array | null)[]>();
  if (pages.bytes.length !== pages.numbers.length * PAGE)
    throw new UserError('a stored snapshot has another number of pages than of page numbers');
  for (const [i, frame] of pages.numbers.entries()) {
    if (frame >= frames) throw new UserError(`a stored snapshot has page ${frame}, the machine has ${frames}`);
    const index = Math.floor(frame / CHUNK);
    let chunk = fresh.get(index);
    if (chunk === undefined) {
      chunk = new Array<Uint8Array | null>(CHUNK).fill(null);
      fresh.set(index, chunk);
      chunks[index] = chunk;
    }
    chunk[frame % CHUNK] = pages.bytes.slice(i * PAGE, i * PAGE + PAGE);
  }
  return chunks;
}
