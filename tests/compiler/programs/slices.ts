/** Typed arrays: elements, length, subarray, set, fill. */
import { print, printNumber } from 'palindrome/program';

const bytes = new Uint8Array(16);
for (let i = 0; i < bytes.length; i++) bytes[i] = u8(i * i);
let sum = 0;
for (const b of bytes) sum += b;
printNumber(sum);
print('\n');

function show(s: Uint8Array): void {
  for (const b of s) {
    printNumber(b);
    print(' ');
  }
  print('\n');
}

const middle = bytes.subarray(4, 8);
show(middle);
middle[0] = 99;
printNumber(bytes[4]);
print('\n');
bytes.fill(7, 2, 5);
bytes.set(middle, 10);
show(bytes);
bytes.set(bytes.subarray(0, 8), 1);
show(bytes);
bytes.subarray(12).fill(0);
show(bytes);

const words = new Uint32Array(4);
words.fill(0x1234);
words[3] = 0xffffffff;
const wide = new BigUint64Array(3);
wide[1] = 1n << 63n;
const signed = new Int32Array(2);
signed[0] = -5;
const shorts = new Int16Array(2);
shorts[1] = -300;
const reals = new Float64Array(3);
reals.fill(1.5);
let total = 0.0;
for (const r of reals) total += r;
printNumber(words[0] + 1);
print(' ');
printNumber(words[3]);
print(' ');
printNumber(wide[0] + wide[1]);
print(' ');
printNumber(signed[0] + signed[1]);
print(' ');
printNumber(shorts[1]);
print(' ');
printNumber(i32(total * 2.0));
print('\n');

function reverse(s: Uint8Array): void {
  let low = 0;
  let high = s.length - 1;
  while (low < high) {
    const kept = s[low];
    s[low] = s[high];
    s[high] = kept;
    low++;
    high--;
  }
}
reverse(bytes);
show(bytes);

const index: u64 = 3n;
printNumber(bytes[idx(index)]);
print('\n');
words[1] += 5;
words[2]--;
printNumber(words[1]);
print(' ');
printNumber(words[2]);
print('\n');

// Copies within one array, by every small distance to the front and to the back.
const room = new Uint8Array(48);
for (let distance = -9; distance <= 9; distance++) {
  let mixed: u32 = 0;
  for (let length = 0; length <= 28; length++) {
    for (let i = 0; i < room.length; i++) room[i] = u8(i * 4 + length);
    room.set(room.subarray(10, 10 + length), 10 + distance);
    for (const b of room) mixed = wrapping.u32(mixed * 31 + b);
  }
  printNumber(mixed);
  print('\n');
}
