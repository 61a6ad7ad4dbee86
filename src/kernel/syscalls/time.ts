/** Virtual time: nanoseconds since power-on. All clocks are that one; there is no calendar. */
import { TIMER_ABSTIME } from '../abi/constants.ts';
import { EFAULT, EINTR, EINVAL } from '../abi/errno.ts';
import { put64, smaller, word64 } from '../abi/numbers.ts';
import { timeNs } from '../ostd/cpu.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import type { Process } from '../task/process.ts';
import { scheduler } from '../task/scheduler.ts';
import { isInterrupted } from '../task/signals.ts';
import { failure } from './result.ts';

const SECOND: u64 = 1_000_000_000n;
/** Sleeps beyond this many seconds end with it: a run ends. */
const MOST_SECONDS: u64 = 1_000_000n;
const CLOCKS = 12;

function writeTime(target: u64, seconds: u64, rest: u64): boolean {
  const image = new Uint8Array(16);
  put64(image, 0, seconds);
  put64(image, 8, rest);
  const slice = new UserSlice(target, 16n);
  return slice.write(0n, image);
}

function isClock(clock: i32): boolean {
  return clock >= 0 && clock < CLOCKS && clock !== 10;
}

export function sysClockGettime(_process: Process, clock: i32, target: u64): i64 {
  if (!isClock(clock)) return failure(EINVAL);
  const now = timeNs();
  return writeTime(target, now / SECOND, now % SECOND) ? 0n : failure(EFAULT);
}

export function sysClockGetres(_process: Process, clock: i32, target: u64): i64 {
  if (!isClock(clock)) return failure(EINVAL);
  return target === 0n || writeTime(target, 0n, 1n) ? 0n : failure(EFAULT);
}

export function sysGettimeofday(_process: Process, target: u64): i64 {
  const now = timeNs();
  return target === 0n || writeTime(target, now / SECOND, (now % SECOND) / 1000n) ? 0n : failure(EFAULT);
}

export function sysTime(_process: Process, target: u64): i64 {
  const seconds = timeNs() / SECOND;
  const slice = new UserSlice(target, 8n);
  if (target !== 0n && !slice.write64(0n, seconds)) return failure(EFAULT);
  return i64(seconds);
}

export function sysNanosleep(process: Process, duration: u64, remaining: u64): i64 {
  return sleep(process, duration, remaining, false);
}

export function sysClockNanosleep(process: Process, clock: i32, flags: i32, duration: u64, remaining: u64): i64 {
  if (!isClock(clock)) return failure(EINVAL);
  return sleep(process, duration, remaining, (flags & TIMER_ABSTIME) !== 0);
}

function sleep(process: Process, duration: u64, remaining: u64, isAbsolute: boolean): i64 {
  const image = new Uint8Array(16);
  const source = new UserSlice(duration, 16n);
  if (!source.read(0n, image)) return failure(EFAULT);
  const seconds = word64(image, 0);
  const rest = word64(image, 8);
  if (seconds > 0x7fff_ffff_ffff_ffffn || rest >= SECOND) return failure(EINVAL);
  const bounded = smaller(seconds, MOST_SECONDS);
  const amount = bounded * SECOND + rest;
  const end = isAbsolute ? amount : timeNs() + amount;
  while (timeNs() < end) {
    if (isInterrupted(process)) return interrupted(end, remaining, isAbsolute);
    scheduler.sleepUntil(end);
  }
  return 0n;
}

function interrupted(end: u64, remaining: u64, isAbsolute: boolean): i64 {
  const now = timeNs();
  const left = end > now ? end - now : 0n;
  if (!isAbsolute && remaining !== 0n && !writeTime(remaining, left / SECOND, left % SECOND)) return failure(EFAULT);
  return failure(EINTR);
}
