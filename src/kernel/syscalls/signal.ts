/** kill, tkill, tgkill, pause, rt_sigaction, rt_sigprocmask, rt_sigreturn, sigaltstack. */
import { SIGKILL, SIGSEGV, SIGSTOP } from '../abi/constants.ts';
import { EFAULT, EINTR, EINVAL, ESRCH } from '../abi/errno.ts';
import { put64, word64 } from '../abi/numbers.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { TASKS } from '../ostd/virtual-layout.ts';
import { findProcess, type Process, processes, STATE_FREE, STATE_ZOMBIE } from '../task/process.ts';
import { channelOfPause, scheduler } from '../task/scheduler.ts';
import { isSignal, returnFromHandler } from '../task/signal-frame.ts';
import { isIgnored, isInterrupted, send, sendFault, signalBit } from '../task/signals.ts';
import { failure } from './result.ts';

const ACTION_BYTES = 32;
const SET_BYTES: u64 = 8n;

/** Processes may send to their own domain only; the others are not there for them. */
export function sysKill(process: Process, pid: i32, signal: i32): i64 {
  if (signal !== 0 && !isSignal(signal)) return failure(EINVAL);
  if (pid > 0) {
    const target = findProcess(pid);
    if (target === null || target.domain !== process.domain) return failure(ESRCH);
    if (signal !== 0 && target.state !== STATE_ZOMBIE) send(target, signal);
    return 0n;
  }
  return killMany(process, pid, signal);
}

/** There are no process groups: 0 and negative numbers below -1 mean the domain; -1 all of it but the caller. */
function killMany(process: Process, pid: i32, signal: i32): i64 {
  let found = false;
  for (let slot = 1; slot < TASKS; slot++) {
    const target = processes[slot];
    if (target.state === STATE_FREE || target.state === STATE_ZOMBIE || target.domain !== process.domain) continue;
    if (pid === -1 && target.slot === process.slot) continue;
    found = true;
    if (signal !== 0) send(target, signal);
  }
  return found ? 0n : failure(ESRCH);
}

export function sysTkill(process: Process, pid: i32, signal: i32): i64 {
  return pid <= 0 ? failure(EINVAL) : sysKill(process, pid, signal);
}

export function sysTgkill(process: Process, group: i32, pid: i32, signal: i32): i64 {
  if (pid <= 0 || group <= 0) return failure(EINVAL);
  return group === pid ? sysKill(process, pid, signal) : failure(ESRCH);
}

export function sysRtSigaction(process: Process, signal: i32, action: u64, old: u64, setSize: u64): i64 {
  if (setSize !== SET_BYTES || !isSignal(signal)) return failure(EINVAL);
  if (action !== 0n && (signal === SIGKILL || signal === SIGSTOP)) return failure(EINVAL);
  const known = process.actions.of(signal);
  const image = new Uint8Array(ACTION_BYTES);
  const source = new UserSlice(action, u64(ACTION_BYTES));
  if (action !== 0n && !source.read(0n, image)) return failure(EFAULT);
  if (old !== 0n) {
    const before = new Uint8Array(ACTION_BYTES);
    put64(before, 0, known.handler);
    put64(before, 8, known.flags);
    put64(before, 16, known.restorer);
    put64(before, 24, known.mask);
    const target = new UserSlice(old, u64(ACTION_BYTES));
    if (!target.write(0n, before)) return failure(EFAULT);
  }
  if (action !== 0n) {
    process.actions.set(signal, word64(image, 0), word64(image, 8), word64(image, 16), word64(image, 24));
    if (isIgnored(process, signal)) process.pending &= wrapping.not(signalBit(signal));
  }
  return 0n;
}

export function sysRtSigprocmask(process: Process, how: i32, set: u64, old: u64, setSize: u64): i64 {
  if (setSize !== SET_BYTES) return failure(EINVAL);
  let blocked = process.blocked;
  if (set !== 0n) {
    const source = new UserSlice(set, SET_BYTES);
    const bits = source.read64(0n);
    if (bits === null) return failure(EFAULT);
    if (how === 0) blocked |= bits;
    else if (how === 1) blocked &= wrapping.not(bits);
    else if (how === 2) blocked = bits;
    else return failure(EINVAL);
  }
  if (old !== 0n) {
    const target = new UserSlice(old, SET_BYTES);
    if (!target.write64(0n, process.blocked)) return failure(EFAULT);
  }
  process.blocked = blocked & wrapping.not(signalBit(SIGKILL) | signalBit(SIGSTOP));
  return 0n;
}

export function sysRtSigreturn(process: Process): i64 {
  const frame = process.task.frame();
  if (!returnFromHandler(process, frame)) sendFault(process, SIGSEGV);
  return wrapping.i64(frame.rax);
}

export function sysSigaltstack(_process: Process, stack: u64, old: u64): i64 {
  return stack === 0n && old === 0n ? 0n : failure(EINVAL);
}

export function sysPause(process: Process): i64 {
  while (!isInterrupted(process)) scheduler.block(channelOfPause);
  return failure(EINTR);
}
