/** A set of bits in 64-bit words. */
import { print, printNumber } from 'palindrome/program';

class Bits {
  readonly words = new BigUint64Array(4);

  add(index: i32): void {
    this.words[index >> 6] |= 1n << u64(index & 63);
  }
  remove(index: i32): void {
    this.words[index >> 6] &= wrapping.not(1n << u64(index & 63));
  }
  has(index: i32): boolean {
    return ((this.words[index >> 6] >> u64(index & 63)) & 1n) === 1n;
  }
  count(): i32 {
    let n = 0;
    for (const word of this.words) {
      let rest = word;
      while (rest !== 0n) {
        rest &= rest - 1n;
        n++;
      }
    }
    return n;
  }
}

const bits = new Bits();
for (let i = 0; i < 256; i += 7) bits.add(i);
printNumber(bits.count());
print(' ');
for (let i = 0; i < 256; i += 14) bits.remove(i);
printNumber(bits.count());
print(' ');
print(bits.has(7) ? 'y' : 'n');
print(bits.has(14) ? 'y' : 'n');
print('\n');
