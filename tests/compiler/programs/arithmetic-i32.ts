/** Signed 32-bit arithmetic within its range. */
import { print, printNumber } from 'palindrome/program';

function show(x: i32): void {
  printNumber(x);
  print(' ');
}

function all(a: i32, b: i32): void {
  show(a + b);
  show(a - b);
  show(a * b);
  if (b !== 0) {
    show(div(a, b));
    show(a % b);
  }
  print('\n');
}

all(7, 3);
all(-7, 3);
all(7, -3);
all(-7, -3);
all(0, 5);
all(46340, 46340);
all(2147483646, -1);
all(-2147483646, 1);
