/** fork: a copy of the running process, memory shared by copy-on-write. */
import { EAGAIN, ENOMEM } from '../abi/errno.ts';
import { DONE, takeAddressSpace } from '../mm/address-space.ts';
import { domains } from '../security/domain.ts';
import { enterDirectory } from './exit.ts';
import { type Process, STATE_READY, takeProcess } from './process.ts';

/** A child that returns 0 where the parent's call returns; null: forkFailure says why. */
export function forkProcess(parent: Process): Process | null {
  const domain = domains[parent.domain];
  forkFailure.error = EAGAIN;
  if (!domain.mayFork()) return null;
  const child = takeProcess(parent.domain);
  if (child === null) return null;
  forkFailure.error = ENOMEM;
  const space = takeAddressSpace(domain);
  if (space === null) return null;
  if (parent.space === null || space.cloneFrom(parent.space) !== DONE) {
    space.destroy();
    return null;
  }
  child.space = space;
  child.parent = parent.slot;
  child.blocked = parent.blocked;
  child.program = parent.program;
  child.actions.copyFrom(parent.actions);
  child.descriptors.copyFrom(parent.descriptors);
  enterDirectory(child, parent.directory);
  parent.task.cloneTo(child.task);
  domain.processes++;
  child.become(STATE_READY);
  return child;
}

class ForkFailure {
  error: i32 = 0;
}
/** Why the last fork gave null. */
export const forkFailure = new ForkFailure();
