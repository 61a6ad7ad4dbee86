/** Checked conversions that fit. */
import { print, printFixed, printNumber } from 'palindrome/program';

function show<T extends integer>(x: T): void {
  printNumber(x);
  print(' ');
}

let small = 200;
let negative = -100;
let wide: u64 = 4000000000n;
let signed: i64 = -4000n;
let real = 3.99;
show(u8(small));
show(u16(small));
show(u32(small));
show(u64(small));
show(i64(small));
show(i8(negative));
show(i16(negative));
show(i64(negative));
show(u32(wide));
show(i64(wide));
show(i32(signed));
show(i16(signed));
show(i32(real));
show(u8(real));
show(u64(real * 1000000.0));
show(i64(-real));
show(i32(true));
show(u64(false));
print('\n');
printFixed(f64(small), 1);
print(' ');
printFixed(f64(negative), 2);
print(' ');
printFixed(f64(wide), 0);
print(' ');
printFixed(f64(signed), 3);
print('\n');
const flags = small & 0xff;
const byte: u8 = small & 0x7f;
const half: u16 = small >>> 16;
show(flags);
show(byte);
show(half);
print('\n');
small = 1;
negative = 1;
wide = 1n;
signed = 1n;
real = 1.0;
show(small + negative);
show(wide);
show(signed);
show(i32(real));
print('\n');
