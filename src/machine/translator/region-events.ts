/** Events of a region's system calls, where they are logged by generated code (system-code.ts has what it does). */
import { GPR, LEFT, OBSERVED, RIP } from '../cpu/state.ts';
import { RAX } from '../isa/registers.ts';
import { Code, Var32 } from './code.ts';
import type { RegionState } from './region-access.ts';
import { SYSCALL_REGISTERS, TELL } from './system-code.ts';
import { OP } from './wasm.ts';

/** What is logged before anything changes, and afterwards; and the registers that this looks at. */
export const EVENTS = {
  SYSCALL: { before: TELL.syscall, after: TELL.enteredKernel, registers: SYSCALL_REGISTERS },
  SYSRET: { before: TELL.sysret, after: TELL.enteredUser, registers: [RAX] },
} as const;

/** Where events are logged: puts what they look at into the state, for the instruction at `at`, and calls the function `event`. */
export function logBefore(state: RegionState, left: number, registers: readonly number[], at: number, event: number): void {
  const { f, base } = state;
  new Code(f).rarely(new Var32(f, base).load32(OBSERVED), () => {
    for (const register of registers) {
      f.get(base);
      state.get(GPR + 8 * register);
      f.store('i64', GPR + 8 * register);
    }
    f.get(base);
    state.rip(at);
    f.store('i64', RIP);
    f.get(base);
    f.get(left);
    f.i32(1);
    f.op(OP.i32.add);
    f.store('i32', LEFT);
    f.call(event);
  });
}

/** Calls the function `event`; `leave` is emitted for where the log has become full: the block of the trace is to end after this instruction. */
export function logAfter({ f, base }: RegionState, left: number, event: number, leave: () => void): void {
  new Code(f).rarely(new Var32(f, base).load32(OBSERVED), () => {
    f.call(event);
    f.get(left);
    f.get(base);
    f.load('i32', LEFT);
    f.i32(1);
    f.op(OP.i32.sub);
    f.tee(left);
    f.op(OP.i32.ne);
    f.if(undefined, false);
    leave();
    f.end();
  });
}
