/** Objects and arrays that lie in their objects. */
import { print, printNumber } from 'palindrome/program';

class Point {
  x = 0;
  y = 0;

  move(dx: i32, dy: i32): void {
    this.x += dx;
    this.y += dy;
  }
}

class Buffer {
  readonly bytes = new Uint8Array(8);
  length = 0;

  add(byte: u8): boolean {
    if (this.length >= this.bytes.length) return false;
    this.bytes[this.length] = byte;
    this.length++;
    return true;
  }
}

class Shape {
  readonly corner = new Point();
  readonly points = array(3, () => new Point());
  readonly label = new Buffer();
  readonly weights = array(4, () => 7);
  scale: u64 = 2n;
}

const shapes = array(2, () => new Shape());
for (const shape of shapes) {
  shape.corner.move(1, 2);
  for (const p of shape.points) p.move(shape.corner.x, 10);
  while (shape.label.add(65)) {}
}
shapes[1].points[2].move(100, 100);
shapes[1].weights[0] = 1;
for (const shape of shapes) {
  for (const p of shape.points) {
    printNumber(p.x);
    print(',');
    printNumber(p.y);
    print(' ');
  }
  let weight = 0;
  for (const w of shape.weights) weight += w;
  printNumber(weight);
  print(' ');
  printNumber(shape.label.length);
  printNumber(shape.scale);
  print('\n');
}

function inFrame(): i32 {
  const s = new Shape();
  s.points[1].move(5, 6);
  s.label.bytes.fill(3);
  return s.points[1].x + s.label.bytes[7] + s.weights[3];
}
printNumber(inFrame());
print('\n');
