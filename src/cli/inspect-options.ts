/** The options of `inspect`, as they were given. */
import type { Tier } from '../machine/index.ts';

export interface InspectOptions {
  readonly select: readonly string[];
  readonly kind?: string;
  readonly call?: string;
  readonly from: number;
  readonly to?: number;
  readonly limit?: number;
  readonly at?: string;
  readonly instructions?: number;
  readonly profile?: boolean;
  readonly folded?: string;
  readonly lcov?: string;
  readonly tier: Tier;
  readonly json?: boolean;
  readonly csv?: boolean;
}
