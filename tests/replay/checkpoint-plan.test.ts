import { describe, expect, test } from 'vitest';
import { CheckpointPlan } from '../../src/replay/checkpoint-plan.ts';
import { CHECKPOINT_INSTRUCTIONS } from '../../src/replay/schema.ts';

const MILLION = 1 << 20;

/** Instructions until the plan asks for a checkpoint, in blocks of a million with so many events each. */
function distance(plan: CheckpointPlan, events: number): number {
  for (let blocks = 1; ; blocks++) {
    plan.add(MILLION, events);
    if (plan.isDue) return blocks * MILLION;
  }
}

describe('checkpoints', () => {
  test('come as often as was asked, whatever happens between', () => {
    const plan = new CheckpointPlan(3 * MILLION);
    for (const events of [0, 100_000]) {
      expect(distance(plan, events)).toBe(3 * MILLION);
      plan.taken(64 * MILLION);
    }
  });

  test('come later after one that was large, within limits', () => {
    const plan = new CheckpointPlan(null);
    expect(distance(plan, 0)).toBe(64 * MILLION);
    plan.taken(40 * MILLION);
    expect(distance(plan, 0)).toBe(80 * MILLION);
    plan.taken(1000 * MILLION);
    expect(distance(plan, 0)).toBe(128 * MILLION);
    plan.taken(0);
    expect(distance(plan, 0)).toBe(64 * MILLION);
  });

  test('come sooner where events slow the run down, but not at once', () => {
    const plan = new CheckpointPlan(null);
    expect(distance(plan, 16_384)).toBe(32 * MILLION);
    plan.taken(0);
    expect(distance(plan, 1_000_000)).toBe(CHECKPOINT_INSTRUCTIONS);
  });
});
