import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectEvents, openTrace, record, replay } from '../../src/replay/index.ts';
import { FORMAT_VERSION } from '../../src/replay/trace/frame.ts';
import { goldenBranch, goldenFolder, goldenNames, goldenRecordings, oldRecordings, recordGoldenBranch, versions } from './golden.ts';

const traces = readdirSync(goldenFolder).filter((name) => name.endsWith('.mpk'));

describe('golden traces', () => {
  test('there is one for each recording', () => {
    expect(traces.toSorted()).toEqual(goldenNames.toSorted());
  });

  test.each(traces)('%s replays identically', async (name) => {
    expect(await replay(join(goldenFolder, name))).toMatchObject({ identical: true, complete: true, difference: null });
  });

  test.each(traces)('%s is of the format version that it stands for, with the events of that version', async (name) => {
    const trace = await openTrace(join(goldenFolder, name));
    const switches = [...inspectEvents(trace, { kinds: new Set(['context-switch']) })].length;
    expect(trace.version).toBe(oldRecordings[name] ?? versions[name] ?? FORMAT_VERSION);
    expect(switches > 0).toBe(trace.version >= 2);
  });

  test.each(Object.entries(goldenRecordings))('%s is what a recording makes now', async (name, options) => {
    const { trace } = await record(options());
    expect(Buffer.compare(trace ?? new Uint8Array(0), readFileSync(join(goldenFolder, name)))).toBe(0);
  });

  test(`${goldenBranch} is what a branch is now`, async () => {
    const made = (await recordGoldenBranch()) ?? new Uint8Array(0);
    expect(Buffer.compare(made, readFileSync(join(goldenFolder, goldenBranch)))).toBe(0);
  });
});
