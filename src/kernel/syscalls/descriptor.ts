/** dup, dup2, dup3, pipe, pipe2, fcntl, ioctl. */
import {
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_APPEND,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from '../abi/constants.ts';
import { EBADF, EFAULT, EINVAL, EMFILE, ENFILE, ENOTTY } from '../abi/errno.ts';
import { put32 } from '../abi/numbers.ts';
import { DESCRIPTORS } from '../fs/descriptors.ts';
import { KIND_PIPE, openFiles, takeOpenFile } from '../fs/open-file.ts';
import { takePipe } from '../ipc/pipe.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { domains } from '../security/domain.ts';
import { closeDescriptor } from '../task/exit.ts';
import type { Process } from '../task/process.ts';
import { failure } from './result.ts';

function duplicate(process: Process, fd: i32, from: i32, closesOnExec: boolean): i64 {
  const open = process.descriptors.get(fd);
  if (open < 0) return failure(EBADF);
  const free = process.descriptors.lowest(from);
  if (free < 0) return failure(EMFILE);
  openFiles[open].references++;
  process.descriptors.set(free, open, closesOnExec);
  return i64(free);
}

export function sysDup(process: Process, fd: i32): i64 {
  return duplicate(process, fd, 0, false);
}

function duplicateTo(process: Process, from: i32, to: i32, closesOnExec: boolean): i64 {
  const open = process.descriptors.get(from);
  if (open < 0 || to < 0 || to >= DESCRIPTORS) return failure(EBADF);
  openFiles[open].references++;
  if (process.descriptors.get(to) >= 0) closeDescriptor(process, to);
  process.descriptors.set(to, open, closesOnExec);
  return i64(to);
}

export function sysDup2(process: Process, from: i32, to: i32): i64 {
  if (from === to) return process.descriptors.get(from) < 0 ? failure(EBADF) : i64(to);
  return duplicateTo(process, from, to, false);
}

export function sysDup3(process: Process, from: i32, to: i32, flags: i32): i64 {
  if ((flags & ~O_CLOEXEC) !== 0 || from === to) return failure(EINVAL);
  return duplicateTo(process, from, to, (flags & O_CLOEXEC) !== 0);
}

export function sysPipe(process: Process, fds: u64): i64 {
  return sysPipe2(process, fds, 0);
}

export function sysPipe2(process: Process, fds: u64, flags: i32): i64 {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return failure(EINVAL);
  const readEnd = process.descriptors.lowest(0);
  const writeEnd = readEnd < 0 ? -1 : process.descriptors.lowest(readEnd + 1);
  if (writeEnd < 0) return failure(EMFILE);
  const domain = domains[process.domain];
  if (!domain.mayPipe()) return failure(ENFILE);

  const pipe = takePipe();
  if (pipe === null) return failure(ENFILE);
  pipe.domain = process.domain;
  domain.pipes++;
  const reader = takeOpenFile(process.domain, KIND_PIPE, pipe.index, O_RDONLY | (flags & O_NONBLOCK));
  if (reader < 0) {
    pipe.readers = 0;
    pipe.writers = 0;
    pipe.drop();
    domain.pipes--;
    return failure(ENFILE);
  }
  const writer = takeOpenFile(process.domain, KIND_PIPE, pipe.index, O_WRONLY | (flags & O_NONBLOCK));
  if (writer < 0) {
    pipe.writers = 0;
    openFiles[reader].release();
    return failure(ENFILE);
  }
  const pair = new Uint8Array(8);
  put32(pair, 0, u32(readEnd));
  put32(pair, 4, u32(writeEnd));
  const target = new UserSlice(fds, 8n);
  if (!target.write(0n, pair)) {
    openFiles[reader].release();
    openFiles[writer].release();
    return failure(EFAULT);
  }
  const closesOnExec = (flags & O_CLOEXEC) !== 0;
  process.descriptors.set(readEnd, reader, closesOnExec);
  process.descriptors.set(writeEnd, writer, closesOnExec);
  return 0n;
}

export function sysFcntl(process: Process, fd: i32, command: i32, argument: i32): i64 {
  const index = process.descriptors.get(fd);
  if (index < 0) return failure(EBADF);
  const open = openFiles[index];
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      if (argument < 0 || argument >= DESCRIPTORS) return failure(EINVAL);
      return duplicate(process, fd, argument, command === F_DUPFD_CLOEXEC);
    case F_GETFD:
      return process.descriptors.closesAtExec(fd) ? i64(FD_CLOEXEC) : 0n;
    case F_SETFD:
      process.descriptors.setCloseAtExec(fd, (argument & FD_CLOEXEC) !== 0);
      return 0n;
    case F_GETFL:
      return i64(open.flags);
    case F_SETFL:
      open.flags = (open.flags & ~(O_APPEND | O_NONBLOCK)) | (argument & (O_APPEND | O_NONBLOCK));
      return 0n;
    default:
      return failure(EINVAL);
  }
}

export function sysIoctl(process: Process, fd: i32, _request: i32, _argument: u64): i64 {
  return failure(process.descriptors.get(fd) < 0 ? EBADF : ENOTTY);
}
