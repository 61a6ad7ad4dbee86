/**
 * Names for address spaces: a context switch knows page tables only; which process they belong to is the kernel's knowledge. For keel it is read out of
 * its process table (src/kernel/task/process.ts), in memory as it was at the switch, which playing the trace brings back.
 *
 *     const processes = await Processes.open(trace);          // null: the guest is another kernel
 *     processes?.around(event)                                // { from: 'kernel', to: 'pid 17 hello' }
 */
import { readElf } from '../compiler/image/read-elf.ts';
import { bug, UserError } from '../machine/isa/bug.ts';
import { EVENTS, type TraceEventOf } from './events.ts';
import { MemoryView, type Place } from './memory-view.ts';
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
  readonly #keel: KeelProcesses;
  /** Where the last switch led. */
  #last: { readonly root: bigint; readonly name: string | null } = { root: 0n, name: null };

  private constructor(player: Player, keel: KeelProcesses) {
    this.#player = player;
    this.#keel = keel;
  }

  /** Null where the trace has no switches, or its kernel is not keel, or is not at hand. */
  static async open(trace: Trace, options: PlayerOptions = {}): Promise<Processes | null> {
    if (!hasSwitches(trace)) return null;
    try {
      const player = await Player.open(trace, options);
      const image = readElf(bootOf(trace, options).image, 'kernel');
      return new Processes(player, new KeelProcesses(new MemoryView(player.machine, image, 'kernel')));
    } catch (error) {
      if (error instanceof UserError) return null;
      throw error;
    }
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

/** keel's process table, files and own page tables, as they are now. */
class KeelProcesses {
  readonly #view: MemoryView;
  readonly #kernelRoot: Place;
  readonly #processes: readonly ProcessPlace[];
  readonly #files: Place;

  constructor(view: MemoryView) {
    this.#view = view;
    this.#kernelRoot = view.field(view.global('kernelSpace'), 'root');
    this.#files = view.global('files');
    const processes = view.global('processes');
    const slots = processes.type.kind === 'array' ? processes.type.length : 0;
    this.#processes = Array.from({ length: slots }, (_, slot) => {
      const process = view.element(processes, slot);
      return {
        pid: view.field(process, 'pid'),
        space: view.field(process, 'space'),
        program: view.field(process, 'program'),
      };
    });
  }

  /** Who has the page tables with this root; null: nobody, or the kernel's data is not what keel's would be (it is under attack, after all). */
  nameOf(root: bigint): string | null {
    try {
      return this.#nameOf(root);
    } catch (error) {
      if (error instanceof UserError || error instanceof RangeError) return null;
      throw error;
    }
  }

  #nameOf(root: bigint): string | null {
    const view = this.#view;
    const frame = Number(root >> 12n);
    if (view.number(this.#kernelRoot) === frame) return 'kernel';
    for (const { pid, space, program } of this.#processes) {
      const table = view.target(space);
      if (table === null || view.number(view.field(table, 'table.root')) !== frame) continue;
      const name = this.#fileName(view.number(program));
      return name === null ? `pid ${view.number(pid)}` : `pid ${view.number(pid)} ${name}`;
    }
    return null;
  }

  #fileName(index: number): string | null {
    if (index < 0) return null;
    const view = this.#view;
    const file = view.element(this.#files, index);
    const bytes = view.field(file, 'name');
    const length = view.number(view.field(file, 'nameLength'));
    const name = String.fromCharCode(...Array.from({ length }, (_, i) => view.number(view.element(bytes, i))));
    return name.replaceAll(/[^!-~]/g, '?');
  }
}

interface ProcessPlace {
  readonly pid: Place;
  readonly space: Place;
  readonly program: Place;
}
