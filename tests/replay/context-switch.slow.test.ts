/** Context switches of keel: a process's output comes while the switches say that it runs, and each side has its name. */
import { beforeAll, describe, expect, test } from 'vitest';
import { buildKeel, compile, packPrograms } from '../../src/compiler/index.ts';
import { inspectEvents, openTrace, Processes, type Recording, record, replay, type Trace } from '../../src/replay/index.ts';
import { checkedSwitches } from './switches.ts';

/** Two children take turns and print a letter each time; then a third becomes another program. */
const PARENT = `
import { execute, exit, fork, print, wait, yieldProcessor } from 'palindrome/program';
const status = new Int32Array(1);
function child(letter: string): never {
  for (let turn = 0; turn < 3; turn++) {
    print(letter);
    yieldProcessor();
  }
  exit(0);
}
if (fork() === 0) child('a');
if (fork() === 0) child('b');
wait(-1, status);
wait(-1, status);
if (fork() === 0) {
  execute('/bin/other');
  exit(1);
}
wait(-1, status);
print('p');
exit(0);
`;
const OTHER = `
import { exit, print } from 'palindrome/program';
print('o');
exit(0);
`;

function program(text: string): Uint8Array {
  const { image, diagnostics } = compile({ entry: 'main.ts' }, new Map([['main.ts', text]]));
  if (image === null) throw new Error(JSON.stringify(diagnostics));
  return image;
}

let recording: Recording;
let bytes: Uint8Array;
let trace: Trace;
let lines: string[];

beforeAll(async () => {
  const files = [
    { path: '/bin/parent', bytes: program(PARENT) },
    { path: '/bin/other', bytes: program(OTHER) },
  ];
  recording = await record({
    machine: { memoryBytes: 32 << 20, seed: 'switches', harness: false },
    image: { name: 'keel', bytes: buildKeel().image },
    initrd: { name: 'initrd', bytes: packPrograms(files, [['/bin/parent']]) },
    limit: 100_000_000n,
    blockInstructions: 65_536,
    checkpointInstructions: 4 * 65_536,
  });
  bytes = recording.trace ?? new Uint8Array(0);
  trace = await openTrace(bytes);
  const processes = await Processes.open(trace, { like: recording.machine });
  lines = [...inspectEvents(trace, { kinds: new Set(['context-switch']) }, processes)].map(
    ({ names }) => `${names?.from ?? 'unknown'} → ${names?.to ?? 'unknown'}`,
  );
});

describe('a run of several processes', () => {
  test('has a switch for each CR3 write to another address space, and replays identically', async () => {
    expect(checkedSwitches(trace)).toHaveLength(recording.counts['context-switch'] ?? 0);
    expect(await replay(bytes, { like: recording.machine })).toMatchObject({ identical: true, complete: true });
  });

  test('prints each letter while the switches say that its process runs', async () => {
    const processes = await Processes.open(trace, { like: recording.machine });
    let current: string | null = null;
    const printed: [string, string | null][] = [];
    for (const { event, names } of inspectEvents(trace, {}, processes)) {
      if (names !== null) current = names.to?.match(/^pid \d+/)?.[0] ?? null;
      if (event.kind === 'output' && current !== null) printed.push([String.fromCharCode(event.byte), current]);
    }
    expect(printed).toEqual([
      ['a', 'pid 17'],
      ['b', 'pid 33'],
      ['a', 'pid 17'],
      ['b', 'pid 33'],
      ['a', 'pid 17'],
      ['b', 'pid 33'],
      ['o', 'pid 49'],
      ['p', 'pid 1'],
    ]);
  });

  test('names both sides of each switch, by the program that they run at that moment', () => {
    expect(lines).toMatchInlineSnapshot(`
      [
        "unknown → kernel",
        "kernel → pid 1 parent",
        "pid 1 parent → pid 17 parent",
        "pid 17 parent → pid 33 parent",
        "pid 33 parent → pid 17 parent",
        "pid 17 parent → pid 33 parent",
        "pid 33 parent → pid 17 parent",
        "pid 17 parent → pid 33 parent",
        "pid 33 parent → pid 17 parent",
        "pid 17 parent → kernel",
        "kernel → pid 33 parent",
        "pid 33 parent → kernel",
        "kernel → pid 1 parent",
        "pid 1 parent → pid 49 parent",
        "pid 49 parent → pid 49 parent",
        "pid 49 other → kernel",
        "kernel → pid 1 parent",
        "pid 1 parent → kernel",
      ]
    `);
  });

  test('says where the switches lead when only a part is looked at', async () => {
    const processes = await Processes.open(trace, { like: recording.machine });
    const all = [...inspectEvents(trace, { kinds: new Set(['context-switch']) }, processes)];
    const from = all[5]?.event.at ?? 0n;
    const again = [...inspectEvents(trace, { kinds: new Set(['context-switch']), from }, processes)];
    expect(again.map(({ text }) => text)).toEqual(all.slice(5).map(({ text }) => text));
  });
});
