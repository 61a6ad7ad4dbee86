/** An open-addressing map of strings. */
import { print, printNumber } from 'palindrome/program';

class Entry {
  key: string | null = null;
  value = 0;
}
class Table {
  readonly entries = array(64, () => new Entry());
  size = 0;

  #slot(key: string): Entry {
    let hash: u32 = 2166136261;
    for (let i = 0; i < key.length; i++) hash = wrapping.mul((hash ^ key.charCodeAt(i)) >>> 0, 16777619);
    let at = hash & 63;
    for (;;) {
      const entry = this.entries[at];
      const own = entry.key;
      if (own === null || own === key) return entry;
      at = (at + 1) & 63;
    }
  }
  set(key: string, value: i32): void {
    const entry = this.#slot(key);
    if (entry.key === null) {
      entry.key = key;
      this.size++;
    }
    entry.value = value;
  }
  get(key: string): i32 | null {
    const entry = this.#slot(key);
    return entry.key === null ? null : entry.value;
  }
}
const table = new Table();
const WORDS: readonly string[] = ['the', 'quick', 'brown', 'fox', 'jumps', 'over', 'the', 'lazy', 'dog', 'the', 'end'];
for (const word of WORDS) table.set(word, (table.get(word) ?? 0) + 1);
printNumber(table.size);
print(' ');
printNumber(table.get('the') ?? -1);
print(' ');
printNumber(table.get('fox') ?? -1);
print(' ');
printNumber(table.get('cat') ?? -1);
print('\n');
