/** The harness ports (abi/harness.ts): how a testing machine hands programs to the kernel and takes the verdict back. */
import { inb, inl, outb, outl, sliceAt } from 'palindrome/intrinsics';
import {
  HARNESS_COMMAND_PORT,
  HARNESS_DATA_PORT,
  HARNESS_FETCH,
  HARNESS_FINISHED,
  HARNESS_PRESENT,
  HARNESS_READY,
  HARNESS_STATUS_PORT,
} from '../abi/harness.ts';
import { DIRECT_MAP, PAGE } from './virtual-layout.ts';

export function harnessIsPresent(): boolean {
  return inb(HARNESS_COMMAND_PORT) === HARNESS_PRESENT;
}

/** The snapshot is taken here: what follows happens once a run. */
export function harnessReady(): void {
  outb(HARNESS_COMMAND_PORT, HARNESS_READY);
}

/** The next archive, copied into the run of `pages` frames from `first` on; empty where there is none. */
export function harnessFetch(first: u32, pages: u32): Uint8Array {
  outl(HARNESS_DATA_PORT, u32(u64(first) << 12n));
  outl(HARNESS_STATUS_PORT, u32(u64(pages) << 12n));
  outb(HARNESS_COMMAND_PORT, HARNESS_FETCH);
  const length = inl(HARNESS_DATA_PORT);
  return sliceAt(DIRECT_MAP + u64(first) * PAGE, u64(length));
}

export function harnessFinished(status: u32): void {
  outl(HARNESS_STATUS_PORT, status);
  outb(HARNESS_COMMAND_PORT, HARNESS_FINISHED);
}
