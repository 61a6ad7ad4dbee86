/** Module-level variables of every kind. */
import { print, printNumber } from 'palindrome/program';

let counter = 0;
let total: u64 = 0n;
let ratio = 0.5;
let enabled = false;
let name = 'start';
const limit = 10;
const derived = limit * 3 + 1;
const computed = compute(4);
const MASK: u64 = (1n << 12n) - 1n;
let maybe: u32 | null = null;

function compute(x: i32): i32 {
  return x * derived;
}

function tick(): void {
  counter++;
  total += u64(counter) & MASK;
  ratio *= 2.0;
  enabled = !enabled;
  name = enabled ? 'on' : 'off';
  maybe = maybe === null ? 1 : maybe + 1;
}

for (let i = 0; i < 5; i++) tick();
printNumber(counter);
print(' ');
printNumber(total);
print(' ');
printNumber(i32(ratio));
print(' ');
print(name);
print(' ');
printNumber(computed);
print(' ');
printNumber(maybe ?? 0);
print('\n');
