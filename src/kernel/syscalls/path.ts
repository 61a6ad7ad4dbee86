/** Paths from user memory, and the calls on names alone. */
import { AT_FDCWD } from '../abi/constants.ts';
import { EBADF, EEXIST, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOTDIR, ERANGE } from '../abi/errno.ts';
import { KIND_FILE, openFiles } from '../fs/open-file.ts';
import { files, Lookup, lookUp, make, pathOf, ROOT, rename, unlink } from '../fs/tree.ts';
import { readUserString, STRING_FAULT, STRING_LONG, UserSlice } from '../ostd/user-slice.ts';
import { enterDirectory } from '../task/exit.ts';
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
  if (dirfd === AT_FDCWD) return process.directory;
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

export function sysGetcwd(process: Process, buffer: u64, size: u64): i64 {
  if (size === 0n) return failure(EINVAL);
  const length = pathOf(process.directory, pathBuffer.bytes.subarray(0, MOST_PATH_BYTES - 1));
  if (length < 0) return failure(ENOENT);
  if (size <= u64(length)) return failure(ERANGE);
  pathBuffer.bytes[length] = 0;
  const target = new UserSlice(buffer, u64(length) + 1n);
  return target.write(0n, pathBuffer.bytes.subarray(0, length + 1)) ? i64(length) + 1n : failure(EFAULT);
}

export function sysChdir(process: Process, path: u64): i64 {
  const found = new Lookup();
  const error = findPath(process, AT_FDCWD, path, found);
  if (error !== 0) return failure(error);
  if (found.file < 0) return failure(ENOENT);
  if (!files[found.file].isDirectory) return failure(ENOTDIR);
  moveTo(process, found.file);
  return 0n;
}

export function sysFchdir(process: Process, fd: i32): i64 {
  const open = process.descriptors.get(fd);
  if (open < 0) return failure(EBADF);
  if (openFiles[open].kind !== KIND_FILE || !openFiles[open].file.isDirectory) return failure(ENOTDIR);
  moveTo(process, openFiles[open].object);
  return 0n;
}

function moveTo(process: Process, directory: i32): void {
  const before = process.directory;
  enterDirectory(process, directory);
  files[before].opens--;
  files[before].drop();
}

/** The old path is looked up first and only its file is kept: one buffer holds one path at a time. */
export function sysRename(process: Process, from: u64, to: u64): i64 {
  const source = new Lookup();
  const missing = findPath(process, AT_FDCWD, from, source);
  if (missing !== 0) return failure(missing);
  if (source.file < 0) return failure(ENOENT);
  const target = new Lookup();
  const error = findPath(process, AT_FDCWD, to, target);
  if (error !== 0) return failure(error);
  const result = rename(source.file, pathBuffer.text, target);
  return result !== 0 ? failure(result) : 0n;
}

export function sysRmdir(process: Process, path: u64): i64 {
  return unlinkAt(process, AT_FDCWD, path, true);
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
