/** The bitwise operators are those of JavaScript. */
import { print, printNumber } from 'palindrome/program';

function all(a: i32, b: i32): void {
  printNumber(a & b);
  print(' ');
  printNumber(a | b);
  print(' ');
  printNumber(a ^ b);
  print(' ');
  printNumber(~a);
  print(' ');
  printNumber(a << b);
  print(' ');
  printNumber(a >> b);
  print(' ');
  printNumber(a >>> b);
  print('\n');
}

all(5, 3);
all(-5, 3);
all(0x7fffffff, 31);
all(-1, 33);
all(-2147483648, 1);
all(1, -1);

function unsigned(a: u32, b: u32): void {
  printNumber(a & b);
  print(' ');
  printNumber((a | b) >>> 0);
  print(' ');
  printNumber(a >>> 4);
  print(' ');
  printNumber(a >> 4);
  print('\n');
}

unsigned(0xffffffff, 0x80000001);
unsigned(0x12345678, 0xf);
