/** A queue over a slice. */
import { print, printNumber } from 'palindrome/program';

class Ring {
  readonly slots = new Uint16Array(8);
  first = 0;
  count = 0;
  put(x: u16): boolean {
    if (this.count === this.slots.length) return false;
    this.slots[(this.first + this.count) % this.slots.length] = x;
    this.count++;
    return true;
  }
  take(): u16 | null {
    if (this.count === 0) return null;
    const x = this.slots[this.first];
    this.first = (this.first + 1) % this.slots.length;
    this.count--;
    return x;
  }
}
const ring = new Ring();
let put = 0;
let taken = 0;
for (let round: u16 = 0; round < 50; round++) {
  if (ring.put(u16(round * 3))) put++;
  if (round % 3 === 0) {
    const x = ring.take();
    if (x !== null) taken += x;
  }
}
printNumber(put);
print(' ');
printNumber(taken);
print(' ');
let rest = ring.take();
while (rest !== null) {
  printNumber(rest);
  print(',');
  rest = ring.take();
}
print('\n');
