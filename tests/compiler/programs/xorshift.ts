/** A random-number generator and its statistics. */
import { print, printNumber } from 'palindrome/program';

class Random {
  #state: u64;
  constructor(seed: u64) {
    this.#state = seed;
  }
  next(): u64 {
    let x = this.#state;
    x ^= x >> 12n;
    x ^= wrapping.u64(x << 25n);
    x ^= x >> 27n;
    this.#state = x;
    return wrapping.mul(x, 0x2545f4914f6cdd1dn);
  }
  below(n: u32): u32 {
    return u32(this.next() % u64(n));
  }
}
const random = new Random(88172645463325252n);
const buckets = new Uint32Array(10);
for (let i = 0; i < 1000; i++) buckets[random.below(10)]++;
for (const b of buckets) {
  printNumber(b);
  print(' ');
}
printNumber(random.next());
print('\n');
