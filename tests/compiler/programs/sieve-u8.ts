/** The sieve of Eratosthenes. */
import { print, printNumber } from 'palindrome/program';

const composite = new Uint8Array(1000);
let count = 0;
for (let i = 2; i < composite.length; i++) {
  if (composite[i] !== 0) continue;
  count++;
  for (let j = i * i; j < composite.length; j += i) composite[j] = 1;
}
printNumber(count);
print('\n');
