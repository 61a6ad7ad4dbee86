/** Recursive descent over an expression. */
import { print, printNumber } from 'palindrome/program';

class Parser {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }
  #next(): i32 {
    while (this.at < this.text.length && this.text.charCodeAt(this.at) === 32) this.at++;
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : 0;
  }
  sum(): i64 {
    let value = this.product();
    for (;;) {
      const c = this.#next();
      if (c === 43) {
        this.at++;
        value += this.product();
      } else if (c === 45) {
        this.at++;
        value -= this.product();
      } else return value;
    }
  }
  product(): i64 {
    let value = this.atom();
    for (;;) {
      const c = this.#next();
      if (c === 42) {
        this.at++;
        value *= this.atom();
      } else if (c === 47) {
        this.at++;
        value /= this.atom();
      } else return value;
    }
  }
  atom(): i64 {
    const c = this.#next();
    if (c === 40) {
      this.at++;
      const value = this.sum();
      this.#next();
      this.at++;
      return value;
    }
    if (c === 45) {
      this.at++;
      return -this.atom();
    }
    let value: i64 = 0n;
    for (;;) {
      const d = this.at < this.text.length ? this.text.charCodeAt(this.at) : 0;
      if (d < 48 || d > 57) return value;
      value = value * 10n + i64(d - 48);
      this.at++;
    }
  }
}
const EXPRESSIONS: readonly string[] = ['1 + 2 * 3', '(1 + 2) * 3', '-4 * (7 - 10) / 5', '2*(3+(4-(5*6)))', '123456789 * 987654321'];
for (const e of EXPRESSIONS) {
  const parser = new Parser(e);
  print(e);
  print(' = ');
  printNumber(parser.sum());
  print('\n');
}
