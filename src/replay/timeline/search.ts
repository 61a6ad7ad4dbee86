/** What a search through the run looks for, and what it finds. */
import type { Machine } from '../../machine/index.ts';
import type { Player } from '../player.ts';
import { stepOnce } from '../step.ts';

export interface Breakpoint {
  /** Linear address of an instruction's first byte. */
  readonly address: bigint;
  /** Only while CR3's table root (physical address) is this. */
  readonly root?: bigint;
}

export interface Watchpoint {
  readonly space: 'linear' | 'physical';
  readonly address: bigint;
  /** Bytes, at least 1. */
  readonly length: number;
  readonly access: 'read' | 'write' | 'access';
  /** Only while CR3's table root (physical address) is this. */
  readonly root?: bigint;
}

export interface Search {
  readonly breakpoints?: readonly Breakpoint[];
  readonly watchpoints?: readonly Watchpoint[];
  /** The search ends at this position at the latest. */
  readonly until?: bigint;
  /** Asked now and then: true ends the search where it is. */
  readonly isInterrupted?: () => boolean;
}

/** An access that overlaps a watchpoint. */
export interface WatchedAccess {
  readonly linear: bigint;
  readonly physical: bigint;
  readonly size: number;
  readonly write: boolean;
  /** Made by the CPU itself, or by a device. */
  readonly implicit: boolean;
}

/** `at`: position of the instruction at the breakpoint, or of the one that made the access. */
export type Hit =
  | { readonly kind: 'breakpoint'; readonly at: bigint; readonly breakpoint: Breakpoint }
  | { readonly kind: 'watchpoint'; readonly at: bigint; readonly watchpoint: Watchpoint; readonly access: WatchedAccess };

/**
 * Why a search ended, and where: `breakpoint` before its instruction; `watchpoint` after the instruction that made the access (forwards) or before it
 * (backwards); `until` at that position; `start` and `end` of the trace.
 */
export interface Stopped {
  readonly why: 'breakpoint' | 'watchpoint' | 'until' | 'start' | 'end' | 'interrupted';
  readonly position: bigint;
  /** Of a breakpoint or watchpoint. */
  readonly hit: Hit | null;
}

/** Instructions between two questions whether the search is interrupted. */
const SLICE = 256n;

/** Runs on to `to`, or to what `found` says true to. A value is given between slices. */
export function* scan(player: Player, to: bigint, search: Search, found: (hit: Hit) => boolean): Generator<void, void> {
  const { machine } = player;
  const begin = player.position;
  const old = (search.watchpoints ?? []).map((watchpoint) => contents(machine, watchpoint));
  while (player.position < to) {
    const root = machine.cr3 & ~0xfffn;
    const executed = stepOnce(machine, (until) => player.run(until));
    if (executed === null) return;
    const { at, rip } = executed;
    for (const breakpoint of search.breakpoints ?? [])
      if (breakpoint.address === rip && (breakpoint.root ?? root) === root && found({ kind: 'breakpoint', at, breakpoint })) return;
    for (const [i, watchpoint] of (search.watchpoints ?? []).entries()) {
      const now = contents(machine, watchpoint);
      if (now === old[i]) continue;
      old[i] = now;
      const { address, length } = watchpoint;
      const access = { linear: address, physical: address, size: length, write: true, implicit: false };
      if (found({ kind: 'watchpoint', at, watchpoint, access })) return;
    }
    if ((player.position - begin) % SLICE === 0n) yield;
  }
}

function contents(machine: Machine, { space, address, length }: Watchpoint): string {
  const bytes = space === 'physical' ? machine.readPhysical(address, length) : machine.readLinear(address, length);
  return bytes === null ? '' : Buffer.from(bytes).toString('hex');
}
