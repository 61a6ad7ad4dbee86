/** What the signals of one process do. */
import { SIGNALS } from '../abi/constants.ts';
import { lowestBit } from '../ostd/bits.ts';

/** The handler's address, SIG_DFL or SIG_IGN, and what rt_sigaction said of it. */
class SignalAction {
  handler: u64 = 0n;
  flags: u64 = 0n;
  restorer: u64 = 0n;
  mask: u64 = 0n;
}

export class SignalActions {
  private readonly actions = array(SIGNALS, () => new SignalAction());
  /** Bit n - 1 for signal n: its action was set, and may be other than all zeros. */
  private known: u64 = 0n;

  of(signal: i32): SignalAction {
    return this.actions[signal - 1];
  }

  set(signal: i32, handler: u64, flags: u64, restorer: u64, mask: u64): void {
    const action = this.actions[signal - 1];
    action.handler = handler;
    action.flags = flags;
    action.restorer = restorer;
    action.mask = mask;
    this.known |= 1n << u64(signal - 1);
  }

  /** Nothing is left of what was set. */
  clear(): void {
    for (let left = this.known; left !== 0n; left &= left - 1n) this.set(lowestBit(left) + 1, 0n, 0n, 0n, 0n);
    this.known = 0n;
  }

  /** As fork does; nothing may be set here. */
  copyFrom(other: SignalActions): void {
    for (let left = other.known; left !== 0n; left &= left - 1n) {
      const signal = lowestBit(left) + 1;
      const action = other.of(signal);
      this.set(signal, action.handler, action.flags, action.restorer, action.mask);
    }
  }

  /** As execve does: what is ignored stays ignored. */
  dropHandlers(): void {
    for (let left = this.known; left !== 0n; left &= left - 1n) {
      const action = this.actions[lowestBit(left)];
      if (action.handler > 1n) action.handler = 0n;
    }
  }
}
