/** The MC146818 as PCs have it, for reading: date and time against the host's own calendar. */
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

test('has the Gregorian calendar of every day from 1900 to 2400', () => {
  const [from = 0, to = 0] = [Date.UTC(1900, 0), Date.UTC(2400, 0)].map((time) => time / 86_400_000);
  const wrong: number[] = [];
  for (let day = from; day < to; day++) {
    // a second of the day that moves on from day to day, over all of them
    const seconds = day * 86_400 + ((((day * 7919) % 86_400) + 86_400) % 86_400);
    const expected = new Date(seconds * 1000);
    const year = expected.getUTCFullYear();
    const fields = [
      Math.floor(year / 100),
      year % 100,
      expected.getUTCMonth() + 1,
      expected.getUTCDate(),
      expected.getUTCDay() + 1,
      expected.getUTCHours(),
      expected.getUTCMinutes(),
      expected.getUTCSeconds(),
    ];
    if (rtc(BigInt(seconds)).date().join() !== fields.join()) wrong.push(seconds);
  }
  expect(wrong).toEqual([]);
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
