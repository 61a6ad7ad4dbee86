import fc from 'fast-check';
import { expect, test } from 'vitest';
import { circumstancesFrom, circumstancesOf, USUAL, wordsOf } from '../../src/fuzz/campaign/circumstances.ts';
import { compileHostile, takesInput, withInput } from '../../src/fuzz/campaign/runner.ts';
import { render, USUAL_INPUT } from '../../src/fuzz/grammar/act.ts';

const FRAMES = { start: 12, all: 90 };

test('the first variant of every program runs under the usual circumstances, the others under drawn ones, the same each time', () => {
  const drawn = new Set<string>();
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.integer({ min: 1, max: 50 }), (seed, index, variant) => {
      expect(wordsOf(circumstancesOf(seed, index, 0, FRAMES))).toBe('');
      const words = wordsOf(circumstancesOf(seed, index, variant, FRAMES));
      expect(words).toMatch(/^input=0x[0-9a-f]+ quantum=\d+( fail-frame=\d+)?$/);
      expect(wordsOf(circumstancesOf(seed, index, variant, FRAMES))).toBe(words);
      drawn.add(words);
    }),
  );
  expect(drawn.size).toBeGreaterThan(90);
});

test('a frame is refused among those that the usual run asked for, mostly after the start, the first and the last too', () => {
  const refused = (start: number, all: number) =>
    Array.from({ length: 600 }, (_, variant) => circumstancesOf('frames', 1, variant + 1, { start, all }).failFrame);
  expect(new Set(refused(3, 6))).toEqual(new Set([1, 2, 3, 4, 5, 6, null]));
  expect(new Set(refused(2, 2))).toEqual(new Set([1, 2, null]));
  expect(new Set(refused(0, 0))).toEqual(new Set([null]));
  const late = refused(12, 90).filter((frame) => frame !== null && frame > 12).length;
  const early = refused(12, 90).filter((frame) => frame !== null && frame <= 12).length;
  expect(late).toBeGreaterThan(4 * early);
  expect(early).toBeGreaterThan(10);
});

test('words say what they were made from', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(50), (seed, index, variant) => {
      const circumstances = circumstancesOf(seed, index, variant, FRAMES);
      expect(circumstancesFrom(wordsOf(circumstances))).toEqual(circumstances);
    }),
  );
});

test.each([
  'quantum',
  'quantum=0',
  'fail-frame=-1',
  'fuel=5',
  'quantum=1e9',
  'quantum=1234567890123',
  'input=5',
  'input=0x10000000000000000',
])('%s is refused', (word) => {
  expect(() => circumstancesFrom(word)).toThrow(`circumstances ${word}: give input=0xN, quantum=N, fail-frame=N or several of them`);
});

test('another input is the program with other 64 bits in the place of the usual ones, and nothing else', () => {
  const image = compileHostile(render([{ tries: 'a call by its input', lines: ['r0 = syscall(39n, input);'] }]));
  expect(withInput(image, USUAL.input)).toBe(image);
  expect(withInput(image, USUAL_INPUT)).toEqual(image);
  const other = withInput(image, 0x1122_3344_5566_7788n);
  const places = [...image.keys()].filter((at) => other[at] !== image[at]);
  expect(places).toEqual(Array.from({ length: 8 }, (_, n) => (places[0] ?? 0) + n));
  expect(withInput(other, 0x1122_3344_5566_7788n)).toBe(other);
  const without = compileHostile(render([{ tries: 'a call', lines: ['r0 = syscall(39n);'] }]));
  expect(withInput(without, 5n)).toBe(without);
  expect([image, without].map(takesInput)).toEqual([true, false]);
});
