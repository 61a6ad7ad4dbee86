/** Narrowing of what may be null. */
import { print, printNumber } from 'palindrome/program';

class Box {
  value: i32;
  other: Box | null = null;
  constructor(value: i32) {
    this.value = value;
  }
}

const a = new Box(1);
const b = new Box(2);

function find(which: i32): Box | null {
  if (which === 0) return a;
  return which === 1 ? b : null;
}

function both(x: Box | null, y: Box | null): i32 {
  if (x === null || y === null) return -1;
  return x.value * 10 + y.value;
}

function either(x: Box | null): i32 {
  if (x !== null && x.value > 1) return x.value;
  return x === null ? 100 : 200;
}

function path(x: Box): i32 {
  if (x.other !== null && x.other.other !== null) return x.other.other.value;
  if (x.other === null) return 0;
  return x.other.value;
}

function numbers(n: i32): u32 | null {
  return n < 0 ? null : u32(n) * 2;
}

function wide(n: i32): u64 | null {
  if (n === 0) return null;
  return u64(n) << 40n;
}

function text(n: i32): string | null {
  return n > 1 ? 'long' : null;
}

for (let i = 0; i < 3; i++) {
  printNumber(both(find(i), a));
  print(' ');
  printNumber(either(find(i)));
  print(' ');
  const n = numbers(i - 1);
  printNumber(n ?? 7);
  print(' ');
  if (n !== null) printNumber(n + 1);
  const w = wide(i);
  if (w !== null) printNumber(w);
  print(text(i) ?? 'short');
  print('\n');
}
printNumber(path(a));
a.other = b;
printNumber(path(a));
b.other = a;
printNumber(path(a));
let current: Box | null = a;
let steps = 0;
while (current !== null && steps < 5) {
  steps++;
  current = steps === 4 ? null : current.other;
}
printNumber(steps);
print('\n');
