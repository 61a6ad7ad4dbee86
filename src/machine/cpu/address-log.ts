/**
 * The addresses of memory operands as a machine writes them down by itself, in linear memory (which accesses these are: replay/addresses.ts).
 *
 * Code appends a word for each access of an instruction that retires: 48 bits of its linear address, the rest is sign, above the 16 bits of its *key*:
 *
 *     bits 13:0   the instruction's RIP plus the access' place among the instruction's accesses (from 0), modulo 2^14
 *     bit 15      it is an access *by the stack*: an implicit one of PUSH, POP, CALL, RET …, or one whose base register is RSP
 *
 * After each slice, and before anybody looks, the words are *folded* (translator/address-code.ts): each address is guessed from those before it, and only
 * what is wrong is written down. All that guesses are made from is kept by key, and 0 at a block's begin:
 *
 *     by the stack   the address of the access by the stack before it (of any key), plus the key's distance from there when it was guessed wrongly last
 *     by stride      the key's last address plus its stride: a difference that it had at two wrong guesses in a row
 *     near           the address of the access before (of any key), plus the key's distance from there when it was guessed wrongly last
 *
 * A key that is not by the stack is guessed by stride at first; where the other of the last two would have been right it is guessed that way from then on.
 * Of each wrong guess two columns tell:
 *
 *     misses        u8: bits 3:0 what is right: 0 OTHER, 8 FOLLOWING, or how many bytes of `differences` say it (1 to 7); bits 7:4 how many right guesses stood
 *                   before it since the last wrong one; 15: how many follows as u32, 15 or more
 *     differences   the address less its guess, little-endian, in as few bytes as hold it: 2·d for d ≥ 0, −2·d − 1 below
 *
 * OTHER: the guess that the key will be guessed by from then on. FOLLOWING: the *change* is that of the last wrong guess in the same circumstances, of which
 * FOLLOWERS are told apart (`circumstances`); the change is the distance from the access by the stack before, or from the key's last address.
 *
 * What is written is a function of the words since `begin`, whenever they were folded.
 */
import type { MemoryOperand } from '../isa/operands.ts';
import { RSP } from '../isa/registers.ts';
import { ADDRESS_NEXT, type CpuState } from './state.ts';

/** Keys of one kind. */
export const KEYS = 1 << 14;
/** Of a key: by the stack. */
export const BY_STACK = 1 << 15;
/** Of each instruction so many accesses are written down at most (an ENTER with nesting makes more). */
export const MOST_ACCESSES = 8;
/** Instructions between two folds. */
export const ADDRESS_SLICE = 1 << 17;
/** So many elements of a string have given its keys the stride of the others. */
export const STEADY = 3;
/** In `misses`. */
export const ADDRESS_GUESS = { other: 0, following: 8, many: 15 } as const;
/** Circumstances that are told apart. */
export const FOLLOWERS = 1 << 14;
/** Multipliers of the key, and of the key's last address or distance by the stack: their low 32 bits are added, and the highest bits of the sum taken. */
export const MIX = { key: 0x85ebca6b | 0, context: 0x9e3779b1 | 0 } as const;

/** A block ends at a multiple of ADDRESS_STRIDE instructions where its columns have this many bytes. */
export const ADDRESS_LIMIT = 8 << 20;
export const ADDRESS_STRIDE = 1 << 18;
/** More than the wrong guesses of ADDRESS_STRIDE instructions take in each column. */
const MISSES_ROOM = 2 * ADDRESS_STRIDE * MOST_ACCESSES;
const DIFFERENCES_ROOM = 7 * ADDRESS_STRIDE * MOST_ACCESSES;

const SLOTS = 4096;
const WAYS = SLOTS + 32 * KEYS;
const DISTANCES = WAYS + KEYS;
const FOLLOWS = DISTANCES + 8 * KEYS;
const MISSES = FOLLOWS + 8 * FOLLOWERS;
/** Until a block ends each column has the limit and what follows up to the next stride; a slice more fits where nobody makes blocks. */
const DIFFERENCES = MISSES + ADDRESS_LIMIT + 2 * MISSES_ROOM + 4096;
/** The word before the first is the last that was folded. */
const WORDS = DIFFERENCES + ADDRESS_LIMIT + 2 * DIFFERENCES_ROOM + 4096;

/** Where the parts lie, from the log's begin on. */
export const ADDRESS_LOG = {
  /** Addresses of the next bytes of both columns. */
  nextMiss: 0,
  nextDifference: 4,
  /** Accesses so far, and right guesses since the last wrong one. */
  count: 8,
  right: 12,
  /** The last access by the stack. */
  stack: 16,
  /** By key that is not by the stack: last address, stride, distance of the near guess, and change at the last wrong guess; 64 bits each. */
  slots: SLOTS,
  stride: SLOTS + 8,
  near: SLOTS + 16,
  change: SLOTS + 24,
  /** Likewise, u8: 1: guessed near. */
  ways: WAYS,
  /** By key, of those by the stack. */
  distances: DISTANCES,
  /** By circumstances. */
  follows: FOLLOWS,
  misses: MISSES,
  differences: DIFFERENCES,
  words: WORDS,
} as const;
export const ADDRESS_LOG_BYTES: number = WORDS + 8 * MOST_ACCESSES * ADDRESS_SLICE + 4096;

/** Whether an explicit memory operand is accessed by the stack. */
export const isByRsp = ({ base }: MemoryOperand): boolean => base === RSP;

/** The addresses since `begin`; views. */
export interface PackedAddresses {
  /** How many accesses there were. */
  readonly count: number;
  readonly misses: Uint8Array;
  readonly differences: Uint8Array;
}

/** An access, and what else it could have been guessed to be. */
export interface AddressGuesses {
  readonly address: bigint;
  readonly first: bigint;
  readonly other: bigint;
  readonly following: bigint;
}

/** The functions of address-code.ts. */
interface AddressCode {
  readonly fold: (base: number) => void;
}

export class AddressLog {
  /** What other generated code may import. */
  readonly exports: Readonly<Record<string, unknown>>;
  readonly #memory: WebAssembly.Memory;
  readonly #base: number;
  readonly #state: CpuState;
  readonly #u32: Uint32Array;
  readonly #code: AddressCode;

  /** `module`: of address-code.ts. `base`: where ADDRESS_LOG_BYTES of the memory are the log's. */
  constructor(memory: WebAssembly.Memory, base: number, state: CpuState, module: WebAssembly.Module) {
    this.#memory = memory;
    this.#base = base;
    this.#state = state;
    this.#u32 = new Uint32Array(memory.buffer, base, ADDRESS_LOG.misses / 4);
    this.exports = new WebAssembly.Instance(module, { env: { memory, addresses: base } }).exports;
    this.#code = this.exports as unknown as AddressCode;
    this.begin();
  }

  /** Forgets all. */
  begin(): void {
    this.#u32.fill(0);
    new BigUint64Array(this.#memory.buffer, this.#base + ADDRESS_LOG.words - 8, 1).fill(0n);
    this.#state.set32(ADDRESS_NEXT, this.#base + ADDRESS_LOG.words);
    this.#empty();
  }

  #empty(): void {
    const u32 = this.#u32;
    u32[ADDRESS_LOG.nextMiss >> 2] = this.#base + ADDRESS_LOG.misses;
    u32[ADDRESS_LOG.nextDifference >> 2] = this.#base + ADDRESS_LOG.differences;
    u32[ADDRESS_LOG.count >> 2] = 0;
    u32[ADDRESS_LOG.right >> 2] = 0;
  }

  /** Takes the words that code has appended. */
  fold(): void {
    this.#code.fold(this.#state.base);
  }

  /** Appends the access of an instruction that has one. */
  add(rip: bigint, linear: bigint, isByStack: boolean): void {
    const state = this.#state;
    const next = state.get32(ADDRESS_NEXT);
    const key = (rip & BigInt(KEYS - 1)) | (isByStack ? BigInt(BY_STACK) : 0n);
    new DataView(this.#memory.buffer).setBigUint64(next, BigInt.asUintN(64, linear << 16n) | key, true);
    state.set32(ADDRESS_NEXT, next + 8);
  }

  /** The linear addresses of the words that were not folded yet: of a single step, those of its instruction. */
  get last(): readonly bigint[] {
    const from = this.#base + ADDRESS_LOG.words;
    const words = new BigInt64Array(this.#memory.buffer, from, (this.#state.get32(ADDRESS_NEXT) - from) / 8);
    return Array.from(words, (word) => BigInt.asUintN(64, word >> 16n));
  }

  /** Word number `index` of those that were not folded: those before it are folded, it and those behind it are lost. */
  guesses(index: number): AddressGuesses | null {
    const { words, stack, slots, stride, near, ways, distances, follows } = ADDRESS_LOG;
    const view = new DataView(this.#memory.buffer, this.#base);
    if (8 * index >= this.#state.get32(ADDRESS_NEXT) - this.#base - words) return null;
    this.#state.set32(ADDRESS_NEXT, this.#base + words + 8 * index);
    this.fold();
    const [word, before] = [view.getBigInt64(words + 8 * index, true), view.getBigInt64(words - 8, true) >> 16n];
    const low = Number(word & 0xffffn);
    const key = low & (KEYS - 1);
    const at = (offset: number) => view.getBigInt64(offset, true);
    const isByStack = (low & BY_STACK) !== 0;
    const context = isByStack ? at(distances + 8 * key) : at(slots + 32 * key);
    const base = isByStack ? at(stack) : context;
    const isNear = !isByStack && view.getUint8(ways + key) === 1;
    const nearGuess = before + at(near + 32 * key);
    const byStride = base + at(stride + 32 * key);
    const mixed = Math.imul(Number(BigInt.asIntN(32, context)), MIX.context) + Math.imul(low, MIX.key);
    const circumstances = (mixed >>> 0) >>> (32 - Math.log2(FOLLOWERS));
    const wrap = (address: bigint) => BigInt.asUintN(64, address);
    return {
      address: wrap(word >> 16n),
      first: wrap(isByStack ? base + context : isNear ? nearGuess : byStride),
      other: wrap(isNear ? byStride : nearGuess),
      following: wrap(base + at(follows + 8 * circumstances)),
    };
  }

  /** Whether a block should end. */
  get isFull(): boolean {
    return this.#missBytes + this.#differenceBytes >= ADDRESS_LIMIT;
  }

  /** Whether ADDRESS_SLICE more instructions have room. */
  get hasRoom(): boolean {
    return this.#missBytes <= ADDRESS_LIMIT + MISSES_ROOM && this.#differenceBytes <= ADDRESS_LIMIT + DIFFERENCES_ROOM;
  }

  get #missBytes(): number {
    return (this.#u32[ADDRESS_LOG.nextMiss >> 2] ?? 0) - this.#base - ADDRESS_LOG.misses;
  }

  get #differenceBytes(): number {
    return (this.#u32[ADDRESS_LOG.nextDifference >> 2] ?? 0) - this.#base - ADDRESS_LOG.differences;
  }

  /** What was folded since the last call. The guesses go on from what was before. */
  take(): PackedAddresses {
    const { buffer } = this.#memory;
    const u32 = this.#u32;
    const taken = {
      count: u32[ADDRESS_LOG.count >> 2] ?? 0,
      misses: new Uint8Array(buffer, this.#base + ADDRESS_LOG.misses, this.#missBytes),
      differences: new Uint8Array(buffer, this.#base + ADDRESS_LOG.differences, this.#differenceBytes),
    };
    this.#empty();
    return taken;
  }
}
