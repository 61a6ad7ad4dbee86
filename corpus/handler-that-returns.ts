/**
 * A handler of one RET: all registers, flags and the FPU state come back as they were.
 *
 * @reaches call 10: zero
 * @reaches call 13: zero
 * @reaches call 15: zero
 * @reaches call 62: zero
 */
import { addressOf, asm, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r0: i64 = 0n;
  let r1: i64 = 0n;
  let r2: i64 = 0n;
  let r3: i64 = 0n;
  { // 1: kill of oneself, with XMM0 full
    r1 = syscall(9n, 0n, 4096n, 3n, 0x22n, ALL, 0n);
    store64(wrapping.u64(r1), 0xc3n);
    store64(wrapping.u64(r1) + 8n, 0x050f0000000fb8n);
    syscall(10n, wrapping.u64(r1), 4096n, 5n);
    store64(base, wrapping.u64(r1));
    store64(base + 8n, 0x4000000n);
    store64(base + 16n, wrapping.u64(r1) + 8n);
    store64(base + 24n, 0n);
    r0 = syscall(13n, 10n, base, 0n, 8n);
    r2 = syscall(39n);
    r3 = wrapping.i64(asm("movq xmm0, rdi\nmov rdi, rsi\nmov esi, 10\nmov eax, 62\nsyscall\nmovq rax, xmm0", { rdi: 0x123456789abcdefn, rsi: wrapping.u64(r2) }, 'rax'));
    if (r3 !== 0x123456789abcdefn) syscall(231n, 1n);
  }
}
attack();
syscall(231n, 0n);
