import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type InstructionView,
  inspectEvents,
  openTrace,
  SELECTION_KEYS,
  type SelectedRow,
  Selection,
  select,
  Timeline,
  type Trace,
} from '../../../src/replay/index.ts';
import { smallTrace, steps } from './guests.ts';

let trace: Trace;
let views: InstructionView[];

beforeAll(async () => {
  trace = await smallTrace();
  views = await steps(trace);
});

async function selected(...texts: string[]): Promise<SelectedRow[]> {
  const rows: SelectedRow[] = [];
  await select(trace, new Selection(texts), {}, (row) => rows.push(row) > 0);
  return rows;
}

const told = (rows: readonly SelectedRow[]) =>
  rows.map((row) => `${row.at} ${'event' in row ? row.text : `${row.instruction.cpl} ${row.instruction.text}`}`);
const functionOf = ({ place }: InstructionView) => place?.symbol?.replace(/\+0x.*/, '') ?? '';

describe('a selection', () => {
  test('of instructions is a filter of all of them', async () => {
    const cases: [string, (view: InstructionView) => boolean][] = [
      ['kind=instruction', () => true],
      ['symbol=handle_*,once', (view) => /^handle_|^once$/.test(functionOf(view))],
      ['op=rep*,stosb,SYSCALL', ({ text }) => /stosb|^syscall/.test(text)],
      ['kind=instruction mode=user at=2000..2500', ({ at, cpl }) => cpl === 3 && at >= 2000n && at < 2500n],
      ['op!=loop,ror mode!=kernel at=1000.. kind=instruction', ({ at, cpl, text }) => cpl === 3 && at >= 1000n && !/^loop|^ror/.test(text)],
      [`address=0x${views[3000]?.rip.toString(16)} kind=instruction`, ({ rip }) => rip === views[3000]?.rip],
    ];
    for (const [text, wanted] of cases) {
      const expected = views.filter(wanted).map(({ at, cpl, text: line }) => `${at} ${cpl} ${line}`);
      expect(expected.length, text).toBeGreaterThan(0);
      expect(told(await selected(text)), text).toEqual(expected);
    }
  });

  test('of events is a filter of all of them', async () => {
    const all = [...inspectEvents(trace)];
    const cases: [string, (view: (typeof all)[number]) => boolean][] = [
      ['kind=event', () => true],
      ['at=..100000', () => true],
      ['kind=syscall,output', ({ event: { kind } }) => kind === 'syscall' || kind === 'output'],
      ['kind!=output at=500..3000', ({ event: { kind, at } }) => kind !== 'output' && at >= 500n && at < 3000n],
      ['vector=#UD,32', ({ event }) => 'vector' in event && (event.vector === 6 || event.vector === 32)],
      ['call=write', ({ event, text }) => (event.kind === 'syscall' || event.kind === 'sysret') && /^\w+ write/.test(text)],
    ];
    for (const [text, wanted] of cases) {
      const expected = all.filter(wanted).map(({ event: { at }, text: line }) => `${at} ${line}`);
      expect(expected.length, text).toBeGreaterThan(0);
      expect(told(await selected(text)), text).toEqual(expected);
    }
  });

  test('of a branch knows that it begins in user mode', async () => {
    const from = views.find(({ at, cpl }) => cpl === 3 && at > 3000n)?.at ?? 0n;
    const timeline = await Timeline.open(trace);
    timeline.seek(from + 2n);
    const branch = await openTrace((await timeline.branch({ parent: 'parent.mpk' })).trace ?? new Uint8Array());
    const rows: SelectedRow[] = [];
    const parents: SelectedRow[] = [];
    for (const mode of ['user', 'kernel']) {
      await select(branch, new Selection([`kind=instruction,syscall mode=${mode}`]), {}, (row) => rows.push(row) > 0);
      parents.push(...(await selected(`kind=instruction,syscall mode=${mode} at=${from + 2n}..`)));
    }
    expect(told(rows)).toEqual(told(parents));
    expect(rows[0]?.at).toBe(from + 2n);
  });

  test('of several alternatives is what any of them selects, in order', async () => {
    const rows = await selected('kind=irq', 'op=iretq', 'symbol=handle_timer op=inc');
    expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).sort((a, b) => Number(a - b)));
    const expected = views.filter((view) => view.text === 'iretq' || (functionOf(view) === 'handle_timer' && view.text.startsWith('inc')));
    expect(told(rows.filter((row) => 'instruction' in row))).toEqual(expected.map(({ at, cpl, text }) => `${at} ${cpl} ${text}`));
    expect(told(rows.filter((row) => 'event' in row))).toEqual(told(await selected('kind=irq')));
  });

  test('ends when enough was taken', async () => {
    const rows: SelectedRow[] = [];
    await select(trace, new Selection(['op=loop']), {}, (row) => rows.push(row) < 3);
    expect(rows).toHaveLength(3);
  });

  test.each([
    ['', 'character 1: the selection is empty'],
    ['kind', 'character 5: = or != is expected after kind'],
    ['kind=irq  =5', 'character 11: a key is expected'],
    ['kind=irq at=', 'character 13: a value is missing'],
    ['kind=irq,', 'character 10: a value is missing'],
    ['symbol="a b', 'character 8: the quotation has no end'],
    ['symbol="a"b', 'character 11: a space or a comma is expected'],
    ['kind=irq,nmi', 'character 10: there is no kind "nmi"; kinds: instruction, event'],
    ['at=5 what=3', 'character 6: there is no key "what"; keys: kind, at'],
    ['at=ten', 'character 4: "ten" is not a position or a range N..M'],
    ['at=9..9', 'character 4: the range 9..9 is empty'],
    ['vector=300', 'character 8: "300" is no vector'],
    ['mode=root', 'character 6: the mode is user or kernel'],
  ])('%j is refused with the place', (text, message) => {
    expect(() => new Selection([text])).toThrow(message);
  });

  test('any text is a selection or refused in one line', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...SELECTION_KEYS.map(({ name }) => name),
        '=',
        '!=',
        ',',
        ' ',
        '"',
        '..',
        '*',
        '?',
        '#PF',
        'irq',
        '0x',
        '-',
        '9',
        'é',
        '\n',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    let refused = 0;
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          const selection = new Selection([words.join('')]);
          expect(selection.from <= selection.to || selection.to < selection.from).toBe(true);
        } catch (error) {
          refused++;
          expect(error).toMatchObject({ name: 'UserError', message: expect.stringMatching(/^--select .*character \d+: /) });
        }
      }),
      { numRuns: 1000, seed: 3 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  test.each(['kind=constructor', 'kind!=toString', 'kind=__proto__'])('%s names no kind', (text) => {
    expect(() => new Selection([text])).toThrow(/^--select .*there is no kind/);
  });

  test('a name with many stars is judged in no time', async () => {
    const start = performance.now();
    await selected(`symbol=${'*a'.repeat(1000)}`);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
