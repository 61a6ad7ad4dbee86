/** Searching in a sorted table. */
import { print, printNumber } from 'palindrome/program';

const TABLE: readonly u32[] = [1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 4000000000];
function find(x: u32): i32 {
  let low = 0;
  let high = TABLE.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (TABLE[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low < TABLE.length && TABLE[low] === x ? low : -1;
}
printNumber(find(1));
printNumber(find(49));
printNumber(find(50));
printNumber(find(4000000000));
print('\n');
