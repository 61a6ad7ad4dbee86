/** The MC146818 as PCs have it, for reading: date and time against the host's own calendar. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rtc } from '../../../src/machine/devices/rtc.ts';

function rtc(start: bigint) {
  const clock = { now: 0, tscOffset: 0n };
  const device = new Rtc(clock, start);
  const read = (index: number) => {
    device.writePort(0, 1, index);
    return device.readPort(1);
  };
  /** Century, year, month, day, day of the week, hours, minutes, seconds. */
  const date = () => [0x32, 0x09, 0x08, 0x07, 0x06, 0x04, 0x02, 0x00].map(read);
  return { clock, device, read, date };
}

test('shows the configured time plus virtual time', () => {
  const { clock, date } = rtc(951_782_399n); // 28 February 2000, 23:59:59
  expect(date()).toEqual([20, 0, 2, 28, 2, 23, 59, 59]);
  clock.now = 999_999_999;
  expect(date()).toEqual([20, 0, 2, 28, 2, 23, 59, 59]);
  clock.now = 1_000_000_000;
  expect(date()).toEqual([20, 0, 2, 29, 3, 0, 0, 0]);
});

test('has the Gregorian calendar of every second from 1900 to 2400', () => {
  const [from, to] = [Date.UTC(1900, 0), Date.UTC(2400, 0)].map((time) => time / 1000);
  fc.assert(
    fc.property(fc.integer({ min: from ?? 0, max: to ?? 0 }), (seconds) => {
      const day = new Date(seconds * 1000);
      const year = day.getUTCFullYear();
      expect(rtc(BigInt(seconds)).date()).toEqual([
        Math.floor(year / 100),
        year % 100,
        day.getUTCMonth() + 1,
        day.getUTCDate(),
        day.getUTCDay() + 1,
        day.getUTCHours(),
        day.getUTCMinutes(),
        day.getUTCSeconds(),
      ]);
    }),
    {
      numRuns: 500,
      seed: 1,
      examples: [
        '1970-01-01T00:00:00Z',
        '1972-02-29T12:34:56Z',
        '1999-12-31T23:59:59Z',
        '2000-02-29T00:00:00Z',
        '2000-03-01T00:00:00Z',
        '2100-02-28T23:59:59Z',
        '2100-03-01T00:00:00Z',
        '1969-12-31T23:59:59Z',
      ].map((text): [number] => [Date.parse(text) / 1000]),
    },
  );
});

test('says 24 hours, binary, no update under way, no interrupt, a good battery', () => {
  const { read } = rtc(0n);
  expect([0x0a, 0x0b, 0x0c, 0x0d].map(read)).toEqual([0x26, 0x06, 0, 0x80]);
});

test('keeps bytes of CMOS; date and status are not written, and the index is not read', () => {
  const { device, read } = rtc(0n);
  for (const [index, value] of [
    [0x0e, 0x11],
    [0x7f, 0x22],
    [0x0d, 0x33],
    [0x0b, 0x44],
    [0x07, 0x55],
  ] as const) {
    device.writePort(0, 1, index);
    device.writePort(1, 1, value);
  }
  expect([0x0e, 0x7f, 0x0d, 0x0b, 0x07, 0x10].map(read)).toEqual([0x11, 0x22, 0x80, 0x06, 1, 0]);
  expect(device.readPort(0)).toBe(0xff);
});

test('bit 7 of the index is the NMI gate, no part of it', () => {
  const { device } = rtc(0n);
  device.writePort(0, 1, 0x8e);
  device.writePort(1, 1, 0x77);
  device.writePort(0, 1, 0x0e);
  expect(device.readPort(1)).toBe(0x77);
});
