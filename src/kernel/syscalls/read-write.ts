/** read, write, pread64, pwrite64, lseek, ftruncate: by what a descriptor stands for. */

import { O_APPEND, O_NONBLOCK, SEEK_CUR, SEEK_END, SEEK_SET, SIGPIPE } from '../abi/constants.ts';
import { EAGAIN, EBADF, EFAULT, EFBIG, EINTR, EINVAL, EISDIR, ENOMEM, ENOSPC, EPIPE, ESPIPE } from '../abi/errno.ts';
import { smaller } from '../abi/numbers.ts';
import { readConsole, writeConsole } from '../drivers/console.ts';
import { type File, MOST_FILE_BYTES } from '../fs/file.ts';
import { KIND_CONSOLE, KIND_FILE, KIND_PIPE, type OpenFile, openFiles } from '../fs/open-file.ts';
import { PIPE_ATOMIC } from '../ipc/pipe.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import type { Process } from '../task/process.ts';
import { channelOfPipe, scheduler } from '../task/scheduler.ts';
import { isInterrupted, send } from '../task/signals.ts';
import { failure } from './result.ts';

/** A transfer is at most this long, as in Linux. */
const MOST_BYTES: u64 = 0x7fff_f000n;
const MOST_OFFSET: u64 = 0x7fff_ffff_ffff_ffffn;

function clamp(count: u64): u64 {
  return smaller(count, MOST_BYTES);
}

export function sysRead(process: Process, fd: i32, buffer: u64, count: u64): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  if (!open.mayRead) return failure(EBADF);
  return readOpen(process, open, buffer, clamp(count));
}

export function readOpen(process: Process, open: OpenFile, buffer: u64, count: u64): i64 {
  const into = new UserSlice(buffer, count);
  if (!into.isValid) return failure(EFAULT);
  if (open.kind === KIND_CONSOLE) return readConsole(into);
  if (open.kind === KIND_PIPE) return readPipe(process, open, into);
  if (open.file.isDirectory) return failure(EISDIR);
  const done = open.file.readToUser(open.position, into);
  if (done < 0n) return failure(EFAULT);
  open.position += u64(done);
  return done;
}

function readPipe(process: Process, open: OpenFile, into: UserSlice): i64 {
  if (into.length === 0n) return 0n;
  const pipe = open.pipe;
  while (pipe.held === 0n) {
    if (pipe.writers === 0) return 0n;
    if ((open.flags & O_NONBLOCK) !== 0) return failure(EAGAIN);
    if (isInterrupted(process)) return failure(EINTR);
    scheduler.block(channelOfPipe(pipe.index));
  }
  const done = pipe.read(into);
  if (done < 0n) return failure(EFAULT);
  scheduler.wake(channelOfPipe(pipe.index));
  return done;
}

export function sysWrite(process: Process, fd: i32, buffer: u64, count: u64): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  if (!open.mayWrite) return failure(EBADF);
  return writeOpen(process, open, buffer, clamp(count));
}

export function writeOpen(process: Process, open: OpenFile, buffer: u64, count: u64): i64 {
  const from = new UserSlice(buffer, count);
  if (!from.isValid) return failure(EFAULT);
  if (open.kind === KIND_CONSOLE) return writeConsole(from);
  if (open.kind === KIND_PIPE) return writePipe(process, open, from);
  const file = open.file;
  if ((open.flags & O_APPEND) !== 0) open.position = file.size;
  const done = writeFile(process, file, open.position, from);
  if (done > 0n) open.position += u64(done);
  return done;
}

function writeFile(process: Process, file: File, offset: u64, from: UserSlice): i64 {
  if (from.length === 0n) return 0n;
  if (offset >= MOST_FILE_BYTES) return failure(EFBIG);
  if (!file.adopt(process.domain)) return failure(ENOSPC);
  const done = file.writeFromUser(offset, from);
  if (done < 0n) return failure(EFAULT);
  return done === 0n ? failure(ENOSPC) : done;
}

/** Writes all, waiting for readers; up to PIPE_ATOMIC bytes in one piece. */
function writePipe(process: Process, open: OpenFile, from: UserSlice): i64 {
  const pipe = open.pipe;
  let done: u64 = 0n;
  if (from.length === 0n) return 0n;
  while (done < from.length) {
    if (pipe.readers === 0) {
      if (done > 0n) return i64(done);
      send(process, SIGPIPE);
      return failure(EPIPE);
    }
    const needed = from.length <= PIPE_ATOMIC ? from.length : 1n;
    if (pipe.room >= needed) {
      const step = pipe.write(from, done);
      if (step < 0n) return done > 0n ? i64(done) : failure(step === -1n ? EFAULT : ENOMEM);
      done += u64(step);
      scheduler.wake(channelOfPipe(pipe.index));
      continue;
    }
    if ((open.flags & O_NONBLOCK) !== 0) return done > 0n ? i64(done) : failure(EAGAIN);
    if (isInterrupted(process)) return done > 0n ? i64(done) : failure(EINTR);
    scheduler.block(channelOfPipe(pipe.index));
  }
  return i64(done);
}

/** The open regular file behind `fd` for a positioned transfer: its index, or the negative errno. */
function positioned(process: Process, fd: i32, offset: i64): i32 {
  const index = process.descriptors.get(fd);
  if (index < 0) return -EBADF;
  if (offset < 0n) return -EINVAL;
  return openFiles[index].kind === KIND_FILE ? index : -ESPIPE;
}

export function sysPread64(process: Process, fd: i32, buffer: u64, count: u64, offset: i64): i64 {
  const index = positioned(process, fd, offset);
  if (index < 0) return failure(-index);
  const open = openFiles[index];
  if (!open.mayRead) return failure(EBADF);
  if (open.file.isDirectory) return failure(EISDIR);
  const into = new UserSlice(buffer, clamp(count));
  if (!into.isValid) return failure(EFAULT);
  const done = open.file.readToUser(u64(offset), into);
  return done < 0n ? failure(EFAULT) : done;
}

export function sysPwrite64(process: Process, fd: i32, buffer: u64, count: u64, offset: i64): i64 {
  const index = positioned(process, fd, offset);
  if (index < 0) return failure(-index);
  const open = openFiles[index];
  if (!open.mayWrite) return failure(EBADF);
  const from = new UserSlice(buffer, clamp(count));
  if (!from.isValid) return failure(EFAULT);
  return writeFile(process, open.file, u64(offset), from);
}

export function sysLseek(process: Process, fd: i32, offset: i64, whence: i32): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  if (open.kind !== KIND_FILE) return failure(ESPIPE);
  let base: u64 = 0n;
  if (whence === SEEK_CUR) base = open.position;
  else if (whence === SEEK_END) base = open.file.size;
  else if (whence !== SEEK_SET) return failure(EINVAL);
  const position = wrapping.u64(base + wrapping.u64(offset));
  if (position > MOST_OFFSET) return failure(EINVAL);
  open.position = position;
  return i64(position);
}

export function sysFtruncate(process: Process, fd: i32, length: u64): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  if (length > MOST_OFFSET || open.kind !== KIND_FILE || !open.mayWrite) return failure(EINVAL);
  if (length > MOST_FILE_BYTES) return failure(EFBIG);
  if (!open.file.adopt(process.domain)) return failure(ENOSPC);
  open.file.truncate(length);
  return 0n;
}
