/** A trace (the sample, unless another is given) as a victim: flipped, forged, and read by readers that may end in four ways only. */
import { UserError } from '../../../src/machine/isa/bug.ts';
import { type Checksums, checksums } from '../../../src/replay/trace/checksum.ts';
import { type Cut, TraceCursor } from '../../../src/replay/trace/cursor.ts';
import { MemorySource } from '../../../src/replay/trace/file.ts';
import { HEADER_BYTES, makeFrame, openPayload, PREAMBLE_BYTES, parseHeader, TRAILER_BYTES } from '../../../src/replay/trace/frame.ts';
import { type Damage, TraceDamage } from '../../../src/replay/trace/frame-reader.ts';
import { Trace } from '../../../src/replay/trace/reader.ts';
import { storedState } from '../../../src/replay/trace/stored-state.ts';
import { sampleTrace } from '../sample.ts';

export type Verdict = { whole: true } | { refused: string } | { cut: Cut } | { damage: Damage };

/** Goes through the whole file; anything but the four verdicts is a failure of the reader. */
export async function verdict(bytes: Uint8Array): Promise<Verdict> {
  try {
    const cursor = await TraceCursor.open(new MemorySource(bytes));
    while (cursor.next() !== null);
    return cursor.cut === null ? { whole: true } : { cut: cursor.cut };
  } catch (error) {
    if (error instanceof TraceDamage) return { damage: { offset: error.offset, block: error.block, reason: error.reason } };
    if (error instanceof UserError) return { refused: error.message };
    throw error;
  }
}

/** Opens the file by its index and reads everything that it offers; ends in a Trace, TraceDamage or UserError. */
export async function readAll(bytes: Uint8Array): Promise<'whole' | 'partly' | 'damage'> {
  try {
    const trace = await Trace.open(new MemorySource(bytes));
    for (let i = 0; i < trace.runs; i++) trace.events(i);
    for (let i = 0; i < trace.checkpoints.length; i++) storedState(trace, i);
    for (let i = 0; i < trace.header.artefacts.length; i++) trace.artefact(i);
    return trace.cut === null && trace.damage === null ? 'whole' : 'partly';
  } catch (error) {
    if (error instanceof TraceDamage || error instanceof UserError) return 'damage';
    throw error;
  }
}

export class Victim {
  readonly sample: Uint8Array;
  readonly sums: Checksums;
  /** Where each frame begins; last the offset of the trailer. */
  readonly frames: number[] = [PREAMBLE_BYTES];

  private constructor(sample: Uint8Array, sums: Checksums) {
    this.sample = sample;
    this.sums = sums;
    while ((this.frames.at(-1) ?? 0) < sample.length - TRAILER_BYTES) {
      const at = this.frames.at(-1) ?? 0;
      this.frames.push(at + HEADER_BYTES + parseHeader(sample.subarray(at), sums).stored);
    }
  }

  static async create(trace?: Uint8Array): Promise<Victim> {
    return new Victim(trace ?? (await sampleTrace()), await checksums());
  }

  flipped(bit: number): Uint8Array {
    const bytes = this.sample.slice();
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return bytes;
  }

  /** The sample with the raw payload of one frame changed and all checksums right again. */
  forged(frame: number, change: (raw: Uint8Array) => Uint8Array): Uint8Array {
    const start = this.frames[frame] ?? 0;
    const header = parseHeader(this.sample.subarray(start), this.sums);
    const raw = openPayload(header, this.sample.subarray(start + HEADER_BYTES, start + HEADER_BYTES + header.stored), this.sums);
    const made = makeFrame(header.kind, header.sequence, change(raw.slice()), this.sums);
    return Uint8Array.from(Buffer.concat([this.sample.subarray(0, start), made, this.sample.subarray(this.frames[frame + 1])]));
  }
}
