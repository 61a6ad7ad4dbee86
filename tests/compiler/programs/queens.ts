/** Eight queens. */
import { print, printNumber } from 'palindrome/program';

const column = new Int32Array(8);
let solutions = 0;
function isSafe(row: i32, at: i32): boolean {
  for (let r = 0; r < row; r++) {
    const c = column[r];
    if (c === at || Math.abs(c - at) === row - r) return false;
  }
  return true;
}
function place(row: i32): void {
  if (row === 8) {
    solutions++;
    return;
  }
  for (let c = 0; c < 8; c++) {
    if (!isSafe(row, c)) continue;
    column[row] = c;
    place(row + 1);
  }
}
place(0);
printNumber(solutions);
print('\n');
