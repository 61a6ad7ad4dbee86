/**
 * Names for address spaces: a context switch knows page tables only; which process they belong to is the kernel's knowledge. For keel it is read out of
 * its process table (keel.ts), in memory as it was at the switch, which playing the trace brings back.
 *
 *     const processes = await Processes.open(trace);          // null: the guest is another kernel
 *     processes?.around(event)                                // { from: 'kernel', to: 'pid 17 hello' }
 */
import { readElf } from '../compiler/image/read-elf.ts';
import { bug, UserError } from '../machine/isa/bug.ts';
import { EVENTS, type TraceEventOf } from './events.ts';
import { Keel } from './keel.ts';
import { bootOf, Player, type PlayerOptions } from './player.ts';
import type { Trace } from './trace/reader.ts';

/**
 * Who had each address space of a switch: `kernel`, or a process by its number and the program that it ran at that moment (execve switches before its
 * process takes the new name); null: nobody that keel knows.
 */
export interface SwitchNames {
  readonly from: string | null;
  readonly to: string | null;
}

export class Processes {
  readonly #player: Player;
  readonly #keel: Keel;
  /** Where the last switch led. */
  #last: { readonly root: bigint; readonly name: string | null } = { root: 0n, name: null };

  private constructor(player: Player, keel: Keel) {
    this.#player = player;
    this.#keel = keel;
  }

  /** Null where the trace has one address space, or its kernel is not keel, or is not at hand. */
  static async open(trace: Trace, options: PlayerOptions = {}): Promise<Processes | null> {
    // A branch may begin in any process.
    if (trace.header.branch === null && !hasSwitches(trace)) return null;
    try {
      const player = await Player.open(trace, options);
      const image = readElf(bootOf(trace, options).image, 'kernel');
      return new Processes(player, new Keel(player.machine, image));
    } catch (error) {
      if (error instanceof UserError) return null;
      throw error;
    }
  }

  /** Who has the address space of this position: `kernel`, or a process; null: nobody that keel knows. */
  at(position: bigint): string | null {
    this.#player.seek(position);
    return this.#keel.nameOf(this.#player.machine.cr3 & ~0xfffn);
  }

  /** The names of both sides of a switch of this trace. Switches asked for in their order cost one way through the trace. */
  around({ at, from, to }: TraceEventOf<'context-switch'>): SwitchNames {
    this.#player.seek(at + 1n);
    // execve has let go of the old address space by now: it was named when it was entered
    const before = this.#keel.nameOf(from) ?? (this.#last.root === from ? this.#last.name : null);
    this.#last = { root: to, name: this.#keel.nameOf(to) };
    return { from: before, to: this.#last.name };
  }
}

const SWITCH_TAG = EVENTS.find(({ kind }) => kind === 'context-switch')?.tag ?? bug('there is no event for context switches');

function hasSwitches(trace: Trace): boolean {
  for (let run = 0; run < trace.runs; run++) if (trace.hasTag(run, SWITCH_TAG)) return true;
  return false;
}
