/**
 * What an isolation invariant is. One judge is made for all runs of a machine, and `begin` puts it back before each; it sees the machine by its observer and by reading it, never by asking the
 * kernel, so that a kernel under attack cannot lie to it.
 *
 * *Moment*: a judgement. An invariant counts each with `context.judged()`, so that a report can say how often it was put to the test.
 * *Quiescent*: the CPU is about to execute the first instruction of user mode; no kernel code is at work.
 */
import type { Machine, Observer } from '../../machine/index.ts';
import type { Outcome } from '../testbed.ts';
import type { AddressSpaces } from './address-spaces.ts';
import type { KernelView } from './kernel-view.ts';
import type { SecretSet } from './secret-set.ts';
import type { Threads } from './threads.ts';

/** What an invariant sees of the run, and how it speaks. */
export interface Context {
  readonly machine: Machine;
  readonly kernel: KernelView;
  readonly spaces: AddressSpaces;
  readonly threads: Threads;
  /** What only the victim may know. */
  readonly secrets: SecretSet;
  /** The invariant does not hold: what was seen, in words, with addresses in hexadecimal. The first failure of a run counts. */
  fail(message: string): void;
  /** One judgement was made. */
  judged(): void;
}

/** What judges: the observer's methods that it needs, which do without `this`, and the moments that no event gives. */
export interface Judgement extends Observer {
  /** The kernel is ready; the programs start now. Nothing of the run before may be known any more. */
  begin?(): void;
  /** See *quiescent*. Told after every `enterUser`. */
  quiescent?(at: bigint): void;
  /** All programs have ended, or the run was stopped. */
  end?(outcome: Outcome): void;
}

export interface Invariant {
  /** `INV-nn`, for ever. */
  readonly id: string;
  /** What holds always, in one sentence. */
  readonly title: string;
  /** What becomes possible when it does not hold. */
  readonly because: string;
  readonly judge: (context: Context) => Judgement;
}

/** Declares an invariant. */
export const invariant = (declared: Invariant): Invariant => declared;

/** An address as people write it. */
export const hex = (value: bigint | number): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;
