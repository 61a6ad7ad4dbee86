/**
 * What the CPU reports: exceptions and the timer. The services decide what they mean for a process; a fault of the kernel's own, outside the user-copy
 * routines, is the end.
 */
import { asm, readCr, symbol } from 'palindrome/intrinsics';
import { endOfInterrupt, SPURIOUS_VECTOR, TIMER_VECTOR } from './lapic.ts';
import { panic } from './panic.ts';
import type { TrapFrame } from './trap-frame.ts';
import { putHex, putNumber, putText } from './uart.ts';

const PAGE_FAULT: u64 = 14n;
const FAULT_USER: u64 = 4n;
const DEBUG: u64 = 1n;
const DR6_CLEAR: u64 = 0xffff_0ff0n;

/** Whether a page of the current address space was made accessible, so that the access can be tried again.
 * @extern keel_page_fault */
declare function resolvePageFault(address: u64, error: u64): boolean;
/** An exception at CPL 3 that nothing resolves: a signal.
 * @extern keel_user_exception */
declare function userException(vector: u64, address: u64): void;
/** The timer fired.
 * @extern keel_tick */
declare function tick(isUser: boolean): void;
/** The last thing before CPL 3: pending signals, and the frame made safe.
 * @extern keel_return_to_user */
declare function beforeUser(frame: TrapFrame): void;

/** @export keel_trap */
export function handleTrap(frame: TrapFrame): void {
  if (frame.vector === u64(TIMER_VECTOR)) {
    endOfInterrupt();
    tick(frame.isUser);
  } else if (frame.vector === PAGE_FAULT) {
    handlePageFault(frame);
  } else if (frame.vector < 32n) {
    if (!frame.isUser) fatal(frame);
    // DR6 is sticky: left as it is, the next process would find why this one trapped (SDM Vol. 3, 17.2.3).
    if (frame.vector === DEBUG) asm('mov dr6, rax', { rax: DR6_CLEAR });
    userException(frame.vector, frame.rip);
  } else if (frame.vector !== u64(SPURIOUS_VECTOR)) {
    fatal(frame);
  }
  if (frame.isUser) beforeUser(frame);
}

function handlePageFault(frame: TrapFrame): void {
  const address = readCr(2);
  if (frame.isUser) {
    // Without U it is an access of the CPU's own (to a table), which no page of the process's mends: QEMU's far return reads the stack so.
    const isUserAccess = (frame.error & FAULT_USER) !== 0n;
    if (!isUserAccess || !resolvePageFault(address, frame.error)) userException(PAGE_FAULT, address);
    return;
  }
  if (frame.rip < symbol('__user_copy_start') || frame.rip >= symbol('__user_copy_end')) fatal(frame);
  if (resolvePageFault(address, frame.error)) return;
  const isString = frame.rip >= symbol('copy_string_from_user') && frame.rip < symbol('__copy_from_user_end');
  frame.rip = isString ? symbol('copy_string_fault') : symbol('user_copy_fault');
}

function fatal(frame: TrapFrame): never {
  putText('\nkeel: exception ');
  putNumber(frame.vector);
  putText(' error ');
  putHex(frame.error);
  putText(' at ');
  putHex(frame.rip);
  putText(' address ');
  putHex(readCr(2));
  putText(' stack ');
  putHex(frame.rsp);
  panic('an exception of the kernel itself');
}
