/** Moves the bytes of one access between physical memory and SCRATCH, through which generated code and the MMU hand them to each other. */
import { type CpuState, SCRATCH } from '../cpu/state.ts';
import type { PhysicalMemory } from './physical.ts';

export class Scratch {
  readonly #view: DataView;
  readonly #physical: PhysicalMemory;

  constructor(state: CpuState, physical: PhysicalMemory) {
    this.#view = state.view;
    this.#physical = physical;
  }

  /** From a physical address (RAM or a device) to byte `at` of SCRATCH, within one frame. */
  load(address: number, at: number, size: number): void {
    const physical = this.#physical;
    if (address + size <= physical.bytes) {
      const view = this.#view;
      if ((size & 3) === 0) {
        for (let i = 0; i < size; i += 4) view.setInt32(SCRATCH + at + i, physical.view.getInt32(address + i, true), true);
      } else {
        for (let i = 0; i < size; i++) view.setUint8(SCRATCH + at + i, physical.u8[address + i] ?? 0);
      }
      return;
    }
    for (let done = 0; done < size; ) {
      const piece = size - done >= 4 ? 4 : size - done >= 2 ? 2 : 1;
      const value = physical.read(address + done, piece);
      for (let i = 0; i < piece; i++) this.#view.setUint8(SCRATCH + at + done + i, value >>> (8 * i));
      done += piece;
    }
  }

  /** The other way; watchers are told. */
  store(address: number, at: number, size: number): void {
    const view = this.#view;
    const physical = this.#physical;
    for (let done = 0; done < size; ) {
      const left = size - done;
      const from = SCRATCH + at + done;
      if (left >= 8) {
        physical.write64(address + done, view.getInt32(from, true), view.getInt32(from + 4, true));
        done += 8;
      } else {
        const piece = left >= 4 ? 4 : left >= 2 ? 2 : 1;
        physical.write(
          address + done,
          piece,
          piece === 4 ? view.getUint32(from, true) : piece === 2 ? view.getUint16(from, true) : view.getUint8(from),
        );
        done += piece;
      }
    }
  }

  /** Zero-extends the loaded value in SCRATCH to eight bytes. */
  extend(size: number): void {
    if (size >= 8) return;
    if (size === 4) this.#view.setInt32(SCRATCH + 4, 0, true);
    else for (let i = size; i < 8; i++) this.#view.setUint8(SCRATCH + i, 0);
  }
}
