/**
 * Linear addresses to RAM: permission checks, the architectural TLB, and the software TLB's misses.
 *
 * An access that the inline arrays of cpu/state.ts cannot serve comes here. Its translation is looked up in `Translations` (the TLB that
 * the guest sees), walked and entered if it is not there, compared with the page tables if they changed since it was last compared, and
 * checked. Then the software TLB is filled, if nobody wants to hear of such accesses.
 *
 * Rules that the SDM leaves open, and what this machine does (always the same in every tier):
 *  - A walk that ends in a fault sets no A or D bits. A page fault drops the page's own translation (4.10.4.1), so that a retry walks.
 *  - A translation that denies what the tables now grant gives a page fault: rights may only be raised together with an invalidation.
 *  - A write through a translation with D=0 walks again, and replaces it.
 *  - Paging-structure caches are not modelled: a walk always starts at CR3.
 *
 * *Stale* use: the translation grants more than the tables do now, or another frame. It is told once for each kind of access and each
 * state of the tables, then behaves like any other.
 *
 * Linear addresses are two signed 32-bit halves. Nothing here throws for what a guest can do: faults are left pending in the CPU's state.
 */
import {
  ACCESS,
  CPL,
  type CpuState,
  FAULT_CODE,
  FAULT_CR2,
  FAULT_HAS_CODE,
  FAULT_PENDING,
  FAULT_VECTOR,
  FETCH_PHYSICAL,
  SCRATCH,
  TLB_SET,
  TLB_SETS,
} from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import { CR0, CR4, EFER } from '../platform/bits.ts';
import { PF, VECTOR } from '../platform/vectors.ts';
import type { PhysicalMemory, StoreWatcher } from './physical.ts';
import { SoftTlb } from './soft-tlb.ts';
import { TableWatch } from './table-watch.ts';
import { GLOBAL_TAG, RIGHTS, Translations } from './translations.ts';
import { PageWalk, WALK } from './walk.ts';

/** Kinds of access. */
export const READ = 0;
export const WRITE = 1;
export const EXECUTE = 2;
/** For whom: the CPU's own accesses to descriptor tables and TSS are supervisor's at any CPL, and SMAP denies them user pages whatever AC says. */
export const IMPLICIT = 4;

const TOLD: readonly number[] = [RIGHTS.toldRead, RIGHTS.toldWrite, RIGHTS.toldExecute];
const ALL_TOLD = RIGHTS.toldRead | RIGHTS.toldWrite | RIGHTS.toldExecute;
/** Translations of the CPU's own and of helpers' accesses, remembered by kind, privilege and page: QUICK sets of QUICK_PAGES. */
const QUICK_PAGES = 16;
const QUICK = 32 * QUICK_PAGES;
const GRANTS = RIGHTS.write | RIGHTS.user | RIGHTS.execute;
/** Who hears of what the MMU sees. `now` is a frame and rights, frame −1: nothing mapped. */
export interface MmuEvents {
  staleUse(low: number, high: number, kind: number, frame: number, rights: number, nowFrame: number, nowRights: number): void;
  supervisorAccess(low: number, high: number, size: number, kind: number, rights: number, faulted: boolean): void;
  pageTableWrite(address: number, beforeLow: number, beforeHigh: number, afterLow: number, afterHigh: number): void;
}

export class Mmu implements StoreWatcher {
  readonly physical: PhysicalMemory;
  readonly translations = new Translations();
  readonly state: CpuState;
  events: MmuEvents | null = null;
  /** Report supervisor accesses to user pages, and all with AC set: keeps them out of the software TLB. */
  watchSupervisor = false;
  /** Told of stores to frames with decoded code. */
  codeWritten: (frame: number, offset: number, length: number) => void = () => {};
  paging = false;
  root = 0;
  pcid = 0;
  #nxe = false;
  #wp = false;
  #smep = false;
  #smap = false;
  #ac = false;
  /** Data accesses are checked one by one: alignment, data breakpoints. */
  #checksAlignment = false;
  /** Linear addresses at which data accesses are looked at (debug registers), null: none. */
  dataBreakpoint: ((low: number, high: number, size: number, write: boolean) => void) | null = null;

  readonly #walk: PageWalk;
  readonly #i32: Int32Array;
  readonly #soft: SoftTlb;
  readonly #tables: TableWatch;
  readonly #quickStamp = new Float64Array(QUICK);
  readonly #quickLow = new Int32Array(QUICK);
  readonly #quickHigh = new Int32Array(QUICK);
  readonly #quickAddress = new Float64Array(QUICK);
  /** What #translate last found: whether it may be entered into the software TLB, whether it is the same for every root, and its rights. */
  #cacheable = false;
  #isLasting = false;
  #rights = 0;

  constructor(state: CpuState, physical: PhysicalMemory) {
    this.state = state;
    this.physical = physical;
    this.#walk = new PageWalk(physical);
    this.#i32 = new Int32Array(state.view.buffer, state.base, state.view.byteLength >> 2);
    this.#soft = new SoftTlb(state, physical.ramBase, physical.frames);
    this.#tables = new TableWatch(physical, this.translations, this.#soft);
    physical.watcher = this;
  }

  // ---- What the control registers say -----------------------------------------------------------------------------------------------

  /** Takes over CR0, CR3, CR4 and EFER after a change, and drops the software TLB (never the architectural one). */
  reload(cr0: number, cr3Low: number, cr3High: number, cr4: number, efer: number): void {
    this.paging = (cr0 & CR0.PG) !== 0;
    if (this.paging && (efer & EFER.LMA) === 0)
      bug(`${(cr4 & CR4.PAE) === 0 ? '32-bit' : 'PAE'} paging is not built; long mode has 4-level paging`);
    this.root = (cr3High & 0xff) * 0x100000 + (cr3Low >>> 12);
    this.pcid = (cr4 & CR4.PCIDE) === 0 ? 0 : cr3Low & 0xfff;
    this.#nxe = (efer & EFER.NXE) !== 0;
    this.#wp = (cr0 & CR0.WP) !== 0;
    this.#smep = (cr4 & CR4.SMEP) !== 0;
    this.#smap = (cr4 & CR4.SMAP) !== 0;
    this.#soft.flush();
  }

  /** A new root or PCID; drops the software TLB. */
  setRoot(cr3Low: number, cr3High: number, pcidEnabled: boolean): void {
    this.root = (cr3High & 0xff) * 0x100000 + (cr3Low >>> 12);
    this.pcid = pcidEnabled ? cr3Low & 0xfff : 0;
    this.#flushPassing();
  }

  /** CPL, AC or what must be checked at each access changed: chooses the set of the software TLB. */
  setPrivilege(cpl: number, ac: boolean, alignment: boolean): void {
    this.#ac = ac;
    this.#checksAlignment = alignment && ac && cpl === 3;
    const set =
      this.#checksAlignment || this.dataBreakpoint !== null
        ? TLB_SETS.slow
        : cpl === 3
          ? TLB_SETS.user
          : ac
            ? TLB_SETS.supervisorAc
            : TLB_SETS.supervisor;
    this.#i32[TLB_SET >> 2] = set;
  }

  // ---- Ports of the interpreter -----------------------------------------------------------------------------------------------------

  load(low: number, high: number, access: number): number {
    const size = access & ACCESS.size;
    const kind = (access & ACCESS.modify) !== 0 ? WRITE : READ;
    const first = this.#resolve(low, high, size, kind, access);
    if (first < 0) return 1;
    const split = this.#splitAt(low, size);
    if (split === 0) {
      this.#loadPiece(first, 0, size);
    } else {
      const second = this.#resolveSecond(low, high, split, size, kind);
      if (second < 0) return 1;
      this.#loadPiece(first, 0, split);
      this.#loadPiece(second, split, size - split);
    }
    this.#extend(size);
    this.dataBreakpoint?.(low, high, size, kind === WRITE);
    return 0;
  }

  store(low: number, high: number, access: number): number {
    const size = access & ACCESS.size;
    const first = this.#resolve(low, high, size, WRITE, access);
    if (first < 0) return 1;
    const split = this.#splitAt(low, size);
    if (split === 0) {
      this.#storePiece(first, 0, size);
    } else {
      const second = this.#resolveSecond(low, high, split, size, WRITE);
      if (second < 0) return 1;
      this.#storePiece(first, 0, split);
      this.#storePiece(second, split, size - split);
    }
    this.dataBreakpoint?.(low, high, size, true);
    return 0;
  }

  probe(low: number, high: number, access: number): number {
    const size = access & ACCESS.size;
    if (this.#resolve(low, high, size, WRITE, access) < 0) return 1;
    const split = this.#splitAt(low, size);
    if (split !== 0 && this.#resolveSecond(low, high, split, size, WRITE) < 0) return 1;
    return 0;
  }

  fetch(low: number, high: number): number {
    if (!isCanonical(high)) return this.#raise(VECTOR.GP, 0);
    const address = this.#translate(low, high, 1, EXECUTE);
    if (address < 0) return 1;
    this.#soft.noteExecute(low, this.#isLasting);
    const page = Math.floor(address / 4096) * 4096;
    this.#i32[FETCH_PHYSICAL >> 2] = page | 0;
    this.#i32[(FETCH_PHYSICAL >> 2) + 1] = Math.floor(page / 2 ** 32);
    return 0;
  }

  // ---- Accesses by the CPU itself and by helpers --------------------------------------------------------------------------------------

  /**
   * Translates one access of `size` bytes within a page. `kind`: READ, WRITE or EXECUTE, with IMPLICIT added for the CPU's own. Gives the physical address, or −1
   * with a fault pending.
   */
  translate(low: number, high: number, size: number, kind: number): number {
    const privilege = (this.#ac ? 8 : 0) | (this.#i32[CPL >> 2] === 3 ? 16 : 0);
    const at = (kind | privilege) * QUICK_PAGES + ((low >>> 12) & (QUICK_PAGES - 1));
    const stamp = this.#quickStamp[at];
    const isCurrent = stamp === this.#soft.stamp || stamp === this.#soft.lastingStamp;
    if (isCurrent && this.#quickLow[at] === (low & ~0xfff) && this.#quickHigh[at] === high) {
      return (this.#quickAddress[at] ?? 0) + (low & 0xfff);
    }
    const address = this.#translate(low, high, size, kind);
    if (address >= 0 && this.#cacheable && (this.#rights & ALL_TOLD) === 0) {
      this.#quickStamp[at] = this.#isLasting ? this.#soft.lastingStamp : this.#soft.stamp;
      this.#quickLow[at] = low & ~0xfff;
      this.#quickHigh[at] = high;
      this.#quickAddress[at] = address - (low & 0xfff);
    }
    return address;
  }

  #translate(low: number, high: number, size: number, kind: number): number {
    this.#rights = GRANTS;
    this.#cacheable = true;
    this.#isLasting = false;
    const offset = low & 0xfff;
    if (!this.paging) return (low >>> 0) + 0;
    const pageLow = (low >>> 12) | (high << 20);
    const pageHigh = (high >>> 12) & 15;
    const user = (kind & IMPLICIT) === 0 && this.#i32[CPL >> 2] === 3;
    const way = kind & 3;
    const translations = this.translations;
    let slot = translations.lookup(pageLow, pageHigh, this.pcid);
    if (slot < 0) {
      slot = this.#fill(low, high, pageLow, pageHigh, kind, user);
      if (slot < 0) return -1;
    } else if (
      way === WRITE &&
      ((translations.rights[slot] ?? 0) & RIGHTS.dirty) === 0 &&
      this.#allows(translations.rights[slot] ?? 0, kind, user)
    ) {
      // Of one that is out of date, the software TLB may hold what the walk will not give again.
      if (translations.epoch[slot] !== this.#tables.epoch) this.#dropSlot(slot, pageLow);
      translations.remove(slot);
      slot = this.#fill(low, high, pageLow, pageHigh, kind, user);
      if (slot < 0) return -1;
    }
    const rights = translations.rights[slot] ?? 0;
    if (!this.#allows(rights, kind, user)) {
      this.#dropSlot(slot, pageLow);
      translations.remove(slot);
      this.#watch(low, high, size, kind, rights, user, true);
      return this.#pageFault(low, high, way, user, PF.P);
    }
    if (translations.epoch[slot] !== this.#tables.epoch) this.#compare(slot, low, high, pageLow, pageHigh, kind);
    this.#watch(low, high, size, kind, rights, user, false);
    this.#rights = translations.rights[slot] ?? 0;
    this.#isLasting = translations.isGlobal(slot) && translations.isUpper(slot) && translations.epoch[slot] === this.#tables.epoch;
    const frame = this.#frameOf(slot, pageLow);
    return frame * 4096 + offset;
  }

  /** Reads bytes into SCRATCH as the CPU itself does (descriptor tables, TSS) when `kind` has IMPLICIT. False: fault pending. */
  readScratch(low: number, high: number, size: number, kind: number): boolean {
    const split = this.#splitAt(low, size);
    const first = this.translate(low, high, split === 0 ? size : split, kind);
    if (first < 0) return false;
    if (split === 0) {
      this.#loadPiece(first, 0, size);
    } else {
      const second = this.#translateSecond(low, high, split, size, kind);
      if (second < 0) return false;
      this.#loadPiece(first, 0, split);
      this.#loadPiece(second, split, size - split);
    }
    this.#extend(size);
    return true;
  }

  /** Writes bytes from SCRATCH; all or nothing. */
  writeScratch(low: number, high: number, size: number, kind: number): boolean {
    const split = this.#splitAt(low, size);
    const first = this.translate(low, high, split === 0 ? size : split, kind);
    if (first < 0) return false;
    if (split === 0) {
      this.#storePiece(first, 0, size);
      return true;
    }
    const second = this.#translateSecond(low, high, split, size, kind);
    if (second < 0) return false;
    this.#storePiece(first, 0, split);
    this.#storePiece(second, split, size - split);
    return true;
  }

  // ---- Invalidation -------------------------------------------------------------------------------------------------------------------

  /** INVLPG, or INVPCID type 0 (which leaves global translations alone). */
  invalidatePage(low: number, high: number, pcid: number, globals: boolean): void {
    const pageLow = (low >>> 12) | (high << 20);
    const pageHigh = (high >>> 12) & 15;
    if (this.translations.invalidatePage(pageLow, pageHigh, pcid, globals)) this.#soft.flush();
    else this.#soft.dropPage(pageLow);
  }

  /** All translations of a PCID but the global ones. */
  invalidatePcid(pcid: number): void {
    this.translations.flushTag(pcid);
    // The software TLB holds what is global and what is the current PCID's.
    if (pcid === this.pcid) this.#flushPassing();
  }

  invalidateAll(globals: boolean): void {
    this.translations.flushAll(globals);
    if (globals) this.#soft.flush();
    else this.#flushPassing();
  }

  /** Drops from the software TLB what does not hold for every root and PCID. */
  #flushPassing(): void {
    if (this.translations.isUpperCommon) this.#soft.flushPassing();
    else this.#soft.flush();
  }

  // ---- Stores to watched frames -------------------------------------------------------------------------------------------------------

  tableWritten(frame: number, index: number, beforeLow: number, beforeHigh: number, afterLow: number, afterHigh: number): void {
    if (this.#tables.written(frame, index, beforeLow, beforeHigh, afterLow, afterHigh, this.pcid)) {
      this.events?.pageTableWrite(frame * 4096 + index * 8, beforeLow, beforeHigh, afterLow, afterHigh);
    }
  }

  /** After a restore: every translation is compared with the tables before its next use. */
  forgetTables(): void {
    this.#tables.forgetAll();
  }

  /** Stores to this frame must come to PhysicalMemory. `flag` of FRAME. */
  watchFrame(frame: number, flag: number): void {
    const { flags } = this.physical;
    const before = flags[frame] ?? 0;
    if ((before & flag) !== 0) return;
    flags[frame] = before | flag;
    this.#soft.dropWritesTo(frame);
  }

  /** The dirty lists were emptied: all stores must come to PhysicalMemory once more. */
  dropWrites(): void {
    this.#soft.dropWrites();
  }

  // ---- Inside -------------------------------------------------------------------------------------------------------------------------

  /** The first (or only) page of a data access by the program; fills the software TLB. −1: fault pending. */
  #resolve(low: number, high: number, size: number, kind: number, access: number): number {
    if (!isCanonical(high)) return -this.#raise((access & ACCESS.stack) !== 0 ? VECTOR.SS : VECTOR.GP, 0);
    if (this.#checksAlignment && size <= 8 && (low & (size - 1)) !== 0) return -this.#raise(VECTOR.AC, 0);
    const split = this.#splitAt(low, size);
    // The last byte may be non-canonical although the first is not: the top of the lower half.
    if (split !== 0 && (low | 0) >= -4096 && (low | 0) < 0 && high === 0x7fff)
      return -this.#raise((access & ACCESS.stack) !== 0 ? VECTOR.SS : VECTOR.GP, 0);
    const address = this.#translate(low, high, split === 0 ? size : split, kind);
    if (address >= 0 && split === 0) this.#cache(low, high, kind, address);
    return address;
  }

  #resolveSecond(low: number, high: number, split: number, size: number, kind: number): number {
    return this.#translateSecond(low, high, split, size, kind);
  }

  /** The second page of an access whose first `split` bytes lie in the page before. */
  #translateSecond(low: number, high: number, split: number, size: number, kind: number): number {
    const nextLow = (low + split) | 0;
    // Wraps at 2^32 (outside of 64-bit mode the caller's addresses end there) or carries into the high half.
    const nextHigh = nextLow === 0 && this.#isLong ? (high + 1) | 0 : high;
    return this.translate(nextLow, nextHigh, size - split, kind);
  }

  get #isLong(): boolean {
    return this.paging;
  }

  /** Bytes in the first page where the access crosses into a second, else 0. */
  #splitAt(low: number, size: number): number {
    const offset = low & 0xfff;
    return offset + size > 4096 ? 4096 - offset : 0;
  }

  #loadPiece(address: number, at: number, size: number): void {
    const physical = this.physical;
    if (address + size <= physical.bytes) {
      const { view } = this.state;
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
      for (let i = 0; i < piece; i++) this.state.view.setUint8(SCRATCH + at + done + i, value >>> (8 * i));
      done += piece;
    }
  }

  #storePiece(address: number, at: number, size: number): void {
    const view = this.state.view;
    const physical = this.physical;
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
  #extend(size: number): void {
    if (size >= 8) return;
    if (size === 4) this.state.view.setInt32(SCRATCH + 4, 0, true);
    else for (let i = size; i < 8; i++) this.state.view.setUint8(SCRATCH + i, 0);
  }

  /** Enters what #translate found into the software TLB. */
  #cache(low: number, high: number, kind: number, address: number): void {
    const frame = (address - (low & 0xfff)) / 4096;
    if (!this.#cacheable || frame >= this.physical.frames) return;
    const set = this.#i32[TLB_SET >> 2] ?? 0;
    if (set === TLB_SETS.slow) return;
    const told = this.#rights & ALL_TOLD;
    if (kind === READ || told === 0) this.#soft.enterRead(set, low, high, frame, this.#isLasting);
    if (kind !== WRITE) return;
    this.physical.touch(frame);
    if (this.physical.mayCacheWrites(frame)) this.#soft.enterWrite(set, low, high, frame, this.#isLasting);
  }

  /** Walks, checks, sets A and D and enters the translation. −1: page fault pending. */
  #fill(low: number, high: number, pageLow: number, pageHigh: number, kind: number, user: boolean): number {
    const walk = this.#walk;
    const way = kind & 3;
    const found = walk.walk(this.root, pageLow, pageHigh, this.#nxe);
    if (found !== WALK.found) return this.#pageFault(low, high, way, user, found === WALK.reserved ? PF.P | PF.RSVD : 0);
    if (!this.#allows(walk.rights, kind, user)) {
      this.#watch(low, high, 1, kind, walk.rights, user, true);
      return this.#pageFault(low, high, way, user, PF.P);
    }
    const write = way === WRITE;
    if (!walk.accessed || write) walk.markUsed(write);
    const rights = write ? walk.rights | RIGHTS.dirty : walk.rights;
    const size = walk.leafLevel - 1;
    const tag = (rights & RIGHTS.global) !== 0 && this.#globals ? GLOBAL_TAG : this.pcid;
    this.#tables.watch(walk, pageLow, pageHigh, tag);
    const region = (pageLow >>> 9) | (pageHigh << 23);
    if (size === 0) return this.translations.insert(pageLow, pageHigh, tag, 0, walk.frame, rights, this.#tables.epoch);
    return this.translations.insert(size === 1 ? region : region >>> 9, 0, tag, size, walk.frame, rights, this.#tables.epoch);
  }

  /** CR4.PGE. */
  #globals = false;
  set globalPages(enabled: boolean) {
    this.#globals = enabled;
  }

  /** Compares an entry that is out of date with the tables; tells a stale use. */
  #compare(slot: number, low: number, high: number, pageLow: number, pageHigh: number, kind: number): void {
    const { translations } = this;
    const walk = this.#walk;
    const found = walk.walk(this.root, pageLow, pageHigh, this.#nxe) === WALK.found;
    const rights = translations.rights[slot] ?? 0;
    const frame = this.#frameOf(slot, pageLow);
    const nowFrame = found ? walk.frame + (pageLow & (walk.leafLevel === 1 ? 0 : walk.leafLevel === 2 ? 511 : 262143)) : -1;
    const nowRights = found ? walk.rights & GRANTS : 0;
    // The tables that were read must be watched from now on, whatever they said: they decide when the comparison is due again.
    const key = this.#tagOf(rights);
    this.#tables.watch(walk, pageLow, pageHigh, key);
    if (found && nowFrame === frame && (rights & GRANTS & ~nowRights) === 0) {
      translations.epoch[slot] = this.#tables.epoch;
      if ((rights & ALL_TOLD) !== 0) translations.update(slot, rights & ~ALL_TOLD, 0);
      return;
    }
    const seen = (Math.imul(nowFrame + 2, 8) | nowRights) >>> 0;
    const way = kind & 3;
    const told = translations.seen[slot] === seen ? rights & ALL_TOLD : 0;
    const bit = TOLD[way] ?? 0;
    this.#tables.staleInUse = true;
    // Kept out of date until each kind was told: the software TLB is filled for the told kind alone.
    if ((told & bit) === 0) {
      translations.update(slot, (rights & ~ALL_TOLD) | told | bit, seen);
      this.events?.staleUse(low, high, way, frame, rights, nowFrame, nowRights);
    }
  }

  #tagOf(rights: number): number {
    return (rights & RIGHTS.global) !== 0 && this.#globals ? GLOBAL_TAG : this.pcid;
  }

  /** Drops a translation from the software TLB. */
  #dropSlot(slot: number, pageLow: number): void {
    if (this.translations.sizeOf(slot) > 0) this.#soft.flush();
    else this.#soft.dropPage(pageLow);
  }

  /** The frame of the 4 KiB page within the entry's page. */
  #frameOf(slot: number, pageLow: number): number {
    const first = this.translations.frame[slot] ?? 0;
    const size = this.translations.sizeOf(slot);
    return size === 0 ? first : first + (pageLow & (size === 1 ? 511 : 262143));
  }

  #allows(rights: number, kind: number, user: boolean): boolean {
    const way = kind & 3;
    const isUserPage = (rights & RIGHTS.user) !== 0;
    if (user) {
      if (!isUserPage) return false;
      return way === READ || (rights & (way === WRITE ? RIGHTS.write : RIGHTS.execute)) !== 0;
    }
    if (way === EXECUTE) return (rights & RIGHTS.execute) !== 0 && !(isUserPage && this.#smep);
    if (isUserPage && this.#smap && ((kind & IMPLICIT) !== 0 || !this.#ac)) return false;
    return way === READ || !this.#wp || (rights & RIGHTS.write) !== 0;
  }

  #watch(low: number, high: number, size: number, kind: number, rights: number, user: boolean, faulted: boolean): void {
    if (!this.watchSupervisor || user) return;
    const isUserPage = (rights & RIGHTS.user) !== 0;
    if (!isUserPage && !(this.#ac && (kind & (EXECUTE | IMPLICIT)) === 0)) return;
    this.#cacheable = false;
    this.events?.supervisorAccess(low, high, size, kind, rights, faulted);
  }

  #pageFault(low: number, high: number, way: number, user: boolean, bits: number): number {
    const code = bits | (way === WRITE ? PF.W : 0) | (user ? PF.U : 0) | (way === EXECUTE && (this.#nxe || this.#smep) ? PF.I : 0);
    this.#raise(VECTOR.PF, code);
    this.#i32[FAULT_CR2 >> 2] = low;
    this.#i32[(FAULT_CR2 >> 2) + 1] = high;
    return -1;
  }

  /** Code −1: none. Gives 1, the ports' word for "fault pending". */
  #raise(vector: number, code: number): 1 {
    const i32 = this.#i32;
    i32[FAULT_PENDING >> 2] = 1;
    i32[FAULT_VECTOR >> 2] = vector;
    i32[FAULT_CODE >> 2] = Math.max(code, 0);
    i32[FAULT_HAS_CODE >> 2] = code < 0 ? 0 : 1;
    return 1;
  }

  /** RFLAGS.AC as the MMU knows it. */
  get ac(): boolean {
    return this.#ac;
  }
}

/** Bits 63:47 all alike (48-bit linear addresses). */
export function isCanonical(high: number): boolean {
  const top = high >> 15;
  return top === 0 || top === -1;
}
