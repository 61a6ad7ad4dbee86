/** 32-bit mixing as hash functions do it. */
import { print, printHex } from 'palindrome/program';

function rotate(x: u32, n: i32): u32 {
  return ((x << n) | (x >>> (32 - n))) >>> 0;
}
function murmur(data: Uint8Array, seed: u32): u32 {
  let h = seed;
  const blocks = data.length >> 2;
  for (let i = 0; i < blocks; i++) {
    let k: u32 = (data[i * 4] | (data[i * 4 + 1] << 8) | (data[i * 4 + 2] << 16) | (data[i * 4 + 3] << 24)) >>> 0;
    k = wrapping.mul(k, 0xcc9e2d51);
    k = rotate(k, 15);
    k = wrapping.mul(k, 0x1b873593);
    h = (h ^ k) >>> 0;
    h = rotate(h, 13);
    h = wrapping.add(wrapping.mul(h, 5), 0xe6546b64);
  }
  h = (h ^ data.length) >>> 0;
  h = (h ^ (h >>> 16)) >>> 0;
  h = wrapping.mul(h, 0x85ebca6b);
  h = (h ^ (h >>> 13)) >>> 0;
  h = wrapping.mul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
printHex(murmur(bytesOf('abcdefgh'), 0), 8);
print('\n');
printHex(murmur(bytesOf('palindrome!!'), 42), 8);
print('\n');
