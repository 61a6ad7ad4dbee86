/** Owned objects and `using`: what is taken from a pool goes back at every way out. */
import { print, printNumber } from 'palindrome/program';

class Pool {
  readonly #isTaken = array(4, () => false);
  free = 4;

  /** A slot, or null if all are taken: the caller must look. */
  take(): Slot | null {
    for (let i = 0; i < this.#isTaken.length; i++) {
      if (this.#isTaken[i]) continue;
      this.#isTaken[i] = true;
      this.free--;
      return new Slot(this, i);
    }
    return null;
  }

  giveBack(index: i32): void {
    this.#isTaken[index] = false;
    this.free++;
  }
}

class Slot {
  readonly #pool: Pool;
  readonly index: i32;

  constructor(pool: Pool, index: i32) {
    this.#pool = pool;
    this.index = index;
  }

  [Symbol.dispose](): void {
    this.#pool.giveBack(this.index);
  }
}

const pool = new Pool();

/** Takes a slot at each level of the recursion. */
function nest(depth: i32): i32 {
  using slot = pool.take();
  if (slot === null) return depth;
  print('slot ');
  printNumber(slot.index);
  print(', free ');
  printNumber(pool.free);
  print('\n');
  return nest(depth + 1);
}

const depth = nest(0);
print('depth ');
printNumber(depth);
print(', free again ');
printNumber(pool.free);
print('\n');
