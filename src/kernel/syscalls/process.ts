/** Ids, yielding, ending, and what the C library tells about its thread. */
import { EINVAL } from '../abi/errno.ts';
import { exited, exitProcess } from '../task/exit.ts';
import { NO_PROCESS, type Process, processes } from '../task/process.ts';
import { scheduler } from '../task/scheduler.ts';
import { failure } from './result.ts';

const ROBUST_LIST_BYTES: u64 = 24n;

export function sysGetpid(process: Process): i64 {
  return i64(process.pid);
}

export function sysGettid(process: Process): i64 {
  return i64(process.pid);
}

export function sysGetppid(process: Process): i64 {
  return process.parent === NO_PROCESS ? 0n : i64(processes[process.parent].pid);
}

export function sysSchedYield(_process: Process): i64 {
  scheduler.reschedule();
  return 0n;
}

export function sysExit(process: Process, status: i32): i64 {
  exitProcess(process, exited(status));
}

export function sysExitGroup(process: Process, status: i32): i64 {
  exitProcess(process, exited(status));
}

export function sysSetTidAddress(process: Process, tid: u64): i64 {
  process.clearTid = tid;
  return i64(process.pid);
}

export function sysSetRobustList(_process: Process, _head: u64, length: u64): i64 {
  return length === ROBUST_LIST_BYTES ? 0n : failure(EINVAL);
}
