/** Objects of frames, statics, constants mixed. */
import { print, printHex, printNumber } from 'palindrome/program';

// frame objects of several kinds
interface P {
  x: i32;
  y: i32;
}
class Buf {
  readonly b = new Uint8Array(8);
  n = 0;
  put(x: u8): void {
    this.b[this.n] = x;
    this.n++;
  }
  sum(): i32 {
    let s = 0;
    for (const x of this.b) s += x;
    return s;
  }
}
class Reader {
  readonly data: Uint8Array;
  at = 0;
  constructor(data: Uint8Array) {
    this.data = data;
  }
  next(): u8 | null {
    if (this.at >= this.data.length) return null;
    const v = this.data[this.at];
    this.at++;
    return v;
  }
}
function frame(): i32 {
  const b = new Buf();
  b.put(3);
  b.put(4);
  const r = new Reader(b.b.subarray(0, b.n));
  let s = 0;
  let v = r.next();
  while (v !== null) {
    s += v;
    v = r.next();
  }
  const p: P = { x: s, y: 2 };
  p.x += 1;
  const list = array(3, (i) => i * 2);
  list[1]++;
  const refs = array<Buf | null>(2, () => null);
  refs[0] = b;
  const first = refs[0];
  for (let i = 0; i < 2; i++) {
    const t = new Buf();
    t.put(u8(i));
    s += t.sum();
  }
  return s * 1000 + p.x * 100 + p.y * 10 + list[1] + list[2] + (first === null ? 0 : first.sum());
}
printNumber(frame());
print(' ');
printNumber(frame());
print('\n');
class Acc {
  static total: u64 = 0n;
  static readonly SCALE: u64 = 3n;
  static add(x: u64): void {
    Acc.total += x * Acc.SCALE;
  }
}
Acc.add(5n);
Acc.add(6n);
printNumber(Acc.total);
const E = { A: 1, B: 2, C: 4, D: 0x80000000, NEG: -5 } as const;
printNumber(E.A | E.C);
printNumber(E.D);
printNumber(E.NEG);
const BIGS = { X: 1n << 40n, Y: 5n } as const;
printNumber(BIGS.X + BIGS.Y);
print('\n');
let x: u32 = 5;
x = x + 1;
x = 2 * x;
x -= 3;
printNumber(x);
const y: u16 = 300;
let z: u32 = y;
z += y;
printNumber(z);
const w: i64 = -5n;
printNumber(w * 3n);
printNumber(x > 8 ? x : 0);
function f(a: u8, b: u16, c: u32, d: u64): u64 {
  return u64(a) + u64(b) + u64(c) + d;
}
printNumber(f(1, 2, 3, 4n));
const k: u8 = 7;
printNumber(f(k, k, k, 1n));
printHex(0xdeadbeefn);
printHex(255, 4);
printHex(0);
printHex(-1);
print('\n');
let i = 0;
do {
  i++;
  if (i === 2) continue;
  if (i > 4) break;
  printNumber(i);
} while (i < 10);

print('\n');
