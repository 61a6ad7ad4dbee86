/** CRC-32 with a table that is made at start. */
import { print, printHex } from 'palindrome/program';

const table = new Uint32Array(256);
for (let n: u32 = 0; n < 256; n++) {
  let c: u32 = n;
  for (let k = 0; k < 8; k++) c = (c & 1) !== 0 ? (0xedb88320 ^ (c >>> 1)) >>> 0 : c >>> 1;
  table[n] = c;
}

function crc(data: Uint8Array): u32 {
  let c: u32 = 0xffffffff;
  for (const b of data) c = (table[(c ^ b) & 0xff] ^ (c >>> 8)) >>> 0;
  return (c ^ 0xffffffff) >>> 0;
}

printHex(crc(bytesOf('123456789')), 8);
print('\n');
printHex(crc(bytesOf('')), 8);
print('\n');
