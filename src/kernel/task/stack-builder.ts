/**
 * The stack with which a program starts (System V ABI, figure 3.9): argc, argv, envp and the auxiliary vector, and above them the strings, copied
 * once from where they are. Strings go up from the bottom of their area, so that each byte is read a single time.
 */
import { E2BIG, EFAULT, ENOMEM } from '../abi/errno.ts';
import { put64 } from '../abi/numbers.ts';
import { type AddressSpace, DONE } from '../mm/address-space.ts';
import { bytesOfWords } from '../ostd/bits.ts';
import { hardwareRandom, timeNs } from '../ostd/cpu.ts';
import { MAY_READ, MAY_WRITE } from '../ostd/page-table.ts';
import { readUserString, STRING_FAULT, STRING_LONG } from '../ostd/user-slice.ts';
import { PAGE } from '../ostd/virtual-layout.ts';
import type { Loaded } from './elf.ts';

const STACK_TOP: u64 = 0x7fff_ffff_e000n;
const STACK_BYTES: u64 = 8n * 1024n * 1024n;
const STRING_BYTES: u64 = 128n * 1024n;
const STRINGS: u64 = STACK_TOP - STRING_BYTES;
const MOST_WORDS = 1024;

const AT_PHDR: u64 = 3n;
const AT_PHENT: u64 = 4n;
const AT_PHNUM: u64 = 5n;
const AT_PAGESZ: u64 = 6n;
const AT_ENTRY: u64 = 9n;
const AT_UID: u64 = 11n;
const AT_EUID: u64 = 12n;
const AT_GID: u64 = 13n;
const AT_EGID: u64 = 14n;
const AT_CLKTCK: u64 = 17n;
const AT_SECURE: u64 = 23n;
const AT_RANDOM: u64 = 25n;
const AT_EXECFN: u64 = 31n;

class StackBuilder {
  /** The words from RSP up, as they will lie in memory. */
  private readonly words = new BigUint64Array(MOST_WORDS);
  private count: i32 = 0;
  private next: u64 = 0n;
  private argumentCount: u64 = 0n;

  /** Reserves the stack in `space` and starts with no words. Returns 0 or an errno. */
  begin(space: AddressSpace): i32 {
    this.count = 1;
    this.next = STRINGS;
    this.argumentCount = 0n;
    return space.add(STACK_TOP - STACK_BYTES, STACK_BYTES, MAY_READ | MAY_WRITE, false) === DONE ? 0 : ENOMEM;
  }

  private push(word: u64): i32 {
    if (this.count >= MOST_WORDS) return E2BIG;
    this.words[this.count] = word;
    this.count++;
    return 0;
  }

  /** Adds a string of the kernel's. */
  addString(space: AddressSpace, text: Uint8Array): i32 {
    if (this.next + u64(text.length) + 1n > STACK_TOP) return E2BIG;
    if (space.place(this.next, text) !== DONE) return ENOMEM;
    const end = new Uint8Array(1);
    if (space.place(this.next + u64(text.length), end) !== DONE) return ENOMEM;
    const error = this.push(this.next);
    this.next = this.next + u64(text.length) + 1n;
    return error;
  }

  /** Adds a string of the calling process's, which is still in its old address space. */
  addUserString(space: AddressSpace, address: u64): i32 {
    const start = this.next;
    let from = address;
    while (this.next < STACK_TOP) {
      const within = i32(this.next & (PAGE - 1n));
      const page = this.next - u64(within);
      if (space.populate(page, PAGE) !== DONE) return ENOMEM;
      const length = readUserString(from, space.pageBytes(page).subarray(within, 4096));
      if (length === STRING_FAULT) return EFAULT;
      if (length !== STRING_LONG) {
        this.next += u64(length) + 1n;
        return this.push(start);
      }
      from += u64(4096 - within);
      this.next += u64(4096 - within);
    }
    return E2BIG;
  }

  /** Ends argv (the first time) and envp (the second). */
  endList(): i32 {
    if (this.argumentCount === 0n) this.argumentCount = u64(this.count - 1);
    return this.push(0n);
  }

  private pair(key: u64, value: u64): i32 {
    const error = this.push(key);
    return error !== 0 ? error : this.push(value);
  }

  /** The auxiliary vector, and all words into memory. Returns the program's first RSP, or a small errno. */
  finish(space: AddressSpace, loaded: Loaded): u64 {
    const random = (this.next + 15n) & wrapping.not(15n);
    if (random + 16n > STACK_TOP) return u64(E2BIG);
    const seed = new Uint8Array(16);
    put64(seed, 0, hardwareRandom() ?? timeNs());
    put64(seed, 8, hardwareRandom() ?? timeNs());
    if (space.place(random, seed) !== DONE) return u64(ENOMEM);

    this.words[0] = this.argumentCount;
    if (this.count + 28 > MOST_WORDS) return u64(E2BIG);
    this.pair(AT_PHDR, loaded.headers);
    this.pair(AT_PHENT, 56n);
    this.pair(AT_PHNUM, u64(loaded.headerCount));
    this.pair(AT_PAGESZ, PAGE);
    this.pair(AT_ENTRY, loaded.entry);
    this.pair(AT_UID, 0n);
    this.pair(AT_EUID, 0n);
    this.pair(AT_GID, 0n);
    this.pair(AT_EGID, 0n);
    this.pair(AT_CLKTCK, 100n);
    this.pair(AT_SECURE, 0n);
    this.pair(AT_RANDOM, random);
    this.pair(AT_EXECFN, STRINGS);
    this.pair(0n, 0n);

    const bottom = (STRINGS - u64(this.count) * 8n) & wrapping.not(15n);
    if (space.place(bottom, bytesOfWords(this.words.subarray(0, this.count))) !== DONE) return u64(ENOMEM);
    return bottom;
  }
}

/** Building a stack never blocks, so one builder serves all. */
export const stackBuilder = new StackBuilder();
