/**
 * The machine as it was at a checkpoint. Each checkpoint holds the pages that had changed since the one before; so of every page the last version is looked
 * for, from the checkpoint back to the first, and only those blocks are read that hold one.
 */
import type { SnapshotParts } from '../../machine/index.ts';
import { type CheckpointBlock, PAGE_BYTES, PART_PAGES } from '../schema.ts';
import { TraceDamage } from './frame-reader.ts';
import type { Trace } from './reader.ts';

export interface StoredState extends SnapshotParts {
  /** How often each door of the host had been asked. */
  readonly serialCalls: bigint;
  readonly programCalls: bigint;
}

/** Pages that stand together in a block. */
interface Piece {
  readonly frames: Uint32Array;
  /** Throws `TraceDamage`. */
  readonly pages: () => Uint8Array;
}

/** The state at checkpoint `index`; throws `TraceDamage`. */
export function storedState(trace: Trace, index: number): StoredState {
  const frames = trace.header.machine.memoryBytes / PAGE_BYTES;
  const seen = new Set<number>();
  const wanted: { readonly piece: Piece; readonly places: readonly number[] }[] = [];
  for (let i = index; i >= 0; i--) {
    for (const piece of piecesOf(trace, i)) {
      const places: number[] = [];
      for (const [place, frame] of piece.frames.entries()) {
        if (seen.has(frame)) continue;
        if (frame >= frames)
          throw new TraceDamage({ ...trace.placeOfCheckpoint(i), reason: `a checkpoint has page ${frame}, the machine has ${frames}` });
        seen.add(frame);
        places.push(place);
      }
      if (places.length > 0) wanted.push({ piece, places });
    }
  }
  const numbers = new Uint32Array(seen.size);
  const bytes = new Uint8Array(seen.size * PAGE_BYTES);
  let next = 0;
  for (const { piece, places } of wanted) {
    const pages = piece.pages();
    for (const place of places) {
      numbers[next] = piece.frames[place] ?? 0;
      bytes.set(pages.subarray(place * PAGE_BYTES, (place + 1) * PAGE_BYTES), next++ * PAGE_BYTES);
    }
  }
  const { state, serialCalls, programCalls } = trace.checkpointPart(index, 0);
  return { state, numbers, bytes, serialCalls, programCalls };
}

function piecesOf(trace: Trace, index: number): Piece[] {
  const head = trace.checkpointPart(index, 0);
  const all = framesOf(head);
  // Before version 3, the first part held pages as well, and no list of all.
  if (trace.version < 3) {
    return Array.from({ length: head.parts }, (_, part) => {
      const block = part === 0 ? head : trace.checkpointPart(index, part);
      return { frames: framesOf(block), pages: () => block.pages };
    });
  }
  return Array.from({ length: head.parts - 1 }, (_, i) => ({
    frames: all.subarray(i * PART_PAGES, (i + 1) * PART_PAGES),
    pages: () => trace.checkpointPart(index, i + 1).pages,
  }));
}

function framesOf({ frames }: CheckpointBlock): Uint32Array {
  return new Uint32Array(frames.slice().buffer);
}
