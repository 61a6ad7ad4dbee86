/** Paths from user memory, and the calls on names alone. */
import { AT_FDCWD } from '../abi/constants.ts';
import { EBADF, EEXIST, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, ERANGE } from '../abi/errno.ts';
import { KIND_FILE, openFiles } from '../fs/open-file.ts';
import { Lookup, lookUp, make, ROOT, unlink } from '../fs/tree.ts';
import { readUserString, STRING_FAULT, STRING_LONG, UserSlice } from '../ostd/user-slice.ts';
import type { Process } from '../task/process.ts';
import { failure } from './result.ts';

const MOST_PATH_BYTES = 4096;
const AT_REMOVEDIR = 0x200;

/** The path of the call that runs: path calls never block, so one buffer serves all. */
class PathBuffer {
  readonly bytes = new Uint8Array(MOST_PATH_BYTES);
  length: i32 = 0;

  /** Copies the user's string in, once. Returns 0 or an errno. */
  read(address: u64): i32 {
    const length = readUserString(address, this.bytes);
    if (length === STRING_FAULT) return EFAULT;
    if (length === STRING_LONG) return ENAMETOOLONG;
    this.length = length;
    return 0;
  }

  get text(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}
export const pathBuffer = new PathBuffer();

/** The directory from which `dirfd` starts a relative path: its index, or the negative errno. */
function startDirectory(process: Process, dirfd: i32): i32 {
  if (pathBuffer.length > 0 && pathBuffer.bytes[0] === 47) return ROOT;
  if (dirfd === AT_FDCWD) return ROOT;
  const open = process.descriptors.get(dirfd);
  if (open < 0) return -EBADF;
  if (openFiles[open].kind !== KIND_FILE || !openFiles[open].file.isDirectory) return -ENOTDIR;
  return openFiles[open].object;
}

/** Reads the user's path and follows it. Returns 0 or an errno; a missing last name is no error here. */
export function findPath(process: Process, dirfd: i32, path: u64, found: Lookup): i32 {
  const error = pathBuffer.read(path);
  return error !== 0 ? error : findKnownPath(process, dirfd, found);
}

/** As findPath, of the path that pathBuffer holds. */
export function findKnownPath(process: Process, dirfd: i32, found: Lookup): i32 {
  if (pathBuffer.length === 0) return ENOENT;
  const start = startDirectory(process, dirfd);
  if (start < 0) return -start;
  return lookUp(pathBuffer.text, start, found);
}

export function sysGetcwd(_process: Process, buffer: u64, size: u64): i64 {
  if (size === 0n) return failure(EINVAL);
  if (size < 2n) return failure(ERANGE);
  const target = new UserSlice(buffer, 2n);
  const text = new Uint8Array(2);
  text[0] = 47;
  return target.write(0n, text) ? 2n : failure(EFAULT);
}

export function sysMkdir(process: Process, path: u64, mode: i32): i64 {
  const found = new Lookup();
  const error = findPath(process, AT_FDCWD, path, found);
  if (error !== 0) return failure(error);
  if (found.file >= 0) return failure(EEXIST);
  const made = make(pathBuffer.text, found, true, u32(mode & 0o7777), process.domain);
  return made < 0 ? failure(-made) : 0n;
}

function unlinkAt(process: Process, dirfd: i32, path: u64, wantsDirectory: boolean): i64 {
  const found = new Lookup();
  const error = findPath(process, dirfd, path, found);
  if (error !== 0) return failure(error);
  if (found.file < 0) return failure(ENOENT);
  const result = unlink(found.file, wantsDirectory);
  return result !== 0 ? failure(result) : 0n;
}

export function sysUnlink(process: Process, path: u64): i64 {
  return unlinkAt(process, AT_FDCWD, path, false);
}

export function sysUnlinkat(process: Process, dirfd: i32, path: u64, flags: i32): i64 {
  if (flags !== 0 && flags !== AT_REMOVEDIR) return failure(EINVAL);
  return unlinkAt(process, dirfd, path, flags === AT_REMOVEDIR);
}

export function sysReadlink(process: Process, path: u64, buffer: u64, size: u64): i64 {
  return sysReadlinkat(process, AT_FDCWD, path, buffer, size);
}

/** There are no symbolic links: what exists is EINVAL. */
export function sysReadlinkat(process: Process, dirfd: i32, path: u64, _buffer: u64, size: u64): i64 {
  if (size === 0n || size > 0x7fff_ffffn) return failure(EINVAL);
  const found = new Lookup();
  const error = findPath(process, dirfd, path, found);
  if (error !== 0) return failure(error);
  return failure(found.file < 0 ? ENOENT : EINVAL);
}
