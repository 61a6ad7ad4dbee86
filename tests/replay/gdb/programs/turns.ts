/** Computes alone, then beside a child that does the same: the timer interrupts both, takes the CPU from the one and gives it to the other. */
import { exit, fork, printNumber, wait } from 'palindrome/program';

const status = new Int32Array(1);
const mixes = new Int32Array(8192);

function work(start: i32): i32 {
  let mix = start;
  for (let round: i32 = 0; round < 40_000; round++) {
    mix = wrapping.i32(mix * 31 + round);
    mixes[(round >> 12) * 512] = mix;
  }
  return mix;
}

const alone = work(1);
const child = fork();
const both = work(child);
if (child === 0) exit(both & 1);
wait(child, status);
printNumber(alone);
exit(0);
