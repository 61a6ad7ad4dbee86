/** Parsing numbers out of text. */
import { print, printNumber } from 'palindrome/program';

class Scanner {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }
  get isDone(): boolean {
    return this.at >= this.text.length;
  }
  peek(): i32 {
    return this.isDone ? -1 : this.text.charCodeAt(this.at);
  }
  number(): i32 | null {
    while (!this.isDone && !isDigit(this.peek())) this.at++;
    if (this.isDone) return null;
    let value = 0;
    while (isDigit(this.peek())) {
      value = value * 10 + (this.peek() - 48);
      this.at++;
    }
    return value;
  }
}
function isDigit(c: i32): boolean {
  return c >= 48 && c <= 57;
}
const scanner = new Scanner('12 apples, 7 pears and 100 plums; 3');
let sum = 0;
let n = scanner.number();
while (n !== null) {
  printNumber(n);
  print(' ');
  sum += n;
  n = scanner.number();
}
printNumber(sum);
print('\n');
