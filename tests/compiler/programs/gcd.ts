/** Euclid, powers, primes on u64. */
import { print, printNumber } from 'palindrome/program';

function gcd(a: u64, b: u64): u64 {
  let x = a;
  let y = b;
  while (y !== 0n) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return x;
}
function power(base: u64, exponent: u64, modulus: u64): u64 {
  let result: u64 = 1n;
  let b = base % modulus;
  let e = exponent;
  while (e > 0n) {
    if ((e & 1n) === 1n) result = (result * b) % modulus;
    b = (b * b) % modulus;
    e >>= 1n;
  }
  return result;
}
function isPrime(n: u64): boolean {
  if (n < 2n) return false;
  for (let d: u64 = 2n; d * d <= n; d++) if (n % d === 0n) return false;
  return true;
}
printNumber(gcd(1071n, 462n));
print(' ');
printNumber(power(3n, 200n, 1000007n));
print(' ');
let primes = 0;
for (let n: u64 = 0n; n < 200n; n++) if (isPrime(n)) primes++;
printNumber(primes);
print('\n');
