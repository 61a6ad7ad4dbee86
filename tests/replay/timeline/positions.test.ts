import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../src/machine/index.ts';
import { openTrace, record, Timeline, type Trace, type TraceEvent } from '../../../src/replay/index.ts';
import { type Places, resolvePosition } from '../../../src/replay/timeline/positions.ts';
import { guestRecording } from '../guest.ts';

let trace: Trace;
let timeline: Timeline;
let all: TraceEvent[];

beforeAll(async () => {
  const recording = await record({ ...guestRecording({ rounds: 12, timer: 200 }), blockInstructions: 512, checkpointInstructions: 1024 });
  trace = await openTrace(recording.trace ?? new Uint8Array(0));
  timeline = await Timeline.open(trace, { like: recording.machine });
  all = Array.from({ length: trace.runs }, (_, run) => trace.events(run)).flat();
});

const at = (wanted: (event: TraceEvent) => boolean): bigint[] => all.filter(wanted).map((event) => event.at);
const of = (kind: TraceEvent['kind']): bigint[] => at((event) => event.kind === kind);

describe('a position', () => {
  test('is a number, an end, a mark, or one of these and so many instructions', () => {
    timeline.seek(500n);
    timeline.marks.set('here', 500n);
    const { end } = timeline;
    for (const [text, position] of [
      ['123', 123n],
      ['1_000', 1000n],
      ['0x10', 16n],
      ['start', 0n],
      ['end', end],
      ['end-10', end - 10n],
      ['.', 500n],
      ['+7', 507n],
      ['-7', 493n],
      ['.+1_0', 510n],
      ['here', 500n],
      ['@here+1', 501n],
    ] as const)
      expect([text, timeline.resolve(text)]).toEqual([text, position]);
  });

  test('is that of an event: by number, by kind and argument, from the first, the last, or here', () => {
    timeline.seek(1000n);
    const [irqs, calls, outputs] = [of('irq'), of('syscall'), of('output')];
    const cr3 = at((event) => event.kind === 'control-register' && event.register === 3);
    for (const [text, position] of [
      ['event:0', all[0]?.at],
      ['event:9+1', (all[9]?.at ?? 0n) + 1n],
      ['irq', irqs[0]],
      ['irq:32:2', irqs[1]],
      ['irq::-1', irqs.at(-1)],
      ['fault', of('exception')[0]],
      ['fault:UD', of('exception')[0]],
      ['exception:#ud:1', of('exception')[0]],
      ['syscall::3', calls[2]],
      ['syscall::-1-1', (calls.at(-1) ?? 0n) - 1n],
      ['output:2', outputs[1]],
      ['cr3', cr3[0]],
      ['cr3:-1', cr3.at(-1)],
      ['next:irq', irqs.find((each) => each > 1000n)],
      ['next:irq::2', irqs.filter((each) => each > 1000n)[1]],
      ['previous:cr3', cr3.findLast((each) => each < 1000n)],
      ['console:ab', outputs[0]],
      ['console:/^(ab)+$/:-1', outputs[0]],
    ] as const)
      expect([text, timeline.resolve(text)]).toEqual([text, position]);
  });

  test('that is none, or that the trace does not have, is told in a line', () => {
    for (const [text, message] of [
      ['nonsense', 'there is no mark, and there are no events, of this name'],
      ['', 'there is no mark'],
      ['irq:900', 'behind irq: stands a vector'],
      ['syscall:a-b', 'behind syscall: stands the name or number of a call'],
      ['irq::0', 'occurrences are counted from 1'],
      ['next:irq::-1', 'occurrences are counted from 1'],
      ['irq:32:9999', 'there are fewer than 9999'],
      ['event:99999999', 'the trace has fewer events'],
      ['event:x', '"x" is not a whole number'],
      ['end+1', `the trace has positions 0 to ${trace.instructions}`],
      ['failure', 'this run did not fail: it ended with debug-exit'],
      ['process:hello', 'this guest is not keel'],
      ['process', 'which process?'],
      ['console', 'which line?'],
      ['console:/(/', 'this is no regular expression'],
      ['x'.repeat(2000), 'a position of 2000 characters'],
    ] as const)
      expect(() => timeline.resolve(text), text).toThrow(message);
  });

  test('by an expression that would take for ever ends with an error', () => {
    const none = (): null => null;
    const places: Places = {
      ...{ position: 0n, start: 0n, end: 9n, failure: null, ending: '', console: [{ at: 3n, text: 'a'.repeat(60) }] },
      ...{ mark: none, event: none, nextEvent: none, previousEvent: none, all: () => [], switchesTo: () => ({ kinds: [] }) },
    };
    expect(resolvePosition(places, 'console:/^(a+)+$/')).toBe(3n);
    expect(() => resolvePosition(places, 'console:/^(a+)+b$/')).toThrow('was still not through');
  });

  test('of any text is one of the trace, or an error for the user', () => {
    const word = fc.constantFrom(
      'irq',
      'syscall',
      'end',
      'start',
      ':',
      '-',
      '+',
      '1',
      '32',
      'next',
      'console',
      'a',
      '/',
      '.',
      '@',
      'event',
      'process',
      'halt',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join('')),
        ),
        (text) => {
          try {
            const position = timeline.resolve(text);
            expect(position >= 0n && position <= trace.instructions).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('marks', () => {
  const inFolder = async (work: (path: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'marks-'));
    try {
      await work(join(folder, 'a.mpk.marks'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const open = (marks: string): Promise<Timeline> => Timeline.open(trace, { marks, like: timeline.machine });

  test('stay in their file', async () => {
    await inFolder(async (path) => {
      const { marks } = await open(path);
      marks.set('late', 900n);
      marks.set('early', 7n);
      marks.set('gone', 1n);
      expect([marks.remove('gone'), marks.remove('gone')]).toEqual([true, false]);
      const again = (await open(path)).marks;
      expect(again.all).toEqual([
        ['early', 7n],
        ['late', 900n],
      ]);
    });
  });

  test('have names that mean nothing else', () => {
    for (const name of ['', '1st', 'a-1', 'end', 'syscall', 'cr3', 'next', 'process', 'a'.repeat(65), 'a\n'])
      expect(() => timeline.marks.set(name, 0n), name).toThrow(UserError);
  });

  test('of another trace, of another version, and whatever else is no file of marks, are refused', async () => {
    await inFolder(async (path) => {
      (await open(path)).marks.set('a', 1n);
      const good = readFileSync(path, 'utf8');
      for (const [text, message] of [
        [good.replace(/"trace": "[0-9a-f]/, '"trace": "x'), 'its marks are those of another trace'],
        [good.replace('"palindrome-marks": 1', '"palindrome-marks": 2'), 'this is no file of marks of version 1'],
        [good.replace('"1"', '"-1"'), 'a mark cannot be'],
        [good.replace('"1"', '"99999999999999999999"'), 'a mark cannot be'],
        [good.replace('"a"', '"end"'), 'a mark cannot be'],
        ['[]', 'this is no file of marks'],
        ['{', 'it is no JSON'],
        [' '.repeat((1 << 20) + 1), 'a file of up to'],
      ] as const) {
        writeFileSync(path, text);
        await expect(open(path), text.slice(0, 200)).rejects.toThrow(message);
      }
    });
  });
});
