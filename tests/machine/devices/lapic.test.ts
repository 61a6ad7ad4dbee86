/** The local APIC, by SDM Vol. 3, chapter "Advanced Programmable Interrupt Controller". */
import { describe, expect, test } from 'vitest';
import { APIC_BASE, make, REG } from './apic.ts';

describe('a local APIC', () => {
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

describe('its registers', () => {
  test('after reset are as the manual says', () => {
    const { apic, read } = make(false);
    const { id, version, tpr, ppr, ldr, dfr, svr, esr, icr, icrHigh, initial, current, divide } = REG;
    expect([id, version, tpr, ppr, ldr, dfr, svr, esr, icr, icrHigh, initial, current, divide].map(read)).toEqual([
      0, 0x50014, 0, 0, 0, 0xffffffff, 0xff, 0, 0, 0, 0, 0, 0,
    ]);
    for (let entry: number = REG.timer; entry <= REG.error; entry += 0x10) expect(read(entry)).toBe(0x10000);
    for (let word: number = REG.isr; word < REG.esr; word += 0x10) expect(read(word)).toBe(0);
    expect(apic.readMsr(APIC_BASE)).toBe(0xfee00900n);
  });

  test('hold the bits that exist', () => {
    const { read, write } = make();
    for (const [register, bits] of [
      [REG.tpr, 0xff],
      [REG.ldr, 0xff000000],
      [REG.dfr, 0xffffffff],
      [REG.svr, 0x1ff],
      [REG.icrHigh, 0xff000000],
      [REG.timer, 0x700ff],
      [REG.thermal, 0x107ff],
      [REG.performance, 0x107ff],
      [REG.lint0, 0x1a7ff],
      [REG.lint1, 0x1a7ff],
      [REG.error, 0x100ff],
      [REG.initial, 0xffffffff],
      [REG.divide, 0xb],
    ] as const) {
      write(register, 0xffffffff);
      expect([register.toString(16), read(register) >>> 0]).toEqual([register.toString(16), bits]);
    }
    write(REG.dfr, 0);
    expect(read(REG.dfr) >>> 0).toBe(0x0fffffff);
  });

  test('those for reading only ignore writes, and that is no error', () => {
    const { read, write, errors } = make();
    for (const register of [REG.version, REG.ppr, REG.isr, REG.tmr, REG.irr, REG.current]) {
      const before = read(register);
      write(register, 0xffffffff);
      expect([register, read(register)]).toEqual([register, before]);
    }
    expect(errors()).toBe(0);
  });

  test('are 32 bits in each 16 bytes; narrower reads see a part, narrower and shifted writes nothing', () => {
    const { apic } = make();
    apic.writeMemory(REG.timer, 4, 0x10033);
    expect([apic.readMemory(REG.timer, 2), apic.readMemory(REG.timer + 2, 2), apic.readMemory(REG.timer, 1)]).toEqual([0x33, 1, 0x33]);
    expect([apic.readMemory(REG.timer + 3, 1), apic.readMemory(REG.timer + 4, 4), apic.readMemory(REG.timer + 12, 4)]).toEqual([0, 0, 0]);
    apic.writeMemory(REG.timer, 2, 0x44);
    apic.writeMemory(REG.timer + 4, 4, 0x44);
    expect(apic.readMemory(REG.timer, 4)).toBe(0x10033);
  });

  test('show what is requested and what is in service, by vector', () => {
    const { apic, read, raise } = make();
    for (const vector of [0x20, 0x7f, 0xff]) raise(vector);
    const words = (first: number) => Array.from({ length: 8 }, (_, i) => read(first + 16 * i) >>> 0);
    expect(words(REG.irr)).toEqual([0, 1, 0, 0x80000000, 0, 0, 0, 0x80000000]);
    apic.acknowledge();
    expect([words(REG.irr), words(REG.isr)]).toEqual([
      [0, 1, 0, 0x80000000, 0, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0x80000000],
    ]);
    expect(words(REG.tmr)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('its priorities', () => {
  test('PPR is the higher of task priority and class in service', () => {
    const { apic, read, write, raise } = make();
    write(REG.tpr, 0x35);
    expect(read(REG.ppr)).toBe(0x35);
    raise(0x47);
    expect(apic.acknowledge()).toBe(0x47);
    expect(read(REG.ppr)).toBe(0x40);
    write(REG.tpr, 0x62);
    expect(read(REG.ppr)).toBe(0x62);
    expect(apic.taskPriority).toBe(6);
    apic.taskPriority = 3;
    expect([read(REG.tpr), read(REG.ppr)]).toEqual([0x30, 0x40]);
    write(REG.eoi, 0);
    expect(read(REG.ppr)).toBe(0x30);
  });

  test('a vector of the class that is served waits, one of the next does not', () => {
    const { apic, raise } = make();
    raise(0x41);
    apic.acknowledge();
    raise(0x4f);
    expect(apic.pending()).toBe(-1);
    raise(0x50);
    expect(apic.pending()).toBe(0x50);
  });

  test('a vector raised twice before it is served comes once, raised while it is served once more', () => {
    const { apic, write, raise } = make();
    raise(0x60);
    raise(0x60);
    expect(apic.acknowledge()).toBe(0x60);
    write(REG.eoi, 0);
    expect(apic.pending()).toBe(-1);
    raise(0x60);
    apic.acknowledge();
    raise(0x60);
    write(REG.eoi, 0);
    expect(apic.pending()).toBe(0x60);
  });

  test('an end of interrupt with nothing in service does nothing', () => {
    const { write, read, apic } = make();
    write(REG.eoi, 0);
    for (let word: number = REG.isr; word < REG.esr; word += 0x10) expect(read(word)).toBe(0);
    expect([read(REG.ppr), apic.pending()]).toEqual([0, -1]);
  });

  test('switched off by software it holds what was requested', () => {
    const { apic, write, raise } = make();
    raise(0x70);
    write(REG.svr, 0xff);
    expect(apic.pending()).toBe(-1);
    write(REG.svr, 0x1ff);
    expect(apic.pending()).toBe(0x70);
  });

  test('masks the LVT while software has it off', () => {
    const { read, write } = make();
    write(REG.lint0, 0x700);
    write(REG.error, 0x40);
    write(REG.svr, 0xff);
    expect([read(REG.lint0), read(REG.error), read(REG.timer)]).toEqual([0x10700, 0x10040, 0x10000]);
    write(REG.svr, 0x1ff);
    expect(read(REG.lint0)).toBe(0x10700);
  });
});

describe('its IPIs', () => {
  test('reach this CPU by shorthand and by destination, and nobody else', () => {
    const FLAT = 0xffffffff;
    const CLUSTER = 0x0fffffff;
    for (const [what, dfr, destination, low, arrives] of [
      ['self', FLAT, 0x55, 0x40000, true],
      ['all', FLAT, 0x55, 0x80000, true],
      ['all but self', FLAT, 0, 0xc0000, false],
      ['physical: me', FLAT, 0, 0, true],
      ['physical: another', FLAT, 1, 0, false],
      ['physical: all', FLAT, 0xff, 0, true],
      ['flat: one of mine', FLAT, 0x06, 0x800, true],
      ['flat: none of mine', FLAT, 0xd8, 0x800, false],
      ['flat: the lowest of mine', FLAT, 0x01, 0x800, true],
      ['flat: all', FLAT, 0xff, 0x800, true],
      ['cluster: mine, one of it', CLUSTER, 0x24, 0x800, true],
      ['cluster: mine, the lowest of it', CLUSTER, 0x21, 0x800, true],
      ['cluster: every one of another', CLUSTER, 0x3f, 0x800, false],
      ['cluster: mine, others', CLUSTER, 0x28, 0x800, false],
      ['cluster: another', CLUSTER, 0x16, 0x800, false],
    ] as const) {
      const { apic, write } = make();
      write(REG.dfr, dfr);
      write(REG.ldr, 0x27000000);
      write(REG.icrHigh, destination << 24);
      write(REG.icr, low | 0x67);
      expect([what, apic.pending() === 0x67]).toEqual([what, arrives]);
    }
  });

  test('ICR reads back what was sent, never busy', () => {
    const { read, write } = make();
    write(REG.icrHigh, 0x7f123456);
    write(REG.icr, 0xffff5fff & ~0x700);
    expect([read(REG.icr), read(REG.icrHigh)]).toEqual([0xc48ff, 0x7f000000]);
  });

  test('INIT comes to the CPU that is named, never to itself by a shorthand', () => {
    const { told, write } = make();
    for (const icr of [0x40500, 0x44500, 0x84500, 0xc4500, 0x8500]) write(REG.icr, icr);
    expect(told.inits).toBe(0);
    write(REG.icr, 0x4500);
    expect(told.inits).toBe(1);
    write(REG.icrHigh, 0x01000000);
    write(REG.icr, 0x4500);
    expect(told.inits).toBe(1);
  });

  test('lowest priority is as fixed; start-up, SMI, reserved modes and INIT de-assert are nothing; NMI goes by IRR', () => {
    const { apic, told, write } = make();
    write(REG.icr, 0x40100 | 0x33);
    expect(apic.acknowledge()).toBe(0x33);
    write(REG.eoi, 0);
    for (const mode of [2, 3, 6, 7]) write(REG.icr, 0x40000 | (mode << 8) | 0x44);
    write(REG.icr, 0x88500);
    expect([apic.pending(), apic.nmiPending]).toEqual([-1, false]);
    const before = told.times;
    write(REG.icr, 0x40400);
    expect([apic.nmiPending, apic.pending(), told.times > before]).toEqual([true, -1, true]);
    expect([apic.takeNmi(), apic.takeNmi()]).toEqual([true, false]);
  });
});

describe('its timer', () => {
  test('divides by 1 to 128', () => {
    const divisors = [0x0, 0x1, 0x2, 0x3, 0x8, 0x9, 0xa, 0xb].map((bits) => {
      const { apic, write } = make();
      write(REG.divide, bits);
      write(REG.initial, 100);
      return (apic.nextEvent() - 1) / 100;
    });
    expect(divisors).toEqual([2, 4, 8, 16, 32, 64, 128, 1]);
  });

  test('counts from the instruction after the one that starts it, and stops at 0', () => {
    const { clock, read, write, pass, apic } = make();
    write(REG.divide, 0xb);
    write(REG.timer, 0x30);
    clock.now = 50;
    write(REG.initial, 10);
    clock.now = 51;
    expect(read(REG.current)).toBe(10);
    pass(9);
    expect([read(REG.current), apic.pending()]).toEqual([1, -1]);
    pass(1);
    expect([read(REG.current), apic.pending(), apic.nextEvent()]).toEqual([0, 0x30, Number.POSITIVE_INFINITY]);
    expect(read(REG.initial)).toBe(10);
  });

  test('an initial count of 0 stops it', () => {
    const { write, apic, read } = make();
    write(REG.initial, 10);
    write(REG.initial, 0);
    expect([apic.nextEvent(), read(REG.current)]).toEqual([Number.POSITIVE_INFINITY, 0]);
  });

  test('again and again: interrupts that are missed are one, the rhythm stays', () => {
    const { write, apic, pass, read } = make();
    write(REG.divide, 0xb);
    write(REG.timer, 0x20031);
    write(REG.initial, 100);
    pass(101);
    expect([apic.acknowledge(), apic.nextEvent()]).toEqual([0x31, 201]);
    write(REG.eoi, 0);
    pass(249);
    expect([apic.acknowledge(), apic.nextEvent(), read(REG.current)]).toEqual([0x31, 401, 51]);
    write(REG.eoi, 0);
    expect(apic.pending()).toBe(-1);
  });

  test('a new divisor goes on with what is left', () => {
    const { write, apic, pass, read } = make();
    write(REG.divide, 0xb);
    write(REG.initial, 100);
    pass(41);
    expect(read(REG.current)).toBe(60);
    write(REG.divide, 0x0);
    expect(apic.nextEvent()).toBe(41 + 1 + 120);
    pass(119);
    expect(read(REG.current)).toBe(1);
    write(REG.divide, 0x1);
    expect(apic.nextEvent()).toBe(160 + 1 + 4);
  });

  test('masked it counts, and does not interrupt', () => {
    const { write, apic, pass, read } = make();
    write(REG.divide, 0xb);
    write(REG.timer, 0x10030);
    write(REG.initial, 10);
    expect(apic.preemption).toBe(null);
    pass(6);
    expect(read(REG.current)).toBe(5);
    pass(5);
    expect(apic.pending()).toBe(-1);
  });

  test('says how long it leaves the program alone', () => {
    const { clock, write, apic, raise } = make();
    expect(apic.preemption).toBe(null);
    write(REG.divide, 0xb);
    write(REG.timer, 0x30);
    write(REG.initial, 10);
    expect(apic.preemption).toBe(11);
    clock.now = 8;
    expect(apic.preemption).toBe(3);
    clock.now = 20;
    expect(apic.preemption).toBe(0);
    clock.now = 0;
    raise(0x99);
    expect(apic.preemption).toBe(0);
    apic.acknowledge();
    write(REG.svr, 0xff);
    expect(apic.preemption).toBe(null);
  });

  test('by deadline: the count registers are dead, 0 disarms, the past fires at once', () => {
    const { write, read, apic, clock, pass } = make();
    expect(apic.writeMsr(0x6e0, 500n)).toBe(true);
    expect([apic.readMsr(0x6e0), apic.nextEvent()]).toEqual([0n, Number.POSITIVE_INFINITY]);
    write(REG.timer, 0x40032);
    write(REG.initial, 10);
    expect([read(REG.initial), read(REG.current), apic.nextEvent()]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
    apic.writeMsr(0x6e0, 500n);
    expect([read(REG.current), apic.nextEvent()]).toEqual([0, 500]);
    write(REG.divide, 0);
    expect(apic.nextEvent()).toBe(500);
    apic.writeMsr(0x6e0, 0n);
    expect([apic.readMsr(0x6e0), apic.nextEvent()]).toEqual([0n, Number.POSITIVE_INFINITY]);
    clock.now = 1000;
    apic.writeMsr(0x6e0, 10n);
    expect(apic.nextEvent()).toBe(1001);
    pass(1);
    expect([apic.pending(), apic.readMsr(0x6e0)]).toEqual([0x32, 0n]);
  });

  test('deadlines and the TSC are numbers without sign', () => {
    const { write, apic, clock } = make();
    write(REG.timer, 0x40032);
    for (const [tscOffset, deadline, due] of [
      [0n, 2n ** 64n - 1n, Number.POSITIVE_INFINITY],
      [0n, 2n ** 63n + 5n, Number.POSITIVE_INFINITY],
      [2n ** 63n - 1000n, 2n ** 63n + 5n, 1005],
      [2n ** 64n - 50n, 2n ** 64n - 10n, 40],
      [2n ** 64n - 50n, 20n, 1],
    ] as const) {
      clock.tscOffset = tscOffset;
      apic.writeMsr(0x6e0, deadline);
      expect([tscOffset, apic.nextEvent(), apic.readMsr(0x6e0)]).toEqual([tscOffset, due, deadline]);
    }
    // the TSC has wrapped: it is 50
    clock.now = 100;
    apic.writeMsr(0x6e0, 60n);
    expect(apic.nextEvent()).toBe(110);
  });

  test('what is due after 2^52 ticks is never due: time stays exact', () => {
    const { write, apic, clock, pass } = make();
    clock.now = 2 ** 52 - 10;
    write(REG.divide, 0xb);
    write(REG.initial, 9);
    expect(apic.nextEvent()).toBe(2 ** 52);
    write(REG.initial, 10);
    expect(apic.nextEvent()).toBe(Number.POSITIVE_INFINITY);
    write(REG.timer, 0x20032);
    write(REG.initial, 6);
    pass(7);
    expect([apic.pending(), apic.nextEvent()]).toEqual([0x32, Number.POSITIVE_INFINITY]);
    write(REG.timer, 0x40032);
    for (const [later, due] of [
      [3n, 2 ** 52],
      [4n, Number.POSITIVE_INFINITY],
    ] as const) {
      apic.writeMsr(0x6e0, BigInt(clock.now) + later);
      expect(apic.nextEvent()).toBe(due);
    }
  });

  test('going into or out of deadline mode disarms it; between the others it runs on', () => {
    const { write, apic } = make();
    write(REG.timer, 0x30);
    write(REG.initial, 100);
    const due = apic.nextEvent();
    write(REG.timer, 0x20030);
    expect(apic.nextEvent()).toBe(due);
    write(REG.timer, 0x40030);
    expect(apic.nextEvent()).toBe(Number.POSITIVE_INFINITY);
    apic.writeMsr(0x6e0, 777n);
    write(REG.timer, 0x40031);
    expect(apic.nextEvent()).toBe(777);
    write(REG.timer, 0x31);
    expect(apic.nextEvent()).toBe(Number.POSITIVE_INFINITY);
    write(REG.timer, 0x40031);
    expect(apic.readMsr(0x6e0)).toBe(0n);
  });
});

describe('its errors', () => {
  test('are latched and cleared by writing ESR', () => {
    const { write, read, raise } = make();
    raise(0x0f);
    expect(read(REG.esr)).toBe(0);
    write(REG.esr, 0);
    expect(read(REG.esr)).toBe(0x20);
    write(REG.esr, 0);
    expect(read(REG.esr)).toBe(0);
  });

  test('an illegal vector is refused: sent, in the LVT', () => {
    const { write, raise, errors, pass, apic } = make();
    raise(0x0f);
    expect([errors(), apic.pending()]).toEqual([0x20, -1]);
    write(REG.timer, 0x0f);
    write(REG.initial, 1);
    pass(100);
    expect([errors(), apic.pending()]).toEqual([0x40, -1]);
    raise(0x10);
    expect([errors(), apic.pending()]).toEqual([0, 0x10]);
  });

  test('a register that is not there is one, read or written', () => {
    const { write, read, errors } = make();
    read(0x400);
    expect(errors()).toBe(0x80);
    write(0x2f0, 0);
    expect(errors()).toBe(0x80);
  });

  test('interrupt by the LVT, once until ESR is written', () => {
    const { write, read, raise, apic } = make();
    raise(1);
    expect(apic.pending()).toBe(-1);
    write(REG.esr, 0);
    write(REG.error, 0x55);
    raise(1);
    expect(apic.acknowledge()).toBe(0x55);
    write(REG.eoi, 0);
    read(0x400);
    expect(apic.pending()).toBe(-1);
    write(REG.esr, 0);
    expect(read(REG.esr)).toBe(0xa0);
    read(0x400);
    expect(apic.pending()).toBe(0x55);
  });
});

describe('the 8259 behind it', () => {
  const external = { isPending: true, acknowledge: () => 0x2c };

  test('is heard through LINT0 as ExtINT, unmasked, after vectors of the APIC', () => {
    const { apic, write, raise } = make();
    apic.connect(external);
    expect(apic.pending()).toBe(-1);
    write(REG.lint0, 0x10700);
    expect(apic.pending()).toBe(-1);
    write(REG.lint0, 0x000);
    expect(apic.pending()).toBe(-1);
    write(REG.lint0, 0x700);
    expect(apic.pending()).toBeGreaterThan(0xff);
    raise(0x20);
    expect(apic.acknowledge()).toBe(0x20);
    expect(apic.acknowledge()).toBe(0x2c);
  });

  test('is heard directly where the APIC is off', () => {
    const { apic } = make();
    apic.connect(external);
    apic.writeMsr(APIC_BASE, 0xfee00000n);
    expect(apic.pending()).toBeGreaterThan(0xff);
    expect(apic.acknowledge()).toBe(0x2c);
  });
});
