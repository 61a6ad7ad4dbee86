/**
 * Round robin over the process table. Code at CPL 0 is never preempted: a switch happens where a process blocks, yields, ends, or when the timer ends its
 * turn at CPL 3. Where nothing is ready the idle task (slot 0) runs, which is the boot's own thread of control (boot/run.ts).
 */
import { lowestBit } from '../ostd/bits.ts';
import { timeNs } from '../ostd/cpu.ts';
import { kernelSpace } from '../ostd/kernel-space.ts';
import { armTimer } from '../ostd/lapic.ts';
import { panic } from '../ostd/panic.ts';
import { type Process, processes, STATE_BLOCKED, STATE_READY, STATE_SLEEPING, slots } from './process.ts';

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
    // A switch arms the timer anew: where it comes before every tick, this is the only look at the clock.
    if (slots.in(STATE_SLEEPING) !== 0n) this.wakeSleepers();
    const ready = slots.in(STATE_READY);
    const behind = ready >> u64(this.running + 1);
    if (behind !== 0n) this.run(this.running + 1 + lowestBit(behind));
    else this.run(ready === 0n ? IDLE : lowestBit(ready));
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
    process.become(STATE_BLOCKED);
    this.reschedule();
  }

  /** Waits until a moment, or a signal comes. */
  sleepUntil(moment: u64): void {
    const process = this.current;
    process.wakeAt = moment;
    process.become(STATE_SLEEPING);
    this.reschedule();
  }

  wake(channel: u32): void {
    for (let left = slots.in(STATE_BLOCKED); left !== 0n; left &= left - 1n) {
      const process = processes[lowestBit(left)];
      if (process.channel === channel) process.become(STATE_READY);
    }
  }

  /** Readies the sleepers whose moment has come; returns the next moment, or 0 where nobody sleeps. */
  wakeSleepers(): u64 {
    const now = timeNs();
    let next: u64 = 0n;
    for (let left = slots.in(STATE_SLEEPING); left !== 0n; left &= left - 1n) {
      const process = processes[lowestBit(left)];
      if (process.wakeAt <= now) process.become(STATE_READY);
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
