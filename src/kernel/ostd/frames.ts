/**
 * Physical memory by frames of 4 KiB. A frame is free, or it has a kind and a count of owners: leaves of address spaces plus handles of the
 * kernel. Its bytes are reached through the direct map, by {@link frameBytes}, for untyped frames only (user, file, pipe): page tables, stacks and
 * the kernel's image are out of safe code's reach.
 */
import { asm, slice64At, sliceAt } from 'palindrome/intrinsics';
import { lowestBit } from './bits.ts';
import { panic } from './panic.ts';
import { DIRECT_MAP, MAX_FRAMES, PAGE } from './virtual-layout.ts';

export type Frame = u32;
/** No frame: frame 0 is never handed out. */
export const NO_FRAME: u32 = 0;

export type FrameKind = u8;
export const FRAME_FREE: u8 = 0;
/** Not RAM, the image, start-of-day data, or taken at boot for ever. */
export const FRAME_RESERVED: u8 = 1;
export const FRAME_TABLE: u8 = 2;
export const FRAME_STACK: u8 = 3;
/** Private memory of processes; with a count above 1 it is copy-on-write. */
export const FRAME_USER: u8 = 4;
/** Memory that processes share on purpose (MAP_SHARED). */
export const FRAME_SHARED: u8 = 5;
/** Contents of files and pipes. */
export const FRAME_FILE: u8 = 6;

const MOST_OWNERS: u16 = 0xfff0;

class FramePool {
  /** A bit a frame, set while it is taken. */
  readonly taken = new BigUint64Array(MAX_FRAMES / 64);
  readonly owners = new Uint16Array(MAX_FRAMES);
  readonly kinds = new Uint8Array(MAX_FRAMES);
  /** Frames that are free now, and that were free when boot had ended. */
  free: u32 = 0;
  total: u32 = 0;
  /** Frames below this index exist. */
  limit: u32 = 0;
  /** Frames that were asked for since the count was set to 0, and fault injection: which of them is refused; 0: none. */
  asked: u64 = 0n;
  failing: u64 = 0n;
  private word: i32 = 0;

  /** Boot: everything is taken. */
  reset(): void {
    this.taken.fill(0xffff_ffff_ffff_ffffn);
    this.kinds.fill(FRAME_RESERVED);
  }

  /** Boot: RAM that nothing lies in. `start` is rounded up, `end` down to frames. */
  addRange(start: u64, end: u64): void {
    const first = (start + PAGE - 1n) >> 12n;
    let last = end >> 12n;
    if (last > u64(MAX_FRAMES)) last = u64(MAX_FRAMES);
    for (let frame = first; frame < last; frame++) {
      if (frame === 0n) continue;
      const at = u32(frame);
      if (this.kinds[at] !== FRAME_RESERVED) continue;
      this.kinds[at] = FRAME_FREE;
      this.owners[at] = 0;
      this.taken[at >>> 6] = this.taken[at >>> 6] & wrapping.not(1n << u64(at & 63));
      this.free++;
      if (at >= this.limit) this.limit = at + 1;
    }
  }

  /** Boot: takes `count` frames that lie side by side, for ever. */
  reserveRun(count: u32): Frame {
    let run: u32 = 0;
    for (let frame: u32 = 1; frame < this.limit; frame++) {
      run = this.kinds[frame] === FRAME_FREE ? run + 1 : 0;
      if (run < count) continue;
      const first: u32 = frame + 1 - count;
      for (let each: u32 = first; each <= frame; each++) this.take(each, FRAME_RESERVED);
      return first;
    }
    return NO_FRAME;
  }

  /** One frame with one owner; its bytes are whatever they were. NO_FRAME when memory is used up. */
  take1(kind: FrameKind): Frame {
    if (this.free === 0) return NO_FRAME;
    this.asked = wrapping.u64(this.asked + 1n);
    if (this.asked === this.failing) return NO_FRAME;
    const words = div(i32(this.limit) + 63, 64);
    for (let n = 0; n < words; n++) {
      if (this.word >= words) this.word = 0;
      const word = this.taken[this.word];
      if (word !== 0xffff_ffff_ffff_ffffn) {
        const frame = u32(this.word * 64 + lowestBit(wrapping.not(word)));
        this.take(frame, kind);
        return frame;
      }
      this.word++;
    }
    return NO_FRAME;
  }

  private take(frame: Frame, kind: FrameKind): void {
    this.taken[frame >>> 6] = this.taken[frame >>> 6] | (1n << u64(frame & 63));
    this.kinds[frame] = kind;
    this.owners[frame] = 1;
    this.free--;
  }

  /** One owner more. False where the count is full.
   * @noinline */
  share(frame: Frame): boolean {
    const owners = this.owners[frame];
    if (owners === 0) panic('a free frame was shared');
    if (owners >= MOST_OWNERS) return false;
    this.owners[frame] = u16(owners + 1);
    return true;
  }

  /** One owner fewer; the last one frees the frame.
   * @noinline */
  release(frame: Frame): void {
    const owners = this.owners[frame];
    if (owners === 0 || this.kinds[frame] === FRAME_RESERVED) panic('a frame was freed twice');
    this.owners[frame] = u16(owners - 1);
    if (owners > 1) return;
    this.kinds[frame] = FRAME_FREE;
    this.taken[frame >>> 6] = this.taken[frame >>> 6] & wrapping.not(1n << u64(frame & 63));
    this.free++;
    if (i32(frame >>> 6) < this.word) this.word = i32(frame >>> 6);
  }
}

export const frames = new FramePool();

/** A frame that frees itself when its block is left, unless {@link leak} gave it to another owner. */
export class OwnedFrame {
  readonly frame: Frame;
  private isOwner: boolean = true;

  constructor(frame: Frame) {
    this.frame = frame;
  }

  /** The owner count now belongs to someone else: a leaf, a file. */
  leak(): Frame {
    this.isOwner = false;
    return this.frame;
  }

  /** @noinline */
  [Symbol.dispose](): void {
    if (this.isOwner) frames.release(this.frame);
  }
}

/** A zeroed frame with one owner.
 * @noinline */
export function allocateFrame(kind: FrameKind): OwnedFrame | null {
  const frame = frames.take1(kind);
  if (frame === NO_FRAME) return null;
  zeroFrame(frame);
  return new OwnedFrame(frame);
}

/** A frame with the bytes of another, and one owner.
 * @noinline */
export function allocateCopy(kind: FrameKind, from: Frame): OwnedFrame | null {
  const frame = frames.take1(kind);
  if (frame === NO_FRAME) return null;
  asm('cld\nrep movsq', { rdi: frameAddress(frame), rsi: frameAddress(from), rcx: 512 });
  return new OwnedFrame(frame);
}

function frameAddress(frame: Frame): u64 {
  return DIRECT_MAP + u64(frame) * PAGE;
}

function isUntyped(frame: Frame): boolean {
  const kind = frames.kinds[frame];
  return kind === FRAME_USER || kind === FRAME_SHARED || kind === FRAME_FILE;
}

/** The bytes of an untyped frame. The view must not be kept beyond the owner's life.
 * @noinline */
export function frameBytes(frame: Frame): Uint8Array {
  if (!isUntyped(frame)) panic('bytes of a frame that is not untyped');
  return sliceAt(frameAddress(frame), PAGE);
}

/** The entries of a page-table frame: for page-table.ts and kernel-space.ts.
 * @noinline */
export function tableEntries(frame: Frame): BigUint64Array {
  if (frames.kinds[frame] !== FRAME_TABLE) panic('entries of a frame that is not a page table');
  return slice64At(frameAddress(frame), 512n);
}

function zeroFrame(frame: Frame): void {
  asm('cld\nrep stosq', { rdi: frameAddress(frame), rcx: 512, rax: 0 });
}
