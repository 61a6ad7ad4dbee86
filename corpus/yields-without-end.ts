/**
 * Calls that always let another run re-arm the timer each time: fuel must be asked for at calls, too (INV-35).
 *
 */
import { syscall } from 'palindrome/intrinsics';

function attack(): void {
  { // 1: sched_yield for ever
    while (syscall(24n) === 0n) {}
  }
}
attack();
syscall(231n, 0n);
