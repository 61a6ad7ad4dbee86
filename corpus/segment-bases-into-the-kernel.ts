/**
 * FS and GS bases by arch_prctl: kernel and non-canonical ones refused, good ones kept over switches.
 *
 * @reaches call 158: error 1
 * @reaches call 158: error 14
 * @reaches call 158: zero
 */
import { addressOf, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);

function attack(): void {
  { // 1: bases
    syscall(158n, 0x1002n, 0xffffffff80100000n);
    syscall(158n, 0x1001n, 0xffffffff80100000n);
    syscall(24n);
    syscall(158n, 0x1002n, 0x800000000000n);
    syscall(158n, 0x1001n, 0x800000000000n);
    syscall(24n);
    syscall(158n, 0x1002n, base);
    syscall(158n, 0x1001n, base);
    syscall(24n);
    syscall(158n, 0x1002n, 0n);
    syscall(158n, 0x1001n, 0n);
    syscall(24n);
    syscall(158n, 0x1003n, base);
    syscall(158n, 0x1003n, 0xffffffff80100000n);
  }
}
attack();
syscall(231n, 0n);
