/** Disposal at every way out, in reverse order. */
import { print, printNumber } from 'palindrome/program';

class Resource {
  readonly id: i32;
  constructor(id: i32) {
    this.id = id;
    print('+');
    printNumber(id);
  }
  [Symbol.dispose](): void {
    print('-');
    printNumber(this.id);
  }
}

function acquire(id: i32): Resource | null {
  if (id % 5 === 0) return null;
  return new Resource(id);
}

function nested(n: i32): i32 {
  using a = acquire(n);
  if (a === null) return -1;
  using b = acquire(n + 1);
  if (b === null) return -2;
  for (let i = 0; i < 4; i++) {
    using c = new Resource(100 + i);
    if (i === 1) continue;
    if (i === 2 && n === 1) break;
    if (i === 2 && n === 2) return c.id;
  }
  {
    using d = acquire(n + 40);
    if (d !== null) print('.');
  }
  return a.id + b.id;
}

for (let n = 0; n < 6; n++) {
  const result = nested(n);
  print('=');
  printNumber(result);
  print('\n');
}
