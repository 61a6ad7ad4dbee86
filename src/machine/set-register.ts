/** Registers set from outside, by name: for who goes on from a recorded moment with others. */

import { isCanonical64, SEG } from './cpu/helpers/cpu.ts';
import { MXCSR_MASK } from './cpu/helpers/float-state.ts';
import type { CpuState } from './cpu/state.ts';
import { CR2, GPR, MSR_SLOT, MXCSR, RIP, SEGMENT_BASE } from './cpu/state.ts';
import { UserError } from './isa/bug.ts';

const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
/** What RFLAGS can hold: CF PF AF ZF SF TF IF DF OF IOPL NT RF AC ID, and bit 1, which is always set. */
const RFLAGS = 0x25_7fd7n;

/** A register's width, and how it is written. */
interface Settable {
  readonly bits: 32 | 64 | 128;
  readonly set: (state: CpuState, value: bigint) => void;
}

const word = (at: number): Settable => ({ bits: 64, set: (state, value) => state.set64(at, value) });

/** What holds a linear address that the CPU would not let be another. */
const address = (at: number): Settable => ({
  bits: 64,
  set: (state, value) => {
    if (!isCanonical64(value)) throw new UserError(`0x${value.toString(16)} is not canonical`);
    state.set64(at, value);
  },
});

const xmm = (index: number): Settable => ({ bits: 128, set: (state, value) => state.setXmm(index, value) });

const SETTABLE: ReadonlyMap<string, Settable> = new Map<string, Settable>([
  ...GENERAL.map((name, i) => [name, word(GPR + 8 * i)] as const),
  ['rip', address(RIP)],
  ['cr2', word(CR2)],
  ['fs_base', address(SEGMENT_BASE + 8 * SEG.FS)],
  ['gs_base', address(SEGMENT_BASE + 8 * SEG.GS)],
  ['kernel_gs_base', address(MSR_SLOT.KERNEL_GS_BASE)],
  ...Array.from({ length: 16 }, (_, i) => [`xmm${i}`, xmm(i)] as const),
  ['rflags', { bits: 64, set: setRflags }],
  ['mxcsr', { bits: 32, set: setMxcsr }],
]);

/** UserError where there is no such register, or it cannot hold the value. */
export function setRegister(state: CpuState, name: string, value: bigint): void {
  const settable = SETTABLE.get(name.toLowerCase());
  if (settable === undefined) throw new UserError(`register ${name} cannot be set; there are ${[...SETTABLE.keys()].join(' ')}`);
  if (value < 0n || value >> BigInt(settable.bits) !== 0n)
    throw new UserError(`${name} has ${settable.bits} bits: 0x${value.toString(16)} does not fit`);
  settable.set(state, value);
}

function setRflags(state: CpuState, value: bigint): void {
  if ((value & ~RFLAGS) !== 0n) throw new UserError(`RFLAGS has no bits 0x${(value & ~RFLAGS).toString(16)}`);
  state.writeRflags(value);
}

function setMxcsr(state: CpuState, value: bigint): void {
  if ((Number(value) & ~MXCSR_MASK) !== 0) throw new UserError(`MXCSR has no bits 0x${(value & ~BigInt(MXCSR_MASK)).toString(16)}`);
  state.set32(MXCSR, Number(value));
}
