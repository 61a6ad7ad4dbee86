/**
 * The state of one CPU as it lies in linear memory.
 *
 * Every offset here is relative to the CPU's *base* (a multiple of 4096): generated code gets the base as a parameter, TypeScript
 * reaches the same bytes through `CpuState`. All numbers are little-endian.
 *
 * Words used below:
 * - *carrier*: a flag is not kept as a bit but as a value from which it is read. Carriers are not canonical (many values mean the
 *   same flag); only `readRflags` is, and hashes, snapshots' diffs and traces use that.
 *
 *       CF  i32  0 or 1                        ZF = (ZR == 0)         64 bits
 *       AF  i32  the flag is bit 4             SF = top bit of SR     64 bits (narrower results are stored at the top)
 *       PF  i32  even parity of the low byte   OF = top bit of OV     64 bits (likewise)
 *
 * - *rest*: all other RFLAGS bits at their own positions (TF IF DF IOPL NT RF VM AC VIF VIP ID; bit 1 is always set).
 * - *mode index*: the number that the code cache gave to the current execution mode (code size, CPL, what is enabled). Execute
 *   tags of the software TLB carry it in their low 12 bits.
 * - *count*: retired instructions. Generated code counts down: count = COUNT_END − LEFT.
 *
 * This module never interprets: it lays out, reads and writes.
 */
import { FrameTables } from '../memory/frames.ts';
import { LOG_BYTES, LOG_INSTRUCTIONS } from './trace-log.ts';

/** RAX RCX RDX RBX RSP RBP RSI RDI R8 … R15, eight bytes each, then one slot that is always zero ("no base", "no index"). */
export const GPR = 0x000;
export const GPR_ZERO = 0x080;
export const RIP = 0x088;
export const CF = 0x090;
export const AF = 0x094;
export const PF = 0x098;
export const ZR = 0x0a0;
export const SR = 0x0a8;
export const OV = 0x0b0;
export const RFLAGS_REST = 0x0b8;

/** Segment registers by number: ES CS SS DS FS GS LDTR TR; number 8 is the zero base of "no segment". */
export const SEGMENT_BASE = 0x0c0;
export const SEGMENT_LIMIT = 0x108;
/** As in a descriptor: bits 0–7 the access byte (P DPL S type), bits 8–11 AVL L D/B G, bit 16 unusable (null selector). */
export const SEGMENT_ATTRIBUTES = 0x130;
export const SEGMENT_SELECTOR = 0x158;
export const SEGMENT_UNUSABLE = 1 << 16;

export const GDTR_BASE = 0x180;
export const GDTR_LIMIT = 0x188;
export const IDTR_BASE = 0x190;
export const IDTR_LIMIT = 0x198;
export const CR0 = 0x1a0;
export const CR2 = 0x1a8;
export const CR3 = 0x1b0;
export const CR4 = 0x1b8;
export const EFER = 0x1c8;
/** DR0 … DR7, eight bytes each (4 and 5 are unused). */
export const DR = 0x1d0;
export const XCR0 = 0x210;
/** 64 slots of eight bytes; the system part says which MSR lies where. */
export const MSR = 0x220;
export const MSR_SLOTS = 64;
const msrSlot = (index: number): number => MSR + 8 * index;
/** The MSRs that are plain slots. */
export const MSR_SLOT = {
  STAR: msrSlot(0),
  LSTAR: msrSlot(1),
  CSTAR: msrSlot(2),
  FMASK: msrSlot(3),
  KERNEL_GS_BASE: msrSlot(4),
  PAT: msrSlot(5),
  SPEC_CTRL: msrSlot(6),
} as const;

/** The end (exclusive) of the count of this run, and the instructions that are left until then. */
export const COUNT_END = 0x420;
export const LEFT = 0x428;
export const CPL = 0x42c;
export const MODE_INDEX = 0x430;
/** Offset (from the base) of the TLB set that generated code uses now: one of `TLB_SETS`, or the like of another bank. */
export const TLB_SET = 0x434;

export const FAULT_PENDING = 0x438;
export const FAULT_VECTOR = 0x43c;
export const FAULT_CODE = 0x440;
export const FAULT_HAS_CODE = 0x444;
export const FAULT_CR2 = 0x448;

/** Path recording: absolute addresses of the two columns, and how many bits and targets they hold. */
export const PATH_BITS = 0x450;
export const PATH_TARGETS = 0x454;
export const PATH_BIT_COUNT = 0x458;
export const PATH_TARGET_COUNT = 0x45c;
/** Of the interpreter: the count at which `Interpreter.run` returns (LEFT may be planned for a part of the way only). */
export const RUN_END = 0x460;
/** Return addresses of the calls made (a ring of 32), for the path's "this return matches its call" bit. */
export const RETURN_DEPTH = 0x468;
export const RETURN_TOP = 0x46c;
export const RETURN_STACK = 0x470;
export const RETURN_SLOTS = 32;

/** Derived by the interpreter: what is added to RIP to get a linear address (the base of CS, 0 in 64-bit mode). */
export const CODE_BASE = 0x570;
export const TSC_AUX = 0x578;
/** 64 bytes through which values wider than 64 bits pass between generated code and TypeScript. */
export const SCRATCH = 0x580;
export const MXCSR = 0x5c0;
/** Interrupts are held off while the count is below this (STI, MOV SS, POP SS; kept by the helpers). */
export const INTERRUPT_SHADOW = 0x5c8;
export const TSC_OFFSET = 0x5d0;
/** Derived, like CODE_BASE: linear addresses of code are taken modulo this plus one. */
export const CODE_MASK = 0x5d8;
/** For the system part alone; generated code does not read it. */
export const STOP_REQUEST = 0x5e0;
/** x87 control, status and full tag word, a 32-bit slot each (16 bits used). */
export const FCW = 0x5f0;
export const FSW = 0x5f4;
export const FTW = 0x5f8;
/** Where `run` leaves the address of the head that became hot. */
export const HOT_HEAD = 0x5fc;
/** Where `Ports.fetch` leaves the physical address of the page. */
export const FETCH_PHYSICAL = 0x5e8;
/** XMM0 … XMM15, 16 bytes each. */
export const XMM = 0x600;
/** The x87 part of an FXSAVE image (512 bytes; its XMM and MXCSR fields are not used). */
export const X87 = 0x700;
/** End of what a snapshot keeps; what follows is derived and may be dropped at any time. */
export const CPU_STATE_BYTES = 0x900;
/** What TLB_SET becomes with the privilege: CPL 0–2 with AC clear, with AC set, CPL 3 with AC clear, with AC set; 32 bits each. */
export const TLB_CHOICES = 0x900;
/** 1: an interrupt waits for nothing but RFLAGS.IF (and the interrupt shadow). */
export const INTERRUPT_PENDING = 0x910;
/** Bits of OBSERVED: 1, somebody in TypeScript is told what happens; 2, it is added to the log (trace-log.ts). */
export const OBSERVED = 0x914;
export const OBSERVED_BY = { told: 1, logged: 2 } as const;
/** 1: the instruction that runs takes no single-step trap, since it delivered an event or loaded SS. */
export const STEP_DONE = 0x918;
/** 1: an NMI is in service or waits, so that an IRET matters to it. */
export const NMI_MATTERS = 0x91c;
/** Exceptions delivered since an instruction last retired (32 bits), and the count at which (64). A snapshot has them with the run's state. */
export const DELIVERIES = 0x920;
export const DELIVERED_AT = 0x928;
/** Address recording: where code appends the next word (address-log.ts). */
export const ADDRESS_NEXT = 0x930;
/** 1: the next breakpoint is not one to leave at, since it was told. */
export const PASS_BREAKPOINT = 0x934;

/**
 * The MMU's words (memory/mmu.ts), 32 bits each: what control registers say, what page tables are compared by, and what the last translation found.
 */
export const MMU = {
  /** The root table by its frame and how often it has changed: what a translation was found in (memory/table-watch.ts). */
  rootKey: 0x9fc,
  paging: 0xa00,
  /** Frame of the root table, and the PCID. */
  root: 0xa04,
  pcid: 0xa08,
  /** Bits of MMU_CONTROL (memory/mmu-control.ts). */
  control: 0xa0c,
  /** The set for what the CPU does for itself. */
  implicitSet: 0xa10,
  /** Translations with another epoch are outdated. */
  epoch: 0xa14,
  /** A stale translation was used in this epoch: entries that were not present matter now, too. */
  staleInUse: 0xa18,
  /** What the last translation found: whether the software TLB may have it, whether it is global, and its rights. */
  isCacheable: 0xa1c,
  isGlobal: 0xa20,
  rights: 0xa24,
  /** The number of the current bank. */
  bank: 0xa28,
  /** Execute entries of the software TLB were dropped: so often, or more. */
  executeDrops: 0xa2c,
  /** The store to a page table that was let through last: its frame, where in it, and (64 bits) what was there. */
  storedFrame: 0xa30,
  storedAt: 0xa34,
  storedOver: 0xa38,
  /** A bit for each bank of the software TLB that was ever selected. */
  usedBanks: 0xa40,
  /** As `bank`, before it was selected. */
  bankBefore: 0xa44,
  /** Execute entries that were filled in the set of no bank. */
  slowEntries: 0xa50,
  /** 64 bits each: linear pages with watchpoints, by their numbers modulo 64; where the first of them begins and the last ends (48 bits), and of those by physical address. */
  probedPages: 0xa48,
  probedFrom: 0x9d8,
  probedTo: 0x9e0,
  probedPhysicalFrom: 0x9e8,
  probedPhysicalTo: 0x9f0,
} as const;
/** Last-level page tables that walks came to (memory/known-tables.ts): where they lie, and their words of 32 bits. */
export const KNOWN_TABLE = { at: 0xa80, root: 0, region: 4, frame: 8, rights: 12, owner: 16 } as const;
export const KNOWN_TABLE_BYTES = 32;
/** A power of two. */
export const KNOWN_TABLES = 16;

/**
 * Software TLB: direct-mapped by linear page number. An entry is 16 bytes:
 *
 *     0  i64  tag: data: the linear page address; execute: linear page address | mode index. −1: empty
 *     8  i32  data: addend, host address = low 32 bits of the linear address + addend; execute: address of the page's entry table
 *    12  i32  data: the physical page number; execute: the number of the code page (cpu/code-pages.ts)
 *
 * A data access hits when the page of its *last* byte equals the tag found by the page of its first byte: page-straddling
 * accesses always miss. A data entry whose tag has bit 0 set is *guarded*: it never hits, but the slow path finds the translation in it.
 *
 * Entries come in *sets*, one per kind of privilege, so that a change of CPL or AC flushes nothing, and sets in *banks*, one per PCID (by
 * its low bits), so that a change of the address space flushes nothing. TLB_SET names the set in use.
 */
export const TLB_ENTRIES = 512;
export const TLB_ENTRY_BYTES = 16;
const TLB_ARRAY_BYTES = TLB_ENTRIES * TLB_ENTRY_BYTES;
/** Offset of a page's entry within an array. `pageLow`: the low bits of linear address / 4096. */
export const tlbIndex = (pageLow: number): number => (pageLow & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES;
/** The arrays of a set, by their offsets in it. */
export const TLB_READ = 0;
export const TLB_WRITE = TLB_ARRAY_BYTES;
export const TLB_EXECUTE = 2 * TLB_ARRAY_BYTES;
const TLB_SET_BYTES = 3 * TLB_ARRAY_BYTES;
const TLB_START = 0x1000;
/** Offsets of bank 0's sets; those of bank n are n · TLB_BANK_BYTES further on. */
export const TLB_SETS = {
  /** Of no bank. Its data arrays are never filled: every access takes the slow path (alignment checks). */
  slow: TLB_START,
  /** CPL 0–2, user pages only as SMAP allows with AC clear. */
  supervisor: TLB_START + TLB_SET_BYTES,
  /** CPL 0–2 with AC set. */
  supervisorAc: TLB_START + 2 * TLB_SET_BYTES,
  user: TLB_START + 3 * TLB_SET_BYTES,
} as const;
export const TLB_BANKS = 16;
export const TLB_BANK_BYTES = 3 * TLB_SET_BYTES;
const TLB_END = TLB_START + TLB_SET_BYTES + TLB_BANKS * TLB_BANK_BYTES;

/** Of a bank: whom it serves (−1: nobody yet), and the addresses of entries that were filled with its PCID's own translations, and with global ones. */
export const FILLED_ITEMS = 1024;
export const BANK = { pcid: 0, root: 4, own: 8, global: 12, ownItems: 16, globalItems: 16 + 4 * FILLED_ITEMS } as const;
export const BANKS = TLB_END;
export const BANK_BYTES = 16 + 8 * FILLED_ITEMS;
/** Everything of one CPU, a multiple of 4096. */
export const CPU_BYTES = (BANKS + TLB_BANKS * BANK_BYTES + 0xfff) & ~0xfff;

/** The `access` argument of slow paths: the low byte is the size in bytes (1 2 4 8 16), the rest are these bits. */
export const ACCESS = {
  size: 0xff,
  /** A load that is the first half of a read-modify-write: it needs write rights and its fault is a write's. */
  modify: 1 << 8,
  /** By the stack segment: a non-canonical address is #SS instead of #GP. */
  stack: 1 << 9,
  /** Of a refill for a store of 8 bytes: the code tells of the store when it is made. */
  tells: 1 << 10,
} as const;

/** The bits of RFLAGS that are kept in RFLAGS_REST, bit 1 (always set) among them. */
export const RFLAGS_REST_MASK = 0x3f_7702;

/** Where the parts lie in the one memory; `ramBase` is where guest physical address 0 is. */
export interface MemoryLayout {
  readonly cpuBase: number;
  readonly pathBitsBase: number;
  readonly pathTargetsBase: number;
  /** Of the log (trace-log.ts). */
  readonly logBase: number;
  /** Of the addresses of memory operands (address-log.ts). */
  readonly addressBase: number;
  readonly codeBase: number;
  readonly codeBytes: number;
  readonly ramBase: number;
  readonly ramBytes: number;
  readonly totalBytes: number;
}

/** Instructions whose bits and targets are kept until they are drained; each adds at most one of both. */
export const PATH_BLOCK: number = LOG_INSTRUCTIONS;
/** The most instructions between two returns from generated code: without them V8 could not replace the body by its optimised version. */
export const SLICE = 1 << 20;
const PATH_BITS_BYTES = PATH_BLOCK / 8 + 4096;
/** Targets go on into the log after each slice. */
const PATH_TARGETS_BYTES = SLICE * 8 + 4096;

/**
 * Lays one CPU, its path buffers, its log, `addressBytes` for those of memory operands, the decoded-code cache, `ramBytes` of guest RAM (a multiple of 4096)
 * and what is kept of its frames into one memory.
 */
export function layoutMemory(ramBytes: number, codeBytes = 48 << 20, addressBytes = 0): MemoryLayout {
  const cpuBase = 4096;
  const pathBitsBase = cpuBase + CPU_BYTES;
  const pathTargetsBase = pathBitsBase + PATH_BITS_BYTES;
  const logBase = pathTargetsBase + PATH_TARGETS_BYTES;
  const addressBase = (logBase + LOG_BYTES + 4095) & ~4095;
  const codeBase = (addressBase + addressBytes + 4095) & ~4095;
  const ramBase = (codeBase + codeBytes + 0xffff) & ~0xffff;
  const totalBytes = new FrameTables(ramBase + ramBytes, Math.ceil(ramBytes / 4096)).end;
  return { cpuBase, pathBitsBase, pathTargetsBase, logBase, addressBase, codeBase, codeBytes, ramBase, ramBytes, totalBytes };
}

/** One CPU's state, read and written from TypeScript. All values are unsigned; the memory must not grow. */
export class CpuState {
  readonly base: number;
  readonly view: DataView;
  readonly gpr: BigUint64Array;
  readonly #i32: Int32Array;
  readonly #u64: BigUint64Array;

  constructor(memory: WebAssembly.Memory, base: number) {
    this.base = base;
    this.view = new DataView(memory.buffer, base, CPU_BYTES);
    this.gpr = new BigUint64Array(memory.buffer, base + GPR, 16);
    this.#i32 = new Int32Array(memory.buffer, base, CPU_BYTES / 4);
    this.#u64 = new BigUint64Array(memory.buffer, base, CPU_BYTES / 8);
  }

  /** The state of the processor before any reset: all zero, but with an empty TLB and RFLAGS = 2. */
  clear(): void {
    this.#i32.fill(0, 0, TLB_START / 4);
    this.rflags = 2;
    this.#i32.set([TLB_SETS.supervisor, TLB_SETS.supervisorAc, TLB_SETS.user, TLB_SETS.user], TLB_CHOICES >> 2);
    this.chooseTlbSet();
    this.flushTlb();
  }

  get32(offset: number): number {
    return (this.#i32[offset >> 2] ?? 0) >>> 0;
  }

  set32(offset: number, value: number): void {
    this.#i32[offset >> 2] = value;
  }

  get64(offset: number): bigint {
    return this.#u64[offset >> 3] ?? 0n;
  }

  set64(offset: number, value: bigint): void {
    this.#u64[offset >> 3] = value;
  }

  /** A 64-bit slot by its 32-bit halves. */
  setHalves(offset: number, low: number, high: number): void {
    this.#i32[offset >> 2] = low;
    this.#i32[(offset >> 2) + 1] = high;
  }

  get rip(): bigint {
    return this.get64(RIP);
  }

  set rip(value: bigint) {
    this.set64(RIP, value);
  }

  /** A 64-bit slot as a number: exact below 2^53. */
  number64(offset: number): number {
    const at = offset >> 2;
    return ((this.#i32[at + 1] ?? 0) >>> 0) * 2 ** 32 + ((this.#i32[at] ?? 0) >>> 0);
  }

  /** `value`: a whole number, not negative. */
  setNumber64(offset: number, value: number): void {
    const at = offset >> 2;
    this.#i32[at] = value;
    this.#i32[at + 1] = Math.floor(value / 2 ** 32);
  }

  /** Retired instructions. */
  get count(): bigint {
    return BigInt(this.retired);
  }

  /** The count as a number. */
  get retired(): number {
    return this.number64(COUNT_END) - this.get32(LEFT);
  }

  /**
   * Sets the count and plans `left` more instructions; only outside of `Interpreter.run`, which does this itself. (The count is kept as an
   * end and a distance, so that generated code changes one 32-bit number an instruction.)
   */
  setCount(count: number, left = 0): void {
    this.setNumber64(COUNT_END, count + left);
    this.set32(LEFT, left);
  }

  /**
   * Asks the running loop to leave when at most `left` more instructions have retired, the one that runs now included: for slow
   * paths and helpers that make an earlier event due. `left` ≥ 1.
   */
  shortenBudget(left: number): void {
    const end = this.retired + left;
    if (end < this.number64(RUN_END)) this.setNumber64(RUN_END, end);
    const now = this.get32(LEFT);
    if (left >= now) return;
    this.setNumber64(COUNT_END, end);
    this.set32(LEFT, left);
  }

  /** The canonical RFLAGS, all of which lie in bits 21:0. */
  get rflags(): number {
    const i32 = this.#i32;
    const cf = (i32[CF >> 2] ?? 0) & 1;
    const pf = evenParity(i32[PF >> 2] ?? 0) << 2;
    const af = (i32[AF >> 2] ?? 0) & 16;
    const zf = ((i32[ZR >> 2] ?? 0) | (i32[(ZR >> 2) + 1] ?? 0)) === 0 ? 64 : 0;
    const sf = ((i32[(SR >> 2) + 1] ?? 0) >>> 31) << 7;
    const of = ((i32[(OV >> 2) + 1] ?? 0) >>> 31) << 11;
    return (i32[RFLAGS_REST >> 2] ?? 0) | cf | pf | af | zf | sf | of;
  }

  /** Sets RFLAGS; bits that do not exist are dropped, bit 1 is set. Call what follows a change of AC, TF or IF yourself. */
  set rflags(value: number) {
    const i32 = this.#i32;
    i32[CF >> 2] = value & 1;
    i32[PF >> 2] = (value & 4) !== 0 ? 0 : 1;
    i32[AF >> 2] = value & 16;
    i32[ZR >> 2] = (value & 64) !== 0 ? 0 : 1;
    i32[(ZR >> 2) + 1] = 0;
    i32[SR >> 2] = 0;
    i32[(SR >> 2) + 1] = (value & 128) << 24;
    i32[OV >> 2] = 0;
    i32[(OV >> 2) + 1] = (value & 2048) << 20;
    this.rflagsRest = value;
  }

  /** `rflags` as 64 bits. */
  readRflags(): bigint {
    return BigInt(this.rflags);
  }

  writeRflags(value: bigint): void {
    this.rflags = Number(BigInt.asUintN(22, value));
  }

  /** Rest bits as a number (IF, DF, TF, AC … at their RFLAGS positions); carriers are not touched. */
  get rflagsRest(): number {
    return this.get32(RFLAGS_REST);
  }

  set rflagsRest(value: number) {
    this.#i32[RFLAGS_REST >> 2] = (value & RFLAGS_REST_MASK) | 2;
    this.#i32[(RFLAGS_REST >> 2) + 1] = 0;
  }

  xmm(index: number): bigint {
    const at = XMM + 16 * index;
    return this.get64(at) | (this.get64(at + 8) << 64n);
  }

  setXmm(index: number, value: bigint): void {
    const at = XMM + 16 * index;
    this.set64(at, BigInt.asUintN(64, value));
    this.set64(at + 8, BigInt.asUintN(64, value >> 64n));
  }

  /** After a change of CPL, AC or TLB_CHOICES. */
  chooseTlbSet(): void {
    const privilege = (this.get32(CPL) === 3 ? 2 : 0) | ((this.get32(RFLAGS_REST) >>> 18) & 1);
    this.#i32[TLB_SET >> 2] = this.#i32[(TLB_CHOICES >> 2) + privilege] ?? 0;
  }

  /** Makes a fault pending: its delivery is the caller's of `Interpreter.run`. */
  raise(vector: number, code: number | null, cr2?: bigint): void {
    this.set32(FAULT_PENDING, 1);
    this.set32(FAULT_VECTOR, vector);
    this.set32(FAULT_HAS_CODE, code === null ? 0 : 1);
    this.set32(FAULT_CODE, code ?? 0);
    if (cr2 !== undefined) this.set64(FAULT_CR2, cr2);
  }

  get faultPending(): boolean {
    return this.get32(FAULT_PENDING) !== 0;
  }

  clearFault(): void {
    this.set32(FAULT_PENDING, 0);
  }

  /** Forgets the calls made (path recording): at each interrupt, exception or change of privilege, and at the borders of trace blocks. */
  clearReturnStack(): void {
    this.set32(RETURN_DEPTH, 0);
  }

  /** Empties every array of the software TLB. */
  flushTlb(): void {
    this.#i32.fill(-1, TLB_START >> 2, TLB_END >> 2);
  }

  /** Empties the execute arrays only. */
  flushExecuteTlb(): void {
    for (let set = TLB_START; set < TLB_END; set += TLB_SET_BYTES) {
      this.#i32.fill(-1, (set + TLB_EXECUTE) >> 2, (set + TLB_SET_BYTES) >> 2);
    }
  }

  /** Fills one data entry: `set` of `TLB_SETS`, `kind` TLB_READ or TLB_WRITE, `hostPage` the address in the memory. */
  fillTlb(set: number, kind: number, linear: bigint, hostPage: number, extra = 0): void {
    const page = BigInt.asUintN(64, linear) & ~0xfffn;
    const at = set + kind + tlbIndex(Number((page >> 12n) & 0xffffn));
    this.set64(at, page);
    this.set32(at + 8, hostPage - Number(page & 0xffff_ffffn));
    this.set32(at + 12, extra);
  }
}

/** 1 when the low byte has an even number of set bits (PF's meaning). */
function evenParity(value: number): number {
  let v = value & 0xff;
  v ^= v >> 4;
  v ^= v >> 2;
  v ^= v >> 1;
  return ~v & 1;
}
