/** Follows a pointer that something has overwritten, and is killed. */
import { addressOf, load64, store64 } from 'palindrome/intrinsics';
import { exit, print, printNumber } from 'palindrome/program';

class Node {
  value: u64 = 0n;
  next: u64 = 0n;
}

const first = new Node();
const second = new Node();

/** Fills a node's value, and one word too many. */
function fill(address: u64, words: u64): void {
  for (let word: u64 = 0n; word <= words; word++) store64(address + 8n * word, 0x1122_3344_0000n + word);
}

function walk(start: u64): u64 {
  let total: u64 = 0n;
  for (let at = start; at !== 0n; at = load64(at + 8n)) total = wrapping.u64(total + load64(at));
  return total;
}

first.value = 1n;
first.next = addressOf(second);
second.value = 2n;
printNumber(walk(addressOf(first)));
print('\n');
fill(addressOf(first), 1n);
printNumber(walk(addressOf(first)));
exit(0);
