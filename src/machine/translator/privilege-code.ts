/** What SYSCALL and SYSRET to 64-bit code do besides registers, flags and RIP: for generated code of both tiers. */
import { MODE_64, USER } from '../cpu/mode.ts';
import {
  CPL, MODE_INDEX, MSR_SLOT, RETURN_DEPTH, SEGMENT_ATTRIBUTES, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_SELECTOR,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { CS, SS } from '../isa/registers.ts';
import type { Code, Var32 } from './code.ts';

export type Privilege = 'kernel' | 'user';

/** SEGMENT_ATTRIBUTES that SYSCALL and SYSRET load: flat, present, accessed. */
export const FLAT_SEGMENT = { code64Kernel: 0xa9b, code64User: 0xafb, code32User: 0xcfb, dataKernel: 0xc93, dataUser: 0xcf3 } as const;

/** CPL and MODE_INDEX of 64-bit code (cpu/mode.ts), where STAR has the selectors, what is added to them for CS and SS, and the attributes. */
const ENTERED = {
  kernel: { cpl: 0, mode: MODE_64, shift: 0, mask: 0xfffc, cs: 0, ss: 8, code: FLAT_SEGMENT.code64Kernel, data: FLAT_SEGMENT.dataKernel },
  user: {
    cpl: 3,
    mode: MODE_64 | USER,
    shift: 16,
    mask: 0xffff,
    cs: 16,
    ss: 8,
    code: FLAT_SEGMENT.code64User,
    data: FLAT_SEGMENT.dataUser,
  },
} as const;

/** Sets CPL, the mode, CS and SS, and forgets the calls made. What follows from CPL and the flags together is still to come (rflags-code.ts). */
export function enterPrivilege(code: Code, base: Var32, to: Privilege): void {
  const entered = ENTERED[to];
  code.store32(base, RETURN_DEPTH, 0);
  code.store32(base, CPL, entered.cpl);
  code.store32(base, MODE_INDEX, entered.mode);
  for (const [segment, add, attributes] of [
    [CS, entered.cs, entered.code],
    [SS, entered.ss, entered.data],
  ] as const) {
    const selector = base
      .load32(MSR_SLOT.STAR + 4)
      .shrU(entered.shift)
      .and(entered.mask);
    code.store32(base, SEGMENT_SELECTOR + 4 * segment, selector.add(add).and(0xffff).or(entered.cpl));
    code.store32(base, SEGMENT_LIMIT + 4 * segment, -1);
    code.store32(base, SEGMENT_ATTRIBUTES + 4 * segment, attributes);
    code.store64(base, SEGMENT_BASE + 8 * segment, 0n);
  }
}
