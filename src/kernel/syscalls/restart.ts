/** Calls that a signal interrupted and that begin anew when its handler has returned, where the program asked for that (SA_RESTART; signal(7)). */
import type { TrapFrame } from '../ostd/trap-frame.ts';
import type { Process } from '../task/process.ts';
import { nextSignal } from '../task/signals.ts';

const SA_RESTART: u64 = 0x1000_0000n;
/** -EINTR. */
const INTERRUPTED: i64 = -4n;
/** SYSCALL is two bytes. */
const INSTRUCTION_BYTES: u64 = 2n;

function mayRestart(number: u64): boolean {
  switch (number) {
    case 0n: // read
    case 1n: // write
    case 19n: // readv
    case 20n: // writev
    case 61n: // wait4
      return true;
    default:
      return false;
  }
}

/** Sets the frame back to the SYSCALL instruction, with its number, if the call is to begin anew. */
export function restart(process: Process, frame: TrapFrame, number: u64, result: i64): boolean {
  if (result !== INTERRUPTED || !mayRestart(number)) return false;
  const signal = nextSignal(process);
  if (signal === 0) return false;
  const action = process.actions.of(signal);
  if (action.handler <= 1n || (action.flags & SA_RESTART) === 0n) return false;
  frame.rip -= INSTRUCTION_BYTES;
  frame.rax = number;
  return true;
}
