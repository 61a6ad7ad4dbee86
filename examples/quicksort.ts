/** Quicksort on slices: a part of an array is an address and a length, no copy. */
import { print, printNumber } from 'palindrome/program';

const numbers = new Int32Array(200);

function sort(part: Int32Array): void {
  if (part.length < 2) return;
  const pivot = part[part.length >> 1];
  let low = 0;
  let high = part.length - 1;
  while (low <= high) {
    while (part[low] < pivot) low++;
    while (part[high] > pivot) high--;
    if (low > high) break;
    const kept = part[low];
    part[low] = part[high];
    part[high] = kept;
    low++;
    high--;
  }
  sort(part.subarray(0, high + 1));
  sort(part.subarray(low));
}

// A small linear congruential generator; wrapping.add and .mul say that they may run over.
let state: u32 = 2026;
for (let i = 0; i < numbers.length; i++) {
  state = wrapping.add(wrapping.mul(state, 1664525), 1013904223);
  numbers[i] = i32(state >>> 18) - 8192;
}

sort(numbers);

let isSorted = true;
for (let i = 1; i < numbers.length; i++) if (numbers[i - 1] > numbers[i]) isSorted = false;
print(isSorted ? 'sorted: ' : 'not sorted: ');
for (const n of numbers.subarray(0, 5)) {
  printNumber(n);
  print(' ');
}
print('... ');
for (const n of numbers.subarray(195)) {
  printNumber(n);
  print(' ');
}
print('\n');
