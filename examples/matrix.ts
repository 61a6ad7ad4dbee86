/** Doubles: powers of a rotation matrix, and what rounding leaves of its determinant. */
import { print, printFixed } from 'palindrome/program';

class Matrix {
  readonly cells = new Float64Array(4);

  set(a: f64, b: f64, c: f64, d: f64): void {
    this.cells[0] = a;
    this.cells[1] = b;
    this.cells[2] = c;
    this.cells[3] = d;
  }

  /** this = this × right. */
  multiply(right: Matrix): void {
    const l = this.cells;
    const r = right.cells;
    this.set(l[0] * r[0] + l[1] * r[2], l[0] * r[1] + l[1] * r[3], l[2] * r[0] + l[3] * r[2], l[2] * r[1] + l[3] * r[3]);
  }

  determinant(): f64 {
    return this.cells[0] * this.cells[3] - this.cells[1] * this.cells[2];
  }
}

const rotation = new Matrix();
rotation.set(0.6, -0.8, 0.8, 0.6);
const power = new Matrix();
power.set(1.0, 0.0, 0.0, 1.0);

for (let n = 1; n <= 8; n++) {
  power.multiply(rotation);
  for (const x of power.cells) {
    printFixed(x, 6);
    print('  ');
  }
  print('det ');
  printFixed(power.determinant(), 9);
  print('\n');
}
print('sqrt(2) = ');
printFixed(Math.sqrt(2.0), 12);
print('\n');
