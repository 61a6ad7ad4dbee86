/** A local APIC on a clock of its own: what its tests share. */
import { Lapic } from '../../../src/machine/devices/lapic.ts';

/** Offsets of registers in the page; the MSR of each is 0x800 + offset / 16. */
export const REG = {
  id: 0x20,
  version: 0x30,
  tpr: 0x80,
  apr: 0x90,
  ppr: 0xa0,
  eoi: 0xb0,
  ldr: 0xd0,
  dfr: 0xe0,
  svr: 0xf0,
  isr: 0x100,
  tmr: 0x180,
  irr: 0x200,
  esr: 0x280,
  icr: 0x300,
  icrHigh: 0x310,
  timer: 0x320,
  thermal: 0x330,
  performance: 0x340,
  lint0: 0x350,
  lint1: 0x360,
  error: 0x370,
  initial: 0x380,
  current: 0x390,
  divide: 0x3e0,
} as const;
export const msr = (register: number) => 0x800 + register / 16;
export const APIC_BASE = 0x1b;
export const [ENABLE, X2] = [0x800n, 0x400n];

/** An APIC that software has switched on. */
export function make(isOn = true) {
  const clock = { now: 0, tscOffset: 0n };
  const told = { times: 0, inits: 0 };
  const apic = new Lapic(
    clock,
    128 << 20,
    () => told.times++,
    () => told.inits++,
  );
  const read = (register: number) => apic.readMemory(register, 4);
  const write = (register: number, value: number) => apic.writeMemory(register, 4, value);
  const raise = (vector: number) => write(REG.icr, 0x40000 | vector);
  const errors = () => {
    write(REG.esr, 0);
    return read(REG.esr);
  };
  const x2 = () => {
    apic.writeMsr(APIC_BASE, (apic.readMsr(APIC_BASE) ?? 0n) | X2);
    return apic;
  };
  if (isOn) write(REG.svr, 0x1ff);
  return { clock, told, apic, read, write, raise, errors, x2, pass: (ticks: number) => apic.advance((clock.now += ticks)) };
}
