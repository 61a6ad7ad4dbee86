/** Constant tables at module level. */
import { print, printLine, printNumber } from 'palindrome/program';

const PRIMES: readonly u32[] = [2, 3, 5, 7, 11, 13];
const NAMES: readonly string[] = ['zero', 'one', 'two'];
const WEIGHTS: readonly f64[] = [0.5, 1.5, 2.0];
const FLAGS: readonly boolean[] = [true, false, true];
const BIG: readonly u64[] = [1n, 0xffffffffffffffffn];
const K = new Uint32Array([0x428a2f98, 0x71374491, 0xb5c0fbcf]);
const GRID: readonly (readonly i32[])[] = [
  [1, 2, 3],
  [4, 5, 6],
];

interface Row {
  readonly name: string;
  readonly value: i32;
  readonly next: string | null;
}
const ROWS: readonly Row[] = [
  { name: 'a', value: 1, next: 'b' },
  { name: 'b', value: -2, next: null },
];
const COLOURS = { red: 1, green: 2, blue: 4 } as const;
type Colour = (typeof COLOURS)[keyof typeof COLOURS];

function isWarm(c: Colour): boolean {
  return c === COLOURS.red;
}

let sum: u32 = 0;
for (const p of PRIMES) sum += p;
printNumber(sum);
print('\n');
for (const n of NAMES) printLine(n);
printNumber(i32(WEIGHTS[0] + WEIGHTS[1] + WEIGHTS[2]));
printNumber(i32(FLAGS[0]) + i32(FLAGS[1]) + i32(FLAGS[2]));
print('\n');
printNumber(BIG[1]);
print('\n');
printNumber(K[0] ^ K[1] ^ K[2]);
print('\n');
for (const row of GRID) {
  for (const cell of row) printNumber(cell);
  print(';');
}
print('\n');
for (const row of ROWS) {
  print(row.name);
  printNumber(row.value);
  const next = row.next;
  if (next !== null) print(next);
  if (row.next !== null) print(row.next);
}
print('\n');
print(isWarm(COLOURS.red) ? 'warm' : 'cold');
print(isWarm(COLOURS.blue) ? 'warm' : 'cold');
printNumber(COLOURS.red + COLOURS.green * 10);
print('\n');
printNumber(NAMES.length + PRIMES.length);
print('\n');
