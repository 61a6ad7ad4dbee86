/** What a machine is made from, and why a run ends. */

import type { Tier } from './cpu/regions.ts';
import { UNSUPPORTED, type Unsupported, unsupportedText } from './unsupported.ts';

export interface MachineConfig {
  /** RAM size: a multiple of 4096, from 2 MiB to 3 GiB. */
  readonly memoryBytes: number;
  /** Feeds RDRAND and RDSEED. */
  readonly seed: string;
  readonly harness: boolean;
  /** What the RTC shows at count 0: seconds since 1970. Default 0. */
  readonly startTime?: bigint;
  readonly record?: { readonly path: boolean; readonly addresses: boolean };
  /** How guest code is run; results are the same. Default: auto. */
  readonly tier?: Tier;
  readonly watch?: { readonly supervisorUserAccess?: boolean };
}

/** Ends after which nothing is executed any more, by the number that a saved state has for them; 0: the CPU lives. */
export const FINAL_STOPS: readonly FinalStop[] = [
  null,
  { reason: 'triple-fault' },
  { reason: 'stuck' },
  { reason: 'init' },
  ...UNSUPPORTED.map((what) => ({ reason: 'unsupported', what }) as const),
];
export type FinalStop = Extract<Stop, { readonly reason: 'triple-fault' | 'stuck' | 'init' | 'unsupported' }> | null;

export type Stop =
  | { readonly reason: 'limit' }
  /** `code` is what the guest wrote to isa-debug-exit. */
  | { readonly reason: 'debug-exit'; readonly code: number }
  /** HLT with nothing that could wake the CPU. */
  | { readonly reason: 'halt' }
  | { readonly reason: 'triple-fault' }
  /** 65,536 exceptions in a row in which no instruction retired: the guest's handlers fault for ever. */
  | { readonly reason: 'stuck' }
  /** An INIT IPI to the only CPU: it would start anew in a firmware, and there is none. */
  | { readonly reason: 'init' }
  /** The next instruction, or the delivery of an event there, needs what this PC does not have. */
  | { readonly reason: 'unsupported'; readonly what: Unsupported }
  | { readonly reason: 'ready' }
  /** The guest asked for a program and the host has no more; it sees length 0 when it goes on. */
  | { readonly reason: 'fetch-empty' }
  | { readonly reason: 'finished'; readonly status: number }
  | { readonly reason: 'panic'; readonly status: number }
  /** An observer called requestStop(). */
  | { readonly reason: 'observer' };

/** A stop in a few words, for people. */
export function stopText(stop: Stop): string {
  switch (stop.reason) {
    case 'debug-exit':
      return `debug-exit ${stop.code}`;
    case 'finished':
    case 'panic':
      return `${stop.reason} ${stop.status}`;
    case 'unsupported':
      return `unsupported (the guest needs ${unsupportedText(stop.what)}, which this PC does not have)`;
    default:
      return stop.reason;
  }
}
