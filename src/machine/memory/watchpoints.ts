/**
 * Which accesses are to be told, as somebody outside has asked for them (probes.ts). Nothing of it is state of the machine: pages with watchpoints are only
 * kept out of the software TLB (guarded), for the kinds of access concerned, so that these come to the slow paths, which ask here (probe-code.ts).
 *
 * An access that crosses a page is told in two pieces: each has a linear and a physical address of its own.
 */
import { type CpuState, MMU } from '../cpu/state.ts';
import { UserError } from '../isa/bug.ts';
import type { ProbedAccess } from '../observer.ts';
import { PAGE_BYTES } from '../platform/memory-map.ts';
import type { Watchpoint } from '../probes.ts';
import { FRAME, PROBED } from './frames.ts';
import { isCanonical } from './linear.ts';
import { IMPLICIT, KIND, WRITE } from './mmu-control.ts';
import type { PhysicalMemory } from './physical.ts';

/** Bits of a linear address that are kept: the others follow from them. */
const LINEAR_BITS = 48;
/** Bits of MMU.probedPages. */
const FILTER_BITS = 64;

/** Which entries of the software TLB are guarded: one for writing serves the read of a read-modify-write, and reads behind a write. */
const guardedFor = (kinds: number): number => ((kinds & KIND.read) !== 0 ? KIND.read | KIND.write : kinds);

interface Watched {
  readonly from: number;
  readonly to: number;
  readonly kinds: number;
  /** Frame of the root table; null: any. */
  readonly root: number | null;
}

export class Watchpoints {
  readonly #state: CpuState;
  readonly #physical: PhysicalMemory;
  #linear: readonly Watched[] = [];
  #byFrame: readonly Watched[] = [];
  #told: (access: ProbedAccess) => void = () => {};

  constructor(state: CpuState, physical: PhysicalMemory) {
    this.#state = state;
    this.#physical = physical;
  }

  get isEmpty(): boolean {
    return this.#linear.length + this.#byFrame.length === 0;
  }

  /** From now on these. The software TLB is the caller's to empty. */
  set(points: readonly Watchpoint[], told: (access: ProbedAccess) => void): void {
    for (const { length } of points)
      if (!Number.isSafeInteger(length) || length < 1) throw new UserError(`a watchpoint of ${length} bytes: give at least 1`);
    this.#told = told;
    this.#mark(0);
    this.#linear = points.filter(({ space }) => space === 'linear').map((point) => watched(point, LINEAR_BITS));
    this.#byFrame = points.filter(({ space }) => space === 'physical').map((point) => watched(point, 52));
    this.#mark(PROBED);
    let filter = 0n;
    for (const { from, to } of this.#linear) {
      const first = Math.floor(from / PAGE_BYTES);
      const last = Math.floor((to - 1) / PAGE_BYTES);
      for (let n = 0; n < FILTER_BITS && first + n <= last; n++) filter |= 1n << BigInt((first + n) % FILTER_BITS);
    }
    this.#state.set64(MMU.probedPages, filter);
    this.#setRange(MMU.probedFrom, MMU.probedTo, this.#linear);
    this.#setRange(MMU.probedPhysicalFrom, MMU.probedPhysicalTo, this.#byFrame);
  }

  /** From the first byte of them to the last. */
  #setRange(from: number, to: number, points: readonly Watched[]): void {
    this.#state.setNumber64(
      from,
      points.reduce((least, point) => Math.min(least, point.from), 2 ** 52),
    );
    this.#state.setNumber64(
      to,
      points.reduce((most, point) => Math.max(most, point.to), 0),
    );
  }

  /** Bits of KIND: what the software TLB must not serve of a linear page. */
  kindsOfPage(low: number, high: number): number {
    const at = linearNumber(low & ~0xfff, high);
    let kinds = 0;
    for (const { from, to, kinds: some } of this.#linear) if (from < at + PAGE_BYTES && at < to) kinds |= some;
    return guardedFor(kinds);
  }

  /** An access within a page is about to be made, by the instructions or (`kind` with IMPLICIT) by the CPU itself. */
  access(low: number, high: number, size: number, kind: number, frame: number): void {
    const isWrite = (kind & 3) === WRITE;
    const physical = frame * PAGE_BYTES + (low & 0xfff);
    const at = linearNumber(low, high);
    if (!isCanonical(high) || !(this.#concerns(this.#linear, at, size, isWrite) || this.#concerns(this.#byFrame, physical, size, isWrite)))
      return;
    const linear = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    this.#told({ linear, physical: BigInt(physical), size, write: isWrite, implicit: (kind & IMPLICIT) !== 0 });
  }

  /** Bytes of RAM are about to be written by physical address: by the page walker, or a device. */
  written(physical: number, size: number): void {
    if (!this.#concerns(this.#byFrame, physical, size, true)) return;
    this.#told({ linear: null, physical: BigInt(physical), size, write: true, implicit: true });
  }

  #concerns(points: readonly Watched[], at: number, size: number, isWrite: boolean): boolean {
    const kind = isWrite ? KIND.write : KIND.read;
    for (const { from, to, kinds, root } of points) {
      if ((kinds & kind) === 0 || at >= to || at + size <= from) continue;
      if (root === null || (this.#state.get32(MMU.paging) !== 0 && this.#state.get32(MMU.root) === root)) return true;
    }
    return false;
  }

  /** Sets the frames' flags to `mask` of what is watched there; 0 clears them. */
  #mark(mask: number): void {
    const { flags, frames } = this.#physical;
    for (const { from, to, kinds } of this.#byFrame) {
      const bits = (kinds & KIND.read) !== 0 ? PROBED : FRAME.probedWrite;
      const last = Math.min(Math.floor((to - 1) / PAGE_BYTES), frames - 1);
      for (let frame = Math.floor(from / PAGE_BYTES); frame <= last; frame++) {
        const others = (flags[frame] ?? 0) & (mask === 0 ? ~PROBED : 0xff);
        flags[frame] = others | (bits & mask);
      }
    }
  }
}

function watched({ address, length, access, root }: Watchpoint, bits: number): Watched {
  const from = Number(BigInt.asUintN(bits, address));
  const kinds = access === 'read' ? KIND.read : access === 'write' ? KIND.write : KIND.read | KIND.write;
  return { from, to: from + length, kinds, root: root === undefined ? null : Number(root >> 12n) };
}

/** The 48 bits of a canonical address. */
const linearNumber = (low: number, high: number): number => (high & 0xffff) * 2 ** 32 + (low >>> 0);
