/** Objects of a static pool, linked by references. */
import { print, printNumber } from 'palindrome/program';

class Node {
  value = 0;
  next: Node | null = null;
}

class List {
  head: Node | null = null;
  length = 0;

  push(node: Node): void {
    node.next = this.head;
    this.head = node;
    this.length++;
  }

  pop(): Node | null {
    const node = this.head;
    if (node === null) return null;
    this.head = node.next;
    node.next = null;
    this.length--;
    return node;
  }

  reverse(): void {
    let before: Node | null = null;
    let at = this.head;
    while (at !== null) {
      const next: Node | null = at.next;
      at.next = before;
      before = at;
      at = next;
    }
    this.head = before;
  }

  sum(): i32 {
    let total = 0;
    for (let at = this.head; at !== null; at = at.next) total += at.value;
    return total;
  }
}

const pool = array(8, () => new Node());
const list = new List();
for (let i = 0; i < pool.length; i++) {
  pool[i].value = i * i;
  list.push(pool[i]);
}
printNumber(list.sum());
print(' ');
const popped = list.pop();
if (popped !== null) printNumber(popped.value);
print(' ');
list.reverse();
if (list.head !== null) {
  printNumber(list.head.value);
  if (list.head.next !== null) printNumber(list.head.next.value);
}
print(' ');
while (list.pop() !== null) {}
printNumber(list.length);
print('\n');
