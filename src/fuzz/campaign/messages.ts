/** What a campaign and its workers tell each other. */
import type { Tier } from '../../machine/index.ts';
import type { Failure } from '../invariants/judge.ts';
import type { ReadyTestbed, Reason } from '../testbed.ts';
import type { Circumstances } from './circumstances.ts';

export interface WorkerData {
  readonly kernel: Uint8Array;
  readonly seed: string;
  /** Runs of each program. */
  readonly variants: number;
  readonly tier: Tier | undefined;
  /** Shared memory of one word, for the program that the worker runs; −1: none yet. */
  readonly program: Int32Array;
}

/** The first message to a worker: boot, and answer with what the others need; or the testbed to take over, which is answered with null. */
export type WorkerStart = 'boot' | ReadyTestbed;

/** Run the programs `from` … `to` - 1. */
export interface WorkerRequest {
  readonly from: number;
  readonly to: number;
}

/** One run of a program. */
export interface RunResult {
  readonly index: number;
  /** The number of its circumstances (circumstances.ts). */
  readonly variant: number;
  readonly circumstances: Circumstances;
  readonly reason: Reason;
  readonly status: number;
  readonly instructions: bigint;
  readonly hash: string;
  readonly failures: readonly Failure[];
}

/** The programs `from` … `to` - 1. */
export interface BatchResult {
  readonly from: number;
  readonly to: number;
  /** By program, and then by variant. */
  readonly runs: readonly RunResult[];
  readonly judged: ReadonlyMap<string, number>;
  /** Numbers for `describeReached` (coverage.ts). */
  readonly coverage: ReadonlySet<number>;
}
