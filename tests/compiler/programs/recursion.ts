/** Recursive functions, of several shapes. */
import { print, printNumber } from 'palindrome/program';

function fibonacci(n: i32): u64 {
  return n < 2 ? u64(n) : fibonacci(n - 1) + fibonacci(n - 2);
}
function ackermann(m: i32, n: i32): i32 {
  if (m === 0) return n + 1;
  if (n === 0) return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}
function isEven(n: i32): boolean {
  return n === 0 || isOdd(n - 1);
}
function isOdd(n: i32): boolean {
  return n !== 0 && isEven(n - 1);
}
let moves = 0;
function hanoi(n: i32, from: i32, to: i32, over: i32): void {
  if (n === 0) return;
  hanoi(n - 1, from, over, to);
  moves++;
  hanoi(n - 1, over, to, from);
}
printNumber(fibonacci(20));
print(' ');
printNumber(ackermann(2, 3));
print(' ');
print(isEven(100) ? 'even' : 'odd');
hanoi(8, 1, 3, 2);
print(' ');
printNumber(moves);
print('\n');
