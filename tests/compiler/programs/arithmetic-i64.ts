/** Signed 64-bit arithmetic, shifts, negation. */
import { print, printNumber } from 'palindrome/program';

function show(x: i64): void {
  printNumber(x);
  print(' ');
}

function all(a: i64, b: i64): void {
  show(a + b);
  show(a - b);
  show(a * b);
  show(a / b);
  show(a % b);
  show(-a);
  show(~a);
  show(a & b);
  show(a | b);
  show(a ^ b);
  show(a >> 3n);
  show(a >> 70n);
  print('\n');
}

all(7n, 3n);
all(-7n, 3n);
all(123456789n, -987n);
all(-3037000499n, 3037000499n);
const big: i64 = 1n << 40n;
show(big);
show(i64(5) << 33n);
print('\n');
