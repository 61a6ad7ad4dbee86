/** A pipe: 64 KiB between writers and readers, in frames that come when the stream first reaches them. */
import { allocateFrame, FRAME_FILE, frameBytes, frames, NO_FRAME } from '../ostd/frames.ts';
import type { UserSlice } from '../ostd/user-slice.ts';

const PIPES = 64;
const FRAMES_A_PIPE = 16;
const PIPE_BYTES: u64 = 65536n;
/** Writes of at most this many bytes are not mixed with others'. */
export const PIPE_ATOMIC: u64 = 4096n;

export class Pipe {
  isUsed: boolean = false;
  index: i32 = 0;
  readers: u32 = 0;
  writers: u32 = 0;
  domain: i32 = 0;
  /** Bytes ever written and read: their difference is what the pipe holds. */
  written: u64 = 0n;
  consumed: u64 = 0n;
  private readonly buffer = new Uint32Array(FRAMES_A_PIPE);

  get held(): u64 {
    return this.written - this.consumed;
  }

  get room(): u64 {
    return PIPE_BYTES - this.held;
  }

  open(): void {
    this.isUsed = true;
    this.readers = 1;
    this.writers = 1;
    this.written = 0n;
    this.consumed = 0n;
  }

  /** At most `into.length - offset` bytes → user memory; -1: a page there cannot be written. */
  read(into: UserSlice): i64 {
    let done: u64 = 0n;
    while (done < into.length && this.held > 0n) {
      const within = i32(this.consumed & 4095n);
      let chunk = u64(4096 - within);
      if (chunk > this.held) chunk = this.held;
      if (chunk > into.length - done) chunk = into.length - done;
      const bytes = frameBytes(this.buffer[i32((this.consumed >> 12n) & 15n)]);
      if (!into.write(done, bytes.subarray(within, within + i32(chunk)))) return done === 0n ? -1n : i64(done);
      this.consumed += chunk;
      done += chunk;
    }
    return i64(done);
  }

  /** User memory from `offset` on, as far as there is room; -1: a page there cannot be read; -2: no memory. */
  write(from: UserSlice, offset: u64): i64 {
    let done: u64 = 0n;
    const count = from.length - offset;
    while (done < count && this.room > 0n) {
      const within = i32(this.written & 4095n);
      let chunk = u64(4096 - within);
      if (chunk > this.room) chunk = this.room;
      if (chunk > count - done) chunk = count - done;
      const slot = i32((this.written >> 12n) & 15n);
      if (!this.ensure(slot)) return done === 0n ? -2n : i64(done);
      const bytes = frameBytes(this.buffer[slot]);
      if (!from.read(offset + done, bytes.subarray(within, within + i32(chunk)))) return done === 0n ? -1n : i64(done);
      this.written += chunk;
      done += chunk;
    }
    return i64(done);
  }

  private ensure(slot: i32): boolean {
    if (this.buffer[slot] !== NO_FRAME) return true;
    using frame = allocateFrame(FRAME_FILE);
    if (frame === null) return false;
    this.buffer[slot] = frame.leak();
    return true;
  }

  /** One end closed; the last one frees the pipe. */
  drop(): void {
    if (this.readers > 0 || this.writers > 0) return;
    for (let slot = 0; slot < FRAMES_A_PIPE; slot++) {
      if (this.buffer[slot] === NO_FRAME) continue;
      frames.release(this.buffer[slot]);
      this.buffer[slot] = NO_FRAME;
    }
    this.isUsed = false;
  }
}

export const pipes = array(PIPES, () => new Pipe());

/** A pipe that is not in use, null: none. */
export function takePipe(): Pipe | null {
  for (let n = 0; n < PIPES; n++) {
    if (pipes[n].isUsed) continue;
    pipes[n].index = n;
    pipes[n].open();
    return pipes[n];
  }
  return null;
}
