/** Object literals of interfaces, in the frame and static. */
import { print, printNumber } from 'palindrome/program';

interface Point {
  x: i32;
  y: i32;
}
interface Segment {
  readonly from: Point;
  readonly to: Point;
  label: string | null;
}

const origin: Point = { x: 0, y: 0 };
const far: Point = { x: 30, y: 40 };
const segment: Segment = { from: origin, to: far, label: 'diagonal' };

function squaredLength(s: Segment): i32 {
  const dx = s.to.x - s.from.x;
  const dy = s.to.y - s.from.y;
  return dx * dx + dy * dy;
}
function add(a: Point, b: Point, into: Point): void {
  into.x = a.x + b.x;
  into.y = a.y + b.y;
}
function local(): i32 {
  const sum: Point = { x: 1, y: 1 };
  add(sum, far, sum);
  add(sum, { x: 100, y: 200 }, sum);
  return sum.x * 1000 + sum.y;
}
printNumber(squaredLength(segment));
print(' ');
origin.x = 30;
printNumber(squaredLength(segment));
print(' ');
printNumber(local());
if (segment.label !== null) print(segment.label);
print('\n');
