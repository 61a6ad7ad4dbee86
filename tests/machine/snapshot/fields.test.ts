/** Laws of every component that is saved: what is loaded is what was saved, and each declared field counts. */
import { describe, expect, test } from 'vitest';
import { HARNESS_FIELDS, Harness } from '../../../src/machine/devices/harness.ts';
import { LAPIC_FIELDS, Lapic } from '../../../src/machine/devices/lapic.ts';
import { PIC_FIELDS, Pic } from '../../../src/machine/devices/pic.ts';
import { RTC_FIELDS, Rtc } from '../../../src/machine/devices/rtc.ts';
import { UART_FIELDS, Uart } from '../../../src/machine/devices/uart.ts';
import { type Fields, fieldsOf, StateReader, StateWriter } from '../../../src/machine/snapshot/fields.ts';
import { RUN_FIELDS, type RunState } from '../../../src/machine/snapshot/machine-state.ts';

const clock = { now: 0, tscOffset: 0n };

interface Component<T extends object> {
  readonly fields: Fields<T>;
  readonly make: () => T;
}
const of = <T extends object>(fields: Fields<T>, make: () => T): Component<T> => ({ fields, make });

const run = (): RunState => ({ skipped: 0, halted: false, nmiBlocked: false, randomCount: 0n, deliveries: 0, deliveredAt: 0 });
const COMPONENTS = [
  of(UART_FIELDS, () => new Uart({ receive: () => null, send: () => {} }, () => {})),
  of(PIC_FIELDS, () => new Pic(true, () => {})),
  of(
    LAPIC_FIELDS,
    () =>
      new Lapic(
        clock,
        128 << 20,
        () => {},
        () => {},
      ),
  ),
  of(RTC_FIELDS, () => new Rtc(clock, 0n)),
  of(HARNESS_FIELDS, () => new Harness({ program: () => null, writeMemory: () => true, command: () => {} })),
  of(RUN_FIELDS, run),
] as unknown as readonly Component<Record<string, unknown>>[];

/** Another value of the same type. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value === 1 ? 2 : 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'bigint') return value + 1n;
  if (Array.isArray(value)) return [...value, 7];
  if (value instanceof Uint8Array || value instanceof Uint32Array) {
    const copy = value.slice();
    copy[0] = (copy[0] ?? 0) ^ 1;
    return copy;
  }
  throw new Error(`no other value than ${value}`);
}

function saved(fields: Fields<Record<string, unknown>>, component: Record<string, unknown>): Uint8Array {
  const writer = new StateWriter();
  fields.save(component, writer);
  return writer.written.slice();
}

function change(component: Record<string, unknown>, name: string): void {
  const now = component[name];
  const next = other(now);
  if (now instanceof Uint8Array || now instanceof Uint32Array) now.set(next as never);
  else component[name] = next;
}

for (const { fields, make } of COMPONENTS) {
  describe(fields.component, () => {
    for (const name of fields.names) {
      test(`${name} is saved, loaded and told as a difference`, () => {
        const [a, b] = [make(), make()];
        change(a, name);
        expect(saved(fields, a)).not.toEqual(saved(fields, b));
        expect(fields.diff(a, b)).toEqual([name]);
        fields.load(b, new StateReader(saved(fields, a)));
        expect(fields.diff(a, b)).toEqual([]);
        expect(saved(fields, b)).toEqual(saved(fields, a));
      });
    }

    test('every own field that is data is declared', () => {
      const component = make();
      const constant = ['name', 'firstPort', 'portCount', 'width'];
      const data = Object.keys(component).filter((key) => !constant.includes(key) && typeof component[key] !== 'function');
      expect(data.sort()).toEqual([...fields.names].sort());
    });
  });
}

test('a writer has room for whatever comes, of every size', () => {
  const WRITES: readonly [(to: StateWriter) => void, number][] = [
    [(to) => to.u8(1), 1],
    [(to) => to.u32(1), 4],
    [(to) => to.f64(1), 8],
    [(to) => to.u64(1n), 8],
    [(to) => to.bytes(Uint8Array.of(1, 2, 3)), 3],
  ];
  for (const [write, size] of WRITES)
    for (let before = 0; before < size; before++) {
      const writer = new StateWriter();
      for (let i = 0; i < before; i++) writer.u8(9);
      for (let i = 0; i < 20_000; i++) write(writer);
      expect(writer.written).toHaveLength(before + 20_000 * size);
    }
});

test('a state that is too short is refused', () => {
  const fields = fieldsOf<{ a: number; b: Uint8Array }>('thing', { a: 'u32', b: 'bytes' });
  expect(() => fields.load({ a: 0, b: new Uint8Array(8) }, new StateReader(new Uint8Array(7)))).toThrow(RangeError);
});
