/** fork, vfork, and clone as far as it makes processes. */
import { CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_PARENT_SETTID, CLONE_VFORK, CLONE_VM, SIGCHLD } from '../abi/constants.ts';
import { EFAULT, EINVAL } from '../abi/errno.ts';
import { isUserRange, UserSlice } from '../ostd/user-slice.ts';
import { forkFailure, forkProcess } from '../task/fork.ts';
import type { Process } from '../task/process.ts';
import { failure } from './result.ts';

const ACCEPTED = 0xff | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID;

export function sysFork(process: Process): i64 {
  const child = forkProcess(process);
  return child === null ? failure(forkFailure.error) : i64(child.pid);
}

/** The child gets a copy of the memory: a program that keeps to vfork's rules sees no difference. */
export function sysVfork(process: Process): i64 {
  return sysFork(process);
}

export function sysClone(process: Process, flags: i32, stack: u64, parentTid: u64, childTid: u64, _tls: u64): i64 {
  const signal = flags & 0xff;
  if ((flags & ~ACCEPTED) !== 0 || (signal !== 0 && signal !== SIGCHLD)) return failure(EINVAL);
  if ((flags & CLONE_VM) !== 0 && (flags & CLONE_VFORK) === 0) return failure(EINVAL);
  if (stack !== 0n && !isUserRange(stack - 1n, 1n)) return failure(EINVAL);
  if ((flags & CLONE_PARENT_SETTID) !== 0) {
    const word = new UserSlice(parentTid, 4n);
    if (!word.write32(0n, 0)) return failure(EFAULT);
  }
  const child = forkProcess(process);
  if (child === null) return failure(forkFailure.error);
  if (stack !== 0n) child.task.frame().rsp = stack;
  if ((flags & CLONE_CHILD_SETTID) !== 0) child.setTid = childTid;
  if ((flags & CLONE_CHILD_CLEARTID) !== 0) child.clearTid = childTid;
  if ((flags & CLONE_PARENT_SETTID) !== 0) {
    const word = new UserSlice(parentTid, 4n);
    word.write32(0n, child.pid);
  }
  return i64(child.pid);
}
