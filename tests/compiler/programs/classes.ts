/** Fields, methods, getters, setters, statics, private members. */
import { print, printNumber } from 'palindrome/program';

class Counter {
  static made = 0;
  static readonly LIMIT = 5;
  #count = 0;
  private step: i32;
  readonly name: string;

  constructor(name: string, step: i32 = 1) {
    this.name = name;
    this.step = step;
    Counter.made++;
  }

  increment(): boolean {
    if (this.#count >= Counter.LIMIT) return false;
    this.#count += this.step;
    return true;
  }

  get count(): i32 {
    return this.#count;
  }

  set count(value: i32) {
    this.#count = value;
  }

  static sum(a: Counter, b: Counter): i32 {
    return a.#count + b.count;
  }
}

const first = new Counter('first');
const second = new Counter('second', 3);

function use(c: Counter): void {
  while (c.increment()) {}
  print(c.name);
  printNumber(c.count);
  print(' ');
}

use(first);
use(second);
second.count = 2;
use(second);
printNumber(Counter.sum(first, second));
print(' ');
printNumber(Counter.made);
print('\n');

function local(): i32 {
  const c = new Counter('local', 2);
  c.increment();
  c.increment();
  c.increment();
  return c.count;
}
printNumber(local());
print(' ');
printNumber(Counter.made);
print('\n');
