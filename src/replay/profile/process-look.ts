/** Which process user mode belongs to, found out by looking into the machine where it is entered for the first time after a switch of address spaces. */
import type { Machine } from '../../machine/index.ts';
import type { TraceEvent } from '../events.ts';
import type { Keel } from '../keel.ts';

const ROOT = 0x000f_ffff_ffff_f000n;

export class ProcessLook {
  readonly #keel: Keel | null;
  /** A part of the walk may be walked again: what was found at an event stays. */
  readonly #found = new WeakMap<TraceEvent, string>();
  #isSwitched = true;

  /** Null: the kernel is not keel; processes are named by their page tables. */
  constructor(keel: Keel | null) {
    this.#keel = keel;
  }

  /** Whether the machine is to be looked into behind this event. */
  wants(event: TraceEvent): boolean {
    if (event.kind === 'context-switch') this.#isSwitched = true;
    return event.kind === 'enter-user' && (this.#isSwitched || this.#found.has(event));
  }

  at(event: TraceEvent, machine: Machine): string {
    const name = this.#found.get(event) ?? this.#name(machine);
    this.#found.set(event, name);
    this.#isSwitched = false;
    return name;
  }

  /** Who has the machine's address space where a count begins; null: the kernel, before it has processes. */
  beginning(machine: Machine): string | null {
    return machine.cpl === 3 ? this.#name(machine) : (this.#keel?.nameOf(machine.cr3 & ROOT) ?? null);
  }

  #name(machine: Machine): string {
    const root = machine.cr3 & ROOT;
    return this.#keel?.nameOf(root) ?? `space 0x${root.toString(16)}`;
  }
}
