/** What generated programs seldom have: flags that are tested again, values that pass through several blocks, several in one, shadowed names, inlined calls in loops. */
import { print, printNumber } from 'palindrome/program';

/** @noinline */
function isOdd(x: i32): boolean {
  return (x & 1) === 1;
}

function flags(n: i32): i32 {
  let go = true;
  let turns = 0;
  let before = false;
  while (go) {
    turns++;
    before = go;
    if (turns > n) go = false;
    else if (turns === 2) go = isOdd(turns + 1);
    else go = true;
    if (before && !go) printNumber(turns);
  }
  return turns;
}

/** Statements of one block, with nothing between them. */
function straight(x: i32): i32 {
  let a: i32 = 1;
  let b: i32 = x;
  a = 2;
  b = x ^ 5;
  a = 3;
  b = a ^ b;
  a = 4;
  return a ^ b;
}

function chosen(x: i32): i32 {
  let kind = 0;
  if (x > 10) kind = 2;
  else if (x > 5) kind = 1;
  else kind = isOdd(x) ? 1 : 3;
  let result = 0;
  if (kind === 2) result = x;
  if (kind === 1) {
    const result = x * 2;
    printNumber(result);
  }
  printNumber(kind);
  return result + kind;
}

function swap(n: i32): i32 {
  let a = 1;
  let b = 2;
  let c = 3;
  for (let k = 0; k < n; k++) {
    const kept = a;
    a = b;
    b = c;
    c = kept;
    if (k === 2) continue;
    printNumber(a);
  }
  return a * 100 + b * 10 + c;
}

function late(n: i32): i32 {
  let x: i32;
  if (n > 3) x = n;
  else x = -n;
  const y = x;
  x = 5;
  return x + y;
}

function clamp(x: i32, low: i32, high: i32): i32 {
  let result = x;
  if (result < low) result = low;
  if (result > high) result = high;
  return result;
}

function inlined(n: i32): i32 {
  let sum = 0;
  for (let k = 0; k < n; k++) {
    sum += clamp(k, 1, 3);
    sum += clamp(sum, 0, 50);
  }
  return sum;
}

function many(a: i32, b: u64, c: f64, d: i32, e: i32, f: u32, g: i32, h: u64, i: i32, j: boolean): u64 {
  const half = c / 2.0;
  const all = u64(a + d + e + g + i) + b + h + u64(f);
  if (j) printNumber(all);
  return all + u64(i64(half));
}

function deep(n: i32, acc: u64): u64 {
  const next = acc * 3n + u64(n);
  if (n === 0) return next;
  const below = deep(n - 1, next % 1000n);
  return below + u64(n);
}

function nested(n: i32): i32 {
  let found = -1;
  let outer = 0;
  search: for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      outer += b;
      if (a * b === 6) {
        found = a;
        break search;
      }
      if (b > a) continue search;
    }
  }
  return found + outer;
}

class Counter {
  value: u32;
  step: u32;
  constructor(step: u32) {
    const start = step + 1;
    this.value = start;
    this.step = step;
  }
  next(times: u32): u32 {
    let left = times;
    while (left > 0) {
      left--;
      this.value += this.step;
    }
    return this.value;
  }
}

function main(): void {
  printNumber(straight(9));
  printNumber(flags(4));
  printNumber(flags(1));
  for (let x = 3; x < 13; x += 3) printNumber(chosen(x));
  printNumber(swap(5));
  printNumber(late(2) + late(7));
  printNumber(inlined(4));
  printNumber(many(1, 2n, 3.5, 4, 5, u32(6), 7, 8n, 9, true));
  printNumber(deep(5, 7n));
  printNumber(nested(5));
  const counter = new Counter(u32(3));
  printNumber(counter.next(u32(4)));
  print('\n');
}
main();
