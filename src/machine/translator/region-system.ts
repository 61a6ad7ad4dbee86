/**
 * Instructions of the system in a region, as effects.
 *
 * SYSCALL and SYSRET to 64-bit code: registers and flags stay in locals, and the region goes on where they lead to. That holds while nobody in TypeScript
 * observes and no trap or interrupt can follow; else the region goes cold, and system-code.ts does it all. Reading a control register that lies in the state.
 */
import { CPL, EFER, INTERRUPT_PENDING, OBSERVED, OBSERVED_BY, RFLAGS_REST } from '../cpu/state.ts';
import type { Decoded } from '../isa/decode.ts';
import type { Effect, FlagWrite } from '../isa/dsl.ts';
import { FLAG_BIT, RFLAGS } from '../isa/flags.ts';
import { RCX } from '../isa/registers.ts';
import { constant, input, type Special, type Term } from '../isa/term.ts';
import { EFER as EFER_BITS } from '../platform/bits.ts';
import { STATUS, type StatusFlag } from './flags.ts';
import { SYSRET_FLAGS } from './system-code.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

export type SystemCall = 'SYSCALL' | 'SYSRET';

const R11 = 11;
const special = (name: Special) => input({ kind: 'special', name }, 64);
const k = (value: number) => constant(value, 64);

/** SYSCALL and SYSRET to 64-bit code; null: it is another instruction. */
export function systemEffect(decoded: Decoded): { readonly effect: Effect; readonly system: SystemCall } | null {
  const { name } = decoded.row;
  if (decoded.mode !== 64) return null;
  if (name === 'SYSCALL') {
    const before = STATUS.reduce<Term>(
      (flags, flag) => flags.or(input({ kind: 'flag', flag }, 1).zext(64).shl(k(FLAG_BIT[flag]))),
      special('rflagsRest').and(k(RFLAGS.rf).not),
    );
    const after = before.and(special('fmask').not);
    const gprs: Effect['writes'] = [write(R11, before), write(RCX, input({ kind: 'nextRip' }, 64))];
    return { effect: effectOf(after, gprs, special('lstar')), system: 'SYSCALL' };
  }
  if (name !== 'SYSRETQ') return null;
  const gpr = (index: number) => input({ kind: 'gpr', index }, 64);
  return { effect: effectOf(gpr(R11).and(k(SYSRET_FLAGS)), [], gpr(RCX)), system: 'SYSRET' };
}

/** By number. */
const CONTROL_REGISTERS: Readonly<Record<number, Special>> = { 0: 'cr0', 2: 'cr2', 3: 'cr3', 4: 'cr4' };

/** The effect of an instruction without a helper that only reads a control register; its own, if it is another instruction. */
export function withControlRead(decoded: Decoded, effect: Effect): Effect {
  if (effect.helper !== 'MOV_FROM_CR' || decoded.mode !== 64) return effect;
  const source = decoded.operands[1];
  const name = source?.kind === 'reg' ? CONTROL_REGISTERS[source.index] : undefined;
  if (name === undefined) return effect;
  const read: Effect['writes'][number] = { target: { kind: 'operand', index: 0 }, value: special(name), when: null, undefinedIf: null };
  return { ...effect, helper: null, writes: [...effect.writes, read] };
}

const write = (index: number, value: Term): Effect['writes'][number] => ({
  target: { kind: 'gpr', index },
  value,
  when: null,
  undefinedIf: null,
});

function effectOf(rflags: Term, gprs: Effect['writes'], target: Term): Effect {
  const values: Partial<Record<StatusFlag, FlagWrite>> = {};
  for (const flag of STATUS) values[flag] = { value: rflags.bit(FLAG_BIT[flag]), undefinedIf: null };
  return {
    guard: 'none',
    steps: [],
    writes: [...gprs, { target: { kind: 'special', name: 'rflags' }, value: rflags, when: null, undefinedIf: null }],
    flags: { when: null, values },
    next: { kind: 'jump', target, direct: false },
    helper: null,
  };
}

/** Leaves other than 0 if the instruction is not to be done here: what is begun is done, since it may have been logged. `gpr` leaves a register. */
export function pushNotPlain(f: FunctionBuilder, base: number, system: SystemCall, gpr: (index: number) => void): void {
  const load = (offset: number) => {
    f.get(base);
    f.load('i32', offset);
  };
  load(OBSERVED);
  f.i32(OBSERVED_BY.told);
  f.op(OP.i32.and);
  load(INTERRUPT_PENDING);
  f.op(OP.i32.or);
  if (system === 'SYSCALL') load(RFLAGS_REST);
  else {
    gpr(R11);
    f.op(OP.i32.wrap_i64);
  }
  f.i32(RFLAGS.tf);
  f.op(OP.i32.and, OP.i32.or);
  load(EFER);
  f.i32(EFER_BITS.SCE);
  f.op(OP.i32.and, OP.i32.eqz, OP.i32.or);
  load(CPL);
  if (system === 'SYSCALL') f.op(OP.i32.eqz);
  f.op(OP.i32.or);
  if (system === 'SYSCALL') return;
  // Not canonical.
  gpr(RCX);
  f.i64(47n);
  f.op(OP.i64.shr_s);
  f.i64(1n);
  f.op(OP.i64.add);
  f.i64(2n);
  f.op(OP.i64.ge_u, OP.i32.or);
}
