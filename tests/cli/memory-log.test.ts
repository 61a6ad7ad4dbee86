import { afterEach, expect, it, vi } from 'vitest';
import { describeMemory, MemoryLog } from '../../src/cli/memory-log.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('keeps a few samples over however long it takes, evenly', () => {
  vi.useFakeTimers();
  const log = new MemoryLog();
  vi.advanceTimersByTime(1800_000);
  const samples = log.stop();
  expect(samples.length).toBeGreaterThan(32);
  expect(samples.length).toBeLessThanOrEqual(64);
  expect(samples.at(-1)).toEqual({ seconds: 1800, mebibytes: expect.any(Number) });
  const gaps = samples.map(({ seconds }, i) => seconds - (samples[i - 1]?.seconds ?? 0)).slice(0, -1);
  expect(new Set(gaps).size).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

it('of a short time there is the end', () => {
  vi.useFakeTimers();
  expect(new MemoryLog().stop()).toEqual([{ seconds: 0, mebibytes: expect.any(Number) }]);
});

it('a line tells each quarter', () => {
  const samples = Array.from({ length: 8 }, (_, i) => ({ seconds: 10 * (i + 1), mebibytes: 100 + i }));
  expect(describeMemory(samples)).toBe('memory: 101 MiB after 20 s, 103 MiB after 40 s, 105 MiB after 60 s, 107 MiB after 80 s');
});
