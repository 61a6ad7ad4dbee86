/** op= on locals, fields, elements, of each type. */
import { print, printNumber } from 'palindrome/program';

class Cell {
  a: u8 = 250;
  b: i16 = -5;
  c: u32 = 7;
  d: u64 = 9n;
  e = 1.5;
}
const cell = new Cell();
cell.a += 5;
cell.b -= 10;
cell.c *= 6;
cell.d <<= 4n;
cell.d |= 3n;
cell.e /= 0.5;
cell.a--;
++cell.b;
const before = cell.c++;
const after = ++cell.c;
printNumber(cell.a);
print(' ');
printNumber(cell.b);
print(' ');
printNumber(before + after);
print(' ');
printNumber(cell.d);
print(' ');
printNumber(i32(cell.e));
print('\n');
let x = 0xff;
x &= 0x0f;
x |= 0x30;
x ^= 0x11;
x <<= 4;
x >>= 2;
x %= 50;
printNumber(x);
let y: u32 = 0xf0000000;
y >>>= 28;
printNumber(y);
let z = 5;
const w = z++ + ++z - z--;
printNumber(w);
printNumber(z);
print('\n');
