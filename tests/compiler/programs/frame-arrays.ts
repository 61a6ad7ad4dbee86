/** Storage in a function: zeroed, and fresh at each call. */
import { print, printNumber } from 'palindrome/program';

function fill(n: i32): i32 {
  const scratch = new Int32Array(32);
  for (let i = 0; i < n; i++) scratch[i] += i;
  let sum = 0;
  for (const x of scratch) sum += x;
  return sum;
}

function digits(value: u64): i32 {
  const text = new Uint8Array(20);
  let at = text.length;
  let rest = value;
  do {
    at--;
    text[at] = u8(48n + (rest % 10n));
    rest /= 10n;
  } while (rest > 0n);
  return text.length - at;
}

printNumber(fill(10));
print(' ');
printNumber(fill(32));
print(' ');
printNumber(fill(5));
print(' ');
printNumber(digits(18446744073709551615n));
print(' ');
printNumber(digits(0n));
print('\n');

function table(): i32 {
  const squares = array(8, (i) => i * i);
  const flags = array(4, () => false);
  flags[2] = true;
  let sum = 0;
  for (const s of squares) sum += s;
  for (const f of flags) if (f) sum += 1000;
  return sum;
}
printNumber(table());
print('\n');
