/** Sorting: insertion, quick, heap. */
import { print, printNumber } from 'palindrome/program';

const values = new Int32Array(64);

function mix(seed: u32): void {
  let x = seed;
  for (let i = 0; i < values.length; i++) {
    x = wrapping.add(wrapping.mul(x, 1664525), 1013904223);
    values[i] = i32(x >>> 20) - 2048;
  }
}

function insertion(s: Int32Array): void {
  for (let i = 1; i < s.length; i++) {
    const v = s[i];
    let j = i - 1;
    while (j >= 0 && s[j] > v) {
      s[j + 1] = s[j];
      j--;
    }
    s[j + 1] = v;
  }
}

function quick(s: Int32Array): void {
  if (s.length < 2) return;
  const pivot = s[s.length >> 1];
  let low = 0;
  let high = s.length - 1;
  while (low <= high) {
    while (s[low] < pivot) low++;
    while (s[high] > pivot) high--;
    if (low <= high) {
      const kept = s[low];
      s[low] = s[high];
      s[high] = kept;
      low++;
      high--;
    }
  }
  quick(s.subarray(0, high + 1));
  quick(s.subarray(low));
}

function sift(s: Int32Array, start: i32, end: i32): void {
  let root = start;
  while (root * 2 + 1 < end) {
    let child = root * 2 + 1;
    if (child + 1 < end && s[child] < s[child + 1]) child++;
    if (s[root] >= s[child]) return;
    const kept = s[root];
    s[root] = s[child];
    s[child] = kept;
    root = child;
  }
}

function heap(s: Int32Array): void {
  for (let start = div(s.length, 2) - 1; start >= 0; start--) sift(s, start, s.length);
  for (let end = s.length - 1; end > 0; end--) {
    const kept = s[0];
    s[0] = s[end];
    s[end] = kept;
    sift(s, 0, end);
  }
}

const SORTS: readonly ((s: Int32Array) => void)[] = [insertion, quick, heap];
for (const sort of SORTS) {
  mix(42);
  sort(values);
  let ordered = true;
  for (let i = 1; i < values.length; i++) if (values[i - 1] > values[i]) ordered = false;
  print(ordered ? 'ordered ' : 'wrong ');
  printNumber(values[0]);
  print(' ');
  printNumber(values[63]);
  print('\n');
}
