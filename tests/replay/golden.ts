/**
 * The golden traces: recordings of this format version that every later version replays. `npm run bless` makes them again; a difference in the file
 * is a change of the machine or the format, and is reviewed as such.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RecordOptions, record } from '../../src/replay/index.ts';
import { guestRecording } from './guest.ts';

export const goldenFolder = fileURLToPath(new URL('../../traces/golden/', import.meta.url));

/** What is recorded, by the name of its file. */
export const goldenRecordings: Readonly<Record<string, () => RecordOptions>> = {
  'guest.mpk': () => guestRecording(),
};

export async function blessGoldenTraces(): Promise<void> {
  mkdirSync(goldenFolder, { recursive: true });
  for (const [name, options] of Object.entries(goldenRecordings)) await record({ ...options(), to: join(goldenFolder, name) });
}
