/** Unsigned 64-bit arithmetic. */
import { print, printHex, printNumber } from 'palindrome/program';

function show(x: u64): void {
  printNumber(x);
  print(' ');
}

function all(a: u64, b: u64): void {
  show(a + b);
  if (a >= b) show(a - b);
  show(a * b);
  show(a / b);
  show(a % b);
  show(a & b);
  show(a | b);
  show(a ^ b);
  show(a >> (b & 63n));
  print('\n');
}

all(7n, 3n);
all(0xffffffffn, 0xffffffffn);
all(1n << 63n, 1n);
all(0xdeadbeefcafen, 77n);
for (let i: u64 = 0n; i < 64n; i += 9n) {
  printHex(1n << i);
  print(' ');
}
print('\n');
