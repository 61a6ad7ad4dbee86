/** Numbers in a saved state that no machine writes are refused, not taken for others. */
import { expect, test } from 'vitest';
import { FINAL_STOPS } from '../../../src/machine/config.ts';
import { Snapshot } from '../../../src/machine/snapshot/snapshot.ts';
import { boot } from '../system/guest.ts';

const TRIPLE_FAULT = '  push 0\n  push 0\n  lidt [rsp]\n  ud2\n';

test('the number of an end of the CPU that there is not', async () => {
  const { machine } = await boot(TRIPLE_FAULT);
  expect(machine.run(1_000_000n)).toEqual({ reason: 'triple-fault' });
  const { count, state, chunks } = machine.snapshot();
  const wrong = FINAL_STOPS.length;
  const put = (at: number, value: number) => {
    const changed = state.slice();
    changed[at] = value;
    machine.restore(new Snapshot(count, changed, chunks));
    return machine.run(count + 1n).reason;
  };
  /** Where the number stands: there alone a 2 means `stuck`. */
  const places = [...state.keys()].filter((at) => {
    if (state[at] !== 1) return false;
    try {
      return put(at, 2) === 'stuck';
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  });
  expect(places).toHaveLength(1);
  expect(() => put(places[0] ?? 0, wrong)).toThrow(RangeError);
  expect(() => put(places[0] ?? 0, 255)).toThrow(`an end of the CPU with the number 255`);
  for (const [number, stop] of FINAL_STOPS.entries()) if (stop !== null) expect(put(places[0] ?? 0, number)).toBe(stop.reason);
});
