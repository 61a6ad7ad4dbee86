/**
 * MC146818 real-time clock and CMOS memory, for reading: the date is the configured start plus virtual time, one second for each
 * TICKS_PER_SECOND ticks. Interrupts and setting the clock are not there; CMOS bytes can be written and read back.
 */
import { RTC_PORT } from '../platform/ports.ts';
import { TICKS_PER_SECOND } from '../platform/time.ts';
import { fieldsOf } from '../snapshot/fields.ts';
import type { Clock, PortDevice } from './device.ts';

/** Register B: 24-hour mode, binary values. */
const STATUS_B = 0x06;
/** Register D: the battery is good. */
const STATUS_D = 0x80;

export class Rtc implements PortDevice {
  readonly name = 'rtc';
  readonly firstPort = RTC_PORT;
  readonly portCount = 2;
  readonly width = 1;
  index = 0;
  readonly memory = new Uint8Array(128);
  readonly #clock: Clock;
  readonly #start: number;

  /** `start`: seconds since 1970 at tick 0. */
  constructor(clock: Clock, start: bigint) {
    this.#clock = clock;
    this.#start = Number(start);
  }

  readPort(offset: number): number {
    if (offset === 0) return 0xff;
    const { year, month, day, hour, minute, second, weekday } = civilTime(this.#start + Math.floor(this.#clock.now / TICKS_PER_SECOND));
    switch (this.index) {
      case 0x00:
        return second;
      case 0x02:
        return minute;
      case 0x04:
        return hour;
      case 0x06:
        return weekday;
      case 0x07:
        return day;
      case 0x08:
        return month;
      case 0x09:
        return year % 100;
      case 0x32:
        return Math.floor(year / 100);
      case 0x0a:
        return 0x26;
      case 0x0b:
        return STATUS_B;
      case 0x0c:
        return 0;
      case 0x0d:
        return STATUS_D;
      default:
        return this.memory[this.index] ?? 0xff;
    }
  }

  writePort(offset: number, _size: number, value: number): void {
    if (offset === 0) this.index = value & 0x7f;
    else if (this.index > 0x0d) this.memory[this.index] = value;
  }
}

/** Gregorian date and time of a number of seconds since 1970, without the host's clock or zone. */
function civilTime(seconds: number) {
  const days = Math.floor(seconds / 86400);
  const rest = seconds - days * 86400;
  // Years begin in March, so that the leap day comes last; eras of 400 years (146097 days).
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    // 1 January 1970 was a Thursday; Sunday is 1.
    weekday: ((((days + 4) % 7) + 7) % 7) + 1,
  };
}

export const RTC_FIELDS = fieldsOf<Rtc>('rtc', { index: 'u8', memory: 'bytes' });
