/** The sieve of Eratosthenes over static storage. */
import { print, printNumber } from 'palindrome/program';

const LIMIT = 100000;
const isComposite = new Uint8Array(LIMIT + 1);

function sieve(): void {
  for (let n = 2; n * n <= LIMIT; n++) {
    if (isComposite[n] !== 0) continue;
    for (let multiple = n * n; multiple <= LIMIT; multiple += n) isComposite[multiple] = 1;
  }
}

sieve();

let count = 0;
let last = 0;
for (let n = 2; n <= LIMIT; n++) {
  if (isComposite[n] === 0) {
    count++;
    last = n;
  }
}
print('primes up to ');
printNumber(LIMIT);
print(': ');
printNumber(count);
print(', the last is ');
printNumber(last);
print('\n');
