import { describe, expect, test } from 'vitest';
import { Lapic } from '../../../src/machine/devices/lapic.ts';
import { PicPair } from '../../../src/machine/devices/pic.ts';
import { PortBus } from '../../../src/machine/devices/port-bus.ts';
import { Rtc } from '../../../src/machine/devices/rtc.ts';
import { Uart } from '../../../src/machine/devices/uart.ts';

function uart(input: string) {
  const left = [...input].map((c) => c.charCodeAt(0));
  const sent: number[] = [];
  const line = { level: false };
  const device = new Uart({ receive: () => left.shift() ?? null, send: (byte) => sent.push(byte) }, (level) => {
    line.level = level;
  });
  return { device, sent, line, left };
}

describe('UART', () => {
  test('sends what is written, and is always ready', () => {
    const { device, sent } = uart('');
    expect(device.readPort(5, 1)).toBe(0x60);
    device.writePort(0, 1, 65);
    expect(sent).toEqual([65]);
  });

  test('asks for input when the guest looks, one byte at a time', () => {
    const { device, left } = uart('xyz');
    expect(device.readPort(5, 1) & 1).toBe(1);
    expect(device.readPort(5, 1) & 1).toBe(1);
    expect(left).toHaveLength(2);
    expect(device.readPort(0, 1)).toBe(0x78);
    expect(device.readPort(0, 1)).toBe(0x79);
    expect(device.readPort(0, 1)).toBe(0x7a);
    expect(device.readPort(5, 1) & 1).toBe(0);
  });

  test('has the divisor behind DLAB, and a scratch register', () => {
    const { device, sent } = uart('');
    device.writePort(3, 1, 0x83);
    device.writePort(0, 1, 1);
    device.writePort(1, 1, 2);
    expect([device.readPort(0, 1), device.readPort(1, 1), sent]).toEqual([1, 2, []]);
    device.writePort(3, 1, 3);
    device.writePort(7, 1, 0x5a);
    expect([device.readPort(1, 1), device.readPort(7, 1)]).toEqual([0, 0x5a]);
  });

  test('interrupts for received bytes and for an empty transmitter, with OUT2', () => {
    const { device, line } = uart('x');
    device.writePort(4, 1, 0x08);
    device.writePort(1, 1, 3);
    expect(line.level).toBe(true);
    expect(device.readPort(2, 1)).toBe(0x04);
    device.readPort(0, 1);
    expect(device.readPort(2, 1)).toBe(0x02);
    expect(line.level).toBe(false);
    expect(device.readPort(2, 1)).toBe(0x01);
  });

  test('loops back', () => {
    const { device, sent } = uart('');
    device.writePort(4, 1, 0x1f);
    device.writePort(0, 1, 0x42);
    expect(sent).toEqual([]);
    expect(device.readPort(0, 1)).toBe(0x42);
    expect(device.readPort(6, 1)).toBe(0xf0);
  });
});

describe('local APIC', () => {
  const make = () => {
    const clock = { now: 0, tscOffset: 0n };
    const apic = new Lapic(clock, () => {});
    apic.writeMemory(0xf0, 4, 0x1ff);
    return { clock, apic, pass: (ticks: number) => apic.advance((clock.now += ticks)) };
  };

  test('serves the highest vector first, and lower ones after EOI', () => {
    const { apic } = make();
    for (const vector of [0x31, 0x52, 0x44]) apic.writeMemory(0x300, 4, 0x40000 | vector);
    expect(apic.acknowledge()).toBe(0x52);
    expect(apic.pending()).toBe(-1);
    apic.writeMemory(0x300, 4, 0x40061);
    expect(apic.acknowledge()).toBe(0x61);
    apic.writeMemory(0xb0, 4, 0);
    apic.writeMemory(0xb0, 4, 0);
    expect(apic.acknowledge()).toBe(0x44);
    apic.writeMemory(0xb0, 4, 0);
    expect(apic.acknowledge()).toBe(0x31);
  });

  test('holds vectors back whose class is not above the task priority', () => {
    const { apic } = make();
    apic.taskPriority = 5;
    apic.writeMemory(0x300, 4, 0x4005f);
    expect(apic.pending()).toBe(-1);
    apic.taskPriority = 4;
    expect(apic.pending()).toBe(0x5f);
    expect(apic.readMemory(0x80, 4)).toBe(0x40);
  });

  test('counts down divided, once or again and again', () => {
    const { apic, pass } = make();
    apic.writeMemory(0x3e0, 4, 0x3); // divided by 16
    apic.writeMemory(0x320, 4, 0x40);
    apic.writeMemory(0x380, 4, 10);
    pass(1 + 80);
    expect(apic.readMemory(0x390, 4)).toBe(5);
    pass(79);
    expect(apic.pending()).toBe(-1);
    pass(1);
    expect(apic.acknowledge()).toBe(0x40);
    expect(apic.nextEvent()).toBe(Number.POSITIVE_INFINITY);
    apic.writeMemory(0xb0, 4, 0);
    apic.writeMemory(0x320, 4, 0x20041);
    apic.writeMemory(0x380, 4, 10);
    const first = apic.nextEvent();
    pass(first - 161);
    expect(apic.pending()).toBe(0x41);
    expect(apic.nextEvent()).toBe(first + 160);
  });

  test('fires at the TSC deadline', () => {
    const { apic, clock, pass } = make();
    clock.tscOffset = 1000n;
    apic.writeMemory(0x320, 4, 0x40050);
    expect(apic.writeMsr(0x6e0, 1500n)).toBe(true);
    expect(apic.nextEvent()).toBe(500);
    expect(apic.readMsr(0x6e0)).toBe(1500n);
    pass(500);
    expect(apic.pending()).toBe(0x50);
    expect(apic.readMsr(0x6e0)).toBe(0n);
  });

  test('masked or switched off, keeps quiet', () => {
    const { apic, pass } = make();
    apic.writeMemory(0x320, 4, 0x10040);
    apic.writeMemory(0x380, 4, 10);
    expect(apic.preemption).toBe(null);
    pass(1000);
    expect(apic.pending()).toBe(-1);
    apic.writeMemory(0xf0, 4, 0xff);
    apic.writeMemory(0x320, 4, 0x40);
    expect(apic.readMemory(0x320, 4)).toBe(0x10040);
  });

  test('x2APIC by MSRs, with the transitions of the manual', () => {
    const { apic } = make();
    expect(apic.readMsr(0x802)).toBe(null);
    const on = apic.readMsr(0x1b) ?? 0n;
    expect(apic.writeMsr(0x1b, on | 0x400n)).toBe(true);
    expect(apic.readMemory(0x20, 4)).toBe(0xffffffff);
    expect(apic.readMsr(0x803)).toBe(0x50014n);
    expect(apic.writeMsr(0x83f, 0x77n)).toBe(true);
    expect(apic.pending()).toBe(0x77);
    expect(apic.writeMsr(0x80b, 1n)).toBe(false);
    expect(apic.writeMsr(0x803, 0n)).toBe(false);
    expect(apic.writeMsr(0x1b, on)).toBe(false);
    expect(apic.writeMsr(0x1b, on & ~0x800n)).toBe(true);
    expect(apic.isEnabled).toBe(false);
    expect(apic.writeMsr(0x1b, on | 0x400n)).toBe(false);
  });

  test('errors: illegal vectors and registers', () => {
    const { apic } = make();
    apic.writeMemory(0x300, 4, 0x40005);
    apic.writeMemory(0x280, 4, 0);
    expect(apic.readMemory(0x280, 4)).toBe(0x20);
    expect(apic.readMemory(0x400, 4)).toBe(0);
    apic.writeMemory(0x280, 4, 0);
    expect(apic.readMemory(0x280, 4)).toBe(0x80);
  });
});

describe('8259 pair', () => {
  const initialise = (pics: PicPair) => {
    for (const [pic, base] of [
      [pics.master, 0x20],
      [pics.slave, 0x28],
    ] as const) {
      for (const [port, value] of [
        [0, 0x11],
        [1, base],
        [1, 4],
        [1, 1],
      ] as const)
        pic.writePort(port, 1, value);
    }
  };

  test('is masked after reset', () => {
    const pics = new PicPair(() => {});
    for (let irq = 0; irq < 16; irq++) pics.setLine(irq, true);
    expect(pics.isPending).toBe(false);
  });

  test('gives vectors by priority, through the cascade', () => {
    const pics = new PicPair(() => {});
    initialise(pics);
    pics.setLine(12, true);
    pics.setLine(4, true);
    expect(pics.acknowledge()).toBe(0x2c);
    expect(pics.isPending).toBe(false);
    pics.slave.writePort(0, 1, 0x20);
    pics.master.writePort(0, 1, 0x20);
    expect(pics.acknowledge()).toBe(0x24);
    pics.master.writePort(0, 1, 0x0b);
    expect(pics.master.readPort(0)).toBe(0x10);
  });
});

test('the RTC shows the configured time plus virtual time', () => {
  const clock = { now: 0, tscOffset: 0n };
  const rtc = new Rtc(clock, 951_782_399n); // 28 February 2000, 23:59:59
  const read = (index: number) => {
    rtc.writePort(0, 1, index);
    return rtc.readPort(1);
  };
  const date = () => [0x32, 0x09, 0x08, 0x07, 0x06, 0x04, 0x02, 0x00].map(read);
  expect(date()).toEqual([20, 0, 2, 28, 2, 23, 59, 59]);
  clock.now = 1_000_000_000;
  expect(date()).toEqual([20, 0, 2, 29, 3, 0, 0, 0]);
});

test('absent ports read all ones, and two devices at one port are our own bug', () => {
  const bus = new PortBus();
  expect([bus.read(0x1234, 1), bus.read(0x1234, 2), bus.read(0x1234, 4)]).toEqual([0xff, 0xffff, 0xffffffff]);
  bus.add(uart('').device);
  expect(() => bus.add(uart('').device)).toThrow(/port 3f8/);
});
