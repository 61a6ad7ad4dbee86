/** What happened before a failure, for people: the last system calls, results, exceptions and interrupts. */
import { SYSCALLS } from '../../kernel/abi/syscalls.ts';
import type { Machine, Observer } from '../../machine/index.ts';
import { hex } from '../invariants/invariant.ts';

/** Events that a report shows. */
const SHOWN = 16;

/** One event: its instruction, the process that the CPU works for, and what it was. */
export interface PastEvent {
  readonly at: bigint;
  readonly pid: number;
  readonly what: string;
}

const CALLS = new Map(SYSCALLS.map((call) => [BigInt(call.number), call]));

function describeCall(nr: bigint, args: readonly bigint[]): string {
  const call = CALLS.get(nr);
  return `${call?.name ?? `system call ${nr}`}(${args
    .slice(0, call?.arguments.length ?? 6)
    .map(hex)
    .join(', ')})`;
}

/** A watcher that keeps the last events; `events` gives those up to the instruction `until`. */
export function watchHistory(machine: Machine, currentPid: () => number): { observer: Observer; events(until: bigint): PastEvent[] } {
  const kept: PastEvent[] = [];
  const note = (at: bigint, what: string) => kept.push({ at, pid: currentPid(), what });
  return {
    events: (until) => kept.filter(({ at }) => at <= until).slice(-SHOWN),
    observer: {
      syscall: (at, nr, args) => note(at, describeCall(nr, args)),
      sysret: (at, result) => note(at, `back in user mode, RAX ${hex(result)}`),
      exception: (at, vector, code, cr2, rip) =>
        note(
          at,
          `exception ${vector}${code === null ? '' : `, code ${hex(code)}`}${cr2 === null ? '' : `, CR2 ${hex(cr2)}`}, at CPL ${machine.cpl}, RIP ${hex(rip)}`,
        ),
      irq: (at, vector) => note(at, `interrupt ${vector} at CPL ${machine.cpl}, RIP ${hex(machine.rip)}`),
      controlRegister: (at, n, _before, after) => n === 3 && note(at, `CR3 becomes ${hex(after)}`),
    },
  };
}
