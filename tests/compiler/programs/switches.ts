/** switch over numbers, bigints, strings; falling through. */
import { print, printNumber } from 'palindrome/program';

function word(n: i32): string {
  switch (n) {
    case 0:
      return 'none';
    case 1:
      return 'one';
    case 2:
    case 3:
      return 'few';
    default:
      return 'many';
  }
}

function weekday(name: string): i32 {
  switch (name) {
    case 'mon':
      return 1;
    case 'tue':
      return 2;
    case 'sun':
      return 7;
  }
  return 0;
}

function wide(x: u64): i32 {
  let result = 0;
  switch (x) {
    case 0x8000000000000000n:
      result += 100;
      break;
    // biome-ignore lint/suspicious/useDefaultSwitchClauseLast: that is what is tried
    default:
      result = 5;
      break;
    case 1n:
      result++;
  }
  return result;
}

for (let i = -1; i < 6; i++) {
  print(word(i));
  print(' ');
}
print('\n');
printNumber(weekday('mon') * 100 + weekday('sun') * 10 + weekday('xyz'));
print('\n');
printNumber(wide(1n));
printNumber(wide(2n));
printNumber(wide(1n << 63n));
print('\n');
