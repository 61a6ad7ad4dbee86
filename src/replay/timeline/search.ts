/**
 * A search through a run: breakpoints and watchpoints that the machine tells while it runs (machine/probes.ts), as hits with the moment at which each came.
 */
import { type Breakpoint, type Machine, type Observer, type ProbedAccess, UserError, type Watchpoint } from '../../machine/index.ts';
import type { Player } from '../player.ts';

export interface Search {
  readonly breakpoints?: readonly Breakpoint[];
  readonly watchpoints?: readonly Watchpoint[];
  /** The search ends at this position at the latest. */
  readonly until?: bigint;
  /** Asked now and then: true ends the search where it is. */
  readonly isInterrupted?: () => boolean;
}

/**
 * What was found: an instruction at a breakpoint about to be executed, or an access about to be made. `at`: the position of the instruction; `delivered`: how
 * many interrupts and faults had been delivered at that position by then.
 */
export type Hit = { readonly at: bigint; readonly delivered: number } & (
  | { readonly kind: 'breakpoint'; readonly breakpoint: Breakpoint }
  | { readonly kind: 'watchpoint'; readonly watchpoint: Watchpoint; readonly access: ProbedAccess }
);

/**
 * Why a search ended, and where: `breakpoint`: before its instruction, with what is delivered before it delivered, so that RIP is its address; `watchpoint`:
 * after the instruction that made the access (forwards) or before it (backwards); `until`: at that position; `start` and `end`: of the trace.
 */
export interface Stopped {
  readonly why: 'breakpoint' | 'watchpoint' | 'until' | 'start' | 'end' | 'interrupted';
  readonly position: bigint;
  /** Of a breakpoint or watchpoint. */
  readonly hit: Hit | null;
}

export class Scan {
  readonly #player: Player;
  readonly #search: Search;
  readonly #found: (hit: Hit) => boolean;
  /** The last position at which something was delivered, and how often. */
  #deliveries: { at: bigint; count: number };

  /** From where the player is, where `delivered` interrupts and faults have been delivered already. `found` says whether the run ends at a hit. */
  constructor(player: Player, search: Search, delivered: number, found: (hit: Hit) => boolean) {
    for (const { length } of search.watchpoints ?? [])
      if (length < 1) throw new UserError(`a watchpoint of ${length} bytes: give at least 1`);
    this.#player = player;
    this.#search = search;
    this.#found = found;
    this.#deliveries = { at: player.position, count: delivered };
  }

  /** Runs on to a position; less far where `found` ended the run, or the run is over. */
  run(to: bigint): void {
    const { machine } = this.#player;
    const { breakpoints = [], watchpoints = [] } = this.#search;
    const observer = machine.observer;
    machine.probes = { breakpoints, watchpoints };
    machine.observer = this.#observer(machine);
    try {
      this.#player.run(to);
    } finally {
      machine.observer = observer;
      machine.probes = null;
    }
  }

  #observer(machine: Machine): Observer {
    const tell = (hit: Hit): void => {
      if (this.#found(hit)) machine.requestStop();
    };
    return {
      irq: (at) => this.#delivered(at),
      exception: (at) => this.#delivered(at),
      breakpoint: (at, address) => {
        const breakpoint = this.#search.breakpoints?.find((each) => each.address === address && isRoot(machine, each.root));
        if (breakpoint !== undefined) tell({ kind: 'breakpoint', at, delivered: this.#deliveredAt(at), breakpoint });
      },
      access: (at, access) => {
        const watchpoint = this.#search.watchpoints?.find((each) => isRoot(machine, each.root) && overlaps(each, access));
        if (watchpoint !== undefined) tell({ kind: 'watchpoint', at, delivered: this.#deliveredAt(at), watchpoint, access: { ...access } });
      },
    };
  }

  #delivered(at: bigint): void {
    this.#deliveries = { at, count: this.#deliveredAt(at) + 1 };
  }

  #deliveredAt(at: bigint): number {
    return this.#deliveries.at === at ? this.#deliveries.count : 0;
  }
}

function isRoot({ rootFrame }: Machine, root: bigint | undefined): boolean {
  return root === undefined || rootFrame === Number(root >> 12n);
}

function overlaps({ space, address, length, access }: Watchpoint, made: ProbedAccess): boolean {
  if (access !== 'access' && (access === 'write') !== made.write) return false;
  const at = space === 'linear' ? made.linear : made.physical;
  return at !== null && at < address + BigInt(length) && address < at + BigInt(made.size);
}
