import { expect, test } from 'vitest';
import type { PortDevice } from '../../../src/machine/devices/device.ts';
import { PortBus } from '../../../src/machine/devices/port-bus.ts';

/** Answers each port with its number's low byte, and notes writes. */
function device(firstPort: number, portCount: number, width: 1 | 4, notes: string[] = []): PortDevice {
  return {
    name: `at ${firstPort}`,
    firstPort,
    portCount,
    width,
    readPort: (offset, size) => (size === 4 ? 0xcafe0000 + offset : 0xa0 + offset),
    writePort: (offset, size, value) => notes.push(`${firstPort}+${offset} ${size} ${value.toString(16)}`),
  };
}

test('absent ports read all ones and swallow writes', () => {
  const bus = new PortBus();
  expect([bus.read(0x1234, 1), bus.read(0x1234, 2), bus.read(0x1234, 4)]).toEqual([0xff, 0xffff, 0xffffffff]);
  bus.write(0x1234, 4, 1);
});

test('two devices at one port are our own bug', () => {
  const bus = new PortBus();
  bus.add(device(0x3f8, 8, 1));
  expect(() => bus.add(device(0x3ff, 1, 1))).toThrow(/port 3ff belongs to at 1016 and to at 1023/);
  bus.add(device(0x400, 1, 1));
});

test('an access as wide as its device comes whole, a wider one port by port, low byte first', () => {
  const bus = new PortBus();
  const notes: string[] = [];
  bus.add(device(0x10, 4, 4, notes));
  bus.add(device(0x20, 2, 1, notes));
  expect(bus.read(0x10, 4)).toBe(0xcafe0000);
  expect(bus.read(0x20, 2)).toBe(0xa1a0);
  expect(bus.read(0x20, 4)).toBe(0xffffa1a0);
  expect(bus.read(0x1f, 2)).toBe(0xa0ff);
  bus.write(0x10, 4, 0x12345678);
  bus.write(0x20, 4, 0x87654321);
  bus.write(0x1f, 2, 0xbbcc);
  expect(notes).toEqual(['16+0 4 12345678', '32+0 1 21', '32+1 1 43', '32+0 1 bb']);
});

test('a watcher is told of each access once: of a read after it, of a write before it', () => {
  const bus = new PortBus();
  const notes: string[] = [];
  bus.add(device(0x20, 2, 1, notes));
  bus.watcher = {
    portIn: (port, size, value) => notes.push(`in ${port} ${size} ${value.toString(16)}`),
    portOut: (port, size, value) => notes.push(`out ${port} ${size} ${value.toString(16)}`),
  };
  bus.read(0x20, 2);
  bus.write(0x21, 1, 7);
  bus.read(0x99, 1);
  expect(notes).toEqual(['in 32 2 a1a0', 'out 33 1 7', '32+1 1 7', 'in 153 1 ff']);
});
