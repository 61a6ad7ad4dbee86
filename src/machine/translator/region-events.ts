/** Events of a region's system calls, where they are logged (log-code.ts). */
import { GPR, LEFT, OBSERVED, RIP } from '../cpu/state.ts';
import { SYSCALL_REGISTERS } from '../cpu/trace-log.ts';
import { RAX } from '../isa/registers.ts';
import { Code, Var32 } from './code.ts';
import type { RegionState } from './region-access.ts';
import type { SystemCall } from './region-system.ts';
import { OP } from './wasm.ts';

/** The registers that the events show. */
const SHOWN = { SYSCALL: SYSCALL_REGISTERS, SYSRET: [RAX] } as const;

/** Where events are logged: puts what the event of the instruction at `at` shows into the state, and calls the imported function that logs it. */
export function logBefore(
  state: RegionState,
  left: number,
  system: SystemCall,
  at: number,
  imported: { readonly syscall: number; readonly sysret: number },
): void {
  const { f, base } = state;
  new Code(f).rarely(new Var32(f, base).load32(OBSERVED), () => {
    for (const register of SHOWN[system]) {
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
    f.get(base);
    if (system === 'SYSCALL') {
      // It comes from user mode: else the region would not do it.
      f.i32(1);
      f.call(imported.syscall);
    } else f.call(imported.sysret);
  });
}

/** After the instruction: `leave` is emitted for where the log has become full, since the block of the trace is to end here. */
export function leaveIfFull({ f, base }: RegionState, left: number, leave: () => void): void {
  new Code(f).rarely(new Var32(f, base).load32(OBSERVED), () => {
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
