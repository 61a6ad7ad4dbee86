/**
 * The number of a call, its buffer in the kernel half and its length come from the input of the run: with the usual one the calls are others.
 *
 * @circumstances input=0xffffffffffe00c67 quantum=2500 fail-frame=70
 * @reaches call 39: value
 * @reaches call 1: error 14
 */
import { syscall } from 'palindrome/intrinsics';

let input: u64 = 0x9e3d5c0ba7f16284n;

function attack(): void {
  let r0: i64 = 0n;
  { // 1: a call by its input
    r0 = syscall(wrapping.i64(input & 63n), input, input);
  }
  { // 2: write from where the input says
    r0 = syscall(wrapping.i64((input >> 63n) * 1n), 1n, input, (input >> 10n) & 3n);
  }
}
attack();
syscall(231n, 0n);
