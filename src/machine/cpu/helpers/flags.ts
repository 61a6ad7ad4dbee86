/** RFLAGS as a number, read from and written to the carriers without BigInt. */
import { RFLAGS } from '../../isa/flags.ts';
import { AF, CF, OV, PF, RFLAGS_REST, SR, ZR } from '../state.ts';
import type { Cpu } from './cpu.ts';

const REST =
  RFLAGS.tf | RFLAGS.if | RFLAGS.df | RFLAGS.iopl | RFLAGS.nt | RFLAGS.rf | RFLAGS.vm | RFLAGS.ac | RFLAGS.vif | RFLAGS.vip | RFLAGS.id;

/** Canonical RFLAGS, bits 21:0. */
export function readFlags(cpu: Cpu): number {
  const i32 = cpu.i32;
  let parity = (i32[PF >> 2] ?? 0) & 0xff;
  parity ^= parity >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return (
    (i32[RFLAGS_REST >> 2] ?? 0) |
    ((i32[CF >> 2] ?? 0) & 1) |
    (parity & 1 ? 0 : RFLAGS.pf) |
    ((i32[AF >> 2] ?? 0) & RFLAGS.af) |
    ((i32[ZR >> 2] ?? 0) === 0 && (i32[(ZR >> 2) + 1] ?? 0) === 0 ? RFLAGS.zf : 0) |
    ((i32[(SR >> 2) + 1] ?? 0) < 0 ? RFLAGS.sf : 0) |
    ((i32[(OV >> 2) + 1] ?? 0) < 0 ? RFLAGS.of : 0)
  );
}

/** Sets all of RFLAGS; bits that do not exist are dropped. The caller follows a change of AC, IF or TF up. */
export function writeFlags(cpu: Cpu, flags: number): void {
  cpu.i32[CF >> 2] = flags & 1;
  cpu.i32[PF >> 2] = flags & RFLAGS.pf ? 0 : 1;
  cpu.i32[AF >> 2] = flags & RFLAGS.af;
  cpu.set(ZR, flags & RFLAGS.zf ? 0 : 1, 0);
  cpu.set(SR, 0, flags & RFLAGS.sf ? -0x80000000 : 0);
  cpu.set(OV, 0, flags & RFLAGS.of ? -0x80000000 : 0);
  cpu.set(RFLAGS_REST, (flags & REST) | RFLAGS.fixed, 0);
}

/** Sets or clears ZF alone. */
export function setZf(cpu: Cpu, value: boolean): void {
  // SF has a carrier of its own, so ZR may be chosen freely.
  cpu.set(ZR, value ? 0 : 1, 0);
}
