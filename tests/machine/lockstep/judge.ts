/** What the lockstep tests share: a guest's text in tier 0 and another at once, stopped at random points; a difference is told as the judge tells it. */
import { expect } from 'vitest';
import { QuietHost, type Tier } from '../../../src/machine/index.ts';
import { instructionText, type LockstepReport, lockstep } from '../../../src/replay/index.ts';
import type { Random } from '../cpu/interpreter-judge.ts';
import { guestImage } from '../system/guest.ts';

export interface Judged {
  readonly instructions: number;
  readonly stops: number;
  /** What the guest printed. */
  readonly text: string;
}

/** Runs a test of `guest.ts` to its end. `name` is what the failure begins with. */
export async function judgeTiers(
  name: string,
  program: string,
  r: Random,
  options: { tier: Tier; path: boolean; addresses?: boolean },
): Promise<Judged> {
  const host = new QuietHost();
  const report = await lockstep({
    machine: {
      memoryBytes: 4 << 20,
      seed: 'lockstep',
      harness: false,
      record: { path: options.path, addresses: options.addresses ?? false },
    },
    boot: { image: guestImage(program) },
    tiers: [0, options.tier],
    host,
    limit: 50_000_000n,
    stride: () => 1 + r.below(r.below(4) === 0 ? 40 : 20_000),
  });
  expectSame(name, report);
  return { instructions: Number(report.instructions), stops: report.stops, text: host.text };
}

export function expectSame(name: string, { difference, end }: LockstepReport): void {
  const told = difference && [
    `the same after ${difference.same}, different after ${difference.first}`,
    ...difference.lines,
    ...difference.block.map((view) => `${view === difference.instruction ? '→' : ' '} ${view.at}  ${instructionText(view)}`),
  ];
  expect(told?.join('\n') ?? null, name).toBeNull();
  expect(end?.reason, name).not.toBe('limit');
}
