/** BigInt.asUintN and asIntN. */
import { print, printNumber } from 'palindrome/program';

let x: u64 = 0xfedcba9876543210n;
printNumber(BigInt.asUintN(16, x));
print(' ');
printNumber(BigInt.asUintN(64, x));
print(' ');
printNumber(BigInt.asIntN(64, x));
print(' ');
x = 5n;
printNumber(BigInt.asIntN(64, x));
print('\n');
