/** The 16550A, by its data sheet (National Semiconductor PC16550D). */
import { describe, expect, test } from 'vitest';
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

describe('a UART', () => {
  test('sends what is written, and is always ready', () => {
    const { device, sent } = uart('');
    expect(device.readPort(5)).toBe(0x60);
    device.writePort(0, 1, 65);
    expect(sent).toEqual([65]);
  });

  test('asks for input when the guest looks, one byte at a time', () => {
    const { device, left } = uart('xyz');
    expect(device.readPort(5) & 1).toBe(1);
    expect(device.readPort(5) & 1).toBe(1);
    expect(left).toHaveLength(2);
    expect(device.readPort(0)).toBe(0x78);
    expect(device.readPort(0)).toBe(0x79);
    expect(device.readPort(0)).toBe(0x7a);
    expect(device.readPort(5) & 1).toBe(0);
  });

  test('has the divisor behind DLAB, and a scratch register', () => {
    const { device, sent } = uart('');
    device.writePort(3, 1, 0x83);
    device.writePort(0, 1, 1);
    device.writePort(1, 1, 2);
    expect([device.readPort(0), device.readPort(1), sent]).toEqual([1, 2, []]);
    device.writePort(3, 1, 3);
    device.writePort(7, 1, 0x5a);
    expect([device.readPort(1), device.readPort(7)]).toEqual([0, 0x5a]);
  });

  test('interrupts for received bytes and for an empty transmitter, with OUT2', () => {
    const { device, line } = uart('x');
    device.writePort(4, 1, 0x08);
    device.writePort(1, 1, 3);
    expect(line.level).toBe(true);
    expect(device.readPort(2)).toBe(0x04);
    device.readPort(0);
    expect(device.readPort(2)).toBe(0x02);
    expect(line.level).toBe(false);
    expect(device.readPort(2)).toBe(0x01);
  });

  test('loops back', () => {
    const { device, sent } = uart('');
    device.writePort(4, 1, 0x1f);
    device.writePort(0, 1, 0x42);
    expect(sent).toEqual([]);
    expect(device.readPort(0)).toBe(0x42);
    expect(device.readPort(6)).toBe(0xf0);
  });
});

describe('its registers', () => {
  test('after reset: no interrupts, 8250 mode, nothing received, a transmitter that is empty', () => {
    const { device } = uart('');
    expect([1, 2, 3, 4, 5, 6, 7].map((offset) => device.readPort(offset))).toEqual([0, 0x01, 0, 0, 0x60, 0xb0, 0]);
  });

  test('hold the bits that exist', () => {
    const { device } = uart('');
    for (const [offset, bits] of [
      [1, 0x0f],
      [4, 0x1f],
      [7, 0xff],
      [3, 0xff],
    ] as const) {
      device.writePort(offset, 1, 0xff);
      expect([offset, device.readPort(offset)]).toEqual([offset, bits]);
    }
  });

  test('status registers ignore writes', () => {
    const { device } = uart('');
    device.writePort(5, 1, 0);
    device.writePort(6, 1, 0);
    expect([device.readPort(5), device.readPort(6)]).toEqual([0x60, 0xb0]);
  });

  test('the divisor and what lies at its ports are apart', () => {
    const { device, left } = uart('q');
    device.writePort(1, 1, 0x02);
    device.writePort(3, 1, 0x80);
    device.writePort(1, 1, 0xff);
    expect(device.readPort(1)).toBe(0xff);
    expect(device.readPort(0)).toBe(0x0c);
    expect(left).toHaveLength(1);
    device.writePort(3, 1, 0);
    expect(device.readPort(1)).toBe(0x02);
    expect(device.readPort(0)).toBe(0x71);
  });
});

describe('its interrupts', () => {
  test('stay inside without OUT2', () => {
    const { device, line } = uart('x');
    device.writePort(1, 1, 3);
    expect(line.level).toBe(false);
    expect(device.readPort(2)).toBe(0x02);
    device.writePort(4, 1, 0x08);
    device.readPort(5);
    expect(line.level).toBe(true);
    expect(device.readPort(2)).toBe(0x04);
  });

  test('an empty transmitter interrupts when it is enabled and after each byte, until IIR has said so', () => {
    const { device, line } = uart('');
    device.writePort(4, 1, 0x08);
    device.writePort(1, 1, 2);
    expect([line.level, device.readPort(2), line.level]).toEqual([true, 0x02, false]);
    device.writePort(1, 1, 2);
    expect(line.level).toBe(false);
    device.writePort(0, 1, 65);
    expect([line.level, device.readPort(2), line.level]).toEqual([true, 0x02, false]);
    device.writePort(1, 1, 0);
    device.writePort(1, 1, 2);
    expect(line.level).toBe(true);
    device.writePort(1, 1, 0);
    expect([line.level, device.readPort(2)]).toEqual([false, 0x01]);
  });

  test('a received byte interrupts only where that is enabled, and goes before the transmitter', () => {
    const { device, line } = uart('xy');
    device.writePort(4, 1, 0x08);
    device.readPort(5);
    expect(line.level).toBe(false);
    device.writePort(1, 1, 1);
    expect(line.level).toBe(true);
    device.writePort(1, 1, 3);
    expect(device.readPort(2)).toBe(0x04);
    expect(device.readPort(2)).toBe(0x04);
    device.writePort(1, 1, 2);
    expect(device.readPort(2)).toBe(0x02);
  });

  test('IIR shows that the FIFO is on', () => {
    const { device } = uart('');
    device.writePort(2, 1, 0x01);
    expect(device.readPort(2)).toBe(0xc1);
    device.writePort(2, 1, 0);
    expect(device.readPort(2)).toBe(0x01);
  });

  test('IIR asks the host only where received bytes may interrupt', () => {
    const { device, left } = uart('x');
    device.readPort(2);
    device.writePort(4, 1, 8);
    device.readPort(2);
    expect([left.length, device.waitsForInput]).toEqual([1, false]);
    device.writePort(1, 1, 1);
    expect(device.waitsForInput).toBe(true);
    expect([device.readPort(2), left.length]).toEqual([4, 0]);
    device.writePort(4, 1, 0);
    expect(device.waitsForInput).toBe(false);
  });
});

describe('its loop', () => {
  const loop = (fifo: boolean) => {
    const made = uart('host');
    made.device.writePort(2, 1, fifo ? 1 : 0);
    made.device.writePort(4, 1, 0x18);
    return made;
  };

  test('asks nobody for input', () => {
    const { device, left } = loop(true);
    expect([device.readPort(5), device.readPort(0), left.length]).toEqual([0x60, 0, 4]);
  });

  test('shows each output line at its input', () => {
    const { device } = loop(true);
    const status = [1, 2, 4, 8].map((line) => {
      device.writePort(4, 1, 0x10 | line);
      return device.readPort(6);
    });
    expect(status).toEqual([0x20, 0x10, 0x40, 0x80]); // DTR → DSR, RTS → CTS, OUT1 → RI, OUT2 → DCD
  });

  test('with a FIFO keeps 16 bytes; the 17th is lost, and said to be once', () => {
    const { device } = loop(true);
    for (let byte = 1; byte <= 16; byte++) device.writePort(0, 1, byte);
    expect(device.readPort(5)).toBe(0x61);
    device.writePort(0, 1, 17);
    expect(device.readPort(5)).toBe(0x63);
    expect(device.readPort(5)).toBe(0x61);
    expect(Array.from({ length: 17 }, () => device.readPort(0))).toEqual([...Array.from({ length: 16 }, (_, i) => i + 1), 0]);
    expect(device.readPort(5)).toBe(0x60);
  });

  test('without one keeps the last byte', () => {
    const { device } = loop(false);
    device.writePort(0, 1, 1);
    expect(device.readPort(5)).toBe(0x61);
    device.writePort(0, 1, 2);
    expect([device.readPort(5), device.readPort(0), device.readPort(5)]).toEqual([0x63, 2, 0x60]);
  });

  test('an overrun interrupts first of all, until LSR was read', () => {
    const { device, line } = loop(false);
    device.writePort(1, 1, 4);
    device.writePort(0, 1, 1);
    expect([line.level, device.readPort(2)]).toEqual([false, 0x01]);
    device.writePort(0, 1, 2);
    expect(line.level).toBe(true);
    device.writePort(1, 1, 7);
    expect(device.readPort(2)).toBe(0x06);
    device.writePort(1, 1, 1);
    expect(device.readPort(2)).toBe(0x04);
    device.writePort(1, 1, 4);
    expect(line.level).toBe(true);
    device.readPort(5);
    expect([line.level, device.readPort(2)]).toEqual([false, 0x01]);
    device.writePort(1, 1, 7);
    expect(device.readPort(2)).toBe(0x04);
  });

  test('the FIFO is emptied on demand, and where it is switched on or off', () => {
    for (const [first, then, left] of [
      [1, 1, true],
      [1, 3, false],
      [1, 0, false],
      [0, 0, true],
      [0, 1, false],
    ] as const) {
      const { device } = uart('');
      device.writePort(2, 1, first);
      device.writePort(4, 1, 0x10);
      device.writePort(0, 1, 9);
      device.writePort(2, 1, then);
      expect([first, then, (device.readPort(5) & 1) !== 0]).toEqual([first, then, left]);
    }
  });
});
