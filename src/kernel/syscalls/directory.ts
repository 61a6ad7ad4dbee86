/** getdents64: the entries of a directory. */
import { EBADF, EFAULT, EINVAL, ENOTDIR } from '../abi/errno.ts';
import { put16, put64 } from '../abi/numbers.ts';
import { KIND_FILE, openFiles } from '../fs/open-file.ts';
import { files, nextChild } from '../fs/tree.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import type { Process } from '../task/process.ts';
import { failure } from './result.ts';

/** struct linux_dirent64: inode 8, offset 8, length 2, type 1, name with its NUL; a multiple of 8 bytes. */
const HEADER_BYTES = 19;
const MOST_ENTRY_BYTES = 280;
const DT_DIR: u8 = 4;
const DT_REG: u8 = 8;
/** Positions 0 and 1 are `.` and `..`; behind them the table's index + FIRST. */
const FIRST = 2;

export function sysGetdents64(process: Process, fd: i32, buffer: u64, count: u64): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  if (open.kind !== KIND_FILE || !open.file.isDirectory) return failure(ENOTDIR);
  const target = new UserSlice(buffer, count);
  if (!target.isValid) return failure(EFAULT);

  const entry = new Uint8Array(MOST_ENTRY_BYTES);
  let done: u64 = 0n;
  while (true) {
    const position = open.position < 0x1_0000n ? i32(open.position) : 0x1_0000;
    const file = fileAt(open.object, position);
    if (file < 0) return i64(done);
    const next = position < FIRST ? position + 1 : file + FIRST + 1;
    const length = fill(entry, file, position, next);
    if (done + u64(length) > count) return done > 0n ? i64(done) : failure(EINVAL);
    if (!target.write(done, entry.subarray(0, length))) return done > 0n ? i64(done) : failure(EFAULT);
    done += u64(length);
    open.position = u64(next);
  }
}

/** The entry at or behind a position; -1: none. */
function fileAt(directory: i32, position: i32): i32 {
  if (position === 0) return directory;
  if (position === 1) return files[directory].parent;
  return nextChild(directory, position - FIRST);
}

function fill(entry: Uint8Array, index: i32, position: i32, next: i32): i32 {
  const file = files[index];
  const dots = bytesOf('..');
  const name = position < FIRST ? dots.subarray(0, position + 1) : file.nameBytes;
  const length = (HEADER_BYTES + name.length + 1 + 7) & ~7;
  entry.fill(0);
  put64(entry, 0, u64(index) + 1n);
  put64(entry, 8, u64(next));
  put16(entry, 16, u16(length));
  entry[18] = file.isDirectory ? DT_DIR : DT_REG;
  entry.set(name, HEADER_BYTES);
  return length;
}
