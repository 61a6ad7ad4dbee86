/** The index of a trace: read from the file beside it, or built and written there. See touch-index.ts for what it answers. */
import { readFileSync, statSync } from 'node:fs';
import { UserError } from '../../machine/index.ts';
import { Player, type PlayerOptions } from '../player.ts';
import { checksums } from '../trace/checksum.ts';
import { Malformed } from '../trace/malformed.ts';
import type { Trace } from '../trace/reader.ts';
import { writeWhole } from '../whole-file.ts';
import { type BuildOptions, buildIndex, coarser } from './build.ts';
import { type IndexSubject, indexBytes, indexFrom } from './file.ts';
import type { TouchIndex } from './touch-index.ts';

export interface IndexOptions extends PlayerOptions, BuildOptions {
  /** The player that is to go through the trace to build it. Default: another. */
  readonly player?: Player;
  /** Builds it although there is one. */
  readonly anew?: boolean;
}

export interface OpenedIndex {
  readonly index: TouchIndex;
  /** Its bytes in the file. */
  readonly size: number;
  readonly isBuilt: boolean;
  /** Why it could not be kept beside the trace; null: it is there. */
  readonly notKept: string | null;
}

/** Where the index of a trace lies. */
export const indexPath = (trace: string): string => `${trace}.idx`;

/**
 * The index of a trace that lies at `path` (null: in memory alone, and its index too). One that is there is taken if it belongs to this trace and is whole,
 * else made anew. Throws UserError where the trace cannot be played.
 */
export async function openIndex(trace: Trace, path: string | null, options: IndexOptions = {}): Promise<OpenedIndex> {
  const sums = await checksums();
  const subject: IndexSubject = {
    digest: trace.digest(),
    instructions: trace.instructions,
    frames: trace.header.machine.memoryBytes / 4096,
  };
  const stored = path === null || options.anew === true ? null : readStored(indexPath(path), trace.size);
  if (stored !== null) {
    try {
      return { index: indexFrom(stored, subject, sums), size: stored.length, isBuilt: false, notKept: null };
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
    }
  }
  let index = buildIndex(options.player ?? (await Player.open(trace, options)), options);
  let bytes = indexBytes(index, subject, sums, trace.size - 1);
  while (bytes === null) {
    if (BigInt(index.sliceInstructions) >= trace.instructions)
      return { index, size: 0, isBuilt: true, notKept: 'it would be larger than the trace' };
    index = coarser(index);
    bytes = indexBytes(index, subject, sums, trace.size - 1);
  }
  const notKept = path === null ? 'the trace is no file' : writeStored(indexPath(path), bytes);
  return { index, size: bytes.length, isBuilt: true, notKept };
}

/** Null where there is no such file, or it is larger than an index of this trace may be. */
function readStored(path: string, most: number): Uint8Array | null {
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size < most ? readFileSync(path) : null;
  } catch {
    return null;
  }
}

/** An index that cannot be kept is made again next time: that is no failure; the reason is given. */
function writeStored(path: string, bytes: Uint8Array): string | null {
  try {
    writeWhole(path, bytes);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
