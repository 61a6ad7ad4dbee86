/** What a campaign and its workers tell each other. */
import type { Failure } from '../invariants/judge.ts';
import type { Reason } from '../testbed.ts';

export interface WorkerData {
  readonly kernel: Uint8Array;
  readonly seed: string;
}

/** Run the programs `from` … `to` - 1. */
export interface WorkerRequest {
  readonly from: number;
  readonly to: number;
}

export interface ProgramResult {
  readonly index: number;
  readonly reason: Reason;
  readonly status: number;
  readonly instructions: bigint;
  readonly hash: string;
  readonly failures: readonly Failure[];
}

export interface BatchResult {
  readonly from: number;
  readonly programs: readonly ProgramResult[];
  readonly judged: ReadonlyMap<string, number>;
  /** Numbers for `describeReached` (coverage.ts). */
  readonly coverage: ReadonlySet<number>;
}
