/** The system-call entry as trap-entry.ts calls it: dispatch, then the way back. */
import { maySysret, type TrapFrame } from '../ostd/trap-frame.ts';
import { beforeUser } from '../task/return.ts';
import { scheduler } from '../task/scheduler.ts';
import { dispatch } from './dispatch.ts';

/** Returns whether SYSRET may be used for the way back.
 * @export keel_syscall */
export function enterSyscall(frame: TrapFrame): boolean {
  const result = dispatch(scheduler.current, frame);
  frame.rax = wrapping.u64(result);
  beforeUser(frame);
  return maySysret(frame);
}
