/** Interrupts are off at CPL 0, but where the idle loop waits for one. */
import { asm, cli, readFlags, sti } from 'palindrome/intrinsics';

/** Interrupts stay off until the guard's block is left; then they are as they were. */
export class InterruptGuard {
  private readonly wereOn: boolean;

  constructor(wereOn: boolean) {
    this.wereOn = wereOn;
  }

  [Symbol.dispose](): void {
    if (this.wereOn) sti();
  }
}

export function interruptsOff(): InterruptGuard {
  const wereOn = (readFlags() & 0x200n) !== 0n;
  cli();
  return new InterruptGuard(wereOn);
}

/** Sleeps until an interrupt has been handled. STI takes effect after HLT has begun, so that none is missed (SDM Vol. 2, STI). */
export function waitForInterrupt(): void {
  asm('sti\nhlt\ncli');
}
