/** More arguments than there are registers, of mixed types. */
import { print, printNumber } from 'palindrome/program';

function many(a: i32, b: u64, c: u8, d: i64, e: boolean, f: u16, g: i32, h: u64, i: string, j: f64, k: f64): u64 {
  print(i);
  return u64(a) + b * 2n + u64(c) * 3n + wrapping.u64(d) * 4n + (e ? 5n : 0n) + u64(f) * 6n + u64(g) * 7n + h * 8n + u64(j * 10.0 + k);
}
printNumber(many(1, 2n, 3, 4n, true, 6, 7, 8n, 'text ', 9.5, 10.25));
print('\n');

function slices(a: Uint8Array, b: Uint8Array, c: Uint8Array, d: Uint8Array): i32 {
  return a.length * 1000 + b.length * 100 + c.length * 10 + d[0];
}
const bytes = new Uint8Array(9);
bytes[3] = 7;
printNumber(slices(bytes, bytes.subarray(1), bytes.subarray(2, 5), bytes.subarray(3)));
print('\n');
