/** Conway on a torus. */
import { print, printNumber } from 'palindrome/program';

const W = 16;
const H = 8;
let now = new Uint8Array(W * H);
let then = new Uint8Array(W * H);

function at(x: i32, y: i32): i32 {
  return now[((y + H) % H) * W + ((x + W) % W)];
}
function step(): void {
  for (let y = 0; y < H; y++) {
    for (let x = 0; x < W; x++) {
      let n = 0;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) if (dx !== 0 || dy !== 0) n += at(x + dx, y + dy);
      }
      then[y * W + x] = n === 3 || (n === 2 && at(x, y) === 1) ? 1 : 0;
    }
  }
  const kept = now;
  now = then;
  then = kept;
}
now[1 * W + 2] = 1;
now[2 * W + 3] = 1;
now[3 * W + 1] = 1;
now[3 * W + 2] = 1;
now[3 * W + 3] = 1;
for (let i = 0; i < 12; i++) step();
for (let y = 0; y < H; y++) {
  for (let x = 0; x < W; x++) print(at(x, y) === 1 ? '#' : '.');
  print('\n');
}
printNumber(now.length);
print('\n');
