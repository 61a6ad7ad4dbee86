/** How long a run may take in all, where the command line says so: then every process ends, so that the run does. */
import { SIGKILL } from '../abi/constants.ts';
import { timeNs } from '../ostd/cpu.ts';
import { putText } from '../ostd/uart.ts';
import { TASKS } from '../ostd/virtual-layout.ts';
import { processes, STATE_FREE, STATE_ZOMBIE } from './process.ts';
import { send } from './signals.ts';

class Fuel {
  /** Ticks for a run, 0: no bound. */
  limit: u64 = 0n;
  /** When it is used up; 0: not running, or it was said. */
  private end: u64 = 0n;

  begin(): void {
    this.end = this.limit === 0n ? 0n : timeNs() + this.limit;
  }

  /** At every tick of the timer. */
  check(): void {
    if (this.end === 0n || timeNs() < this.end) return;
    this.end = 0n;
    putText('keel: the run has taken all its time\n');
    endAll();
  }
}

export const fuel = new Fuel();

/** Sends SIGKILL to every process. */
export function endAll(): void {
  for (let slot = 1; slot < TASKS; slot++) {
    const process = processes[slot];
    if (process.state !== STATE_FREE && process.state !== STATE_ZOMBIE) send(process, SIGKILL);
  }
}
