/** Fibonacci numbers: 64-bit arithmetic that would trap, not wrap, if it ran over. */
import { print, printNumber } from 'palindrome/program';

/** The n-th Fibonacci number; n up to 93 fits. */
function fibonacci(n: i32): u64 {
  let a: u64 = 0n;
  let b: u64 = 1n;
  for (let i = 0; i < n; i++) {
    const next = a + b;
    a = b;
    b = next;
  }
  return a;
}

for (let n = 0; n <= 90; n += 10) {
  print('fibonacci(');
  printNumber(n);
  print(') = ');
  printNumber(fibonacci(n));
  print('\n');
}
