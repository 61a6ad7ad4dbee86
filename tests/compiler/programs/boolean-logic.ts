/** Booleans as values, fields, elements, arguments. */
import { print, printNumber } from 'palindrome/program';

class Flags {
  a = false;
  b = true;
  c: boolean | null = null;
}
const flags = new Flags();
function xor(p: boolean, q: boolean): boolean {
  return p !== q;
}
function majority(p: boolean, q: boolean, r: boolean): boolean {
  return (p && q) || (q && r) || (p && r);
}
let bits = 0;
const ALL: readonly boolean[] = [false, true];
for (const p of ALL) {
  for (const q of ALL) {
    for (const r of ALL) {
      bits = bits * 2 + i32(majority(p, q, r));
      bits ^= i32(xor(p, q));
    }
  }
}
printNumber(bits);
flags.a = flags.b && !flags.a;
flags.c = flags.a === flags.b;
print(flags.c === true ? ' yes' : ' no');
print(flags.c !== null && flags.a ? ' set' : ' clear');
print('\n');
