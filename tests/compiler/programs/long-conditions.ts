/** Mixed conditions with side effects in the arms. */
import { print, printNumber } from 'palindrome/program';

let trail = 0;
function t(n: i32): boolean {
  trail = (trail * 3 + n) % 1000003;
  return n % 2 === 0;
}
for (let i = 0; i < 20; i++) {
  if ((t(i) && !t(i + 1)) || (t(i + 2) && (t(i + 3) || t(i + 4)))) trail += 7;
  else if (!(t(i) || t(i * 2 + 1))) trail += 11;
  const x = t(i) ? (t(i + 1) ? 1 : 2) : t(i + 5) && t(i) ? 3 : 4;
  trail += x;
}
printNumber(trail);
print('\n');
