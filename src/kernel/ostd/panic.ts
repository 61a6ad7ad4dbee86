/** The end of the run: by verdict, or because the kernel cannot go on. None of these returns. */
import { asm, cli, hlt, outb, outl } from 'palindrome/intrinsics';
import { DEBUG_EXIT_PANIC, DEBUG_EXIT_PORT, HARNESS_COMMAND_PORT, HARNESS_PANIC, HARNESS_STATUS_PORT } from '../abi/harness.ts';
import { harnessIsPresent } from './harness.ts';
import { putHex, putText } from './uart.ts';

/** The kernel found itself in a state that must not be: says so and stops the machine. */
export function panic(message: string): never {
  cli();
  putText('\nkeel: panic: ');
  putText(message);
  putText('\n');
  backTrace();
  if (harnessIsPresent()) {
    outl(HARNESS_STATUS_PORT, DEBUG_EXIT_PANIC);
    outb(HARNESS_COMMAND_PORT, HARNESS_PANIC);
  }
  leave(DEBUG_EXIT_PANIC);
}

/** Ends the machine by isa-debug-exit; where that is absent, halts. */
export function leave(code: u32): never {
  outl(DEBUG_EXIT_PORT, code);
  for (;;) {
    cli();
    hlt();
  }
}

/** Return addresses along the frame pointers, the caller first. */
function backTrace(): void {
  let frame = asm('mov rax, rbp', {}, 'rax');
  for (let depth = 0; depth < 12 && frame >= 0xffff_8000_0000_0000n; depth++) {
    const back = asm('mov rax, qword ptr [rdi + 8]', { rdi: frame }, 'rax');
    if (back < 0xffff_ffff_8000_0000n) return;
    putText('  at ');
    putHex(back);
    putText('\n');
    frame = asm('mov rax, qword ptr [rdi]', { rdi: frame }, 'rax');
  }
}
