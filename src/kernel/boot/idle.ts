/** The idle task: runs where nothing else does, until every process has ended. */
import { timeNs } from '../ostd/cpu.ts';
import { waitForInterrupt } from '../ostd/interrupts.ts';
import { armTimer } from '../ostd/lapic.ts';
import { putNumber, putText } from '../ostd/uart.ts';
import { endAll, fuel } from '../task/fuel.ts';
import { STATE_BLOCKED, STATE_READY, STATE_SLEEPING, slots } from '../task/process.ts';
import { scheduler } from '../task/scheduler.ts';

/** Lets processes run until each has ended or waits. */
export function runUntilAllWait(): void {
  while (slots.in(STATE_READY) !== 0n) scheduler.reschedule();
}

/** Lets processes run until none is left. Where all that are left wait for one another, says so and ends them. */
export function runUntilAllEnded(): void {
  fuel.begin();
  while (true) {
    scheduler.reschedule();
    fuel.check();
    const next = scheduler.wakeSleepers();
    if (slots.in(STATE_READY) !== 0n) continue;
    if (slots.in(STATE_SLEEPING) !== 0n) {
      const now = timeNs();
      armTimer(next > now ? next - now : 1n);
      waitForInterrupt();
      continue;
    }
    if (slots.in(STATE_BLOCKED) === 0n) return;
    let blocked: u64 = 0n;
    for (let left = slots.in(STATE_BLOCKED); left !== 0n; left &= left - 1n) blocked++;
    putText('keel: deadlock: ');
    putNumber(blocked);
    putText(' processes wait for ever\n');
    endAll();
  }
}
