/** Conway's game of life on a torus: a glider after some generations. */
import { print, printNumber } from 'palindrome/program';

const WIDTH = 24;
const HEIGHT = 10;

class Field {
  readonly cells = new Uint8Array(WIDTH * HEIGHT);

  at(x: i32, y: i32): u8 {
    return this.cells[((y + HEIGHT) % HEIGHT) * WIDTH + ((x + WIDTH) % WIDTH)];
  }

  put(x: i32, y: i32, alive: boolean): void {
    this.cells[y * WIDTH + x] = alive ? 1 : 0;
  }

  neighbours(x: i32, y: i32): i32 {
    let count = 0;
    for (let dy = -1; dy <= 1; dy++) {
      for (let dx = -1; dx <= 1; dx++) {
        if (dx !== 0 || dy !== 0) count += this.at(x + dx, y + dy);
      }
    }
    return count;
  }

  /** Becomes the generation behind `before`. */
  follow(before: Field): void {
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) {
        const n = before.neighbours(x, y);
        this.put(x, y, n === 3 || (n === 2 && before.at(x, y) === 1));
      }
    }
  }

  print(): void {
    for (let y = 0; y < HEIGHT; y++) {
      for (let x = 0; x < WIDTH; x++) print(this.at(x, y) === 1 ? '#' : '.');
      print('\n');
    }
  }
}

let now = new Field();
let next = new Field();
now.put(1, 0, true);
now.put(2, 1, true);
now.put(0, 2, true);
now.put(1, 2, true);
now.put(2, 2, true);

const GENERATIONS = 40;
for (let i = 0; i < GENERATIONS; i++) {
  next.follow(now);
  const kept = now;
  now = next;
  next = kept;
}
print('generation ');
printNumber(GENERATIONS);
print('\n');
now.print();
