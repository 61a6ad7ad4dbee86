/** The set, in letters. */
import { print } from 'palindrome/program';

function depth(cr: f64, ci: f64): i32 {
  let zr = 0.0;
  let zi = 0.0;
  for (let n = 0; n < 25; n++) {
    const r2 = zr * zr;
    const i2 = zi * zi;
    if (r2 + i2 > 4.0) return n;
    zi = 2.0 * zr * zi + ci;
    zr = r2 - i2 + cr;
  }
  return 25;
}
for (let y = -6; y <= 6; y++) {
  for (let x = -24; x <= 12; x++) {
    const d = depth(f64(x) / 12.0, f64(y) / 6.0);
    print(d === 25 ? '#' : d > 6 ? '+' : d > 3 ? '.' : ' ');
  }
  print('\n');
}
