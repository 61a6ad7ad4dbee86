/** The pair of 8259A, by the data sheet (Intel 231468). */
import { describe, expect, test } from 'vitest';
import { PicPair } from '../../../src/machine/devices/pic.ts';

/** The pair as PCs initialise it: vectors 0x20 and 0x28, everything unmasked. `told` counts what the CPU is told. */
function pair(word4 = 1) {
  const told = { times: 0 };
  const pics = new PicPair(() => told.times++);
  for (const [pic, base] of [
    [pics.master, 0x20],
    [pics.slave, 0x28],
  ] as const)
    for (const [port, value] of [
      [0, 0x11],
      [1, base],
      [1, 4],
      [1, word4],
    ] as const)
      pic.writePort(port, 1, value);
  const end = (irq: number) => {
    if (irq >= 8) pics.slave.writePort(0, 1, 0x20);
    pics.master.writePort(0, 1, 0x20);
  };
  const pulse = (irq: number) => {
    pics.setLine(irq, false);
    pics.setLine(irq, true);
  };
  return { pics, told, end, pulse };
}

describe('initialisation', () => {
  test('is masked after reset', () => {
    const pics = new PicPair(() => {});
    for (let irq = 0; irq < 16; irq++) pics.setLine(irq, true);
    expect(pics.isPending).toBe(false);
    expect([pics.master.readPort(1), pics.slave.readPort(1)]).toEqual([0xff, 0xff]);
  });

  test('clears mask, requests and what is in service; a line must rise again', () => {
    const { pics, pulse } = pair();
    for (const irq of [1, 3]) pulse(irq);
    pics.acknowledge();
    pics.master.writePort(1, 1, 0x08);
    pics.master.writePort(0, 1, 0x0b);
    for (const [port, value] of [
      [0, 0x11],
      [1, 0x40],
      [1, 4],
      [1, 1],
    ] as const)
      pics.master.writePort(port, 1, value);
    expect([pics.master.readPort(1), pics.master.readPort(0), pics.isPending]).toEqual([0, 0, false]);
    pulse(3);
    // what is read is the requests again
    expect(pics.master.readPort(0)).toBe(0x08);
    expect(pics.acknowledge()).toBe(0x43);
  });

  test('the low bits of a vector come from the line alone', () => {
    const { pics, pulse } = pair();
    for (const [port, value] of [
      [0, 0x11],
      [1, 0x37],
      [1, 4],
      [1, 1],
    ] as const)
      pics.master.writePort(port, 1, value);
    pulse(5);
    expect(pics.acknowledge()).toBe(0x35);
  });

  test('has no word 4 where word 1 says so, and no word 3 for a controller that is alone', () => {
    for (const [word1, more] of [
      [0x10, [4]],
      [0x11, [4, 1]],
      [0x12, []],
      [0x13, [1]],
    ] as const) {
      const { pics, pulse } = pair();
      pics.master.writePort(0, 1, word1);
      pics.master.writePort(1, 1, 0x50);
      for (const word of more) pics.master.writePort(1, 1, word);
      pics.master.writePort(1, 1, 0xfd);
      expect([word1, pics.master.readPort(1)]).toEqual([word1, 0xfd]);
      pulse(1);
      expect(pics.acknowledge()).toBe(0x51);
    }
  });
});

describe('priority', () => {
  test('the lower line first, and again after its end', () => {
    const { pics, end, pulse } = pair();
    for (const irq of [6, 3, 5]) pulse(irq);
    const served: number[] = [];
    while (pics.isPending) {
      const vector = pics.acknowledge();
      served.push(vector);
      expect(pics.isPending).toBe(false);
      end(vector - 0x20);
    }
    expect(served).toEqual([0x23, 0x25, 0x26]);
  });

  test('a higher line comes in between, the same one waits', () => {
    const { pics, end, pulse } = pair();
    pulse(4);
    expect(pics.acknowledge()).toBe(0x24);
    pulse(4);
    expect(pics.isPending).toBe(false);
    pulse(1);
    expect(pics.acknowledge()).toBe(0x21);
    end(1);
    expect(pics.isPending).toBe(false);
    end(4);
    expect(pics.acknowledge()).toBe(0x24);
  });

  test('gives vectors of the slave through the cascade', () => {
    const { pics, end } = pair();
    pics.setLine(12, true);
    pics.setLine(4, true);
    expect(pics.acknowledge()).toBe(0x2c);
    expect(pics.isPending).toBe(false);
    pics.master.writePort(0, 1, 0x0b);
    pics.slave.writePort(0, 1, 0x0b);
    expect([pics.master.readPort(0), pics.slave.readPort(0)]).toEqual([0x04, 0x10]);
    end(12);
    expect(pics.acknowledge()).toBe(0x24);
    expect(pics.master.readPort(0)).toBe(0x10);
  });

  test('a mask holds back, the request stays', () => {
    const { pics, pulse } = pair();
    pics.master.writePort(1, 1, 0x02);
    pulse(1);
    expect([pics.isPending, pics.master.readPort(0)]).toEqual([false, 0x02]);
    pics.master.writePort(1, 1, 0);
    expect(pics.acknowledge()).toBe(0x21);
    pics.slave.writePort(1, 1, 0x10);
    pulse(12);
    expect(pics.isPending).toBe(false);
  });
});

describe('requests', () => {
  test('are made by rising lines, and go away with the line', () => {
    const { pics, end } = pair();
    pics.setLine(5, true);
    expect(pics.acknowledge()).toBe(0x25);
    end(5);
    pics.setLine(5, true);
    expect(pics.isPending).toBe(false);
    pics.setLine(5, false);
    pics.setLine(5, true);
    expect(pics.isPending).toBe(true);
    pics.setLine(5, false);
    expect(pics.isPending).toBe(false);
  });

  test('that have gone at the acknowledge give line 7, which is not in service', () => {
    const { pics, pulse } = pair();
    expect(pics.acknowledge()).toBe(0x27);
    pics.master.writePort(0, 1, 0x0b);
    expect(pics.master.readPort(0)).toBe(0);
    pulse(7);
    expect(pics.acknowledge()).toBe(0x27);
    expect(pics.master.readPort(0)).toBe(0x80);
  });

  test('the CPU is told of every change', () => {
    const { pics, told, pulse, end } = pair();
    for (const act of [
      () => pulse(12),
      () => pics.acknowledge(),
      () => end(12),
      () => pics.master.writePort(1, 1, 0xff),
      () => pics.setLine(12, false),
    ]) {
      const before = told.times;
      act();
      expect(told.times).toBeGreaterThan(before);
    }
  });
});

describe('commands', () => {
  test('a specific end names its line', () => {
    const { pics, pulse } = pair();
    pulse(4);
    pics.acknowledge();
    pulse(2);
    pics.acknowledge();
    pics.master.writePort(0, 1, 0x0b);
    pics.master.writePort(0, 1, 0x64);
    expect(pics.master.readPort(0)).toBe(0x04);
    pics.master.writePort(0, 1, 0x62);
    expect(pics.master.readPort(0)).toBe(0);
  });

  test('an end without a name is for the highest', () => {
    const { pics, pulse } = pair();
    for (const irq of [6, 4, 1]) {
      pulse(irq);
      pics.acknowledge();
    }
    pics.master.writePort(0, 1, 0x0b);
    const left = [1, 2, 3, 4].map(() => {
      pics.master.writePort(0, 1, 0x20);
      return pics.master.readPort(0);
    });
    expect(left).toEqual([0x50, 0x40, 0, 0]);
  });

  test('which register is read is chosen, and stays so', () => {
    const { pics, pulse } = pair();
    pulse(1);
    pics.acknowledge();
    pulse(6);
    const read = (word: number) => {
      pics.master.writePort(0, 1, word);
      return pics.master.readPort(0);
    };
    expect([read(0x0b), read(0x08), read(0x0a), read(0x08), read(0x48)]).toEqual([0x02, 0x02, 0x40, 0x40, 0x40]);
  });

  test('with automatic end nothing is in service, and the slave asks for its next at once', () => {
    const { pics, pulse } = pair(3);
    for (const irq of [14, 12, 3]) pulse(irq);
    const served: number[] = [];
    while (pics.isPending) served.push(pics.acknowledge());
    expect(served).toEqual([0x2c, 0x2e, 0x23]);
    pics.master.writePort(0, 1, 0x0b);
    expect(pics.master.readPort(0)).toBe(0);
  });
});
