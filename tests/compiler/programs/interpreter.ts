/** A stack machine that runs a small program. */
import { print, printNumber } from 'palindrome/program';

const OP = { push: 0, add: 1, mul: 2, dup: 3, jump: 4, decrement: 5, print: 6, halt: 7, swap: 8 } as const;
const CODE: readonly i32[] = [
  OP.push,
  1,
  OP.push,
  10,
  OP.swap,
  OP.push,
  2,
  OP.mul,
  OP.dup,
  OP.print,
  OP.swap,
  OP.decrement,
  OP.jump,
  4,
  OP.halt,
];

class Machine {
  readonly stack = new Int32Array(32);
  depth = 0;
  at = 0;

  push(value: i32): void {
    this.stack[this.depth] = value;
    this.depth++;
  }
  pop(): i32 {
    this.depth--;
    return this.stack[this.depth];
  }
  fetch(): i32 {
    const value = CODE[this.at];
    this.at++;
    return value;
  }
  run(): void {
    for (;;) {
      switch (this.fetch()) {
        case OP.push:
          this.push(this.fetch());
          break;
        case OP.add:
          this.push(this.pop() + this.pop());
          break;
        case OP.mul:
          this.push(this.pop() * this.pop());
          break;
        case OP.dup: {
          const top = this.pop();
          this.push(top);
          this.push(top);
          break;
        }
        case OP.swap: {
          const top = this.pop();
          const below = this.pop();
          this.push(top);
          this.push(below);
          break;
        }
        case OP.decrement:
          this.push(this.pop() - 1);
          break;
        case OP.jump: {
          const target = this.fetch();
          const top = this.pop();
          this.push(top);
          if (top !== 0) this.at = target;
          break;
        }
        case OP.print:
          printNumber(this.pop());
          print(' ');
          break;
        default:
          print('\n');
          return;
      }
    }
  }
}

const machine = new Machine();
machine.run();
