/** wait4. */
import { WNOHANG } from '../abi/constants.ts';
import { ECHILD, EFAULT, EINTR, EINVAL } from '../abi/errno.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { TASKS } from '../ostd/virtual-layout.ts';
import { type Process, processes, STATE_FREE, STATE_ZOMBIE } from '../task/process.ts';
import { channelOfChildren, scheduler } from '../task/scheduler.ts';
import { isInterrupted } from '../task/signals.ts';
import { failure } from './result.ts';

/** WNOHANG, WUNTRACED, WCONTINUED: nothing here stops or continues. */
const OPTIONS = 1 | 2 | 8;
const USAGE_BYTES = 144;

/** pid > 0: that child; all else: any child (there are no process groups). */
export function sysWait4(process: Process, pid: i32, status: u64, options: i32, usage: u64): i64 {
  if ((options & ~OPTIONS) !== 0) return failure(EINVAL);
  while (true) {
    let hasChild = false;
    for (let slot = 1; slot < TASKS; slot++) {
      const child = processes[slot];
      if (child.state === STATE_FREE || child.parent !== process.slot) continue;
      if (pid > 0 && child.pid !== pid) continue;
      hasChild = true;
      if (child.state === STATE_ZOMBIE) return reap(child, status, usage);
    }
    if (!hasChild) return failure(ECHILD);
    if ((options & WNOHANG) !== 0) return 0n;
    if (isInterrupted(process)) return failure(EINTR);
    scheduler.block(channelOfChildren(process.slot));
  }
}

/** Tells about an ended child and frees its slot; where that cannot be told, the child stays. */
function reap(child: Process, status: u64, usage: u64): i64 {
  if (status !== 0n) {
    const word = new UserSlice(status, 4n);
    if (!word.write32(0n, u32(child.status))) return failure(EFAULT);
  }
  if (usage !== 0n) {
    const zeros = new Uint8Array(USAGE_BYTES);
    const target = new UserSlice(usage, u64(USAGE_BYTES));
    if (!target.write(0n, zeros)) return failure(EFAULT);
  }
  child.become(STATE_FREE);
  return i64(child.pid);
}
