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
 * state of the tables (code of a large page: once until they agree again), then behaves like any other.
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
  RFLAGS_REST,
  SCRATCH,
  TLB_CHOICES,
  TLB_READ,
  TLB_SET,
  TLB_SETS,
  TLB_WRITE,
} from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import { RFLAGS } from '../isa/flags.ts';
import { CR0, CR4, EFER } from '../platform/bits.ts';
import { PF, VECTOR } from '../platform/vectors.ts';
import { isCanonical, splitAt } from './linear.ts';
import type { FrameList, PhysicalMemory, StoreWatcher } from './physical.ts';
import { Scratch } from './scratch.ts';
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
  /** The set for what the CPU does for itself. */
  #implicitSet: number = TLB_SETS.supervisor;
  /** CR0.AM: with AC set, data accesses of programs are checked one by one. */
  #am = false;
  /** Linear addresses at which data accesses are looked at (debug registers), null: none. */
  dataBreakpoint: ((low: number, high: number, size: number, write: boolean) => void) | null = null;

  readonly #walk: PageWalk;
  readonly #i32: Int32Array;
  readonly #soft: SoftTlb;
  readonly #tables: TableWatch;
  readonly #scratch: Scratch;
  /** What #translate last found: whether the software TLB may have it, whether it is global, and its rights. */
  #cacheable = false;
  #isGlobal = false;
  #rights = 0;

  constructor(state: CpuState, physical: PhysicalMemory) {
    this.state = state;
    this.physical = physical;
    this.#walk = new PageWalk(physical);
    this.#i32 = new Int32Array(state.view.buffer, state.base, state.view.byteLength >> 2);
    this.#soft = new SoftTlb(state, physical.ramBase, physical.frames);
    this.#scratch = new Scratch(state, physical);
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
    this.#am = (cr0 & CR0.AM) !== 0;
    this.#soft.flush();
    this.#soft.select(this.root, this.pcid);
    this.#renewChoices();
  }

  /** A new root or PCID; `keeps`: the PCID's own translations stay. */
  setRoot(cr3Low: number, cr3High: number, pcidEnabled: boolean, keeps: boolean): void {
    const before = this.root;
    this.root = (cr3High & 0xff) * 0x100000 + (cr3Low >>> 12);
    this.pcid = pcidEnabled ? cr3Low & 0xfff : 0;
    if (!keeps) this.invalidatePcid(this.pcid);
    this.#soft.select(this.root, this.pcid);
    // A kernel's global pages need not be asked for one by one in each new address space.
    const mayAdopt = this.paging && this.#soft.mayAdopt && !this.translations.hasAny(this.pcid);
    if (mayAdopt && this.#tables.watchSameUpperHalf(before, this.root)) this.#soft.adopt();
    this.#renewChoices();
  }

  /** Which set of the software TLB is for which privilege. */
  #renewChoices(): void {
    const { slow, supervisor, supervisorAc, user } = TLB_SETS;
    const sets = [supervisor, supervisorAc, user, user];
    for (let i = 0; i < sets.length; i++) {
      const isSlow = this.dataBreakpoint !== null || (this.#am && i === 3);
      this.#i32[(TLB_CHOICES >> 2) + i] = isSlow ? slow : this.#soft.setOf(sets[i] ?? slow);
    }
    this.#implicitSet = this.#soft.setOf(supervisor);
    this.state.chooseTlbSet();
  }

  // ---- Ports of the interpreter -----------------------------------------------------------------------------------------------------

  load(low: number, high: number, access: number): number {
    const size = access & ACCESS.size;
    const kind = (access & ACCESS.modify) !== 0 ? WRITE : READ;
    const split = splitAt(low, size);
    if (split === 0) {
      let address = this.#known(this.#set, low, high, kind);
      if (address < 0) address = this.#resolve(low, high, size, kind, access);
      if (address < 0) return 1;
      this.#scratch.load(address, 0, size);
    } else {
      const first = this.#resolve(low, high, size, kind, access);
      if (first < 0) return 1;
      const second = this.#translateSecond(low, high, split, size, kind);
      if (second < 0) return 1;
      this.#scratch.load(first, 0, split);
      this.#scratch.load(second, split, size - split);
    }
    this.dataBreakpoint?.(low, high, size, kind === WRITE);
    return 0;
  }

  store(low: number, high: number, access: number): number {
    const size = access & ACCESS.size;
    const split = splitAt(low, size);
    if (split === 0) {
      const known = this.#known(this.#set, low, high, WRITE);
      const address = known < 0 ? this.#resolve(low, high, size, WRITE, access) : known;
      if (address < 0) return 1;
      this.#scratch.store(address, 0, size);
      if (known >= 0) this.#unguard(low, address);
    } else {
      const first = this.#resolve(low, high, size, WRITE, access);
      if (first < 0) return 1;
      const second = this.#translateSecond(low, high, split, size, WRITE);
      if (second < 0) return 1;
      this.#scratch.store(first, 0, split);
      this.#scratch.store(second, split, size - split);
    }
    this.dataBreakpoint?.(low, high, size, true);
    return 0;
  }

  probe(low: number, high: number, access: number): number {
    const size = access & ACCESS.size;
    if (this.#resolve(low, high, size, WRITE, access) < 0) return 1;
    const split = splitAt(low, size);
    if (split !== 0 && this.#translateSecond(low, high, split, size, WRITE) < 0) return 1;
    return 0;
  }

  /** See `Ports.refill`: only a translation that is entered, up to date, and tells nobody. */
  refill(low: number, high: number, access: number): number {
    const kind = (access & ACCESS.modify) !== 0 ? WRITE : READ;
    if (!isCanonical(high) || splitAt(low, access & ACCESS.size) !== 0 || this.#set === TLB_SETS.slow) return 1;
    const frame = this.#frameWithoutWalk(low, high, kind);
    if (frame < 0 || frame >= this.physical.frames) return 1;
    this.#cacheable = true;
    this.#cache(this.#set, low, high, kind, frame * 4096 + (low & 0xfff));
    return kind === READ || this.physical.mayCacheWrites(frame) ? 0 : 1;
  }

  /** The frame that an access of the program goes to, where it needs no walk and nobody hears of it; −1 elsewhere. */
  #frameWithoutWalk(low: number, high: number, kind: number): number {
    this.#rights = GRANTS;
    this.#isGlobal = false;
    if (!this.paging) return low >>> 12;
    const pageLow = (low >>> 12) | (high << 20);
    const { translations } = this;
    const slot = translations.lookup(pageLow, (high >>> 12) & 15, this.pcid);
    if (slot < 0 || !this.#isCurrent(slot)) return -1;
    const rights = translations.rights[slot] ?? 0;
    const user = this.#i32[CPL >> 2] === 3;
    if (!this.#allows(rights, kind, user) || (kind === WRITE && (rights & RIGHTS.dirty) === 0)) return -1;
    if ((rights & ALL_TOLD) !== 0 || (this.watchSupervisor && !user && ((rights & RIGHTS.user) !== 0 || this.ac))) return -1;
    this.#rights = rights;
    this.#isGlobal = translations.isGlobal(slot);
    return this.#frameOf(slot, pageLow);
  }

  fetch(low: number, high: number): number {
    if (!isCanonical(high)) return this.#raise(VECTOR.GP, 0);
    const address = this.#translate(low, high, 1, EXECUTE);
    if (address < 0) return 1;
    const frame = Math.floor(address / 4096);
    const page = frame * 4096;
    this.#soft.noteExecute(this.#set, low, frame, this.#isGlobal);
    this.#i32[FETCH_PHYSICAL >> 2] = page | 0;
    this.#i32[(FETCH_PHYSICAL >> 2) + 1] = Math.floor(page / 2 ** 32);
    return 0;
  }

  /** See `Ports.dropCode`. */
  dropCode(physicalPage: number): void {
    this.#soft.dropExecutesOf(physicalPage);
  }

  // ---- Accesses by the CPU itself and by helpers --------------------------------------------------------------------------------------

  /**
   * Translates one access of `size` bytes within a page. `kind`: READ or WRITE, with IMPLICIT added for the CPU's own. Gives the physical
   * address, or −1 with a fault pending.
   */
  translate(low: number, high: number, size: number, kind: number): number {
    // What the CPU does for itself has a supervisor's rights with AC clear, at any CPL.
    const set = (kind & IMPLICIT) !== 0 ? this.#implicitSet : this.#set;
    const known = this.#known(set, low, high, kind & 3);
    if (known >= 0) return known;
    const address = this.#translate(low, high, size, kind);
    if (address >= 0) this.#cache(set, low, high, kind & 3, address);
    return address;
  }

  /**
   * Where in PhysicalMemory.i32 `bytes` bytes lie that may be read or written at once: the software TLB knows the page, and nobody wants to
   * hear of the access. `kind` as for translate. −1: it must be asked for word by word (also where it is not aligned to 4, or crosses a page).
   */
  window(low: number, high: number, bytes: number, kind: number): number {
    const offset = low & 0xfff;
    if ((offset & 3) !== 0 || offset + bytes > 4096) return -1;
    const i32 = this.#i32;
    const set = (kind & IMPLICIT) !== 0 ? this.#implicitSet : this.#set;
    const at = this.#soft.entry(set, (kind & 3) === WRITE ? TLB_WRITE : TLB_READ, low);
    if (i32[at] !== (low & ~0xfff) || i32[at + 1] !== high) return -1;
    return ((i32[at + 3] ?? 0) << 10) + (offset >> 2);
  }

  get #set(): number {
    return this.#i32[TLB_SET >> 2] ?? 0;
  }

  /** The physical address that a set of the software TLB has for an access within one page, −1: none. */
  #known(set: number, low: number, high: number, way: number): number {
    const frame = this.#soft.frameAt(this.#soft.entry(set, way === WRITE ? TLB_WRITE : TLB_READ, low), low, high);
    return frame < 0 ? -1 : frame * 4096 + (low & 0xfff);
  }

  #translate(low: number, high: number, size: number, kind: number): number {
    this.#rights = GRANTS;
    this.#cacheable = true;
    this.#isGlobal = false;
    const offset = low & 0xfff;
    if (!this.paging) return (low >>> 0) + 0;
    const pageLow = (low >>> 12) | (high << 20);
    const pageHigh = (high >>> 12) & 15;
    const user = (kind & IMPLICIT) === 0 && this.#i32[CPL >> 2] === 3;
    const way = kind & 3;
    const translations = this.translations;
    let slot = translations.lookup(pageLow, pageHigh, this.pcid);
    if (slot < 0) {
      slot = this.#fill(low, high, size, pageLow, pageHigh, kind, user);
      if (slot < 0) return -1;
    } else if (
      way === WRITE &&
      ((translations.rights[slot] ?? 0) & RIGHTS.dirty) === 0 &&
      this.#allows(translations.rights[slot] ?? 0, kind, user)
    ) {
      // Of one that is out of date, the software TLB may hold what the walk will not give again.
      if (!this.#isCurrent(slot)) this.#dropSlot(slot, pageLow);
      translations.remove(slot);
      slot = this.#fill(low, high, size, pageLow, pageHigh, kind, user);
      if (slot < 0) return -1;
    }
    const rights = translations.rights[slot] ?? 0;
    if (!this.#allows(rights, kind, user)) {
      this.#dropSlot(slot, pageLow);
      translations.remove(slot);
      this.#watch(low, high, size, kind, rights, user, true);
      return this.#pageFault(low, high, way, user, PF.P);
    }
    if (!this.#isCurrent(slot)) this.#compare(slot, low, high, pageLow, pageHigh, kind);
    this.#watch(low, high, size, kind, rights, user, false);
    this.#rights = translations.rights[slot] ?? 0;
    this.#isGlobal = translations.isGlobal(slot);
    const frame = this.#frameOf(slot, pageLow);
    return frame * 4096 + offset;
  }

  /** Reads bytes into SCRATCH as the CPU itself does (descriptor tables, TSS) when `kind` has IMPLICIT. False: fault pending. */
  readScratch(low: number, high: number, size: number, kind: number): boolean {
    if (size >= 8) {
      const from = this.window(low, high, size, kind);
      if (from >= 0) {
        for (let i = 0; i < size >> 2; i++) this.#i32[(SCRATCH >> 2) + i] = this.physical.i32[from + i] ?? 0;
        return true;
      }
    }
    const split = splitAt(low, size);
    const first = this.translate(low, high, split === 0 ? size : split, kind);
    if (first < 0) return false;
    if (split === 0) {
      this.#scratch.load(first, 0, size);
    } else {
      const second = this.#translateSecond(low, high, split, size, kind);
      if (second < 0) return false;
      this.#scratch.load(first, 0, split);
      this.#scratch.load(second, split, size - split);
    }
    this.#scratch.extend(size);
    return true;
  }

  /** Writes bytes from SCRATCH; all or nothing. */
  writeScratch(low: number, high: number, size: number, kind: number): boolean {
    const split = splitAt(low, size);
    const first = this.translate(low, high, split === 0 ? size : split, kind);
    if (first < 0) return false;
    if (split === 0) {
      this.#scratch.store(first, 0, size);
      return true;
    }
    const second = this.#translateSecond(low, high, split, size, kind);
    if (second < 0) return false;
    this.#scratch.store(first, 0, split);
    this.#scratch.store(second, split, size - split);
    return true;
  }

  // ---- Invalidation -------------------------------------------------------------------------------------------------------------------

  /** INVLPG, or INVPCID type 0 (which leaves global translations alone). */
  invalidatePage(low: number, high: number, pcid: number, globals: boolean): void {
    const pageLow = (low >>> 12) | (high << 20);
    const pageHigh = (high >>> 12) & 15;
    const own = this.translations.invalidatePage(pageLow, pageHigh, pcid);
    const global = globals ? this.translations.invalidatePage(pageLow, pageHigh, GLOBAL_TAG) : 0;
    if ((own | global) > 1) this.#soft.flush();
    else this.#soft.dropPage(pageLow, global !== 0 ? GLOBAL_TAG : pcid);
  }

  /** All translations of a PCID but the global ones. */
  invalidatePcid(pcid: number): void {
    this.translations.flushTag(pcid);
    this.#soft.flushPcid(pcid);
  }

  invalidateAll(globals: boolean): void {
    this.translations.flushAll(globals);
    this.#soft.flush();
  }

  // ---- Stores to watched frames -------------------------------------------------------------------------------------------------------

  tableWritten(frame: number, index: number, beforeLow: number, beforeHigh: number, afterLow: number, afterHigh: number): void {
    if (this.#tables.written(frame, index, beforeLow, beforeHigh, afterLow, afterHigh)) {
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

  /** A dirty list is about to be emptied: stores to its frames must come to PhysicalMemory once more. No other frame's may be quick. */
  dropWrites({ items, length }: FrameList): void {
    for (let n = 0; n < length; n++) this.#soft.dropWritesTo(items[n] ?? 0);
  }

  // ---- Inside -------------------------------------------------------------------------------------------------------------------------

  /** The first (or only) page of a data access by the program; fills the software TLB. −1: fault pending. */
  #resolve(low: number, high: number, size: number, kind: number, access: number): number {
    if (!isCanonical(high)) return -this.#raise((access & ACCESS.stack) !== 0 ? VECTOR.SS : VECTOR.GP, 0);
    if (size <= 8 && (low & (size - 1)) !== 0 && this.#am && this.ac && this.#i32[CPL >> 2] === 3) return -this.#raise(VECTOR.AC, 0);
    const split = splitAt(low, size);
    // The last byte may be non-canonical although the first is not: the top of the lower half.
    if (split !== 0 && (low | 0) >= -4096 && (low | 0) < 0 && high === 0x7fff)
      return -this.#raise((access & ACCESS.stack) !== 0 ? VECTOR.SS : VECTOR.GP, 0);
    return this.translate(low, high, split === 0 ? size : split, kind);
  }

  /** The second page of an access whose first `split` bytes lie in the page before. */
  #translateSecond(low: number, high: number, split: number, size: number, kind: number): number {
    const nextLow = (low + split) | 0;
    // Wraps at 2^32 (outside of 64-bit mode the caller's addresses end there) or carries into the high half.
    const nextHigh = nextLow === 0 && this.paging ? (high + 1) | 0 : high;
    return this.translate(nextLow, nextHigh, size - split, kind);
  }

  /** Enters what #translate found into a set of the software TLB. */
  #cache(set: number, low: number, high: number, way: number, address: number): void {
    if (!this.#cacheable || set === TLB_SETS.slow) return;
    const soft = this.#soft;
    const frame = (address - (low & 0xfff)) / 4096;
    const isRam = frame < this.physical.frames;
    if (way === READ || (this.#rights & ALL_TOLD) === 0)
      soft.enter(soft.entry(set, TLB_READ, low), low, high, frame, !isRam, this.#isGlobal);
    if (way !== WRITE) return;
    if (isRam) this.physical.touch(frame);
    const isGuarded = !this.physical.mayCacheWrites(frame);
    soft.enter(soft.entry(set, TLB_WRITE, low), low, high, frame, isGuarded, this.#isGlobal);
    if (!isGuarded) soft.noteWrite(soft.entry(set, TLB_WRITE, low), frame);
  }

  /** After a store through a guarded entry of the set in use: the next may go the quick way if nobody wants to hear of it. */
  #unguard(low: number, address: number): void {
    const frame = Math.floor(address / 4096);
    if (this.physical.mayCacheWrites(frame)) this.#soft.unguardWrite(this.#soft.entry(this.#set, TLB_WRITE, low), low, frame);
  }

  /** Walks, checks, sets A and D and enters the translation. −1: page fault pending. */
  #fill(low: number, high: number, bytes: number, pageLow: number, pageHigh: number, kind: number, user: boolean): number {
    const walk = this.#walk;
    const way = kind & 3;
    const found = walk.walk(this.root, pageLow, pageHigh, this.#nxe);
    if (found !== WALK.found) return this.#pageFault(low, high, way, user, found === WALK.reserved ? PF.P | PF.RSVD : 0);
    if (!this.#allows(walk.rights, kind, user)) {
      this.#watch(low, high, bytes, kind, walk.rights, user, true);
      return this.#pageFault(low, high, way, user, PF.P);
    }
    const write = way === WRITE;
    if (!walk.accessed || write) walk.markUsed(write);
    const rights = write ? walk.rights | RIGHTS.dirty : walk.rights;
    const size = walk.leafLevel - 1;
    const tag = (rights & RIGHTS.global) !== 0 && this.#globals ? GLOBAL_TAG : this.pcid;
    this.#tables.watch(walk, pageLow, pageHigh, tag);
    if (tag === GLOBAL_TAG && this.translations.mayHaveOwnLarger(size)) {
      // It wins over larger pages of other PCIDs.
      if (size === 0) this.#soft.dropPage(pageLow, GLOBAL_TAG);
      else this.#soft.flush();
    }
    const region = (pageLow >>> 9) | (pageHigh << 23);
    if (size === 0) return this.translations.insert(pageLow, pageHigh, tag, 0, walk.frame, rights, this.#tables.epoch, this.root);
    return this.translations.insert(size === 1 ? region : region >>> 9, 0, tag, size, walk.frame, rights, this.#tables.epoch, this.root);
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
    const size = translations.sizeOf(slot);
    const isLarge = size > 0;
    if (found && nowFrame === frame && (rights & GRANTS & ~nowRights) === 0) {
      // Of a large page these 4 KiB agree; what the tables say of its others is not known.
      if (walk.leafLevel - 1 < size) {
        this.#cacheable = false;
        return;
      }
      translations.epoch[slot] = this.#tables.epoch;
      translations.root[slot] = this.root;
      if ((rights & ALL_TOLD) !== 0) translations.update(slot, rights & ~ALL_TOLD, 0);
      return;
    }
    const seen = (Math.imul(nowFrame + 2, 8) | nowRights) >>> 0;
    const way = kind & 3;
    // Of a large page's code it is told once until the tables agree again: not every fetch comes here.
    const isLargeCode = isLarge && way === EXECUTE;
    const told = rights & (isLargeCode || translations.seen[slot] === seen ? ALL_TOLD : isLarge ? RIGHTS.toldExecute : 0);
    const bit = TOLD[way] ?? 0;
    this.#tables.staleInUse = true;
    // What was told of a large page's data is known for the 4 KiB last used alone: each use must come here.
    if (isLarge) this.#cacheable = false;
    // Kept out of date until each kind was told: the software TLB is filled for the told kind alone.
    if ((told & bit) === 0) {
      // Under another root that agrees, the next use shall come here as well, and take back what was told.
      this.#dropSlot(slot, pageLow);
      translations.epoch[slot] = 0;
      translations.update(slot, (rights & ~ALL_TOLD) | told | bit, isLargeCode ? (translations.seen[slot] ?? 0) : seen);
      this.events?.staleUse(low, high, way, frame, rights, nowFrame, nowRights);
    }
  }

  /** The translation is known to be what the tables of the present root say. */
  #isCurrent(slot: number): boolean {
    return this.translations.epoch[slot] === this.#tables.epoch && this.translations.root[slot] === this.root;
  }

  #tagOf(rights: number): number {
    return (rights & RIGHTS.global) !== 0 && this.#globals ? GLOBAL_TAG : this.pcid;
  }

  /** Drops a translation from the software TLB. */
  #dropSlot(slot: number, pageLow: number): void {
    if (this.translations.sizeOf(slot) > 0) this.#soft.flush();
    else this.#soft.dropPage(pageLow, this.translations.isGlobal(slot) ? GLOBAL_TAG : this.pcid);
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
    if (isUserPage && this.#smap && ((kind & IMPLICIT) !== 0 || !this.ac)) return false;
    return way === READ || !this.#wp || (rights & RIGHTS.write) !== 0;
  }

  #watch(low: number, high: number, size: number, kind: number, rights: number, user: boolean, faulted: boolean): void {
    if (!this.watchSupervisor || user) return;
    const isUserPage = (rights & RIGHTS.user) !== 0;
    if (!isUserPage && !(this.ac && (kind & (EXECUTE | IMPLICIT)) === 0)) return;
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

  /** RFLAGS.AC. */
  get ac(): boolean {
    return ((this.#i32[RFLAGS_REST >> 2] ?? 0) & RFLAGS.ac) !== 0;
  }
}
