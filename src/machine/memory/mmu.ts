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
 *  - Paging-structure caches are not modelled: a walk finds what one from CR3 finds (known-tables.ts only begins it later).
 *
 * *Stale* use: the translation grants more than the tables do now, or another frame. It is told once for each kind of access and each
 * state of the tables (code of a large page: once until they agree again), then behaves like any other.
 *
 * All of this is generated code (mmu-code.ts): here is what is rare, and what control registers and invalidations do.
 *
 * Linear addresses are two signed 32-bit halves. Nothing here throws for what a guest can do: faults are left pending in the CPU's state.
 */
import type { Telling } from '../cpu/event-code.ts';
import { type CpuState, FETCH_PHYSICAL, MMU, RFLAGS_REST, SCRATCH, TLB_READ, TLB_SET, TLB_WRITE } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import { RFLAGS } from '../isa/flags.ts';
import type { ProbedAccess } from '../observer.ts';
import { CR0, CR4, EFER } from '../platform/bits.ts';
import { VECTOR } from '../platform/vectors.ts';
import type { Watchpoint } from '../probes.ts';
import { fixedModule } from '../translator/fixed-modules.ts';
import { forgetTables } from './known-tables.ts';
import { isCanonical } from './linear.ts';
import type { MmuCode } from './mmu-code.ts';
import { EXECUTE, IMPLICIT, MMU_CONTROL, WRITE } from './mmu-control.ts';
import type { FrameList, PhysicalMemory } from './physical.ts';
import { type RamCode, WALK } from './ram-code.ts';
import { ALL_TOLD, GRANTS, RIGHTS } from './rights.ts';
import type { RootCode } from './root-code.ts';
import { SoftTlb } from './soft-tlb.ts';
import { TableWatch } from './table-watch.ts';
import { Translations } from './translations.ts';
import { GLOBAL_TAG, SLOT } from './translations-code.ts';
import { PageWalk, WALKER } from './walk.ts';
import type { WatchCode } from './watch-code.ts';
import { Watchpoints } from './watchpoints.ts';

const TOLD: readonly number[] = [RIGHTS.toldRead, RIGHTS.toldWrite, RIGHTS.toldExecute];

/** Who hears of what the MMU sees. `now` is a frame and rights, frame −1: nothing mapped. */
export interface MmuEvents {
  staleUse(low: number, high: number, kind: number, frame: number, rights: number, nowFrame: number, nowRights: number): void;
  supervisorAccess(low: number, high: number, size: number, kind: number, rights: number, faulted: boolean): void;
}

/** What the MMU tells observers of by itself. */
type MmuTelling = Pick<Telling, 'tableChanged' | 'rootChanged'>;
type GeneratedCode = MmuCode & WatchCode & RootCode & RamCode;

const MODULE = fixedModule('mmu');

export class Mmu {
  readonly physical: PhysicalMemory;
  readonly translations = new Translations();
  readonly state: CpuState;
  /** The slow paths of generated code, and what CPU helpers read and write by. */
  readonly code: GeneratedCode;
  readonly soft: SoftTlb;
  /** Told of stores to frames with decoded code. */
  codeWritten: (frame: number, offset: number, length: number) => void = () => {};
  #events: MmuEvents | null = null;
  readonly watchpoints: Watchpoints;

  readonly #walk: PageWalk;
  readonly #i32: Int32Array;

  readonly #tables: TableWatch;

  /** `telling`: of changes of tables while `events` are wanted, and of the root. */
  constructor(state: CpuState, physical: PhysicalMemory, telling: MmuTelling) {
    this.state = state;
    this.physical = physical;
    this.#walk = new PageWalk(physical, WALKER.mmu);
    this.watchpoints = new Watchpoints(state, physical);
    this.#i32 = new Int32Array(state.view.buffer, state.base, state.view.byteLength >> 2);
    this.code = this.#instance(telling);
    physical.useCode(this.code);
    this.soft = new SoftTlb(state, physical, this.code);
    this.#tables = new TableWatch(state, physical, this.translations, this.soft, this.code);
  }

  #instance({ tableChanged, rootChanged }: MmuTelling): GeneratedCode {
    const { state, translations, physical } = this;
    const { flags, lists, unhashed, unsaved, writeEntries, leaves } = physical.tables;
    const env = {
      ...{ memory: physical.memory, translations: translations.memory, base: state.base, ram: physical.ramBase, frames: physical.frames },
      ...{ flags, lists, unhashed, unsaved, writeEntries, leaves, walkAt: this.#walk.at },
      rebuild: () => translations.rebuild(),
      codeWritten: (frame: number, offset: number, length: number) => this.codeWritten(frame, offset, length),
      bump: (frame: number) => physical.bump(frame),
      otherEntry: (frame: number, entry: number) => this.soft.noteOtherEntry(frame, entry),
      watchUpper: (frame: number, tag: number, level: number) => this.#tables.watchUpper(frame, tag, level),
      watchLeaf: (frame: number, region: number, tag: number) => this.#tables.watchLeaf(frame, region, tag),
      idleStore: (frame: number) => this.#tables.idleStore(frame),
      quietTable: (frame: number, isUpper: number) => this.#tables.quietTable(frame, isUpper !== 0),
      upperWritten: (frame: number) => this.#tables.upperWritten(frame),
      tableChanged,
      rootChanged,
      emptySlow: () => this.soft.emptySlow(),
      adopt: (before: number) => {
        if (this.#tables.watchSameUpperHalf(before, this.root)) this.soft.adopt();
      },
      compare: (slot: number, low: number, high: number, pageLow: number, pageHigh: number, kind: number) =>
        this.#compare(slot, low, high, pageLow, pageHigh, kind),
      dropSlot: (slot: number, pageLow: number) => this.#dropSlot(slot, pageLow),
      dropGlobal: (size: number, pageLow: number) => this.#dropGlobal(size, pageLow),
      supervisorAccess: (low: number, high: number, size: number, kind: number, rights: number, isFaulted: number) =>
        this.#supervisorAccess(low, high, size, kind, rights, isFaulted !== 0),
      marked: (address: number) => this.watchpoints.written(address, 8),
      probedPage: (low: number, high: number) => this.watchpoints.kindsOfPage(low, high),
      probed: (low: number, high: number, size: number, kind: number, frame: number) =>
        this.watchpoints.access(low, high, size, kind, frame),
      readDevice: (frame: number, offset: number, at: number, size: number) => this.#readDevice(frame * 4096 + offset, at, size),
      writeDevice: (frame: number, offset: number, at: number, size: number) => this.#writeDevice(frame * 4096 + offset, at, size),
    };
    return new WebAssembly.Instance(MODULE, { env }).exports as unknown as GeneratedCode;
  }

  // ---- What decides about accesses --------------------------------------------------------------------------------------------------------

  #has(bit: number): boolean {
    return (this.state.get32(MMU.control) & bit) !== 0;
  }

  #control(bit: number, isSet: boolean): void {
    const before = this.state.get32(MMU.control);
    this.state.set32(MMU.control, isSet ? before | bit : before & ~bit);
  }

  get paging(): boolean {
    return this.state.get32(MMU.paging) !== 0;
  }

  /** Frame of the root table. */
  get root(): number {
    return this.state.get32(MMU.root);
  }

  get pcid(): number {
    return this.state.get32(MMU.pcid);
  }

  /** CR4.PGE. */
  set globalPages(enabled: boolean) {
    this.#control(MMU_CONTROL.globals, enabled);
  }

  /** Report supervisor accesses to user pages, and all with AC set: keeps them out of the software TLB. */
  set watchSupervisor(enabled: boolean) {
    this.#control(MMU_CONTROL.watchSupervisor, enabled);
  }

  set events(events: MmuEvents | null) {
    this.#events = events;
    this.#control(MMU_CONTROL.events, events !== null);
  }

  /** Accesses that are told from now on, and to whom. The software TLB is empty then. */
  watch(points: readonly Watchpoint[], told: (access: ProbedAccess) => void): void {
    this.watchpoints.set(points, told);
    this.#control(MMU_CONTROL.probes, !this.watchpoints.isEmpty);
    this.soft.flush();
  }

  // ---- What the control registers say -----------------------------------------------------------------------------------------------

  /** Takes over CR0, CR3, CR4 and EFER after a change, and drops the software TLB (never the architectural one). */
  reload(cr0: number, cr3Low: number, cr3High: number, cr4: number, efer: number): void {
    const paging = (cr0 & CR0.PG) !== 0;
    if (paging && (efer & EFER.LMA) === 0) bug('paging that is not that of long mode');
    this.state.set32(MMU.paging, paging ? 1 : 0);
    this.code.useRoot(((cr3High & 0xff) << 20) | (cr3Low >>> 12));
    this.state.set32(MMU.pcid, (cr4 & CR4.PCIDE) === 0 ? 0 : cr3Low & 0xfff);
    this.#control(MMU_CONTROL.nxe, (efer & EFER.NXE) !== 0);
    this.#control(MMU_CONTROL.wp, (cr0 & CR0.WP) !== 0);
    this.#control(MMU_CONTROL.smep, (cr4 & CR4.SMEP) !== 0);
    this.#control(MMU_CONTROL.smap, (cr4 & CR4.SMAP) !== 0);
    this.#control(MMU_CONTROL.am, (cr0 & CR0.AM) !== 0);
    forgetTables(this.state);
    this.soft.flush();
    this.code.select(this.root, this.pcid);
    this.code.renewChoices();
  }

  // ---- Accesses by the CPU itself and by helpers --------------------------------------------------------------------------------------

  /** Makes the translation for an instruction fetch; see cpu/ports.ts. */
  fetch(low: number, high: number): number {
    if (!isCanonical(high)) return this.#raiseGp();
    const frame = this.code.find(low, high, 1, EXECUTE);
    if (frame < 0) return 1;
    this.soft.noteExecute(this.#set, low, frame, this.state.get32(MMU.isGlobal) !== 0);
    this.#i32[FETCH_PHYSICAL >> 2] = frame << 12;
    this.#i32[(FETCH_PHYSICAL >> 2) + 1] = frame >>> 20;
    return 0;
  }

  /** See `Ports.dropCode`. */
  dropCode(physicalPage: number): void {
    this.soft.dropExecutesOf(physicalPage);
  }

  /**
   * Translates one access of `size` bytes within a page. `kind`: READ or WRITE, with IMPLICIT added for the CPU's own. Gives the physical
   * address, or −1 with a fault pending.
   */
  translate(low: number, high: number, size: number, kind: number): number {
    const frame = this.code.translate(low, high, size, kind);
    return frame < 0 ? -1 : frame * 4096 + (low & 0xfff);
  }

  /**
   * Where in PhysicalMemory.i32 `bytes` bytes lie that may be read or written at once: the software TLB knows the page, and nobody wants to
   * hear of the access. `kind` as for translate. −1: it must be asked for word by word (also where it is not aligned to 4, or crosses a page).
   */
  window(low: number, high: number, bytes: number, kind: number): number {
    const offset = low & 0xfff;
    if ((offset & 3) !== 0 || offset + bytes > 4096) return -1;
    const set = (kind & IMPLICIT) !== 0 ? this.state.get32(MMU.implicitSet) : this.#set;
    const host = this.soft.hostAddress(set, (kind & 3) === WRITE ? TLB_WRITE : TLB_READ, low, high);
    return host < 0 ? -1 : (host - this.physical.ramBase) / 4;
  }

  /** Reads bytes into SCRATCH, zero-extended to eight, as the CPU itself does (descriptor tables, TSS) when `kind` has IMPLICIT. False: fault pending. */
  readScratch(low: number, high: number, size: number, kind: number): boolean {
    return this.code.readScratch(low, high, size, kind) !== 0;
  }

  /** Writes bytes from SCRATCH; all or nothing. */
  writeScratch(low: number, high: number, size: number, kind: number): boolean {
    return this.code.writeScratch(low, high, size, kind) !== 0;
  }

  get #set(): number {
    return this.#i32[TLB_SET >> 2] ?? 0;
  }

  // ---- Invalidation -------------------------------------------------------------------------------------------------------------------

  /** INVLPG, or INVPCID type 0 (which leaves global translations alone). */
  invalidatePage(low: number, high: number, pcid: number, globals: boolean): void {
    const pageLow = (low >>> 12) | (high << 20);
    const pageHigh = (high >>> 12) & 15;
    const own = this.translations.invalidatePage(pageLow, pageHigh, pcid);
    const global = globals ? this.translations.invalidatePage(pageLow, pageHigh, GLOBAL_TAG) : 0;
    if ((own | global) > 1) this.soft.flush();
    else this.soft.dropPage(pageLow, global !== 0 ? GLOBAL_TAG : pcid);
  }

  /** All translations of a PCID but the global ones. */
  invalidatePcid(pcid: number): void {
    this.translations.code.flushTag(pcid);
    this.code.flushPcid(pcid);
  }

  invalidateAll(globals: boolean): void {
    this.translations.flushAll(globals);
    this.soft.flush();
  }

  // ---- Frames ---------------------------------------------------------------------------------------------------------------------------

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
    this.soft.dropWritesTo(frame);
  }

  /** A dirty list is about to be emptied: stores to its frames must come to PhysicalMemory once more. No other frame's may be quick. */
  dropWrites({ items, length }: FrameList): void {
    for (let n = 0; n < length; n++) this.soft.dropWritesTo(items[n] ?? 0);
  }

  // ---- What generated code leaves to TypeScript -----------------------------------------------------------------------------------------

  /** From a device to byte `at` of SCRATCH. */
  #readDevice(address: number, at: number, size: number): void {
    for (let done = 0; done < size; ) {
      const piece = size - done >= 4 ? 4 : size - done >= 2 ? 2 : 1;
      const value = this.physical.read(address + done, piece);
      for (let i = 0; i < piece; i++) this.state.view.setUint8(SCRATCH + at + done + i, value >>> (8 * i));
      done += piece;
    }
  }

  #writeDevice(address: number, at: number, size: number): void {
    const { view } = this.state;
    for (let done = 0; done < size; ) {
      const from = SCRATCH + at + done;
      const piece = size - done >= 4 ? 4 : size - done >= 2 ? 2 : 1;
      const value = piece === 4 ? view.getUint32(from, true) : piece === 2 ? view.getUint16(from, true) : view.getUint8(from);
      this.physical.write(address + done, piece, value);
      done += piece;
    }
  }

  /** Drops a page from the software TLB, whoever found it: it becomes global, and wins over larger pages of other PCIDs, or is global no more. */
  #dropGlobal(size: number, pageLow: number): void {
    if (size === 0) this.soft.dropPage(pageLow, GLOBAL_TAG);
    else this.soft.flush();
  }

  /** Compares an entry that is out of date with the tables; tells a stale use. */
  #compare(slot: number, low: number, high: number, pageLow: number, pageHigh: number, kind: number): void {
    const { translations } = this;
    const walk = this.#walk;
    const found = walk.walk(this.root, pageLow, pageHigh, this.#has(MMU_CONTROL.nxe)) === WALK.found;
    const rights = translations.get(slot, SLOT.rights);
    const seenBefore = translations.get(slot, SLOT.seen);
    const frame = this.#frameOf(slot, pageLow);
    const nowFrame = found ? walk.frame + (pageLow & (walk.leafLevel === 1 ? 0 : walk.leafLevel === 2 ? 511 : 262143)) : -1;
    const nowRights = found ? walk.rights & GRANTS : 0;
    // The tables that were read must be watched from now on, whatever they said: they decide when the comparison is due again.
    const key = this.#tagOf(rights);
    this.code.watchWalk(walk.at, pageLow, pageHigh, key);
    const size = translations.sizeOf(slot);
    const isLarge = size > 0;
    if (found && nowFrame === frame && (rights & GRANTS & ~nowRights) === 0) {
      // Of a large page these 4 KiB agree; what the tables say of its others is not known.
      if (walk.leafLevel - 1 < size) {
        this.#keepOut();
        return;
      }
      translations.setEpoch(slot, this.#tables.epoch, this.state.get32(MMU.rootKey));
      if ((rights & ALL_TOLD) !== 0) translations.code.update(slot, rights & ~ALL_TOLD, 0);
      return;
    }
    const seen = (Math.imul(nowFrame + 2, 8) | nowRights) >>> 0;
    const way = kind & 3;
    // Of a large page's code it is told once until the tables agree again: not every fetch comes here.
    const isLargeCode = isLarge && way === EXECUTE;
    const told = rights & (isLargeCode || seenBefore === seen ? ALL_TOLD : isLarge ? RIGHTS.toldExecute : 0);
    const bit = TOLD[way] ?? 0;
    this.#tables.staleInUse = true;
    // What was told of a large page's data is known for the 4 KiB last used alone: each use must come here.
    if (isLarge) this.#keepOut();
    // Kept out of date until each kind was told: the software TLB is filled for the told kind alone.
    if ((told & bit) === 0) {
      // Under another root that agrees, the next use shall come here as well, and take back what was told.
      this.#dropSlot(slot, pageLow);
      translations.setEpoch(slot, 0, this.state.get32(MMU.rootKey));
      translations.code.update(slot, (rights & ~ALL_TOLD) | told | bit, isLargeCode ? seenBefore : seen);
      this.#events?.staleUse(low, high, way, frame, rights, nowFrame, nowRights);
    }
  }

  /** The software TLB must not have what the access found. */
  #keepOut(): void {
    this.state.set32(MMU.isCacheable, 0);
  }

  #tagOf(rights: number): number {
    return (rights & RIGHTS.global) !== 0 && this.#has(MMU_CONTROL.globals) ? GLOBAL_TAG : this.pcid;
  }

  /** Drops a translation from the software TLB. */
  #dropSlot(slot: number, pageLow: number): void {
    if (this.translations.sizeOf(slot) > 0) this.soft.flush();
    else this.soft.dropPage(pageLow, this.translations.isGlobal(slot) ? GLOBAL_TAG : this.pcid);
  }

  /** The frame of the 4 KiB page within the entry's page. */
  #frameOf(slot: number, pageLow: number): number {
    const first = this.translations.get(slot, SLOT.frame);
    const size = this.translations.sizeOf(slot);
    return size === 0 ? first : first + (pageLow & (size === 1 ? 511 : 262143));
  }

  #supervisorAccess(low: number, high: number, size: number, kind: number, rights: number, isFaulted: boolean): void {
    this.#keepOut();
    this.#events?.supervisorAccess(low, high, size, kind, rights, isFaulted);
  }

  /** #GP(0). Gives 1, the ports' word for "fault pending". */
  #raiseGp(): 1 {
    this.state.raise(VECTOR.GP, 0);
    return 1;
  }

  /** RFLAGS.AC. */
  get ac(): boolean {
    return ((this.#i32[RFLAGS_REST >> 2] ?? 0) & RFLAGS.ac) !== 0;
  }
}
