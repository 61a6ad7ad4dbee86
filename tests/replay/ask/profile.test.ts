import { beforeAll, describe, expect, test } from 'vitest';
import { Coverage, type InstructionView, lcovText, profileOf, type Trace } from '../../../src/replay/index.ts';
import { changingTrace, smallTrace, steps } from './guests.ts';

let trace: Trace;
let views: InstructionView[];

beforeAll(async () => {
  trace = await smallTrace();
  views = await steps(trace);
});

const functionOf = ({ place }: InstructionView): string => place?.symbol?.replace(/\+0x.*/, '') ?? '[unknown]';

function tally<T>(items: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

describe('a profile', () => {
  test('counts every instruction once, with the function and ring that single steps find', async () => {
    const profile = await profileOf(trace);
    expect(profile.instructions).toBe(views.length);
    expect(profile.user).toBe(views.filter(({ cpl }) => cpl === 3).length);
    const counted = new Map<string, number>();
    for (const { name, self } of profile.functions) counted.set(name, (counted.get(name) ?? 0) + self);
    expect(counted).toEqual(tally(views.map(functionOf)));
  });

  test('folds to stacks whose sum it is', async () => {
    const profile = await profileOf(trace);
    const lines = [...profile.folded()];
    const sum = lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    expect(sum).toBe(views.length);
    expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(lines.length);
  });

  test('has calls, returns, interrupts and system calls where they belong', async () => {
    const profile = await profileOf(trace);
    const stacks = [...profile.folded()].map((line) => line.replace(/ \d+$/, ''));
    const program = stacks.filter((stack) => /^space 0x[0-9a-f]+;round;/.test(stack));
    expect(program.some((stack) => stack.endsWith(';round;twice;once'))).toBe(true);
    expect(
      program.some(
        (stack) => stack.includes(';round;entries_[k]') || /;round;[^;]*;handle_timer_\[k\]|;round;handle_timer_\[k\]/.test(stack),
      ),
    ).toBe(true);
    expect(program.some((stack) => /;round;system_\w+_\[k\]$/.test(stack))).toBe(true);
    // nothing that an interrupt entered stays on the stack
    expect(stacks.every((stack) => (stack.match(/handle_timer/g) ?? []).length <= 1)).toBe(true);
    const calls = (name: string) => profile.functions.filter((row) => row.name === name).reduce((sum, row) => sum + row.calls, 0);
    expect(calls('twice')).toBe(
      views.filter(({ text }, i) => text.startsWith('call') && functionOf(views[i + 1] as InstructionView) === 'twice').length,
    );
  });

  test('of a part counts that part', async () => {
    const { instructions } = await profileOf(trace, { from: 1000n, to: 1777n });
    expect(instructions).toBe(777);
  });
});

describe('coverage', () => {
  test.each(['small', 'changing'])('counts executions of each address as single steps do (%s)', async (which) => {
    const run = which === 'small' ? trace : await changingTrace();
    const seen = which === 'small' ? views : await steps(run);
    const coverage = new Coverage();
    await coverage.add(run);
    const counted = new Map([...coverage.images].flatMap(({ instructions }) => [...instructions]));
    // code that is no more what the file has belongs to no image
    expect(counted).toEqual(tally(seen.filter(({ place }) => place !== null).map(({ rip }) => rip)));
  });

  test('of two runs is the sum of both', async () => {
    const [once, twice] = [new Coverage(), new Coverage()];
    await once.add(trace);
    await twice.add(trace);
    await twice.add(trace);
    const [a, b] = [once, twice].map(({ images }) => [...images].map(({ instructions }) => [...instructions]));
    expect(b).toEqual(a?.map((image) => image.map(([address, count]) => [address, 2 * count])));
  });

  test('counts branches both ways', async () => {
    const coverage = new Coverage();
    await coverage.add(trace);
    for (const { branches, instructions } of coverage.images) {
      expect(branches.size).toBeGreaterThan(5);
      for (const [address, { executed, taken }] of branches) {
        expect(executed).toBe(instructions.get(address));
        const next = views
          .filter(({ rip }) => rip === address)
          .map(({ at, bytes }) => views[Number(at) + 1]?.rip !== address + BigInt(bytes.length));
        expect(taken).toBe(next.filter(Boolean).length);
      }
    }
  });

  test('is an lcov file without lines where the image has none', async () => {
    const coverage = new Coverage();
    await coverage.add(trace);
    expect(lcovText(coverage)).toMatchObject({ linesHit: expect.any(Number) });
  });
});
