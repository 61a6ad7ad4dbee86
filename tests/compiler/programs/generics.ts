/** Functions and classes with type parameters. */
import { print, printNumber } from 'palindrome/program';

class Stack<T> {
  readonly items: FixedArray<T>;
  depth = 0;
  constructor(items: FixedArray<T>) {
    this.items = items;
  }
  push(item: T): boolean {
    if (this.depth >= this.items.length) return false;
    this.items[this.depth] = item;
    this.depth++;
    return true;
  }
  pop(or: T): T {
    if (this.depth === 0) return or;
    this.depth--;
    return this.items[this.depth];
  }
}

interface HasArea {
  area(): i32;
}

class Square {
  side: i32;
  constructor(side: i32) {
    this.side = side;
  }
  area(): i32 {
    return this.side * this.side;
  }
}

class Rectangle {
  width = 0;
  height = 0;
  area(): i32 {
    return this.width * this.height;
  }
}

function larger<T extends HasArea>(a: T, b: T): T {
  return a.area() > b.area() ? a : b;
}

function describe(shape: HasArea): void {
  printNumber(shape.area());
  print(' ');
}

function pick<T>(first: boolean, a: T, b: T): T {
  return first ? a : b;
}

function fold<T, A>(items: readonly T[], start: A, step: (sum: A, item: T) => A): A {
  let sum = start;
  for (const item of items) sum = step(sum, item);
  return sum;
}

const numbers = new Stack<i32>(array(4, () => 0));
const wides = new Stack<u64>(array(2, () => 0n));
for (let i = 0; i < 6; i++) {
  if (!numbers.push(i * 3)) print('full ');
  wides.push(u64(i) << 33n);
}
printNumber(numbers.pop(-1));
print(' ');
printNumber(wides.pop(9n));
print(' ');
wides.pop(0n);
printNumber(wides.pop(9n));
print('\n');

const s = new Square(3);
const t = new Square(4);
const r = new Rectangle();
r.width = 2;
r.height = 9;
printNumber(larger(s, t).side);
print(' ');
describe(s);
describe(r);
print(pick(true, 'yes', 'no'));
printNumber(pick<u64>(false, 1n, 2n));
print('\n');

const VALUES: readonly i32[] = [1, 2, 3, 4];
printNumber(fold(VALUES, 0, (sum: i32, x: i32) => sum + x));
print(' ');
printNumber(fold(VALUES, 1n, (product: u64, x: i32) => product * u64(x)));
print('\n');
