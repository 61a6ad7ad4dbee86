/** Owned values move into the caller. */
import { print, printNumber } from 'palindrome/program';

class Frame {
  readonly address: u64;
  #kept = true;
  constructor(address: u64) {
    this.address = address;
    live++;
  }
  leak(): void {
    this.#kept = false;
  }
  [Symbol.dispose](): void {
    if (this.#kept) live--;
  }
}

let live = 0;
let next: u64 = 0x1000n;

function allocate(): Frame | null {
  if (live >= 3) return null;
  next += 0x1000n;
  return new Frame(next);
}

function allocateTwice(): Frame | null {
  using first = allocate();
  if (first === null) return null;
  const second = allocate();
  if (second === null) return null;
  printNumber(first.address);
  print('<');
  printNumber(second.address);
  print(' ');
  return second;
}

function forward(): Frame | null {
  return allocate();
}

function always(address: u64): Frame {
  return new Frame(address);
}

function choose(which: boolean): Frame | null {
  return which ? new Frame(1n) : null;
}

function work(): void {
  using a = allocateTwice();
  using b = forward();
  using c = always(5n);
  using d = choose(live > 100);
  if (a !== null && b !== null) printNumber(a.address + b.address + c.address);
  print(d === null ? ' none' : ' some');
  print(' live ');
  printNumber(live);
  if (b !== null) b.leak();
}

work();
print(' after ');
printNumber(live);
print('\n');
work();
print(' after ');
printNumber(live);
print('\n');
