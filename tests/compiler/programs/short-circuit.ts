/** && || ! ?: ?? evaluate what they must, in order. */
import { print, printNumber } from 'palindrome/program';

let calls = 0;

function yes(n: i32): boolean {
  calls++;
  printNumber(n);
  return true;
}

function no(n: i32): boolean {
  calls++;
  printNumber(n);
  return false;
}

if (yes(1) && no(2) && yes(3)) print('a');
if (no(4) || yes(5) || no(6)) print('b');
if (!no(7) && (no(8) || yes(9))) print('c');
const value = (yes(1) && no(2)) || !yes(3);
print(value ? 't' : 'f');
const chosen = no(1) ? 10 : yes(2) ? 20 : 30;
printNumber(chosen);
print(' ');
printNumber(calls);
print('\n');
