/**
 * The index of a trace: for every frame its offset, kind, position and the tags of its events, in columns; it is the last block of a trace, and the
 * trailer says where it begins. So a trace of any length opens by reading its two ends. `IndexBuilder` is the side of writers and of those who scan.
 */
import { BLOCK, type IndexBlock, MAX_BLOCK_INSTRUCTIONS } from '../schema.ts';
import { Malformed } from './malformed.ts';

/** One frame of a trace, as the index knows it. */
export interface IndexEntry {
  readonly offset: number;
  /** A number of `BLOCK`. */
  readonly kind: number;
  /** `first` of a run block, `at` of a checkpoint or of the end, else 0. */
  readonly position: bigint;
  /** Bit t is set where a run block has an event of tag t. */
  readonly tags: bigint;
}

export class IndexBuilder {
  readonly entries: IndexEntry[] = [];

  add(entry: IndexEntry): void {
    this.entries.push(entry);
  }

  build(instructions: bigint): IndexBlock {
    const { entries } = this;
    const words = (of: (entry: IndexEntry) => bigint): Uint8Array => {
      const bytes = new Uint8Array(entries.length * 8);
      const view = new DataView(bytes.buffer);
      for (const [i, entry] of entries.entries()) view.setBigUint64(i * 8, of(entry), true);
      return bytes;
    };
    return {
      offsets: words((entry) => BigInt(entry.offset)),
      kinds: Uint8Array.from(entries, (entry) => entry.kind),
      positions: words((entry) => entry.position),
      tags: words((entry) => entry.tags),
      instructions,
    };
  }
}

/** The entries of an index that lies at `indexOffset`, of a trace whose first position is `start`; throws `Malformed` where they cannot be. */
export function indexEntries(index: IndexBlock, indexOffset: number, start: bigint): IndexEntry[] {
  const at = (column: Uint8Array, i: number): bigint => new DataView(column.buffer, column.byteOffset).getBigUint64(i * 8, true);
  const entries: IndexEntry[] = [];
  let last = -1;
  let run: bigint | null = null;
  for (let i = 0; i < index.kinds.length; i++) {
    const offset = Number(at(index.offsets, i));
    if (offset <= last || offset >= indexOffset) throw new Malformed(`the index puts frame ${i} at ${offset}`);
    last = offset;
    const [kind, position] = [index.kinds[i] ?? 0, at(index.positions, i)];
    if (!mayStand(kind, position, run, start)) throw new Malformed(`the index puts frame ${i} at position ${position}`);
    if (kind === BLOCK.run) run = position;
    entries.push({ offset, kind, position, tags: at(index.tags, i) });
  }
  return entries;
}

/** Whether a block of this kind may stand at a position behind a run block that begins at `run` (null: behind none). */
function mayStand(kind: number, position: bigint, run: bigint | null, start: bigint): boolean {
  if (kind === BLOCK.header || kind === BLOCK.artefact) return position === 0n;
  if (run === null) return position === start;
  const distance = position - run;
  return distance >= (kind === BLOCK.run ? 1n : 0n) && distance <= BigInt(MAX_BLOCK_INSTRUCTIONS);
}
