/**
 * User mode never calls the kernel: the timer takes the CPU from it, and fuel ends it (INV-35).
 *
 */
import { asm, syscall } from 'palindrome/intrinsics';

function attack(): void {
  { // 1: spin
    asm("spin:\njmp spin", {}, 'rax');
  }
}
attack();
syscall(231n, 0n);
