/**
 * Round robin over the process table. Code at CPL 0 is never preempted: a switch happens where a process blocks, yields, ends, or when the timer ends its
 * turn at CPL 3. Where nothing is ready the idle task (slot 0) runs, which is the boot's own thread of control (boot/run.ts).
 */
import { timeNs } from '../ostd/cpu.ts';
import { kernelSpace } from '../ostd/kernel-space.ts';
import { armTimer } from '../ostd/lapic.ts';
import { panic } from '../ostd/panic.ts';
import { TASKS } from '../ostd/virtual-layout.ts';
import { type Process, processes, STATE_BLOCKED, STATE_READY, STATE_SLEEPING } from './process.ts';

const IDLE = 0;

class Scheduler {
  /** Slot of the running task. */
  running: i32 = IDLE;
  /** Longest uninterrupted turn at CPL 3, in ticks. */
  quantum: u64 = 200_000n;

  get current(): Process {
    return processes[this.running];
  }

  /** Lets the next ready process run; returns when this one's turn comes again. */
  reschedule(): void {
    let next = IDLE;
    for (let step = 1; step <= TASKS; step++) {
      const slot = (this.running + step) % TASKS;
      if (slot !== IDLE && processes[slot].state === STATE_READY) {
        next = slot;
        break;
      }
    }
    this.run(next);
  }

  private run(slot: i32): void {
    armTimer(this.quantum);
    if (slot === this.running) return;
    const from = processes[this.running];
    const to = processes[slot];
    this.running = slot;
    if (slot === IDLE) kernelSpace.activate();
    else if (to.space !== null) to.space.table.activate();
    else panic('a process without an address space was to run');
    from.task.switchTo(to.task);
  }

  /** Waits until another process wakes this channel, or a signal comes. */
  block(channel: u32): void {
    const process = this.current;
    process.channel = channel;
    process.state = STATE_BLOCKED;
    this.reschedule();
  }

  /** Waits until a moment, or a signal comes. */
  sleepUntil(moment: u64): void {
    const process = this.current;
    process.wakeAt = moment;
    process.state = STATE_SLEEPING;
    this.reschedule();
  }

  wake(channel: u32): void {
    for (let slot = 1; slot < TASKS; slot++) {
      const process = processes[slot];
      if (process.state === STATE_BLOCKED && process.channel === channel) process.state = STATE_READY;
    }
  }

  /** Readies the sleepers whose moment has come; returns the next moment, or 0 where nobody sleeps. */
  wakeSleepers(): u64 {
    const now = timeNs();
    let next: u64 = 0n;
    for (let slot = 1; slot < TASKS; slot++) {
      const process = processes[slot];
      if (process.state !== STATE_SLEEPING) continue;
      if (process.wakeAt <= now) process.state = STATE_READY;
      else if (next === 0n || process.wakeAt < next) next = process.wakeAt;
    }
    return next;
  }
}

export const scheduler = new Scheduler();

/** Channels: what a blocked process waits for. */
export function channelOfPipe(pipe: i32): u32 {
  return u32(0x1_0000 + pipe);
}

/** A child of this slot ends. */
export function channelOfChildren(slot: i32): u32 {
  return u32(0x2_0000 + slot);
}

/** Nothing but a signal ends this wait. */
export const channelOfPause: u32 = 0x3_0000;
