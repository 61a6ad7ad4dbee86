/** Signals: sent by kill and by faults, acted upon on the way back to CPL 3. */
import { SIGBUS, SIGCHLD, SIGCONT, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGSTOP, SIGTRAP, SIGURG, SIGWINCH } from '../abi/constants.ts';
import { lowestBit } from '../ostd/bits.ts';
import { type Process, STATE_BLOCKED, STATE_READY, STATE_SLEEPING } from './process.ts';

const SIG_DFL: u64 = 0n;
const SIG_IGN: u64 = 1n;
const SIGTSTP = 20;
const SIGTTOU = 22;

export function signalBit(signal: i32): u64 {
  return 1n << u64(signal - 1);
}

/** Whether the default action is to do nothing. There is no job control: signals that would stop a process do nothing. */
function isIgnoredByDefault(signal: i32): boolean {
  if (signal === SIGCHLD || signal === SIGURG || signal === SIGWINCH || signal === SIGCONT) return true;
  return signal === SIGSTOP || (signal >= SIGTSTP && signal <= SIGTTOU);
}

export function isIgnored(process: Process, signal: i32): boolean {
  const handler = process.actions.of(signal).handler;
  return handler === SIG_IGN || (handler === SIG_DFL && isIgnoredByDefault(signal));
}

/** Makes a signal pending, and wakes the process if it will act on it. */
export function send(process: Process, signal: i32): void {
  if (signal !== SIGKILL && isIgnored(process, signal)) return;
  process.pending |= signalBit(signal);
  if ((process.blocked & signalBit(signal)) !== 0n) return;
  if (process.state === STATE_BLOCKED || process.state === STATE_SLEEPING) process.become(STATE_READY);
}

/** A fault of the process itself: neither blocked nor ignored. */
export function sendFault(process: Process, signal: i32): void {
  const bit = signalBit(signal);
  const action = process.actions.of(signal);
  if ((process.blocked & bit) !== 0n || action.handler === SIG_IGN) action.handler = SIG_DFL;
  process.blocked &= wrapping.not(bit);
  process.pending |= bit;
}

/** Whether the process should leave a wait: something that it acts on is pending. */
export function isInterrupted(process: Process): boolean {
  return (process.pending & wrapping.not(process.blocked)) !== 0n;
}

/** The lowest pending signal that is not blocked; 0: none. SIGKILL comes first. */
export function nextSignal(process: Process): i32 {
  const ready = process.pending & wrapping.not(process.blocked);
  if (ready === 0n) return 0;
  return (ready & signalBit(SIGKILL)) !== 0n ? SIGKILL : lowestBit(ready) + 1;
}

/** As nextSignal; it is no longer pending then. */
export function takeSignal(process: Process): i32 {
  const signal = nextSignal(process);
  if (signal !== 0 && signal !== SIGKILL) process.pending &= wrapping.not(signalBit(signal));
  return signal;
}

/** Signal of a CPU exception (as Linux chooses). */
export function signalOfException(vector: u64): i32 {
  switch (vector) {
    case 0n:
    case 16n:
    case 19n:
      return SIGFPE;
    case 1n:
    case 3n:
      return SIGTRAP;
    case 6n:
      return SIGILL;
    case 11n:
    case 12n:
    case 17n:
      return SIGBUS;
    default:
      return SIGSEGV;
  }
}
