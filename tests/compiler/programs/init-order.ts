/** Initialisers run in order and may call functions. */
import { print, printNumber } from 'palindrome/program';

let log = 0;
function note(n: i32): i32 {
  log = log * 10 + n;
  return n;
}
const a = note(1);
const b = note(2) + a;
class Thing {
  readonly id: i32;
  constructor(id: i32) {
    this.id = note(id);
  }
}
const thing = new Thing(b);
const things = array(3, (i) => new Thing(i + 4));
const sum = things[0].id + things[1].id + things[2].id + thing.id;
printNumber(log);
print(' ');
printNumber(sum);
print('\n');
