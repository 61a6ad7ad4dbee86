/** Static ELF64 programs (System V ABI, chapters 4 and 5) → regions and pages of a new address space. */
import { ENOEXEC, ENOMEM } from '../abi/errno.ts';
import { smaller, word64 } from '../abi/numbers.ts';
import type { File } from '../fs/file.ts';
import { AddressSpace, DONE } from '../mm/address-space.ts';
import { MAY_EXECUTE, MAY_READ, MAY_WRITE } from '../ostd/page-table.ts';
import { PAGE } from '../ostd/virtual-layout.ts';

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const MOST_PROGRAM_HEADERS = 16;
const EXECUTABLE = 2;
const SHARED_OBJECT = 3;
const X86_64 = 62;
const PT_LOAD = 1;
const PT_INTERP = 3;
/** Where a position-independent program goes. */
const PIE_BASE: u64 = 0x5555_5555_4000n;
/** Programs end below this: the rest is for mmap and the stack. */
const PROGRAM_END: u64 = 0x7000_0000_0000n;

/** What the start of a program needs to know. */
export class Loaded {
  entry: u64 = 0n;
  /** Address of the program headers in memory, 0: not loaded. */
  headers: u64 = 0n;
  headerCount: i32 = 0;
}

function half(bytes: Uint8Array, at: i32): i32 {
  return bytes[at] | (bytes[at + 1] << 8);
}

function word(bytes: Uint8Array, at: i32): u64 {
  return u64(half(bytes, at)) | (u64(half(bytes, at + 2)) << 16n);
}

/** Loads `file` into `space`. Returns 0 or an errno; after an error the space must be destroyed. */
export function loadElf(file: File, space: AddressSpace, loaded: Loaded): i32 {
  const header = new Uint8Array(HEADER_BYTES);
  if (file.read(0n, header) !== HEADER_BYTES) return ENOEXEC;
  if (word(header, 0) !== 0x464c_457fn || header[4] !== 2 || header[5] !== 1 || half(header, 18) !== X86_64) return ENOEXEC;
  const kind = half(header, 16);
  if (kind !== EXECUTABLE && kind !== SHARED_OBJECT) return ENOEXEC;
  const count = half(header, 56);
  if (half(header, 54) !== PROGRAM_HEADER_BYTES || count === 0 || count > MOST_PROGRAM_HEADERS) return ENOEXEC;

  const bias = kind === SHARED_OBJECT ? PIE_BASE : 0n;
  const tableAt = word64(header, 32);
  if (tableAt > file.size) return ENOEXEC;
  const table = new Uint8Array(PROGRAM_HEADER_BYTES * MOST_PROGRAM_HEADERS);
  const headers = table.subarray(0, count * PROGRAM_HEADER_BYTES);
  if (file.read(tableAt, headers) !== headers.length) return ENOEXEC;

  const entry = word64(header, 24);
  if (entry >= PROGRAM_END) return ENOEXEC;
  loaded.entry = entry + bias;
  loaded.headers = 0n;
  loaded.headerCount = count;
  for (let n = 0; n < count; n++) {
    const program = headers.subarray(n * PROGRAM_HEADER_BYTES, (n + 1) * PROGRAM_HEADER_BYTES);
    const type = word(program, 0);
    if (type === u64(PT_INTERP)) return ENOEXEC;
    if (type !== u64(PT_LOAD)) continue;
    const error = loadSegment(file, space, program, bias);
    if (error !== 0) return error;
    const offset = word64(program, 8);
    if (tableAt >= offset && tableAt - offset < word64(program, 32)) loaded.headers = word64(program, 16) + bias + (tableAt - offset);
  }
  space.heapStart = (space.heapStart + PAGE - 1n) & wrapping.not(PAGE - 1n);
  space.heapEnd = space.heapStart;
  return 0;
}

function loadSegment(file: File, space: AddressSpace, program: Uint8Array, bias: u64): i32 {
  const offset = word64(program, 8);
  const linear = word64(program, 16);
  const fileBytes = word64(program, 32);
  const memoryBytes = word64(program, 40);
  if (memoryBytes === 0n) return 0;
  if (linear >= PROGRAM_END || memoryBytes > PROGRAM_END || linear + memoryBytes > PROGRAM_END) return ENOEXEC;
  if (fileBytes > memoryBytes || offset > file.size || fileBytes > file.size - offset) return ENOEXEC;

  const flags = word(program, 4);
  let rights = MAY_READ;
  if ((flags & 2n) !== 0n) rights |= MAY_WRITE;
  if ((flags & 1n) !== 0n) rights |= MAY_EXECUTE;
  if ((rights & MAY_WRITE) !== 0 && (rights & MAY_EXECUTE) !== 0) return ENOEXEC;

  const start = linear + bias;
  const first = start & wrapping.not(PAGE - 1n);
  const end = (start + memoryBytes + PAGE - 1n) & wrapping.not(PAGE - 1n);
  if (!AddressSpace.isPlaceable(first, end - first) || !space.regions.isFree(first, end)) return ENOEXEC;
  if (space.add(first, end - first, rights, false) !== DONE) return ENOMEM;
  if (fileBytes > 0n) {
    const lastFilled = (start + fileBytes + PAGE - 1n) & wrapping.not(PAGE - 1n);
    if (space.populate(first, lastFilled - first) !== DONE) return ENOMEM;
    fillPages(file, offset, space, start, fileBytes);
  }
  if (end > space.heapStart) space.heapStart = end;
  return 0;
}

function fillPages(file: File, offset: u64, space: AddressSpace, start: u64, bytes: u64): void {
  let done: u64 = 0n;
  while (done < bytes) {
    const at = start + done;
    const within = i32(at & (PAGE - 1n));
    const room = u64(4096 - within);
    const chunk = smaller(room, bytes - done);
    const page = space.pageBytes(at - u64(within));
    file.read(offset + done, page.subarray(within, within + i32(chunk)));
    done += chunk;
  }
}
