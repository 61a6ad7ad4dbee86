/**
 * The threads of user mode as a judge outside sees them: with which registers each left, how, and with which it goes on. Captured once for all
 * invariants.
 */
import { CAPTURE, type Machine, type Observer, RegisterCapture } from '../../machine/index.ts';
import type { KernelView } from './kernel-view.ts';

/** How a thread left user mode: its registers then, and the call if it was one. */
export interface Exit {
  readonly registers: RegisterCapture;
  readonly call: bigint | null;
}

export interface ThreadWatcher {
  /** A thread goes on behind the call, or where it was interrupted: not in a new image, not in a signal handler, not out of one. */
  resumed?(exit: Exit, now: RegisterCapture): void;
  /** A thread starts where one or several others have called fork. */
  forked?(parents: readonly Exit[], child: RegisterCapture): void;
}

const SYSCALL = { execve: 59n, rtSigaction: 13n, rtSigreturn: 15n } as const;
const FORKS: readonly bigint[] = [56n, 57n, 58n, 435n];
/** Index of RSP in a capture. */
const RSP = 4;
/** Length of SYSCALL. */
const CALL_BYTES = 2n;

/** Word `index` of a capture; every index of CAPTURE lies within it. */
export const word = ({ words }: RegisterCapture, index: number): bigint => words[index] ?? 0n;
/** Its halves, signed. */
export const low = ({ halves }: RegisterCapture, index: number): number => halves[2 * index] ?? 0;
export const high = ({ halves }: RegisterCapture, index: number): number => halves[2 * index + 1] ?? 0;

class Thread implements Exit {
  readonly registers = new RegisterCapture();
  call: bigint | null = null;
  isOutside = false;
}

export class Threads {
  /** The registers at this moment, within `enterUser`. */
  readonly now = new RegisterCapture();
  readonly observer: Observer;
  readonly #machine: Machine;
  readonly #kernel: KernelView;
  /** By pid; and threads of runs before, to be used again. */
  readonly #threads = new Map<number, Thread>();
  readonly #spare: Thread[] = [];
  /** Addresses that some process gave as a signal handler: a thread may go on there, with registers that the signal sets. */
  readonly #handlers = new Set<bigint>();
  readonly #watchers: ThreadWatcher[] = [];

  constructor(machine: Machine, kernel: KernelView) {
    this.#machine = machine;
    this.#kernel = kernel;
    this.observer = {
      syscall: (_at, nr, args) => {
        this.#leave(nr);
        if (nr === SYSCALL.rtSigaction) this.#noteHandler(args[1] ?? 0n);
      },
      irq: () => this.#leave(null),
      exception: () => this.#leave(null),
      softwareInterrupt: () => this.#leave(null),
      enterUser: () => this.#enter(),
    };
  }

  /** A run begins: no thread is known. */
  begin(): void {
    this.#spare.push(...this.#threads.values());
    this.#threads.clear();
    this.#handlers.clear();
  }

  watch(watcher: ThreadWatcher): void {
    this.#watchers.push(watcher);
  }

  #noteHandler(action: bigint): void {
    const bytes = action < 0x8000_0000_0000n ? this.#machine.readLinear(action, 8) : null;
    if (bytes) this.#handlers.add(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  }

  #leave(call: bigint | null): void {
    if (this.#machine.cpl !== 3) return;
    const pid = this.#kernel.currentPid();
    let thread = this.#threads.get(pid);
    if (!thread) this.#threads.set(pid, (thread = this.#spare.pop() ?? new Thread()));
    thread.call = call;
    thread.isOutside = true;
    this.#machine.captureRegisters(thread.registers);
  }

  #enter(): void {
    this.#machine.captureRegisters(this.now);
    const thread = this.#threads.get(this.#kernel.currentPid());
    if (thread?.isOutside) {
      thread.isOutside = false;
      if (this.#goesOn(thread)) for (const watcher of this.#watchers) watcher.resumed?.(thread, this.now);
    } else {
      const parents = this.#forkers(word(this.now, CAPTURE.rip));
      if (parents.length > 0) for (const watcher of this.#watchers) watcher.forked?.(parents, this.now);
    }
  }

  #goesOn({ call, registers }: Thread): boolean {
    if (call === SYSCALL.rtSigreturn) return false;
    const rip = word(this.now, CAPTURE.rip);
    // A handler may lie where the thread was interrupted: then the frame on the stack tells it.
    if (this.#handlers.has(rip) && word(this.now, RSP) !== word(registers, RSP)) return false;
    const expected = call === null ? word(registers, CAPTURE.rip) : word(registers, CAPTURE.rip) + CALL_BYTES;
    return rip === expected || call !== SYSCALL.execve;
  }

  /** Threads that have called fork just before `rip` and wait in the kernel. */
  #forkers(rip: bigint): Thread[] {
    const forkers: Thread[] = [];
    for (const thread of this.#threads.values()) {
      const { call, isOutside, registers } = thread;
      if (isOutside && call !== null && FORKS.includes(call) && rip === word(registers, CAPTURE.rip) + CALL_BYTES) forkers.push(thread);
    }
    return forkers;
  }
}
