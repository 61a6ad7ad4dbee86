/** The machine's one class: see index.ts for how it is used. The PC itself is in pc.ts. */

import xxhash from 'xxhash-wasm';
import { layOutPvh } from './boot/pvh.ts';
import type { MachineConfig, Stop } from './config.ts';
import type { AddressGuesses } from './cpu/address-log.ts';
import { ATTRIBUTE, highHalf, isCanonical64, lowHalf, SEG } from './cpu/helpers/cpu.ts';
import { CR0, CR3, CR4, EFER, GPR, RIP } from './cpu/state.ts';
import type { TraceLog } from './cpu/trace-log.ts';
import { HARNESS_FIELDS } from './devices/harness.ts';
import { LAPIC_FIELDS } from './devices/lapic.ts';
import { PIC_FIELDS } from './devices/pic.ts';
import { RTC_FIELDS } from './devices/rtc.ts';
import { UART_FIELDS } from './devices/uart.ts';
import type { Host } from './host.ts';
import { bug, UserError } from './isa/bug.ts';
import { FRAME } from './memory/frames.ts';
import { type LeafVisitor, TableInspector, type TableVisitor } from './memory/inspect.ts';
import { WALK } from './memory/ram-code.ts';
import { RIGHTS } from './memory/rights.ts';
import type { TranslationEntry } from './memory/translations.ts';
import { PageWalk, WALKER } from './memory/walk.ts';
import type { Observer } from './observer.ts';
import { Pc } from './pc.ts';
import { CR0 as CR0_BITS, EFER as EFER_BITS } from './platform/bits.ts';
import { MAX_RAM_BYTES, PAGE_BYTES } from './platform/memory-map.ts';
import type { Probes } from './probes.ts';
import { captureRegisters, type RegisterCapture, type Registers, readRegisters } from './registers.ts';
import { setRegister } from './set-register.ts';
import { savedCount } from './snapshot/cpu-fields.ts';
import { StateReader, StateWriter } from './snapshot/fields.ts';
import { component, loadState, type StateOwner, saveHashed, saveTail } from './snapshot/machine-state.ts';
import { type Hash64, MemoryHash } from './snapshot/memory-hash.ts';
import { chunksFrom, PageStore, Snapshot, type SnapshotParts } from './snapshot/snapshot.ts';
import { FormLibrary, type SharedForms } from './translator/form-library.ts';
import type { Recorded } from './translator/recorders.ts';

/** What load() puts into memory. */
export interface Boot {
  /** A PVH ELF64. */
  readonly image: Uint8Array;
  readonly initrd?: Uint8Array;
  /** The kernel's command line. */
  readonly append?: string;
}

/** One step of a page walk: the entry's physical address and value. Level 4 is the PML4E. */
export interface Level {
  readonly level: number;
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
  /** From the root down; empty without paging. */
  readonly levels: readonly Level[];
}

const MIN_RAM_BYTES = 2 << 20;
/** The flat segments of a PVH start: code and data of 4 GiB, a 32-bit TSS. */
const START = { code: 0xc9b, data: 0xc93, tss: 0x8b };

export class Machine {
  readonly config: MachineConfig;
  readonly host: Host;
  readonly #pc: Pc;
  readonly #owner: StateOwner;
  readonly #library: FormLibrary;
  readonly #hash: Hash64;
  readonly #memoryHash: MemoryHash;
  readonly #pages: PageStore;
  readonly #writer = new StateWriter();
  readonly #walk: PageWalk;
  readonly #tables: TableInspector;

  /** `like`: another machine whose compiled code may be shared, or what `shareCode` of one in another thread gave; it is used where `record` is the same. */
  static async create(config: MachineConfig, host: Host, like?: Machine | SharedForms): Promise<Machine> {
    if (config.memoryBytes % PAGE_BYTES !== 0 || config.memoryBytes < MIN_RAM_BYTES || config.memoryBytes > MAX_RAM_BYTES) {
      throw new UserError(`memory of ${config.memoryBytes} bytes: give a multiple of 4096 from 2 MiB to 3 GiB`);
    }
    const { path: hasPath, addresses: hasAddresses } = config.record ?? { path: false, addresses: false };
    const library = libraryLike(like instanceof Machine ? like.#library : like, { hasPath, hasAddresses });
    const { h64Raw } = await xxhash();
    return new Machine(config, host, library, (bytes, seed) => h64Raw(bytes, seed));
  }

  private constructor(config: MachineConfig, host: Host, library: FormLibrary, hash: Hash64) {
    this.config = config;
    this.host = host;
    this.#library = library;
    this.#hash = hash;
    const seed = hash(new TextEncoder().encode(config.seed), 0n);
    const block = new BigUint64Array(1);
    const pc = new Pc(config, host, library, (n) => {
      block[0] = n;
      return hash(new Uint8Array(block.buffer), seed);
    });
    this.#pc = pc;
    this.#memoryHash = new MemoryHash(pc.physical, hash);
    this.#pages = new PageStore(pc.physical);
    this.#walk = new PageWalk(pc.physical, WALKER.outside);
    this.#tables = new TableInspector(pc.physical);
    this.#owner = {
      cpu: pc.cpu,
      run: pc.run,
      components: [
        component(UART_FIELDS, pc.uart),
        component(PIC_FIELDS, pc.pics.master),
        component(PIC_FIELDS, pc.pics.slave),
        component(LAPIC_FIELDS, pc.lapic),
        component(RTC_FIELDS, pc.rtc),
        ...(pc.harness === null ? [] : [component(HARNESS_FIELDS, pc.harness)]),
      ],
      get final() {
        return pc.final;
      },
      set final(value) {
        pc.final = value;
      },
    };
  }

  /** The code that was compiled for it, to be sent to another thread: see `create`. */
  shareCode(): SharedForms {
    return this.#library.share();
  }

  /** Puts a boot image into memory and the CPU at its entry. UserError where the files are bad or do not fit. Once for each machine. */
  load(boot: Boot): void {
    const { cpu, physical, state } = this.#pc;
    if (this.count !== 0n || state.get64(CR0) !== 0n) throw new UserError('this machine has been loaded: make another');
    const { placements, entry, startInfo } = layOutPvh(boot.image, boot.initrd ?? null, boot.append ?? '', this.config.memoryBytes);
    for (const { address, bytes } of placements)
      if (!physical.writeBytes(address, bytes)) bug(`the loader placed bytes at ${address}, outside of RAM`);
    cpu.setSegment(SEG.CS, 0x08, 0, 0, -1, START.code);
    for (const segment of [SEG.ES, SEG.SS, SEG.DS, SEG.FS, SEG.GS]) cpu.setSegment(segment, 0x10, 0, 0, -1, START.data);
    cpu.setSegment(SEG.TR, 0x18, 0, 0, 0x67, START.tss);
    state.set64(CR0, BigInt(CR0_BITS.PE | CR0_BITS.ET));
    state.set64(GPR + 24, BigInt(startInfo));
    state.set64(RIP, BigInt(entry));
    this.#pc.renew();
  }

  // ---- Running --------------------------------------------------------------------------------------------------------------------------

  /** Who is told what happens; null costs nothing. May be changed between runs. */
  get observer(): Observer | null {
    return this.#pc.observer;
  }

  set observer(observer: Observer | null) {
    this.#pc.observe(observer);
  }

  /** Breakpoints and watchpoints, of which the observer is told (see probes.ts); null: none. May be changed between runs. */
  get probes(): Probes | null {
    return this.#pc.probes;
  }

  set probes(probes: Probes | null) {
    this.#pc.probe(probes);
  }

  /** Retired instructions since load(). HLT counts one, however long it waits: virtual time (the TSC) runs ahead of the count by what it skips. */
  get count(): bigint {
    return this.#pc.state.count;
  }

  /**
   * Runs until `until` instructions have retired (an absolute count) or something stops it earlier. What is due at exactly `until` happens in the next run:
   * cutting a run into pieces changes nothing. After a stop, run() goes on (but halt and what ends the CPU stop again at once).
   */
  run(until: bigint): Stop {
    return this.#pc.runUntil(Number(until));
  }

  /** Ends run() after the current instruction; for observers. */
  requestStop(): void {
    this.#pc.requestStop({ reason: 'observer' });
  }

  /** Hands the path recorded so far to observer.path, where recording is on. */
  drainPath(): void {
    this.#pc.drainPath();
  }

  /** Linear addresses of memory operands of the instruction executed last, after a run of one instruction, where they are recorded. */
  get lastAddresses(): readonly bigint[] {
    return this.#pc.interpreter.addresses?.last ?? [];
  }

  /** Of these the one with this number, and what it could have been guessed to be in the block that begins where `beginBlock` was; those behind it are lost. */
  guessesOf(index: number): AddressGuesses | null {
    return this.#pc.interpreter.addresses?.guesses(index) ?? null;
  }

  /** Whether there are so many wrong guesses of addresses that the block should end. */
  get isFullOfAddresses(): boolean {
    const { addresses } = this.#pc.interpreter;
    addresses?.fold();
    return addresses?.isFull ?? false;
  }

  /** A trace block begins here: path and log forget what was before, so that what follows can be read by itself. A path that was not drained is lost. */
  beginBlock(): void {
    this.#pc.beginBlock();
  }

  /** Where an observer with `isLogging` puts its events, beside those that generated code puts there. */
  get log(): TraceLog {
    return this.#pc.log;
  }

  // ---- Registers ------------------------------------------------------------------------------------------------------------------------

  registers(): Registers {
    return readRegisters(this.#pc.cpu);
  }

  /** Copies registers to CAPTURE's indexes, cheaply. */
  captureRegisters(into: RegisterCapture): void {
    captureRegisters(this.#pc.cpu, into);
  }

  /** The current privilege level, 0 … 3. */
  get cpl(): number {
    return this.#pc.cpu.cpl;
  }

  /** One general register by the SDM's number. */
  register(index: number): bigint {
    return this.#pc.cpu.gpr(index);
  }

  get rip(): bigint {
    return this.#pc.state.get64(RIP);
  }

  /** CR3 as last loaded (with the PCID). */
  get cr3(): bigint {
    return this.#pc.state.get64(CR3);
  }

  /** The registers that switch protections, cheaply. */
  get controls(): { readonly cr0: bigint; readonly cr4: bigint; readonly efer: bigint } {
    const { state } = this.#pc;
    return { cr0: state.get64(CR0), cr4: state.get64(CR4), efer: state.get64(EFER) };
  }

  /** How the code at RIP is read now. */
  get codeBits(): 16 | 32 | 64 {
    const { cpu } = this.#pc;
    if (cpu.is64) return 64;
    return cpu.isProtected && (cpu.attributes(SEG.CS) & ATTRIBUTE.big) !== 0 ? 32 : 16;
  }

  /** The frame of the root page table that CR3 names. */
  get rootFrame(): number {
    return this.#pc.mmu.root;
  }

  get rflags(): bigint {
    return this.#pc.state.readRflags();
  }

  /** Ticks until the armed APIC timer interrupts; null where it is not armed or masked. IF is not asked. */
  preemption(): bigint | null {
    const ticks = this.#pc.lapic.preemption;
    return ticks === null ? null : BigInt(ticks);
  }

  // ---- Memory ---------------------------------------------------------------------------------------------------------------------------

  /** The live RAM, for judges that look often: little-endian reads. To be read only; writing to it is a bug of the caller. */
  get ram(): DataView {
    return this.#pc.physical.view;
  }

  /** The address of the first 8 bytes of RAM from `from` on that are not all zero; `to` where there are none. All are multiples of 8. */
  nextUsed(from: number, to: number): number {
    return this.#pc.physical.nextUsed(from, to);
  }

  /** A copy of physical RAM. Throws RangeError outside of it. */
  readPhysical(address: bigint, length: number): Uint8Array {
    const { physical } = this.#pc;
    if (address < 0n || address + BigInt(length) > BigInt(physical.bytes)) throw new RangeError(`no RAM at ${address} for ${length} bytes`);
    return physical.u8.slice(Number(address), Number(address) + length);
  }

  /** Bytes by linear address, by the page tables of `cr3` (default: the current). Null where a page is not mapped to RAM. No side effects. */
  readLinear(address: bigint, length: number, cr3?: bigint): Uint8Array | null {
    const bytes = new Uint8Array(length);
    const { physical } = this.#pc;
    for (let done = 0; done < length; ) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const piece = Math.min(length - done, PAGE_BYTES - Number(at & 0xfffn));
      const translation = this.translate(at, cr3);
      if (translation === null || translation.physical + BigInt(piece) > BigInt(physical.bytes)) return null;
      const from = Number(translation.physical);
      bytes.set(physical.u8.subarray(from, from + piece), done);
      done += piece;
    }
    return bytes;
  }

  /** Walks the page tables without side effects. Null where nothing is mapped. Without paging, the address itself. */
  translate(linear: bigint, cr3?: bigint): Translation | null {
    const { state, cpu } = this.#pc;
    if (!this.#pc.mmu.paging && cr3 === undefined) {
      return { physical: linear & 0xffff_ffffn, writable: true, user: true, executable: true, global: false, size: PAGE_BYTES, levels: [] };
    }
    if (!isCanonical64(linear)) return null;
    const walk = this.#walk;
    const low = lowHalf(linear);
    const high = highHalf(linear);
    const nxe = (cpu.low(EFER) & EFER_BITS.NXE) !== 0;
    const found = walk.walk(frameOf(cr3 ?? state.get64(CR3)), (low >>> 12) | (high << 20), (high >>> 12) & 15, nxe);
    if (found !== WALK.found) return null;
    const size = walk.leafLevel === 1 ? PAGE_BYTES : walk.leafLevel === 2 ? 2 << 20 : 1 << 30;
    const levels: Level[] = [];
    for (let level = 4; level >= walk.leafLevel; level--) {
      const entry = BigInt.asUintN(64, (BigInt(walk.high(level)) << 32n) | BigInt(walk.low(level) >>> 0));
      levels.push({ level, address: BigInt(walk.address(level)), entry });
    }
    return {
      physical: BigInt(walk.frame) * 4096n + (linear & BigInt(size - 1)),
      writable: (walk.rights & RIGHTS.write) !== 0,
      user: (walk.rights & RIGHTS.user) !== 0,
      executable: (walk.rights & RIGHTS.execute) !== 0,
      global: (walk.rights & RIGHTS.global) !== 0,
      size,
      levels,
    };
  }

  /**
   * Visits the present leaves of a root in page order; `from` and `to` bound it in pages (linear address / 4096 within 48 bits: the upper half
   * begins at 2^35). No side effects, and no allocation.
   */
  walkLeaves(cr3: bigint, visit: LeafVisitor, from = 0, to = 2 ** 36): void {
    this.#tables.leaves(frameOf(cr3), from, to, visit);
  }

  /** Visits the frames that hold page tables of a root, each as often as it is reached; `from` and `to` bound it as in walkLeaves. */
  walkTables(cr3: bigint, visit: TableVisitor, from = 0, to = 2 ** 36): void {
    this.#tables.tables(frameOf(cr3), from, to, visit);
  }

  /**
   * A number that changes with each store to a frame (by the guest or the harness, and by a restore() that takes such a store back; not by the walker's
   * A and D bits), from the first call on. Stores to such a frame are slow: for page tables.
   */
  frameVersion(frame: number): number {
    const { physical, mmu } = this.#pc;
    if (((physical.flags[frame] ?? 0) & FRAME.versioned) === 0) {
      physical.beginVersions(frame);
      mmu.watchFrame(frame, FRAME.versioned);
    }
    return physical.version(frame);
  }

  /** A number that changes whenever the version of any frame does. */
  get frameChanges(): number {
    return this.#pc.physical.changes;
  }

  /** Nobody asks for this frame's version any more: stores to it are quick again. Asked once more, it has another one than before. */
  forgetFrameVersion(frame: number): void {
    this.#pc.physical.forgetVersion(frame);
  }

  /**
   * The frames that were stored to (by whomever: the guest, the walker, a device) and those that code ran from, since the last call, in no order. Before the
   * first, and after a hash, a checkpoint or a restore: more or fewer. What runs on has its pages looked up once more: for some 100,000 instructions and more.
   */
  takeTouched(): { readonly written: Uint32Array; readonly executed: Uint32Array } {
    const { mmu, physical, interpreter } = this.#pc;
    mmu.dropWrites(physical.unhashed);
    return { written: this.#memoryHash.takeWritten(), executed: interpreter.codeCache.takeExecuted() };
  }

  /** All translations that were walked and not invalidated since, stale ones included. For reports and tests. */
  translations(): TranslationEntry[] {
    return this.#pc.mmu.translations.entries();
  }

  // ---- Changes from outside: for who goes on from a recorded moment with others ----------------------------------------------------------------

  /** Sets a register by name (set-register.ts). What is derived from it is made anew by a restore(), which has to follow. UserError where it cannot be. */
  setRegister(name: string, value: bigint): void {
    setRegister(this.#pc.state, name, value);
  }

  /** Writes RAM as a device would; false, with nothing written, where there is none for all of the bytes. */
  writePhysical(address: bigint, bytes: Uint8Array): boolean {
    return this.#pc.physical.writeBytes(Number(address), bytes);
  }

  /** The same by linear address, by the page tables of now, whatever they permit. */
  writeLinear(address: bigint, bytes: Uint8Array): boolean {
    if (this.readLinear(address, bytes.length) === null) return false;
    for (let done = 0; done < bytes.length; ) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const piece = Math.min(bytes.length - done, PAGE_BYTES - Number(at & 0xfffn));
      const translation = this.translate(at) ?? bug(`page 0x${at.toString(16)} was mapped`);
      this.writePhysical(translation.physical, bytes.subarray(done, done + piece));
      done += piece;
    }
    return true;
  }

  // ---- State ------------------------------------------------------------------------------------------------------------------------------

  /** The canonical state hash: 16 hexadecimal digits over registers, translations, devices and RAM. Costs what changed since the last. */
  hash(): string {
    const writer = this.#writeHashed();
    this.#pc.mmu.dropWrites(this.#pc.physical.unhashed);
    writer.u64(this.#memoryHash.update());
    return this.#digits(writer);
  }

  /** As hash(), but RAM is left out: it costs the same however much was written. */
  hashWithoutRam(): string {
    return this.#digits(this.#writeHashed());
  }

  #writeHashed(): StateWriter {
    const writer = this.#writer;
    writer.reset();
    saveHashed(this.#owner, writer);
    for (const half of this.#pc.mmu.translations.sum) writer.u32(half);
    return writer;
  }

  #digits({ written }: StateWriter): string {
    return this.#hash(written, 0n).toString(16).padStart(16, '0');
  }

  snapshot(): Snapshot {
    const state = this.#savedState();
    this.#pc.mmu.dropWrites(this.#pc.physical.unsaved);
    return new Snapshot(this.count, state, this.#pages.take());
  }

  /**
   * What a snapshot of this moment would hold: the state, and the frames whose bytes are others than at the last call (the first: than zeros), ascending.
   * The pages are the caller's to copy before the machine runs on: where they are kept elsewhere, this costs less than a snapshot.
   */
  checkpoint(): { readonly state: Uint8Array; readonly frames: Uint32Array } {
    this.#pc.mmu.dropWrites(this.#pc.physical.unhashed);
    this.#memoryHash.update();
    return { state: this.#savedState(), frames: this.#memoryHash.takeChanged() };
  }

  /** Copies a page of RAM into `to`. */
  copyPage(frame: number, to: Uint8Array, at: number): void {
    to.set(this.#pc.physical.u8.subarray(frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES), at);
  }

  #savedState(): Uint8Array {
    const writer = this.#writer;
    writer.reset();
    saveHashed(this.#owner, writer);
    saveTail(this.#owner, writer);
    return writer.written.slice();
  }

  /** Back to a snapshot of this machine, or of one with the same configuration. Costs what was dirtied. A path that was not drained is lost. */
  restore(snapshot: Snapshot): void {
    const { physical, interpreter } = this.#pc;
    this.#pages.restore(snapshot.chunks, (frame) => {
      const flags = physical.flags[frame] ?? 0;
      if ((flags & FRAME.code) !== 0) {
        physical.flags[frame] = flags & ~FRAME.code;
        interpreter.codeCache.written(frame);
      }
    });
    loadState(this.#owner, new StateReader(snapshot.state));
    this.#pc.renew();
  }

  /**
   * restore() from stored parts, over zero RAM. They are not trusted: UserError or RangeError where no machine of this configuration has such a state; this
   * one is of no use then.
   */
  restoreFrom(parts: SnapshotParts): void {
    const chunks = chunksFrom(parts, this.#pc.physical.frames);
    this.restore(new Snapshot(savedCount(parts.state), parts.state, chunks));
    if (!isSame(this.#savedState(), parts.state)) throw new UserError('the state is none that a machine stores');
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function libraryLike(like: FormLibrary | SharedForms | undefined, recorded: Recorded): FormLibrary {
  if (like?.hasPath !== recorded.hasPath || like.hasAddresses !== recorded.hasAddresses) return new FormLibrary(recorded);
  return like instanceof FormLibrary ? like : new FormLibrary({ ...recorded, shared: like });
}

function frameOf(cr3: bigint): number {
  return Number((cr3 >> 12n) & 0xfffffffn);
}
