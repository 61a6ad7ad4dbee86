/**
 * The kernel's half of the address space, built once (virtual-layout.ts): each page of the image with the rights of its section and no more, the direct
 * map without write access to code, constants and descriptor tables, kernel stacks with guards, the local APIC.
 */
import { asm, symbol, writeCr } from 'palindrome/intrinsics';
import { allocateFrame, FRAME_STACK, FRAME_TABLE, type Frame, type FrameKind, NO_FRAME, tableEntries } from './frames.ts';
import { entryFrame, GLOBAL, LARGE, NO_EXECUTE, PRESENT, UNCACHED, WRITABLE } from './page-table.ts';
import { panic } from './panic.ts';
import { DIRECT_MAP, KERNEL_IMAGE, KERNEL_STACKS, LAPIC_PAGE, PAGE, STACK_PAGES, STACK_STRIDE, TASKS } from './virtual-layout.ts';

const LAPIC_PHYSICAL: u64 = 0xfee0_0000n;
const LARGE_PAGE: u64 = 0x20_0000n;
const READ_ONLY: u64 = PRESENT | NO_EXECUTE | GLOBAL;
const READ_WRITE: u64 = PRESENT | WRITABLE | NO_EXECUTE | GLOBAL;
const READ_EXECUTE: u64 = PRESENT | GLOBAL;

class KernelSpace {
  root: Frame = NO_FRAME;

  /** Builds the tables for `memoryEnd` bytes of physical memory and switches to them. */
  build(memoryEnd: u64): void {
    this.root = bootFrame(FRAME_TABLE);
    this.mapImage();
    this.mapDirect(memoryEnd);
    for (let slot = 0; slot < TASKS; slot++) this.mapStack(slot);
    this.map(LAPIC_PAGE, LAPIC_PHYSICAL, READ_WRITE | UNCACHED);
    writeCr(3, u64(this.root) << 12n);
  }

  private mapImage(): void {
    this.mapRange(symbol('__rx_start'), symbol('__rx_end'), READ_EXECUTE);
    this.mapRange(symbol('__ro_start'), symbol('__ro_end'), READ_ONLY);
    for (let at = symbol('__rw_start'); at < symbol('__rw_end'); at += PAGE) {
      this.map(at, at - KERNEL_IMAGE, isDescriptorPage(at) ? READ_ONLY : READ_WRITE);
    }
  }

  private mapRange(start: u64, end: u64, bits: u64): void {
    for (let at = start; at < end; at += PAGE) this.map(at, at - KERNEL_IMAGE, bits);
  }

  private mapDirect(memoryEnd: u64): void {
    for (let block: u64 = 0n; block < memoryEnd; block += LARGE_PAGE) {
      if (block >= symbol('__image_end') - KERNEL_IMAGE || block + LARGE_PAGE <= symbol('__physical_start')) {
        this.mapLarge(DIRECT_MAP + block, block);
        continue;
      }
      for (let at = block; at < block + LARGE_PAGE; at += PAGE) {
        this.map(DIRECT_MAP + at, at, isReadOnlyImage(KERNEL_IMAGE + at) ? READ_ONLY : READ_WRITE);
      }
    }
  }

  /** The upper half of a slot; the lower half stays unmapped, so that an overflow faults. */
  private mapStack(slot: i32): void {
    const top = stackTop(slot);
    for (let page = 1; page <= STACK_PAGES; page++) {
      const frame = bootFrame(FRAME_STACK);
      this.map(top - u64(page) * PAGE, u64(frame) << 12n, READ_WRITE);
    }
  }

  private map(linear: u64, physical: u64, bits: u64): void {
    const table = this.tableFor(linear, 0n);
    tableEntries(table)[entryIndex(linear, 0n)] = physical | bits;
  }

  private mapLarge(linear: u64, physical: u64): void {
    const table = this.tableFor(linear, 1n);
    tableEntries(table)[entryIndex(linear, 1n)] = physical | READ_WRITE | LARGE;
  }

  private tableFor(linear: u64, lowest: u64): Frame {
    let table = this.root;
    for (let level: u64 = 3n; level > lowest; level--) {
      const entries = tableEntries(table);
      const at = entryIndex(linear, level);
      if ((entries[at] & PRESENT) === 0n) entries[at] = (u64(bootFrame(FRAME_TABLE)) << 12n) | PRESENT | WRITABLE;
      table = entryFrame(entries[at]);
    }
    return table;
  }

  /** Loads the kernel's own root: no user mapping at all. */
  activate(): void {
    writeCr(3, u64(this.root) << 12n);
  }
}

export const kernelSpace = new KernelSpace();

/** Address above a task's kernel stack. */
export function stackTop(slot: i32): u64 {
  return KERNEL_STACKS + u64(slot + 1) * STACK_STRIDE;
}

/** Leaves this stack for slot 0's and goes on in the function with linker symbol `keel_run`, for ever. */
export function runOnIdleStack(): never {
  asm('jmp run_on_stack', { rdi: stackTop(0), rsi: symbol('keel_run') });
  unreachable();
}

function entryIndex(linear: u64, level: u64): i32 {
  return wrapping.i32((linear >> (12n + 9n * level)) & 511n);
}

function bootFrame(kind: FrameKind): Frame {
  const frame = allocateFrame(kind);
  if (frame === null) panic('no memory for the kernel itself');
  return frame.leak();
}

function isDescriptorPage(linear: u64): boolean {
  return linear === symbol('descriptor_tables') || linear === symbol('interrupt_table');
}

function isReadOnlyImage(linear: u64): boolean {
  if (linear >= symbol('__rx_start') && linear < symbol('__rx_end')) return true;
  if (linear >= symbol('__ro_start') && linear < symbol('__ro_end')) return true;
  return isDescriptorPage(linear);
}
