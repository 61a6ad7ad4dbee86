/** Variables that are assigned on every path before they are read. */
import { print, printNumber } from 'palindrome/program';

function choose(n: i32): i32 {
  let result: i32;
  if (n < 0) result = -1;
  else if (n === 0) result = 0;
  else {
    // biome-ignore lint/style/useConst: that is what is tried
    let square: i32;
    square = n * n;
    result = square;
  }
  return result;
}
function later(n: i32): string {
  let text: string;
  switch (n) {
    case 1:
      text = 'one';
      break;
    default:
      text = 'other';
  }
  return text;
}
printNumber(choose(-5));
printNumber(choose(0));
printNumber(choose(7));
print(later(1));
print(later(2));
print('\n');
