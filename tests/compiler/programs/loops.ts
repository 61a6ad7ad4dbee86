/** while, do, for, labels, break, continue. */
import { print, printNumber } from 'palindrome/program';

let total = 0;
for (let i = 0; i < 10; i++) {
  if (i === 3) continue;
  if (i === 8) break;
  total += i;
}
printNumber(total);
print('\n');

let n = 5;
while (n > 0) {
  printNumber(n);
  n--;
}
do {
  printNumber(n);
  n += 2;
} while (n < 5);
print('\n');

outer: for (let i = 0; i < 5; i++) {
  for (let j = 0; j < 5; j++) {
    if (j === 3) continue outer;
    if (i === 3) break outer;
    printNumber(i * 10 + j);
    print(' ');
  }
}
print('\n');

function firstMultiple(of: i32, above: i32): i32 {
  for (let i = above; ; i++) {
    if (i % of === 0) return i;
  }
}
printNumber(firstMultiple(7, 100));
print('\n');

let count = 0;
for (;;) {
  count++;
  if (count > 100) break;
}
printNumber(count);
// biome-ignore lint/suspicious/noConfusingLabels: that is what is tried
block: {
  if (count > 50) break block;
  print('never');
}
print('\n');
