/** Wrapping arithmetic, of each width. */
import { print, printNumber } from 'palindrome/program';

function show<T extends integer>(x: T): void {
  printNumber(x);
  print(' ');
}

let a: u32 = 0xffffffff;
let b: u64 = 0xffffffffffffffffn;
let c: i32 = 2147483647;
let d: i64 = 9223372036854775807n;
let e: u8 = 255;
show(wrapping.add(a, 1));
show(wrapping.sub(0, a));
show(wrapping.mul(a, a));
show(wrapping.shl(a, 4));
show(wrapping.shl(a, 40));
show(wrapping.neg(a));
show(wrapping.not(a));
show(wrapping.add(b, 2n));
show(wrapping.sub(1n, b));
show(wrapping.mul(b, b));
show(wrapping.shl(b, 63n));
show(wrapping.shl(b, 64n));
show(wrapping.neg(b));
show(wrapping.not(b));
print('\n');
show(wrapping.i32(c + 1));
show(wrapping.i64(d + 1n));
show(wrapping.u8(e + 1));
show(wrapping.u64(b * 3n + 7n));
show(wrapping.u64(-b));
show(wrapping.u64(~b));
show(wrapping.u64(b << 60n));
show(wrapping.i64(b));
show(wrapping.u32(b));
show(wrapping.i8(e));
show(wrapping.u16(-1));
show(wrapping.u64(i64(-5)));
print('\n');
// FNV-1a over bytes.
let hash: u64 = 0xcbf29ce484222325n;
const text = 'palindrome';
for (let i = 0; i < text.length; i++) {
  hash = wrapping.u64((hash ^ u64(text.charCodeAt(i))) * 0x100000001b3n);
}
show(hash);
print('\n');
a = 1;
b = 1n;
c = 0;
d = 0n;
e = 0;
show(a);
show(b);
show(c);
show(d);
show(e);
print('\n');
