/** RFLAGS as a whole, in code written with code.ts: out of the carriers of cpu/state.ts, and into them. */
import {
  AF, CF, CPL, INTERRUPT_PENDING, OV, PF, RFLAGS_REST, RFLAGS_REST_MASK, SR, TLB_CHOICES, TLB_SET, ZR,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { FLAG_BIT, RFLAGS } from '../isa/flags.ts';
import { type Code, I32, type Var32 } from './code.ts';
import { readFlag, STATUS } from './flags.ts';

/** The canonical RFLAGS. */
export function readFlags(code: Code, base: I32): I32 {
  const own = code.var32(base);
  return STATUS.reduce(
    (flags, flag) => flags.or(new I32((f) => readFlag(f, own.index, flag)).shl(FLAG_BIT[flag])),
    own.load32(RFLAGS_REST),
  );
}

/** Sets RFLAGS, and TLB_SET by AC; `attend` is for what the new flags let through after this instruction: a trap, or an interrupt that waits. */
export function writeFlags(code: Code, base: I32, value: Var32, attend: () => void): void {
  code.store32(base, CF, value.and(RFLAGS.cf));
  code.store32(base, PF, value.lacks(RFLAGS.pf));
  code.store32(base, AF, value.and(RFLAGS.af));
  code.store64(base, ZR, value.lacks(RFLAGS.zf).unsigned64);
  code.store64(base, SR, value.and(RFLAGS.sf).unsigned64.shl(BigInt(63 - FLAG_BIT.sf)));
  code.store64(base, OV, value.and(RFLAGS.of).unsigned64.shl(BigInt(63 - FLAG_BIT.of)));
  code.store64(base, RFLAGS_REST, value.and(RFLAGS_REST_MASK).or(RFLAGS.fixed).unsigned64);
  chooseTlbSet(code, base, value);
  code.rarely(value.has(RFLAGS.tf).or(value.has(RFLAGS.if).and(base.load32(INTERRUPT_PENDING))), attend);
}

/** TLB_SET by CPL and AC. */
export function chooseTlbSet(code: Code, base: I32, flags: I32): void {
  const privilege = base.load32(CPL).eq(3).shl(1).or(flags.shrU(18).and(1));
  code.store32(base, TLB_SET, base.add(privilege.shl(2)).load32(TLB_CHOICES));
}
