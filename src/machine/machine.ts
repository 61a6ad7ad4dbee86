/** The PC: CPU, memory and devices wired together, and the loop that delivers events at exact instruction counts. See index.ts for use. */

import type { Host } from './host.ts';
import { bug } from './isa/bug.ts';
import type { Observer } from './observer.ts';
import type { Registers } from './registers.ts';
import type { Snapshot, SnapshotPages } from './snapshot/snapshot.ts';

export interface MachineConfig {
  /** RAM size: a multiple of 4096, from 1 MiB to 3 GiB. */
  readonly memoryBytes: number;
  /** Feeds RDRAND and RDSEED. */
  readonly seed: string;
  readonly harness: boolean;
  /** What the RTC shows at count 0: seconds since 1970. Default 0. */
  readonly startTime?: bigint;
  readonly record?: { readonly path: boolean; readonly addresses: boolean };
  readonly watch?: { readonly supervisorUserAccess?: boolean };
}

/** What load() puts into memory. */
export interface Boot {
  /** A PVH ELF64. */
  readonly image: Uint8Array;
  readonly initrd?: Uint8Array;
  /** The kernel's command line. */
  readonly append?: string;
}

export type Stop =
  | { readonly reason: 'limit' }
  /** `code` is what the guest wrote to isa-debug-exit. */
  | { readonly reason: 'debug-exit'; readonly code: number }
  /** HLT with nothing that could wake the CPU. */
  | { readonly reason: 'halt' }
  | { readonly reason: 'triple-fault' }
  | { readonly reason: 'ready' }
  | { readonly reason: 'fetch-empty' }
  | { readonly reason: 'finished'; readonly status: number }
  | { readonly reason: 'panic'; readonly status: number }
  | { readonly reason: 'observer' };

/** One step of a page walk: the entry's physical address and value. level 4 is the PML4E. */
export interface Level {
  readonly level: 1 | 2 | 3 | 4;
  readonly address: bigint;
  readonly entry: bigint;
}

/** What the page tables (not the TLB) say of a linear address. */
export interface Translation {
  readonly physical: bigint;
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly global: boolean;
  /** Page size in bytes: 4096, 2 MiB or 1 GiB. */
  readonly size: number;
  readonly levels: readonly Level[];
}

/** Rights of a leaf, as bits. */
export const RIGHT = { write: 1, user: 2, execute: 4, global: 8, accessed: 16, dirty: 32 } as const;

/**
 * One present leaf: `page` = linear address / 4096 within 48 bits (0 … 2^36 - 1; the upper half starts at 2^35), `frame` = physical / 4096,
 * `pages` = 1, 512 or 262144, `rights` = bits of RIGHT (over all levels).
 */
export type Leaf = (page: number, frame: number, pages: number, rights: number) => void;

export class Machine {
  /** Who is told what happens; null costs nothing. May be changed between runs. */
  observer: Observer | null = null;
  readonly config: MachineConfig;
  readonly host: Host;

  static async create(config: MachineConfig, host: Host): Promise<Machine> {
    return new Machine(config, host);
  }

  private constructor(config: MachineConfig, host: Host) {
    this.config = config;
    this.host = host;
  }

  /** Puts a boot image into memory and the CPU at its entry. UserError where the files are bad or do not fit. */
  load(boot: Boot): void {
    bug(`not built yet ${boot.append}`);
  }

  /** Retired instructions since load(). */
  get count(): bigint {
    return bug('not built yet');
  }

  /** Runs until `until` instructions have retired (an absolute count) or something stops it earlier. A stop is told once; run() again goes on. */
  run(until: bigint): Stop {
    return bug(`not built yet ${until}`);
  }

  /** Ends run() after the current instruction; for observers. */
  requestStop(): void {}

  registers(): Registers {
    return bug('not built yet');
  }

  /** Copies registers into 64-bit words at CAPTURE's indexes, without allocating. */
  captureRegisters(into: BigUint64Array): void {
    bug(`not built yet ${into}`);
  }

  /** The current privilege level, 0 … 3. */
  get cpl(): number {
    return bug('not built yet');
  }

  /** One general register by the SDM's number. */
  register(index: number): bigint {
    return bug(`not built yet ${index}`);
  }

  get rip(): bigint {
    return bug('not built yet');
  }

  /** CR3 as last loaded (with the PCID). */
  get cr3(): bigint {
    return bug('not built yet');
  }

  /** A copy of physical RAM. Throws RangeError outside of it. */
  readPhysical(address: bigint, length: number): Uint8Array {
    return bug(`not built yet ${address} ${length}`);
  }

  /** Bytes by linear address, by the page tables of `cr3` (default: the current). Null where any page is not mapped. No side effects. */
  readLinear(address: bigint, length: number, cr3?: bigint): Uint8Array | null {
    return bug(`not built yet ${address} ${length} ${cr3}`);
  }

  /** Walks the page tables without side effects. Null where nothing is mapped. */
  translate(linear: bigint, cr3?: bigint): Translation | null {
    return bug(`not built yet ${linear} ${cr3}`);
  }

  /** Visits the present leaves of a root in address order. `from` and `to` bound it in pages (0 ≤ from < to ≤ 2^36). Allocates nothing. */
  walkLeaves(cr3: bigint, visit: Leaf, from = 0, to = 2 ** 36): void {
    bug(`not built yet ${cr3} ${visit} ${from} ${to}`);
  }

  /** Visits the frames that hold page tables of a root: their level and the parent entry's physical address (0 for the root). */
  walkTables(cr3: bigint, visit: (frame: number, level: number, parent: number) => void): void {
    bug(`not built yet ${cr3} ${visit}`);
  }

  /** The canonical state hash: 16 hexadecimal digits over registers, TLB, devices and RAM. */
  hash(): string {
    return bug('not built yet');
  }

  snapshot(): Snapshot {
    return bug('not built yet');
  }

  /** Back to a snapshot of this machine, or of one with the same configuration. Costs what was dirtied. */
  restore(snapshot: Snapshot): void {
    bug(`not built yet ${snapshot.count}`);
  }

  /** A snapshot from stored parts: `state` of another, pages (absent frames as in `base`, or zero). */
  snapshotFrom(count: bigint, state: Uint8Array, pages: SnapshotPages, base: Snapshot | null): Snapshot {
    return bug(`not built yet ${count} ${state} ${pages} ${base}`);
  }

  /** Hands the recorded path so far to observer.path, where recording is on. */
  drainPath(): void {}
}
