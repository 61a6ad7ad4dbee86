/**
 * Expressions: numbers, symbols, `.` (here), `+ - * / % << >> & | ^ ~ !` and parentheses. As in GNU as, `* / % << >>` bind closest, then
 * `& | ^`, then `+ -`. Registers may stand in them where a memory operand is meant; `operand.ts` takes those apart.
 */
import { REGISTERS } from '../../machine/isa/registers.ts';
import type { Token } from './lex.ts';
import { AssemblyError } from './problem.ts';

export type Expression =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly name: string; readonly column: number }
  | { readonly kind: 'register'; readonly name: string; readonly column: number }
  | { readonly kind: 'unary'; readonly op: '-' | '~'; readonly of: Expression; readonly column: number }
  | { readonly kind: 'binary'; readonly op: BinaryOp; readonly left: Expression; readonly right: Expression; readonly column: number };

export type BinaryOp = '+' | '-' | '*' | '/' | '%' | '<<' | '>>' | '&' | '|' | '^';

const ranks: readonly (readonly string[])[] = [
  ['+', '-'],
  ['&', '|', '^'],
  ['*', '/', '%', '<<', '>>'],
];

/** What an expression comes to: constant + the sum of `plus` - the sum of `minus`, which are names of labels or unknown symbols. */
export interface Linear {
  readonly constant: bigint;
  readonly plus: readonly string[];
  readonly minus: readonly string[];
}

/** What names mean at this point of the text. */
export interface Names {
  /** A label for `.`, made where the text stands now. */
  here(): string;
  /** The label that `1b` or `1f` means. */
  local(label: string, forward: boolean): string;
  /** The value of a `.equ` that is known by now. */
  constant(name: string): bigint | null;
}

/** Reads one statement's tokens from left to right. */
export class TokenReader {
  readonly line: number;
  readonly #tokens: readonly Token[];
  readonly #names: Names;
  #at = 0;

  constructor(tokens: readonly Token[], line: number, names: Names) {
    this.#tokens = tokens;
    this.line = line;
    this.#names = names;
  }

  /** The token `ahead` of the next one; the end's token behind the last. */
  peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? this.#tokens[this.#tokens.length - 1] ?? { kind: 'end', column: 1 };
  }

  take(): Token {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  get isAtEnd(): boolean {
    return this.peek().kind === 'end';
  }

  isPunctuation(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'punctuation' && token.text === text;
  }

  /** Takes the punctuation if it comes next. */
  accept(text: string): boolean {
    const found = this.isPunctuation(text);
    if (found) this.#at += 1;
    return found;
  }

  /** Takes the word, in any case, if it comes next. */
  acceptWord(word: string): boolean {
    const token = this.peek();
    const found = token.kind === 'name' && token.text.toLowerCase() === word;
    if (found) this.#at += 1;
    return found;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected '${text}'`);
  }

  name(what: string): string {
    const token = this.take();
    return token.kind === 'name' ? token.text : this.fail(`expected ${what}`, token.column);
  }

  end(): void {
    if (!this.isAtEnd) this.fail(`${describe(this.peek())} is too much here`);
  }

  fail(message: string, column = this.peek().column): never {
    throw AssemblyError.at(this.line, column, message);
  }

  /** expression = terms joined by operators, by rank */
  expression(rank = 0): Expression {
    const operators = ranks[rank];
    if (operators === undefined) return this.#unary();
    let left = this.expression(rank + 1);
    for (;;) {
      const token = this.peek();
      if (token.kind !== 'punctuation' || !operators.includes(token.text)) return left;
      this.take();
      left = { kind: 'binary', op: token.text as BinaryOp, left, right: this.expression(rank + 1), column: token.column };
    }
  }

  #unary(): Expression {
    const { column } = this.peek();
    if (this.accept('-')) return { kind: 'unary', op: '-', of: this.#unary(), column };
    if (this.accept('+')) return this.#unary();
    if (this.accept('~') || this.accept('!')) return { kind: 'unary', op: '~', of: this.#unary(), column };
    if (this.accept('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    const token = this.take();
    switch (token.kind) {
      case 'number':
        return { kind: 'constant', value: token.value };
      case 'local':
        return { kind: 'symbol', name: this.#names.local(token.label, token.forward), column };
      case 'name': {
        if (token.text === '.') return { kind: 'symbol', name: this.#names.here(), column };
        const lower = token.text.toLowerCase();
        const isRegister = REGISTERS.has(lower) || lower === 'rip' || lower === 'eip';
        if (isRegister) return { kind: 'register', name: lower, column };
        const value = this.#names.constant(token.text);
        return value === null ? { kind: 'symbol', name: token.text, column } : { kind: 'constant', value };
      }
      default:
        return this.fail(`${describe(token)} cannot stand in an expression`, column);
    }
  }
}

export function describe(token: Token): string {
  switch (token.kind) {
    case 'name':
    case 'punctuation':
      return `'${token.text}'`;
    case 'number':
      return `the number ${token.value}`;
    case 'local':
      return `'${token.label}${token.forward ? 'f' : 'b'}'`;
    case 'string':
      return 'a string';
    case 'end':
      return 'the end of the statement';
  }
}

/** @param lookup what a name stands for: an expression's value (`.equ`), or null for labels and symbols from elsewhere */
export function evaluate(expression: Expression, line: number, lookup: (name: string) => Linear | null): Linear {
  switch (expression.kind) {
    case 'constant':
      return { constant: expression.value, plus: [], minus: [] };
    case 'symbol':
      return lookup(expression.name) ?? { constant: 0n, plus: [expression.name], minus: [] };
    case 'register':
      throw AssemblyError.at(line, expression.column, `the register ${expression.name} cannot stand here`);
    case 'unary': {
      const of = evaluate(expression.of, line, lookup);
      if (expression.op === '-') return { constant: -of.constant, plus: of.minus, minus: of.plus };
      return { constant: ~constantOf(of, line, expression.column), plus: [], minus: [] };
    }
    case 'binary': {
      const { op, column } = expression;
      const left = evaluate(expression.left, line, lookup);
      const right = evaluate(expression.right, line, lookup);
      if (op === '+') return sum(left, right);
      if (op === '-') return sum(left, { constant: -right.constant, plus: right.minus, minus: right.plus });
      return { constant: combine(op, constantOf(left, line, column), constantOf(right, line, column), line, column), plus: [], minus: [] };
    }
  }
}

function sum(a: Linear, b: Linear): Linear {
  return { constant: a.constant + b.constant, plus: [...a.plus, ...b.plus], minus: [...a.minus, ...b.minus] };
}

function constantOf(value: Linear, line: number, column: number): bigint {
  const symbol = value.plus[0] ?? value.minus[0];
  if (symbol !== undefined) throw AssemblyError.at(line, column, `only + and - work on addresses, and ${symbol} is one`);
  return value.constant;
}

function combine(op: Exclude<BinaryOp, '+' | '-'>, a: bigint, b: bigint, line: number, column: number): bigint {
  if ((op === '<<' || op === '>>') && (b < 0n || b > 63n)) throw AssemblyError.at(line, column, `a shift by ${b} is not possible`);
  if ((op === '/' || op === '%') && b === 0n) throw AssemblyError.at(line, column, 'a division by zero');
  switch (op) {
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '<<':
      return a << b;
    case '>>':
      return a >> b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
  }
}
