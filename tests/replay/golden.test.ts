import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { record, replay } from '../../src/replay/index.ts';
import { goldenFolder, goldenNames, goldenRecordings } from './golden.ts';

const traces = readdirSync(goldenFolder).filter((name) => name.endsWith('.mpk'));

describe('golden traces', () => {
  test('there is one for each recording', () => {
    expect(traces.toSorted()).toEqual(goldenNames.toSorted());
  });

  test.each(traces)('%s replays identically', async (name) => {
    expect(await replay(join(goldenFolder, name))).toMatchObject({ identical: true, complete: true, difference: null });
  });

  test.each(Object.entries(goldenRecordings))('%s is what a recording makes now', async (name, options) => {
    const { trace } = await record(options());
    expect(Buffer.compare(trace ?? new Uint8Array(0), readFileSync(join(goldenFolder, name)))).toBe(0);
  });
});
