/** mmap, mprotect, munmap, brk. */
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from '../abi/constants.ts';
import { EACCES, EBADF, EEXIST, EINVAL, ENOMEM, EPERM } from '../abi/errno.ts';
import { KIND_FILE, openFiles } from '../fs/open-file.ts';
import { AddressSpace, DONE } from '../mm/address-space.ts';
import { MAY_READ, MAY_WRITE } from '../ostd/page-table.ts';
import { PAGE, USER_END, USER_FIRST } from '../ostd/virtual-layout.ts';
import type { Process } from '../task/process.ts';
import { failure } from './result.ts';

const PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC;
const MOST_HEAP: u64 = 0x4000_0000n;

/** Up to the next page; 0 where that wraps around. */
function roundUp(bytes: u64): u64 {
  return wrapping.u64(bytes + (PAGE - 1n)) & wrapping.not(PAGE - 1n);
}

/** Writable and executable at once is refused, as where Linux enforces W^X. */
function isWritableCode(protection: i32): boolean {
  return (protection & (PROT_WRITE | PROT_EXEC)) === (PROT_WRITE | PROT_EXEC);
}

/** What may be written or executed may be read: x86 has no other rights. */
function rightsOf(protection: i32): i32 {
  return (protection & PROT_ALL) === 0 ? 0 : (protection & PROT_ALL) | MAY_READ;
}

export function sysMmap(process: Process, address: u64, length: u64, protection: i32, flags: i32, fd: i32, offset: i64): i64 {
  const space = process.space;
  if (space === null) return failure(ENOMEM);
  const sharing = flags & (MAP_SHARED | MAP_PRIVATE);
  if (sharing !== MAP_SHARED && sharing !== MAP_PRIVATE) return failure(EINVAL);
  if (length === 0n || (offset & 0xfffn) !== 0n || (protection & ~PROT_ALL) !== 0) return failure(EINVAL);
  const bytes = roundUp(length);
  if (bytes === 0n || bytes >= USER_END) return failure(ENOMEM);
  if (isWritableCode(protection)) return failure(EACCES);
  // What one process may write another must not execute: shared memory is never code.
  if (sharing === MAP_SHARED && (protection & PROT_EXEC) !== 0) return failure(EACCES);
  const isFile = (flags & MAP_ANONYMOUS) === 0;
  if (isFile) {
    const error = checkFile(process, fd, sharing === MAP_SHARED && (protection & PROT_WRITE) !== 0, offset);
    if (error !== 0) return failure(error);
  }

  const isFixed = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0;
  let start = address & wrapping.not(PAGE - 1n);
  if (isFixed) {
    if ((address & (PAGE - 1n)) !== 0n) return failure(EINVAL);
    if (!AddressSpace.isPlaceable(start, bytes)) return failure(start < USER_FIRST ? EPERM : ENOMEM);
    if (!space.regions.isFree(start, start + bytes)) {
      if ((flags & MAP_FIXED_NOREPLACE) !== 0) return failure(EEXIST);
      if (space.remove(start, start + bytes) !== DONE) return failure(ENOMEM);
    }
  } else if (!AddressSpace.isPlaceable(start, bytes) || !space.regions.isFree(start, start + bytes)) {
    start = space.regions.findRoom(bytes);
    if (start === 0n) return failure(ENOMEM);
  }

  const isShared = sharing === MAP_SHARED;
  if (space.add(start, bytes, rightsOf(protection), isShared) !== DONE) return failure(ENOMEM);
  if (!isFile && !isShared) return i64(start);
  if (space.populate(start, bytes) !== DONE) {
    space.remove(start, start + bytes);
    return failure(ENOMEM);
  }
  if (isFile) fillFromFile(process, space, fd, u64(offset), start, bytes);
  return i64(start);
}

/** A file may be mapped privately, or shared for reading: 0, or the errno. */
function checkFile(process: Process, fd: i32, isSharedWrite: boolean, offset: i64): i32 {
  const index = process.descriptors.get(fd);
  if (index < 0) return EBADF;
  const open = openFiles[index];
  if (open.kind !== KIND_FILE || open.file.isDirectory || !open.mayRead || isSharedWrite) return EACCES;
  return offset < 0n ? EINVAL : 0;
}

function fillFromFile(process: Process, space: AddressSpace, fd: i32, offset: u64, start: u64, bytes: u64): void {
  const file = openFiles[process.descriptors.get(fd)].file;
  for (let at: u64 = 0n; at < bytes; at += PAGE) file.read(offset + at, space.pageBytes(start + at));
}

export function sysMprotect(process: Process, address: u64, length: u64, protection: i32): i64 {
  const space = process.space;
  if (space === null) return failure(ENOMEM);
  if ((address & (PAGE - 1n)) !== 0n || (protection & ~PROT_ALL) !== 0) return failure(EINVAL);
  if (length === 0n) return 0n;
  const bytes = roundUp(length);
  if (bytes === 0n || !AddressSpace.isPlaceable(address, bytes)) return failure(ENOMEM);
  if (isWritableCode(protection)) return failure(EACCES);
  if (!space.regions.isCovered(address, address + bytes)) return failure(ENOMEM);
  if ((protection & PROT_EXEC) !== 0 && space.regions.hasShared(address, address + bytes)) return failure(EACCES);
  return space.protect(address, address + bytes, rightsOf(protection)) === DONE ? 0n : failure(ENOMEM);
}

export function sysMunmap(process: Process, address: u64, length: u64): i64 {
  const space = process.space;
  if (space === null) return failure(EINVAL);
  const bytes = roundUp(length);
  if ((address & (PAGE - 1n)) !== 0n || bytes === 0n) return failure(EINVAL);
  if (address > USER_END || bytes > USER_END - address) return failure(EINVAL);
  const start = address < USER_FIRST ? USER_FIRST : address;
  if (start >= address + bytes) return 0n;
  return space.remove(start, address + bytes) === DONE ? 0n : failure(ENOMEM);
}

/** The heap grows and shrinks by whole pages; where it cannot, the former end is the answer. */
export function sysBrk(process: Process, address: u64): i64 {
  const space = process.space;
  if (space === null) return 0n;
  const unchanged = i64(space.heapEnd);
  if (address < space.heapStart || address - space.heapStart > MOST_HEAP) return unchanged;
  const before = roundUp(space.heapEnd);
  const after = roundUp(address);
  if (after > before) {
    if (!AddressSpace.isPlaceable(before, after - before) || !space.regions.isFree(before, after)) return unchanged;
    if (space.add(before, after - before, MAY_READ | MAY_WRITE, false) !== DONE) return unchanged;
  } else if (after < before) {
    if (space.remove(after, before) !== DONE) return unchanged;
  }
  space.heapEnd = address;
  return i64(address);
}
