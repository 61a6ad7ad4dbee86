/** All comparisons of small and 64-bit integers. */
import { print, printNumber } from 'palindrome/program';

function bit(x: boolean): void {
  print(x ? '1' : '0');
}

function signed(a: i32, b: i32): void {
  bit(a < b);
  bit(a <= b);
  bit(a > b);
  bit(a >= b);
  bit(a === b);
  bit(a !== b);
  print(' ');
}

function wide(a: u64, b: u64): void {
  bit(a < b);
  bit(a <= b);
  bit(a > b);
  bit(a >= b);
  bit(a === b);
  bit(a !== b);
  print(' ');
}

function mixed(a: i32, b: u32, c: u8): void {
  bit(a < b);
  bit(a >= b);
  bit(a === b);
  bit(c < a);
  bit(c <= b);
  print(' ');
}

signed(1, 2);
signed(2, 1);
signed(-1, 1);
signed(5, 5);
print('\n');
wide(1n, 2n);
wide(0xffffffffffffffffn, 1n);
wide(5n, 5n);
print('\n');
mixed(-1, 0xffffffff, 255);
mixed(7, 7, 7);
mixed(2147483647, 2147483648, 0);
print('\n');
printNumber(i32(true) + i32(false));
print('\n');
