/** Conditional expressions of many types. */
import { printLine, printNumber } from 'palindrome/program';

function sign(x: i32): i32 {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}
function grade(score: u8): string {
  return score >= 90 ? 'A' : score >= 80 ? 'B' : score >= 70 ? 'C' : 'D';
}
function clamp(x: i64, low: i64, high: i64): i64 {
  return x < low ? low : x > high ? high : x;
}
class A {
  v = 1;
}
const p = new A();
const q = new A();
q.v = 2;
for (let i = -1; i < 2; i++) printNumber(sign(i));
printLine(grade(95));
printLine(grade(75));
printNumber(clamp(-50n, -10n, 10n));
printNumber(clamp(5n, -10n, 10n));
printNumber((p.v > q.v ? p : q).v);
const flag = p.v === 1;
const byte: u8 = flag ? 200 : 100;
printNumber(byte);
const real = flag ? 1.5 : 2.0;
printNumber(i32(real * 2.0));
printLine('');
