/** The end of a process: everything that it held goes back, its status stays for the parent. */
import { SIGCHLD } from '../abi/constants.ts';
import { KIND_PIPE, openFiles } from '../fs/open-file.ts';
import { files } from '../fs/tree.ts';
import { lowestBit } from '../ostd/bits.ts';
import { kernelSpace } from '../ostd/kernel-space.ts';
import { UserSlice } from '../ostd/user-slice.ts';
import { domains } from '../security/domain.ts';
import { NO_PROCESS, type Process, processes, STATE_FREE, STATE_ZOMBIE, slots } from './process.ts';
import { channelOfChildren, channelOfPipe, scheduler } from './scheduler.ts';
import { send } from './signals.ts';

/** Wait status of a process that called exit. */
export function exited(code: i32): i32 {
  return (code & 0xff) << 8;
}

/** Wait status of a process that a signal ended. */
export function signalled(signal: i32): i32 {
  return signal & 0x7f;
}

export function closeDescriptor(process: Process, fd: i32): void {
  const open = openFiles[process.descriptors.take(fd)];
  const pipe = open.kind === KIND_PIPE ? open.object : -1;
  if (open.release() && pipe >= 0) scheduler.wake(channelOfPipe(pipe));
}

/** The working directory lives while it is somebody's. */
export function enterDirectory(process: Process, directory: i32): void {
  files[directory].opens++;
  process.directory = directory;
}

function leaveDirectory(process: Process): void {
  const directory = files[process.directory];
  directory.opens--;
  directory.drop();
}

/** Ends the running process. */
export function exitProcess(process: Process, status: i32): never {
  if (process.clearTid !== 0n) {
    const word = new UserSlice(process.clearTid, 4n);
    word.write32(0n, 0);
  }
  for (let left = process.descriptors.used; left !== 0n; left &= left - 1n) closeDescriptor(process, lowestBit(left));
  leaveDirectory(process);
  kernelSpace.activate();
  if (process.space !== null) process.space.destroy();
  process.space = null;
  orphanChildren(process);

  const domain = domains[process.domain];
  domain.processes--;
  if (process.isFirst) domain.status = status;
  process.status = status;
  if (process.parent === NO_PROCESS) {
    process.become(STATE_FREE);
  } else {
    process.become(STATE_ZOMBIE);
    scheduler.wake(channelOfChildren(process.parent));
    send(processes[process.parent], SIGCHLD);
  }
  scheduler.reschedule();
  unreachable();
}

function orphanChildren(process: Process): void {
  for (let left = slots.used; left !== 0n; left &= left - 1n) {
    const child = processes[lowestBit(left)];
    if (child.parent !== process.slot) continue;
    child.parent = NO_PROCESS;
    if (child.state === STATE_ZOMBIE) child.become(STATE_FREE);
  }
}
