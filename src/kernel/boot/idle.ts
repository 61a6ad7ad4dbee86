/** The idle task: runs where nothing else does, until every process has ended. */
import { timeNs } from '../ostd/cpu.ts';
import { waitForInterrupt } from '../ostd/interrupts.ts';
import { armTimer } from '../ostd/lapic.ts';
import { putNumber, putText } from '../ostd/uart.ts';
import { TASKS } from '../ostd/virtual-layout.ts';
import { endAll, fuel } from '../task/fuel.ts';
import { processes, STATE_BLOCKED, STATE_READY, STATE_SLEEPING } from '../task/process.ts';
import { scheduler } from '../task/scheduler.ts';

function count(state: u8): u32 {
  let found: u32 = 0;
  for (let slot = 1; slot < TASKS; slot++) {
    if (processes[slot].state === state) found++;
  }
  return found;
}

/** Lets processes run until none is left. Where all that are left wait for one another, says so and ends them. */
export function runUntilAllEnded(): void {
  fuel.begin();
  while (true) {
    scheduler.reschedule();
    fuel.check();
    const next = scheduler.wakeSleepers();
    if (count(STATE_READY) > 0) continue;
    if (count(STATE_SLEEPING) > 0) {
      const now = timeNs();
      armTimer(next > now ? next - now : 1n);
      waitForInterrupt();
      continue;
    }
    const blocked = count(STATE_BLOCKED);
    if (blocked === 0) return;
    putText('keel: deadlock: ');
    putNumber(u64(blocked));
    putText(' processes wait for ever\n');
    endAll();
  }
}
