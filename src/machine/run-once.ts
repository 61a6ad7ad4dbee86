import type { MachineConfig, Stop } from './config.ts';
import type { Host } from './host.ts';
import { type Boot, Machine } from './machine.ts';
import type { Observer } from './observer.ts';

export interface SingleRun {
  readonly stop: Stop;
  /** Retired instructions since power-on. */
  readonly instructions: bigint;
  readonly hash: string;
}

/** One run from power-on to the end of the programs, without a snapshot: what a recording does too, so that their counts and hashes are equal. */
export async function runOnce(
  config: MachineConfig,
  boot: Boot,
  host: Host,
  options: { readonly limit: bigint; readonly observer?: Observer },
): Promise<SingleRun> {
  const machine = await Machine.create(config, host);
  machine.load(boot);
  machine.observer = options.observer ?? null;
  let stop = machine.run(options.limit);
  while (stop.reason === 'ready') stop = machine.run(options.limit);
  return { stop, instructions: machine.count, hash: machine.hash() };
}
