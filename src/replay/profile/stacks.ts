/**
 * Call stacks along the path: calls and returns, interrupts, exceptions and system calls with their returns, stacks that the kernel exchanges, signals and
 * execve. Where a return matches no call (a jump in the guise of one) control goes on in the frame on top.
 */
import type { Machine } from '../../machine/index.ts';
import type { TraceEvent } from '../events.ts';
import type { CodeFunction } from '../symbols.ts';
import type { CodeBlock } from '../walk/code-block.ts';
import type { Sink } from '../walk/walker.ts';
import { CallNode } from './call-tree.ts';

interface Frame {
  /** Null until it executes an instruction. */
  node: CallNode | null;
  /** Where it returns to; null for what was entered by an interrupt, an exception, a system call or a signal. */
  readonly returnTo: bigint | null;
  /** Where the interrupted code goes on; null: not known. */
  readonly resume: bigint | null;
  /** The number of the system call that entered it. */
  readonly call: bigint | null;
}

/** A kernel thread with what it was called from. */
interface Stack {
  process: CallNode;
  frames: Frame[];
}

/** What happened last decides what the next address means. */
type Pending = 'nothing' | 'call' | 'return' | 'leave' | 'signal';

const KERNEL = 'kernel';
/** Deeper calls are counted with the caller at this depth. */
const MOST_DEPTH = 1024;
const MOST_FRAMES = 1 << 16;
const MOST_STACKS = 4096;
const EXECVE = new Set([59n, 322n]);

export class CallStacks implements Sink<CodeFunction> {
  readonly root = new CallNode(null, '', null, false);
  #stack: Stack = { process: this.root.process(KERNEL), frames: [] };
  /** Those that the kernel has laid aside, by their RSP. */
  readonly #aside = new Map<bigint, Stack>();
  /** The kernel has gone to a stack that it had not laid aside. */
  #isFresh = false;
  #isUser = false;
  readonly #nameOf: (machine: Machine) => string | null;
  #pending: Pending = 'nothing';
  #returnTo = 0n;

  /** `nameOf`: who has the machine's address space. */
  constructor(nameOf: (machine: Machine) => string | null) {
    this.#nameOf = nameOf;
  }

  begin(machine: Machine): void {
    this.#isUser = machine.cpl === 3;
    const name = this.#nameOf(machine);
    if (name !== null) this.#stack.process = this.root.process(name);
  }

  block(block: CodeBlock<CodeFunction>, count: number): void {
    if (this.#pending !== 'nothing') this.#arrive(block.rip, block.owner);
    this.#nodeOf(block.owner).self += count;
    if (count !== block.count || block.isRepeated) return;
    switch (block.flow) {
      case 'call':
      case 'indirect-call':
        this.#pending = 'call';
        this.#returnTo = block.after;
        break;
      case 'ret':
        this.#pending = 'return';
        break;
      case 'event': {
        const { name } = block.last.row;
        if (name.startsWith('IRET') || name.startsWith('SYSRET')) this.#pending = 'leave';
        break;
      }
    }
  }

  event(event: TraceEvent, rip: bigint, looked: string | null): void {
    switch (event.kind) {
      case 'irq':
      case 'exception':
        if (this.#pending !== 'nothing') this.#arrive(rip, null);
        this.#enter(rip, null);
        break;
      case 'software-interrupt':
        this.#enter(null, null);
        break;
      case 'syscall':
        this.#enter(event.rip + 2n, event.number);
        break;
      case 'enter-kernel':
        this.#isUser = false;
        break;
      case 'enter-user':
        this.#isUser = true;
        this.#isFresh = false;
        this.#leave(rip, looked);
        break;
    }
  }

  stack(before: bigint, after: bigint): void {
    const [oldest] = this.#aside.keys();
    if (this.#aside.size >= MOST_STACKS && oldest !== undefined) this.#aside.delete(oldest);
    this.#aside.set(before, this.#stack);
    const known = this.#aside.get(after);
    this.#isFresh = known === undefined;
    this.#aside.delete(after);
    this.#stack = known ?? { process: this.#stack.process, frames: [...this.#stack.frames] };
  }

  #push(frame: Frame): void {
    const { frames } = this.#stack;
    if (frames.length >= MOST_FRAMES) frames.splice(MOST_DEPTH, MOST_FRAMES >> 1);
    frames.push(frame);
  }

  #enter(resume: bigint | null, call: bigint | null): void {
    this.#pending = 'nothing';
    this.#push({ node: null, returnTo: null, resume, call });
  }

  /** Control comes to an address; `owner` null: not with an instruction, but to be taken away there. */
  #arrive(rip: bigint, owner: CodeFunction | null): void {
    const pending = this.#pending;
    this.#pending = 'nothing';
    switch (pending) {
      case 'call':
        this.#push({ node: null, returnTo: this.#returnTo, resume: null, call: null });
        break;
      case 'return':
        this.#return(rip);
        break;
      case 'leave':
        this.#leaveKernelOnly();
        break;
      case 'signal':
        // a handler that goes on elsewhere in the same function is no new frame
        if (owner === null) this.#pending = 'signal';
        else if (this.#stack.frames.at(-1)?.node?.code !== owner)
          this.#push({ node: null, returnTo: null, resume: this.#returnTo, call: null });
        break;
    }
  }

  #return(rip: bigint): void {
    const { frames } = this.#stack;
    for (let index = frames.length - 1; index >= 0; index--) {
      const frame = frames[index];
      if (frame === undefined || frame.returnTo === null) break;
      if (frame.returnTo !== rip) continue;
      frames.length = index;
      return;
    }
    if (this.#isFresh) this.#stack.frames = [];
    this.#isFresh = false;
  }

  /** Ends what an interrupt or exception entered within the kernel. */
  #leaveKernelOnly(): void {
    const { frames } = this.#stack;
    const index = frames.findLastIndex(({ returnTo }) => returnTo === null);
    frames.length = Math.max(0, index);
  }

  #leave(rip: bigint, process: string | null): void {
    const stack = this.#stack;
    this.#pending = 'nothing';
    if (process !== null && process !== stack.process.name) {
      // a new process, or another program in the old one
      this.#stack = { process: this.root.process(process), frames: [] };
      return;
    }
    const { frames } = stack;
    const index = frames.findLastIndex(({ returnTo }) => returnTo === null);
    const entered = frames[index];
    frames.length = Math.max(0, index);
    if (entered === undefined || entered.resume === null || entered.resume === rip) return;
    if (entered.call !== null && EXECVE.has(entered.call)) {
      frames.length = 0;
      return;
    }
    const interrupted = frames.findLastIndex(({ returnTo, resume }) => returnTo === null && resume === rip);
    if (interrupted >= 0) {
      frames.length = interrupted;
      return;
    }
    this.#pending = 'signal';
    this.#returnTo = entered.resume;
  }

  /** The node of the frame on top, while it executes this function. */
  #nodeOf(owner: CodeFunction): CallNode {
    const { frames, process } = this.#stack;
    let top = frames.at(-1);
    if (top === undefined) frames.push((top = { node: null, returnTo: 0n, resume: null, call: null }));
    const { node } = top;
    if (node !== null && node.code === owner && node.isUser === this.#isUser) return node;
    let depth = Math.min(frames.length - 2, MOST_DEPTH);
    while (depth >= 0 && frames[depth]?.node === null) depth--;
    const made = (frames[depth]?.node ?? process).child(owner, this.#isUser);
    if (node === null) made.calls++;
    top.node = made;
    return made;
  }
}
