/**
 * A process: one thread, an address space, descriptors, signals. Slots are reused; the slot number is also that of the task and its kernel stack. Slot 0 is
 * the idle task: it has no address space and never enters CPL 3.
 */
import { Descriptors } from '../fs/descriptors.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { lowestBit } from '../ostd/bits.ts';
import { Task } from '../ostd/task.ts';
import { TASKS } from '../ostd/virtual-layout.ts';
import { domains } from '../security/domain.ts';
import { SignalActions } from './signal-actions.ts';

export type ProcessState = u8;
export const STATE_FREE: u8 = 0;
/** Runs, or may run. */
export const STATE_READY: u8 = 1;
/** Waits on a channel. */
export const STATE_BLOCKED: u8 = 2;
/** Waits for a moment. */
export const STATE_SLEEPING: u8 = 3;
/** Has ended; its parent has not asked yet. */
export const STATE_ZOMBIE: u8 = 4;

/** The slots in a state, as a set of bits: what is looked through for processes. */
class SlotSets {
  private readonly sets = new BigUint64Array(5);

  in(state: ProcessState): u64 {
    return this.sets[state];
  }

  /** Those of all processes, zombies included. */
  get used(): u64 {
    return this.in(STATE_READY) | this.in(STATE_BLOCKED) | this.in(STATE_SLEEPING) | this.in(STATE_ZOMBIE);
  }

  move(slot: i32, from: ProcessState, to: ProcessState): void {
    const bit = 1n << u64(slot);
    this.sets[from] = this.sets[from] & wrapping.not(bit);
    this.sets[to] = this.sets[to] | bit;
  }
}
export const slots = new SlotSets();

export const NO_PROCESS = -1;

export class Process {
  readonly task = new Task();
  state: ProcessState = STATE_FREE;
  pid: u32 = 0;
  slot: i32 = 0;
  /** Slot of the parent, NO_PROCESS for programs of /etc/programs and orphans. */
  parent: i32 = 0;
  /** Index of the domain that pays for it. */
  domain: i32 = 0;
  /** The first process of its domain: its status is the domain's. */
  isFirst: boolean = false;
  space: AddressSpace | null = null;
  readonly descriptors = new Descriptors();
  /** What it waits for, while STATE_BLOCKED. */
  channel: u32 = 0;
  /** When it goes on, while STATE_SLEEPING: nanoseconds of virtual time. */
  wakeAt: u64 = 0n;
  /** Signals that have come, bit n - 1 for signal n. */
  pending: u64 = 0n;
  blocked: u64 = 0n;
  readonly actions = new SignalActions();
  /** Wait status, Linux encoding, from its end on. */
  status: i32 = 0;
  /** User addresses that get 0 at the end, and the pid at the start; 0: none. */
  clearTid: u64 = 0n;
  setTid: u64 = 0n;
  /** Index of the working directory. */
  directory: i32 = 0;
  /** Index of the file that it executes; -1: unknown. */
  program: i32 = 0;

  become(state: ProcessState): void {
    slots.move(this.slot, this.state, state);
    this.state = state;
  }
}

export const processes = array(TASKS, () => new Process());
/** Slots 1 … TASKS - 1. */
const ALL_SLOTS: u64 = (0xffff_ffff_ffff_ffffn >> u64(64 - TASKS)) - 1n;

/** A free slot with a fresh pid, charged to nobody yet; null: there is none. */
export function takeProcess(domain: i32): Process | null {
  const free = wrapping.not(slots.used) & ALL_SLOTS;
  if (free === 0n) return null;
  const slot = lowestBit(free);
  const process = processes[slot];
  process.slot = slot;
  process.task.slot = slot;
  process.pid = domains[domain].nextPid(domain);
  process.domain = domain;
  process.parent = NO_PROCESS;
  process.isFirst = false;
  process.pending = 0n;
  process.blocked = 0n;
  process.status = 0;
  process.clearTid = 0n;
  process.setTid = 0n;
  process.program = -1;
  process.space = null;
  process.actions.clear();
  process.descriptors.clear();
  return process;
}

export function findProcess(pid: i32): Process | null {
  if (pid <= 0) return null;
  for (let left = slots.used; left !== 0n; left &= left - 1n) {
    const process = processes[lowestBit(left)];
    if (process.pid === u32(pid)) return process;
  }
  return null;
}
