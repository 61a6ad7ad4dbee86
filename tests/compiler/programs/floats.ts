/** Doubles. */
import { print, printFixed, printNumber } from 'palindrome/program';

function show(x: f64): void {
  printFixed(x, 6);
  print(' ');
}

function series(n: i32): f64 {
  let sum = 0.0;
  for (let i = 1; i <= n; i++) sum += 1.0 / (f64(i) * f64(i));
  return sum;
}

show(series(10));
show(series(1000));
show(Math.sqrt(2.0));
show(Math.abs(-2.5));
show(Math.floor(-2.5));
show(Math.ceil(-2.5));
show(Math.trunc(-2.5));
show(Math.floor(7.999));
show(Math.min(1.5, 0.5));
show(Math.max(1.5, 0.5));
show(1e10 / 3.0);
show(-(0.1 + 0.2));
print('\n');
const nan = 0.0 / 0.0;
// biome-ignore lint/suspicious/noSelfCompare: that is what is tried
printNumber(i32(nan === nan));
// biome-ignore lint/suspicious/noSelfCompare: that is what is tried
printNumber(i32(nan !== nan));
printNumber(i32(nan < 1.0));
printNumber(i32(1.0 / 0.0 > 1e308));
printNumber(i32(0.1 + 0.2 === 0.3));
print('\n');
// Newton's method.
let x = 10.0;
for (let i = 0; i < 20; i++) x = x - (x * x - 10.0) / (2.0 * x);
show(x);
print('\n');
