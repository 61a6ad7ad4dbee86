/** Objects that each turn of a loop makes, and that refer to each other. */
import { print, printNumber } from 'palindrome/program';

class Cursor {
  readonly bytes: Uint8Array;
  at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  take(): i32 {
    const byte = this.bytes[this.at];
    this.at++;
    return byte;
  }
}

function sum(n: i32): i32 {
  let total = 0;
  for (let i = 0; i < n; i++) {
    const bytes = new Uint8Array(4);
    bytes.fill(u8(i));
    const cursor = new Cursor(bytes);
    const same = new Cursor(cursor.bytes.subarray(1));
    total += cursor.take() + cursor.take() + same.take();
  }
  return total;
}

printNumber(sum(5));
print('\n');
