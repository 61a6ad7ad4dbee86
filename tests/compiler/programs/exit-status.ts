/** Ends with a status. */
import { exit, print } from 'palindrome/program';

function check(n: i32): void {
  if (n > 3) {
    print('leaving\n');
    exit(n);
  }
}
for (let i = 0; i < 10; i++) check(i);
print('never\n');
