/** Matrices in one slice. */
import { print, printNumber } from 'palindrome/program';

const N = 6;
function multiply(a: Int32Array, b: Int32Array, out: Int32Array): void {
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      for (let k = 0; k < N; k++) sum += a[i * N + k] * b[k * N + j];
      out[i * N + j] = sum;
    }
  }
}
const a = new Int32Array(N * N);
const b = new Int32Array(N * N);
const c = new Int32Array(N * N);
for (let i = 0; i < N * N; i++) {
  a[i] = i - 10;
  b[i] = (i * 7) % 13;
}
multiply(a, b, c);
let trace = 0;
for (let i = 0; i < N; i++) trace += c[i * N + i];
for (const x of c) {
  printNumber(x);
  print(' ');
}
printNumber(trace);
print('\n');
