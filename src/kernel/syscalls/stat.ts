/** stat, fstat, lstat, newfstatat, access. */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, S_IFCHR, S_IFIFO } from '../abi/constants.ts';
import { EBADF, EFAULT, EINVAL, ENOENT } from '../abi/errno.ts';
import { put32, put64 } from '../abi/numbers.ts';
import type { File } from '../fs/file.ts';
import { KIND_FILE, KIND_PIPE, openFiles } from '../fs/open-file.ts';
import { files, Lookup, ROOT } from '../fs/tree.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import type { Process } from '../task/process.ts';
import { findKnownPath, findPath, pathBuffer } from './path.ts';
import { failure } from './result.ts';

const STAT_BYTES = 144;
const BLOCK: u64 = 4096n;
const DEVICE: u64 = 1n;
const CONSOLE_DEVICE: u64 = 0x501n;

/** struct stat (abi/layouts.ts). */
function writeStat(target: u64, inode: u64, mode: i32, size: u64, device: u64): i64 {
  const image = new Uint8Array(STAT_BYTES);
  put64(image, 0, DEVICE);
  put64(image, 8, inode);
  put64(image, 16, 1n);
  put32(image, 24, u32(mode));
  put64(image, 40, device);
  put64(image, 48, size);
  put64(image, 56, BLOCK);
  put64(image, 64, (size + 511n) / 512n);
  const slice = new UserSlice(target, u64(STAT_BYTES));
  return slice.write(0n, image) ? 0n : failure(EFAULT);
}

function statFile(file: File, target: u64): i64 {
  return writeStat(target, u64(file.index) + 1n, i32(file.mode), file.size, 0n);
}

export function sysFstat(process: Process, fd: i32, target: u64): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  if (open.kind === KIND_FILE) return statFile(open.file, target);
  if (open.kind === KIND_PIPE) return writeStat(target, 0x1_0000n + u64(open.object), S_IFIFO | 0o600, 0n, 0n);
  return writeStat(target, 0x2_0000n, S_IFCHR | 0o620, 0n, CONSOLE_DEVICE);
}

function statPath(process: Process, dirfd: i32, path: u64, target: u64): i64 {
  const found = new Lookup();
  const error = findPath(process, dirfd, path, found);
  if (error !== 0) return failure(error);
  if (found.file < 0) return failure(ENOENT);
  return statFile(files[found.file], target);
}

export function sysStat(process: Process, path: u64, target: u64): i64 {
  return statPath(process, AT_FDCWD, path, target);
}

export function sysLstat(process: Process, path: u64, target: u64): i64 {
  return statPath(process, AT_FDCWD, path, target);
}

export function sysNewfstatat(process: Process, dirfd: i32, path: u64, target: u64, flags: i32): i64 {
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | 0x800)) !== 0) return failure(EINVAL);
  if ((flags & AT_EMPTY_PATH) !== 0) {
    const error = pathBuffer.read(path);
    if (error !== 0) return failure(error);
    if (pathBuffer.length === 0) return dirfd === AT_FDCWD ? statFile(files[ROOT], target) : sysFstat(process, dirfd, target);
    const found = new Lookup();
    const missed = findKnownPath(process, dirfd, found);
    if (missed !== 0) return failure(missed);
    return found.file < 0 ? failure(ENOENT) : statFile(files[found.file], target);
  }
  return statPath(process, dirfd, path, target);
}

export function sysAccess(process: Process, path: u64, mode: i32): i64 {
  if ((mode & ~7) !== 0) return failure(EINVAL);
  const found = new Lookup();
  const error = findPath(process, AT_FDCWD, path, found);
  if (error !== 0) return failure(error);
  return found.file < 0 ? failure(ENOENT) : 0n;
}
