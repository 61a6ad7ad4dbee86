/** The system-call entry as trap-entry.ts calls it: dispatch, then the way back. */
import { maySysret, type TrapFrame } from '../ostd/trap-frame.ts';
import { beforeUser } from '../task/return.ts';
import { scheduler } from '../task/scheduler.ts';
import { dispatch } from './dispatch.ts';
import { restart } from './restart.ts';

/** Returns whether SYSRET may be used for the way back.
 * @export keel_syscall */
export function enterSyscall(frame: TrapFrame): boolean {
  const process = scheduler.current;
  const number = frame.rax;
  const result = dispatch(process, frame);
  if (!restart(process, frame, number, result)) frame.rax = wrapping.u64(result);
  beforeUser(frame);
  return maySysret(frame);
}
