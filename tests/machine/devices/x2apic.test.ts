/** The modes of the local APIC, by SDM Vol. 3: IA32_APIC_BASE, and the registers as MSRs. */
import { describe, expect, test } from 'vitest';
import { APIC_BASE, ENABLE, make, msr, REG, X2 } from './apic.ts';

describe('IA32_APIC_BASE', () => {
  test('goes between its modes as the manual draws it', () => {
    const [off, on, both, wrong] = [0n, ENABLE, ENABLE | X2, X2];
    for (const [from, to, isAllowed] of [
      [on, off, true],
      [on, both, true],
      [on, wrong, false],
      [both, off, true],
      [both, on, false],
      [both, both, true],
      [off, on, true],
      [off, both, false],
      [off, wrong, false],
    ] as const) {
      const { apic } = make();
      if (from !== on) apic.writeMsr(APIC_BASE, 0xfee00100n | from);
      expect([from, to, apic.writeMsr(APIC_BASE, 0xfee00100n | to)]).toEqual([from, to, isAllowed]);
      expect(apic.readMsr(APIC_BASE)).toBe(0xfee00100n | (isAllowed ? to : from));
    }
  });

  test('has reserved bits', () => {
    const { apic } = make();
    for (const bit of [0n, 7n, 9n, 40n, 63n]) expect([bit, apic.writeMsr(APIC_BASE, 0xfee00900n | (1n << bit))]).toEqual([bit, false]);
  });

  test('off: the page is gone, and the registers are as after power-up', () => {
    const { apic, read, write, raise } = make();
    for (const [register, value] of [
      [REG.tpr, 0x20],
      [REG.ldr, 0x01000000],
      [REG.dfr, 0],
      [REG.lint0, 0x700],
      [REG.divide, 3],
      [REG.icrHigh, 0x01000000],
      [REG.initial, 1000],
    ] as const)
      write(register, value);
    raise(0x40);
    apic.acknowledge();
    raise(0x31);
    apic.writeMsr(APIC_BASE, 0xfee00000n);
    expect([apic.readMemory(REG.version, 4), apic.readMemory(REG.version, 2), apic.readMemory(REG.version, 1)]).toEqual([
      0xffffffff, 0xffff, 0xff,
    ]);
    write(REG.tpr, 0x70);
    apic.writeMsr(APIC_BASE, 0xfee00800n);
    const fresh = make(false);
    for (let register = 0; register < 0x400; register += 0x10)
      expect([register.toString(16), read(register)]).toEqual([register.toString(16), fresh.read(register)]);
    expect([apic.pending(), apic.nextEvent()]).toEqual([-1, Number.POSITIVE_INFINITY]);
  });
});

describe('x2APIC', () => {
  test('its registers are MSRs; those that are not there are #GP', () => {
    const { read, write, x2 } = make();
    write(REG.tpr, 0x33);
    write(REG.timer, 0x20044);
    const expected = new Map<number, number>([[msr(REG.ldr), 1]]);
    for (const register of Object.values(REG)) if (register !== REG.ldr) expected.set(msr(register), read(register) >>> 0);
    for (let i = 1; i < 8; i++) for (const first of [REG.isr, REG.tmr, REG.irr]) expected.set(msr(first) + i, 0);
    for (const absent of [REG.apr, REG.eoi, REG.dfr, REG.icrHigh]) expected.delete(msr(absent));
    const apic = x2();
    for (let index = 0x800; index < 0x900; index++) {
      const value = expected.get(index);
      expect([index.toString(16), apic.readMsr(index)]).toEqual([index.toString(16), value === undefined ? null : BigInt(value)]);
    }
  });

  test('takes writes where a register may be written, of bits that are not reserved', () => {
    const bits = new Map<number, bigint>([
      [msr(REG.tpr), 0xffn],
      [msr(REG.eoi), 0n],
      [msr(REG.svr), 0x3ffn],
      [msr(REG.esr), 0n],
      [msr(REG.timer), 0x710ffn],
      [msr(REG.thermal), 0x117ffn],
      [msr(REG.performance), 0x117ffn],
      [msr(REG.lint0), 0x1f7ffn],
      [msr(REG.lint1), 0x1f7ffn],
      [msr(REG.error), 0x110ffn],
      [msr(REG.initial), 0xffffffffn],
      [msr(REG.divide), 0xbn],
      [0x83f, 0xffn],
    ]);
    for (let index = 0x800; index < 0x900; index++) {
      if (index === msr(REG.icr)) continue;
      const allowed = bits.get(index);
      const zero = make().x2().writeMsr(index, 0n);
      expect([index.toString(16), zero]).toEqual([index.toString(16), allowed !== undefined]);
      for (let bit = 0n; bit < 64n && allowed !== undefined; bit++) {
        const taken = make()
          .x2()
          .writeMsr(index, 1n << bit);
        expect([index.toString(16), bit, taken]).toEqual([index.toString(16), bit, ((allowed >> bit) & 1n) === 1n]);
      }
    }
  });

  test('ICR is one register of 64 bits, with a destination of 32', () => {
    for (const [destination, low, arrives] of [
      [0n, 0x66n, true],
      [1n, 0x66n, false],
      [0xffn, 0x66n, false],
      [0xffffffffn, 0x66n, true],
      [1n, 0x866n, true],
      [2n, 0x866n, false],
      [0x10001n, 0x866n, false],
      [0xffffffffn, 0xc0066n, false],
    ] as const) {
      const apic = make().x2();
      expect(apic.writeMsr(0x830, (destination << 32n) | low)).toBe(true);
      expect([destination, apic.pending() === 0x66]).toEqual([destination, arrives]);
      expect(apic.readMsr(0x830)).toBe((destination << 32n) | low);
    }
    for (const bit of [13n, 16n, 17n, 20n, 31n])
      expect([
        bit,
        make()
          .x2()
          .writeMsr(0x830, 1n << bit),
      ]).toEqual([bit, false]);
  });

  test('is not there before it is switched on; the page is not there after', () => {
    const { apic, write, x2 } = make();
    expect([apic.readMsr(0x803), apic.writeMsr(0x808, 0n)]).toEqual([null, false]);
    x2();
    write(REG.tpr, 0x50);
    expect(apic.readMsr(0x808)).toBe(0n);
    expect(apic.readMemory(REG.tpr, 4)).toBe(0xffffffff);
    expect([apic.readMsr(0x7ff), apic.readMsr(0x900), apic.writeMsr(0x900, 0n)]).toEqual([null, null, false]);
  });

  test('the self-IPI register raises its vector', () => {
    const apic = make().x2();
    apic.writeMsr(0x83f, 0x91n);
    expect(apic.pending()).toBe(0x91);
  });
});
