/**
 * The observer: everything that happens on the machine, told at the moment it happens.
 *
 * An observer never changes a run: with or without one, the same instructions retire and the same state results. Every method is
 * optional, and costs nothing where it is absent. `at` is the count of retired instructions at that moment: an instruction that is
 * still executing (a fault, a port access, a CR write) has not been counted, so `at` is the index of that instruction.
 *
 * Order at a change of privilege: first the cause (`irq`, `exception`, `syscall`) while the registers are still those of the interrupted
 * code (`machine.registers()` shows the user's), then `enterKernel` with the registers as the handler's first instruction finds them.
 * On the way back: `sysret` with the registers still the kernel's, then `enterUser` with those that user mode starts with. `enterKernel`
 * is told only where CPL falls to a lower number, `enterUser` only where it rises to 3.
 *
 * Inside a callback the machine may be read (registers, readPhysical, readLinear, translate, walkLeaves, hash of registers), never written
 * or run. `machine.requestStop()` ends run() with `{ reason: 'observer' }` after the current instruction.
 */

import type { PackedAddresses } from './cpu/address-log.ts';

/** What brought the CPU to a lower CPL. `fault` covers every exception, INT3 and INTO among them. */
export type KernelEntry = 'irq' | 'exception' | 'syscall' | 'int';
/** What brought the CPU to CPL 3. */
export type UserEntry = 'sysret' | 'iret' | 'far';

/** What translations belong to: the physical address of the PML4 table, and the PCID (0 while CR4.PCIDE=0). */
export interface AddressSpace {
  readonly root: bigint;
  readonly pcid: number;
}

/** Which translations an operation dropped. `page`: one linear page of one PCID; `pcid`: all of one PCID but the globals; `all-but-global`; `all`. */
export type TlbFlushKind = 'page' | 'pcid' | 'all-but-global' | 'all';

/** What a translation grants. Frame numbers are physical addresses / 4096. */
export interface TranslationView {
  readonly frame: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
}

/**
 * A translation was used that the page tables no longer give (INV-10): another frame, more rights, or nothing mapped now.
 * `now` is null where the tables map nothing. Told at each use.
 */
export interface StaleUse {
  readonly linear: bigint;
  readonly access: 'read' | 'write' | 'execute';
  readonly cpl: number;
  readonly rip: bigint;
  readonly used: TranslationView;
  readonly now: TranslationView | null;
}

/**
 * With MachineConfig.watch.supervisorUserAccess: every access at CPL < 3 to a page with U=1, instruction fetches included, and every explicit
 * data access while AC=1, also to pages with U=0. The object is used again: copy what is to be kept.
 */
export interface SupervisorUserAccess {
  readonly rip: bigint;
  readonly linear: bigint;
  readonly size: number;
  readonly write: boolean;
  readonly execute: boolean;
  /** The page has U=1. */
  readonly user: boolean;
  /** Made by the CPU itself: descriptor tables, TSS, event delivery. */
  readonly implicit: boolean;
  /** RFLAGS.AC: with SMAP on, false means that the access faulted (or was implicit). */
  readonly ac: boolean;
  /** The page's own W right (all levels), what INV-31 compares a write with. False too where CR0.WP=0 let the write through. */
  readonly writable: boolean;
  /** True where the access ended in a page fault. */
  readonly faulted: boolean;
}

/** An access to what a watchpoint watches; one that crosses a page is told in two pieces. */
export interface ProbedAccess {
  /** Null: made by physical address, by the page walker or a device. */
  readonly linear: bigint | null;
  readonly physical: bigint;
  readonly size: number;
  readonly write: boolean;
  /** Made by the CPU itself (event delivery, descriptor tables, TSS, A and D bits) or by a device. */
  readonly implicit: boolean;
}

/** One drained piece of the canonical path (DESIGN section 5): see cpu/interpreter for what makes a bit or a target. */
export interface PathBlock {
  /** Count of retired instructions at the block's first and after its last instruction. */
  readonly from: bigint;
  readonly to: bigint;
  /** Bit i of the column is bit (i & 7) of byte i >> 3. All columns are views, valid until the machine runs on. */
  readonly bits: Uint8Array;
  readonly bitCount: number;
  /** Targets: a bit for each, 1 where it was guessed right (cpu/trace-log.ts), and those that were not. */
  readonly guesses: Uint8Array;
  readonly targetCount: number;
  readonly targets: BigUint64Array;
  /** Linear addresses of memory operands (cpu/address-log.ts); null where they are not recorded. */
  readonly addresses: PackedAddresses | null;
}

/** What an observer with `isLogging` is never told: generated code adds it to the log. */
export type Logged = 'irq' | 'exception' | 'softwareInterrupt' | 'syscall' | 'contextSwitch' | 'pageTableWrite';

export interface Observer {
  /**
   * True: `Logged`, and the SYSRET, IRET, changes of privilege and CR3 writes that generated code does, are not told but added to `machine.log`, without a
   * call into TypeScript.
   */
  readonly isLogging?: boolean;
  /** An external interrupt is delivered; `target` is the handler's RIP. Told once delivery is certain, with the registers of the interrupted code. */
  irq?(at: bigint, vector: number, target: bigint): void;
  /**
   * An exception is delivered. `code` is null where the vector pushes none; `cr2` is null but for #PF. `rip`: what the frame holds. A
   * delivery that itself faults is not told; what is delivered in the end is (#DF with code 0).
   */
  exception?(at: bigint, vector: number, code: number | null, cr2: bigint | null, rip: bigint, target: bigint): void;
  /** INT n, INT3, INTO, INT1 by the program; `rip` is the instruction's address. */
  softwareInterrupt?(at: bigint, vector: number, rip: bigint, target: bigint): void;
  /** SYSCALL: RAX, then RDI RSI RDX R10 R8 R9. `rip` is the address of the SYSCALL instruction. `args` is reused: copy to keep. */
  syscall?(at: bigint, nr: bigint, args: readonly bigint[], rip: bigint): void;
  /** SYSRET or IRET to CPL 3 is about to happen; `result` is RAX. */
  sysret?(at: bigint, result: bigint, how: UserEntry): void;
  enterUser?(at: bigint, how: UserEntry): void;
  enterKernel?(at: bigint, cause: KernelEntry): void;

  /** CR0, CR3, CR4, CR8 and CR2 by MOV, LMSW, CLTS. Told for each write, also where nothing changes. `after` for CR3 includes the PCID, without bit 63. */
  controlRegister?(at: bigint, n: number, before: bigint, after: bigint): void;
  /**
   * A CR3 write took the CPU from one address space to another. Told between that write's `controlRegister` and its `tlbFlush`; not where CR3 is loaded
   * with what it holds, and not while paging is off.
   */
  contextSwitch?(at: bigint, from: AddressSpace, to: AddressSpace): void;
  msr?(at: bigint, index: number, before: bigint, after: bigint): void;
  debugRegister?(at: bigint, n: number, before: bigint, after: bigint): void;
  descriptorTable?(at: bigint, table: 'gdt' | 'idt' | 'ldt' | 'tr', base: bigint, limit: number): void;
  tlbFlush?(at: bigint, kind: TlbFlushKind, pcid: number, linear: bigint | null): void;
  stale?(at: bigint, use: StaleUse): void;
  supervisorUserAccess?(at: bigint, access: SupervisorUserAccess): void;
  /** A store changed a page-table entry from which a translation had been walked. Addresses are physical; entries are 8 bytes. */
  pageTableWrite?(at: bigint, address: bigint, before: bigint, after: bigint): void;

  portIn?(at: bigint, port: number, size: number, value: number): void;
  portOut?(at: bigint, port: number, size: number, value: number): void;
  mmio?(at: bigint, device: string, offset: number, size: number, write: boolean, value: bigint): void;
  /** The guest read what it cannot compute for itself: a serial byte or a program archive. */
  input?(at: bigint, kind: 'serial' | 'program', bytes: Uint8Array): void;
  /** A byte left by the serial port. */
  output?(at: bigint, byte: number): void;
  /** A harness command: 1 ready, 2 fetch, 3 finished, 4 panic; `value` is the status or the archive's length. */
  harness?(at: bigint, command: number, value: number): void;
  /** HLT let virtual time pass: `ticks` TSC ticks were skipped. */
  halt?(at: bigint, ticks: bigint): void;
  path?(block: PathBlock): void;

  /**
   * The instruction at a breakpoint (`Machine.probes`) is about to execute; what is due at `at` was delivered before. Each iteration of a repeated string
   * instruction is told, an instruction that cannot be fetched is not. requestStop() ends run() before the instruction, and the next run() goes past it without telling it again.
   */
  breakpoint?(at: bigint, address: bigint): void;
  /**
   * An access to what a watchpoint watches is about to be made; memory holds what it held before. That the instruction faults afterwards undoes no read that
   * was told. Reads by the page walker are not told, and instruction fetches are none.
   */
  access?(at: bigint, access: ProbedAccess): void;
}
