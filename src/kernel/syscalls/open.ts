/** open, openat, close. */
import { AT_FDCWD, O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_TRUNC } from '../abi/constants.ts';
import { EBADF, EEXIST, EINVAL, EISDIR, EMFILE, ENFILE, ENOENT, ENOSPC, ENOTDIR } from '../abi/errno.ts';
import { KIND_FILE, takeOpenFile } from '../fs/open-file.ts';
import { files, Lookup, make } from '../fs/tree.ts';
import { domains } from '../security/domain.ts';
import { closeDescriptor } from '../task/exit.ts';
import type { Process } from '../task/process.ts';
import { findPath, pathBuffer } from './path.ts';
import { failure } from './result.ts';

export function sysOpen(process: Process, path: u64, flags: i32, mode: i32): i64 {
  return sysOpenat(process, AT_FDCWD, path, flags, mode);
}

export function sysOpenat(process: Process, dirfd: i32, path: u64, flags: i32, mode: i32): i64 {
  if ((flags & O_ACCMODE) === O_ACCMODE) return failure(EINVAL);
  const fd = process.descriptors.lowest(0);
  if (fd < 0) return failure(EMFILE);
  if (!domains[process.domain].mayOpen()) return failure(ENFILE);
  const found = new Lookup();
  const error = findPath(process, dirfd, path, found);
  if (error !== 0) return failure(error);
  let file = found.file;
  if (file < 0) {
    if ((flags & O_CREAT) === 0) return failure(ENOENT);
    file = make(pathBuffer.text, found, false, u32(mode & 0o7777), process.domain);
    if (file < 0) return failure(-file);
  } else {
    if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) return failure(EEXIST);
    const isDirectory = files[file].isDirectory;
    if (isDirectory && ((flags & O_ACCMODE) !== O_RDONLY || (flags & (O_CREAT | O_TRUNC)) !== 0)) return failure(EISDIR);
    if (!isDirectory && (flags & O_DIRECTORY) !== 0) return failure(ENOTDIR);
    if ((flags & O_TRUNC) !== 0 && !files[file].adopt(process.domain)) return failure(ENOSPC);
  }
  const open = takeOpenFile(process.domain, KIND_FILE, file, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_DIRECTORY));
  if (open < 0) return failure(ENFILE);
  if ((flags & O_TRUNC) !== 0) files[file].truncate(0n);
  process.descriptors.set(fd, open, (flags & O_CLOEXEC) !== 0);
  return i64(fd);
}

export function sysClose(process: Process, fd: i32): i64 {
  if (process.descriptors.get(fd) < 0) return failure(EBADF);
  closeDescriptor(process, fd);
  return 0n;
}
