/** What ostd calls at the border to CPL 3: faults of user code, the end of a turn, and the last look before a return. */
import { SIGKILL, SIGSEGV } from '../abi/constants.ts';
import { DONE, NO_MEMORY } from '../mm/address-space.ts';
import { sanitise, type TrapFrame } from '../ostd/trap-frame.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { USER_END } from '../ostd/virtual-layout.ts';
import { exitProcess, signalled } from './exit.ts';
import { fuel } from './fuel.ts';
import { scheduler } from './scheduler.ts';
import { startHandler } from './signal-frame.ts';
import { isIgnored, sendFault, signalOfException, takeSignal } from './signals.ts';

/** @export keel_page_fault */
export function resolvePageFault(address: u64, error: u64): boolean {
  const process = scheduler.current;
  const space = process.space;
  if (space === null) return false;
  const outcome = space.resolve(address, error);
  if (outcome === NO_MEMORY) {
    sendFault(process, SIGKILL);
    // From CPL 3 there is nothing to try again: the signal ends the process. In a copy for it the call fails first.
    return (error & 4n) !== 0n;
  }
  return outcome === DONE;
}

/** @export keel_user_exception */
export function userException(vector: u64): void {
  sendFault(scheduler.current, signalOfException(vector));
}

/** @export keel_tick */
export function tick(isUser: boolean): void {
  scheduler.wakeSleepers();
  fuel.check();
  if (isUser) scheduler.reschedule();
}

/** @export keel_return_to_user */
export function beforeUser(frame: TrapFrame): void {
  // Not at ticks alone: who yields all the time arms the timer anew each time.
  fuel.check();
  const process = scheduler.current;
  while (true) {
    const signal = takeSignal(process);
    if (signal === 0) break;
    if (isIgnored(process, signal)) continue;
    const action = process.actions.of(signal);
    if (action.handler === 0n || !startHandler(process, frame, signal)) exitProcess(process, signalled(signal));
  }
  if (frame.rip >= USER_END) exitProcess(process, signalled(SIGSEGV));
  sanitise(frame);
}

/** @export keel_first_return */
export function firstReturn(frame: TrapFrame): void {
  const process = scheduler.current;
  if (process.setTid !== 0n) {
    const word = new UserSlice(process.setTid, 4n);
    word.write32(0n, process.pid);
    process.setTid = 0n;
  }
  beforeUser(frame);
}
