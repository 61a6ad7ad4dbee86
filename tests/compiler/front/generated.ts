/**
 * Random programs for the compiler's judge. A *tape* of numbers makes all choices (0 where it has ended), so that fast-check shrinks programs
 * by shrinking tapes. Every expression carries the range of its values, and is reduced where it could overflow: such a program never traps,
 * and prints the same natively and under Node.
 */

type Kind = 'i32' | 'u32' | 'u64' | 'i64' | 'f64' | 'boolean';

interface Expression {
  readonly text: string;
  readonly low: bigint;
  readonly high: bigint;
}

interface Variable {
  readonly name: string;
  readonly kind: Kind;
  readonly isConst: boolean;
}

interface Callable {
  readonly name: string;
  readonly params: readonly Kind[];
  readonly result: Kind;
}

const KINDS: readonly Kind[] = ['i32', 'u32', 'u64', 'i64', 'f64', 'boolean'];
/** What variables, parameters and results hold. */
const BOUND: Readonly<Record<Kind, readonly [bigint, bigint]>> = {
  i32: [-46000n, 46000n],
  u32: [0n, 65000n],
  u64: [0n, 1n << 40n],
  i64: [-(1n << 40n), 1n << 40n],
  f64: [-1n << 40n, 1n << 40n],
  boolean: [0n, 1n],
};
const LIMIT: Readonly<Record<Kind, readonly [bigint, bigint]>> = {
  i32: [-(1n << 31n), (1n << 31n) - 1n],
  u32: [0n, (1n << 32n) - 1n],
  u64: [0n, (1n << 64n) - 1n],
  i64: [-(1n << 63n), (1n << 63n) - 1n],
  f64: [-(1n << 50n), 1n << 50n],
  boolean: [0n, 1n],
};

export function generateProgram(tape: readonly number[]): string {
  return new Generator(tape).program();
}

class Generator {
  readonly #tape: readonly number[];
  #at = 0;
  #names = 0;
  #depth = 0;
  #loops = 0;
  #statements = 0;
  readonly #callables: Callable[] = [];
  #scopes: Variable[][] = [];

  constructor(tape: readonly number[]) {
    this.#tape = tape;
  }

  #choose(below: number): number {
    return Math.abs(this.#tape[this.#at++] ?? 0) % below;
  }

  #pick<T>(list: readonly T[]): T {
    const picked = list[this.#choose(list.length)];
    if (picked === undefined) throw new Error('an empty list');
    return picked;
  }

  #name(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  program(): string {
    const lines = [
      "import { print, printNumber } from 'palindrome/program';",
      'const bytes = new Uint8Array(16);',
      'const words = new Int32Array(8);',
      'const wides = new BigUint64Array(4);',
      'class Cell {\n  a: i32 = 3;\n  b: u64 = 7n;\n  c: boolean = false;\n  next: Cell | null = null;\n}',
      'const cells = array(4, () => new Cell());',
      'function show<T extends integer>(x: T): void {\n  printNumber(x);\n  print(" ");\n}',
    ];
    const count = 1 + this.#choose(4);
    for (let i = 0; i < count; i++) lines.push(this.#function());
    this.#scopes = [[]];
    lines.push('function main(): void {', ...this.#block(6 + this.#choose(10)), '}', 'main();');
    lines.push('for (const w of words) show(w);', 'for (const w of wides) show(w);', 'for (const b of bytes) show(b);');
    lines.push('for (const c of cells) {\n  show(c.a);\n  show(c.b);\n  print(c.c ? "T" : "F");\n}', 'print("\\n");', '');
    return lines.join('\n');
  }

  #function(): string {
    const params = Array.from({ length: this.#choose(5) }, () => this.#pick(KINDS));
    const result = this.#pick(KINDS);
    const name = this.#name('g');
    const names = params.map((kind) => ({ name: this.#name('p'), kind, isConst: this.#choose(2) === 0 }));
    this.#scopes = [names];
    const body = this.#block(1 + this.#choose(4));
    const value = this.#reduced(this.#expression(result, 3), result);
    const list = names.map((p) => `${p.name}: ${p.kind}`).join(', ');
    this.#callables.push({ name, params, result });
    return [`function ${name}(${list}): ${result} {`, ...body, `  return ${value.text};`, '}'].join('\n');
  }

  #block(count: number): string[] {
    this.#scopes.push([]);
    const lines: string[] = [];
    for (let i = 0; i < count && this.#statements < 120; i++) lines.push(...this.#statement().map((line) => `  ${line}`));
    this.#scopes.pop();
    return lines;
  }

  #statement(): string[] {
    this.#statements++;
    this.#depth++;
    const made = this.#depth > 4 ? this.#simple() : this.#anyStatement();
    this.#depth--;
    return made;
  }

  #anyStatement(): string[] {
    switch (this.#choose(12)) {
      case 0:
      case 1: {
        const condition = this.#expression('boolean', 3).text;
        const otherwise = this.#choose(2) === 0 ? [] : ['} else {', ...this.#block(1 + this.#choose(2))];
        return [`if (${condition}) {`, ...this.#block(1 + this.#choose(3)), ...otherwise, '}'];
      }
      case 2: {
        if (this.#loops > 1) return this.#simple();
        this.#loops++;
        const name = this.#name('k');
        this.#scopes.push([{ name, kind: 'i32', isConst: true }]);
        const body = this.#block(1 + this.#choose(3));
        const leave = this.#choose(3) === 0 ? [`  if (${this.#expression('boolean', 2).text}) ${this.#pick(['break', 'continue'])};`] : [];
        this.#scopes.pop();
        this.#loops--;
        return [`for (let ${name} = 0; ${name} < ${1 + this.#choose(6)}; ${name}++) {`, ...leave, ...body, '}'];
      }
      case 3: {
        if (this.#loops > 1) return this.#simple();
        this.#loops++;
        const name = this.#name('n');
        const body = this.#block(1 + this.#choose(2));
        this.#loops--;
        return [`let ${name} = ${this.#choose(5)};`, `while (${name} > 0) {`, `  ${name}--;`, ...body, '}'];
      }
      case 4: {
        const value = this.#expression('i32', 2).text;
        const clauses = [0, 1, 3].flatMap((c) => [`  case ${c}: {`, ...this.#block(1), '    break;', '  }']);
        return [`switch (${value} & 3) {`, ...clauses, '  default:', ...this.#block(1).map((l) => `  ${l}`), '}'];
      }
      case 5: {
        const name = this.#name('x');
        this.#scopes.push([{ name, kind: 'i32', isConst: true }]);
        const body = this.#loops > 1 ? [] : this.#block(1);
        this.#scopes.pop();
        return [`for (const ${name} of bytes.subarray(${this.#choose(8)}, ${8 + this.#choose(4)})) {`, ...body, '}'];
      }
      default:
        return this.#simple();
    }
  }

  #simple(): string[] {
    switch (this.#choose(10)) {
      case 0:
      case 1: {
        const kind = this.#pick(KINDS);
        const name = this.#name('v');
        const isConst = this.#choose(3) === 0;
        const value = this.#reduced(this.#expression(kind, 3), kind).text;
        this.#scopes.at(-1)?.push({ name, kind, isConst });
        return [`${isConst ? 'const' : 'let'} ${name}: ${kind} = ${value};`];
      }
      case 2:
      case 3: {
        const target = this.#variables().filter((v) => !v.isConst);
        if (target.length === 0) return this.#show();
        const variable = this.#pick(target);
        return [`${variable.name} = ${this.#reduced(this.#expression(variable.kind, 3), variable.kind).text};`];
      }
      case 4:
        return [`words[${this.#expression('i32', 2).text} & 7] = ${this.#reduced(this.#expression('i32', 3), 'i32').text};`];
      case 5:
        return [`bytes[${this.#expression('i32', 2).text} & 15] = ${this.#expression('i32', 2).text} & 0xff;`];
      case 6:
        return this.#choose(2) === 0
          ? [`wides[${this.#choose(4)}] = ${this.#reduced(this.#expression('u64', 3), 'u64').text};`]
          : [`cells[${this.#choose(4)}].${this.#pick(['a', 'b', 'c', 'next'])} = `].map((start) => start + this.#cellValue(start));
      default:
        return this.#show();
    }
  }

  #cellValue(start: string): string {
    if (start.endsWith('.a = ')) return `${this.#reduced(this.#expression('i32', 2), 'i32').text};`;
    if (start.endsWith('.b = ')) return `${this.#reduced(this.#expression('u64', 2), 'u64').text};`;
    if (start.endsWith('.c = ')) return `${this.#expression('boolean', 2).text};`;
    return this.#choose(3) === 0 ? 'null;' : `cells[${this.#choose(4)}];`;
  }

  #show(): string[] {
    const kind = this.#pick(KINDS);
    const { text } = this.#expression(kind, 3);
    if (kind === 'boolean') return [`print(${text} ? 'T' : 'F');`];
    return [kind === 'f64' ? `show(i64(${text}));` : `show(${text});`];
  }

  #variables(): Variable[] {
    return this.#scopes.flat();
  }

  // Expressions

  #expression(kind: Kind, depth: number): Expression {
    if (depth === 0 || this.#choose(4) === 0) return this.#leaf(kind);
    if (this.#choose(9) === 0) return this.#conditional(kind, depth);
    const callable = this.#callables.filter((c) => c.result === kind);
    if (callable.length > 0 && this.#loops < 2 && this.#choose(6) === 0) {
      const f = this.#pick(callable);
      const args = f.params.map((p) => this.#reduced(this.#expression(p, depth - 1), p).text);
      return this.#bounded(`${f.name}(${args.join(', ')})`, kind);
    }
    switch (kind) {
      case 'i32':
        return this.#i32(depth);
      case 'u32':
        return this.#u32(depth);
      case 'u64':
        return this.#u64(depth);
      case 'i64':
        return this.#i64(depth);
      case 'f64':
        return this.#f64(depth);
      case 'boolean':
        return { text: this.#boolean(depth), low: 0n, high: 1n };
    }
  }

  #conditional(kind: Kind, depth: number): Expression {
    const a = this.#reduced(this.#expression(kind, depth - 1), kind);
    const b = this.#reduced(this.#expression(kind, depth - 1), kind);
    return this.#bounded(`(${this.#expression('boolean', depth - 1).text} ? ${a.text} : ${b.text})`, kind);
  }

  #bounded(text: string, kind: Kind): Expression {
    const [low, high] = BOUND[kind];
    return { text, low, high };
  }

  #leaf(kind: Kind): Expression {
    const variables = this.#variables().filter((v) => v.kind === kind);
    if (variables.length > 0 && this.#choose(3) > 0) return this.#bounded(this.#pick(variables).name, kind);
    const n = this.#choose(2) === 0 ? this.#choose(10) : this.#choose(40000);
    switch (kind) {
      case 'i32':
        if (this.#choose(5) === 0) return { text: `bytes[${this.#choose(16)}]`, low: 0n, high: 255n };
        if (this.#choose(6) === 0) return this.#bounded(`words[${this.#choose(8)}]`, kind);
        if (this.#choose(6) === 0) return this.#bounded(`cells[${this.#choose(4)}].a`, kind);
        return this.#choose(2) === 0
          ? { text: `${n}`, low: BigInt(n), high: BigInt(n) }
          : { text: `(-${n})`, low: -BigInt(n), high: -BigInt(n) };
      case 'u32':
        return { text: `u32(${n})`, low: BigInt(n), high: BigInt(n) };
      case 'u64':
        if (this.#choose(5) === 0) return this.#bounded(`cells[${this.#choose(4)}].b`, kind);
        return { text: `${n}n`, low: BigInt(n), high: BigInt(n) };
      case 'i64':
        return { text: `i64(-${n})`, low: -BigInt(n), high: -BigInt(n) };
      case 'f64':
        return { text: `${n}.5`, low: BigInt(n), high: BigInt(n) + 1n };
      case 'boolean':
        return {
          text: this.#pick(['true', 'false', 'cells[1].c', '(cells[2].next === null)', '(cells[0].next !== cells[3])']),
          low: 0n,
          high: 1n,
        };
    }
  }

  /** Within what a variable of the kind holds. */
  #reduced(e: Expression, kind: Kind, bound = BOUND[kind]): Expression {
    const [low, high] = bound;
    if (kind === 'boolean' || (e.low >= low && e.high <= high)) return e;
    if (kind === 'f64')
      return { text: `(${e.text} < 1000000.0 && ${e.text} > -1000000.0 ? ${e.text} : 0.25)`, low: -1000000n, high: 1000000n };
    const suffix = kind === 'u64' || kind === 'i64' ? 'n' : '';
    const most = high < 0n ? -high : high;
    return { text: `(${e.text} % ${most}${suffix})`, low: e.low < 0n ? 1n - most : 0n, high: e.high > 0n ? most - 1n : 0n };
  }

  /** a op b, with the operands reduced until the result fits. */
  #arithmetic(op: '+' | '-' | '*', kind: Kind, depth: number): Expression {
    let a = this.#expression(kind, depth - 1);
    let b = this.#expression(kind, depth - 1);
    const result = (): Expression => {
      const all =
        op === '+'
          ? [a.low + b.low, a.high + b.high]
          : op === '-'
            ? [a.low - b.high, a.high - b.low]
            : [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
      // biome-ignore lint/complexity/useMathMinMax: these are bigints
      const low = all.reduce((x, y) => (x < y ? x : y));
      // biome-ignore lint/complexity/useMathMinMax: these are bigints
      const high = all.reduce((x, y) => (x > y ? x : y));
      return { text: `(${a.text} ${op} ${b.text})`, low, high };
    };
    const [least, most] = LIMIT[kind];
    for (let bound = kind === 'i32' || kind === 'u32' ? 40000n : 1n << 30n; bound > 1n; bound /= 16n) {
      const made = result();
      if (made.low >= least && made.high <= most) return made;
      const low = least < 0n ? -bound : 0n;
      a = this.#reduced(a, kind, [low, bound]);
      b = this.#reduced(b, kind, [low, bound]);
    }
    return this.#leaf(kind);
  }

  #i32(depth: number): Expression {
    const any = (): string => this.#expression('i32', depth - 1).text;
    const full = (text: string): Expression => ({ text, low: LIMIT.i32[0], high: LIMIT.i32[1] });
    switch (this.#choose(13)) {
      case 0:
        return full(`(${any()} ${this.#pick(['&', '|', '^'])} ${any()})`);
      case 1:
        // As with `<`: TypeScript's parser takes the `<<` of `a << (b > …` for type arguments.
        return this.#choose(2) === 0 ? full(`(${any()} >> ${any()})`) : full(`(${any()} ${this.#pick(['<<', '>>'])} ${this.#choose(32)})`);
      case 2:
        return full(`(~${any()})`);
      case 3: {
        const a = this.#expression('i32', depth - 1);
        return {
          text: `div(${a.text}, ${this.#choose(2) === 0 ? String(1 + this.#choose(100)) : `((${any()} & 7) + 1)`})`,
          low: a.low < 0n ? a.low : 0n,
          high: a.high > 0n ? a.high : 0n,
        };
      }
      case 4:
        return { text: `(${any()} % ${1 + this.#choose(1000)})`, low: -1000n, high: 1000n };
      case 5:
        return full(`wrapping.i32(${any()} ${this.#pick(['+', '-'])} ${any()})`);
      case 6:
        return full(`Math.imul(${any()}, ${any()})`);
      case 7:
        return { text: `i32(${this.#reduced(this.#expression('u32', depth - 1), 'u32').text})`, low: 0n, high: 65000n };
      case 8:
        return { text: `i32(${this.#expression('boolean', depth - 1).text})`, low: 0n, high: 1n };
      case 9:
        return full(`wrapping.i32(${this.#expression(this.#pick(['u64', 'i64']), depth - 1).text})`);
      default:
        return this.#arithmetic(this.#pick(['+', '-', '*']), 'i32', depth);
    }
  }

  #u32(depth: number): Expression {
    const any = (kind: Kind): string => this.#expression(kind, depth - 1).text;
    const full = (text: string): Expression => ({ text, low: 0n, high: LIMIT.u32[1] });
    switch (this.#choose(7)) {
      case 0:
        return full(`(${any('i32')} >>> ${this.#choose(32)})`);
      case 1:
        return full(`wrapping.${this.#pick(['add', 'sub', 'mul'])}(${any('u32')}, ${any('u32')})`);
      case 2:
        return full(`wrapping.u32(${any(this.#pick(['i32', 'u64', 'i64']))})`);
      case 3:
        return full(`wrapping.${this.#pick(['not', 'neg'])}(${any('u32')})`);
      case 4:
        return full(`((${any('u32')} ^ ${any('u32')}) >>> 0)`);
      default:
        return this.#arithmetic(this.#pick(['+', '*']), 'u32', depth);
    }
  }

  #u64(depth: number): Expression {
    const any = (kind: Kind): string => this.#expression(kind, depth - 1).text;
    const full = (text: string): Expression => ({ text, low: 0n, high: LIMIT.u64[1] });
    switch (this.#choose(9)) {
      case 0:
        return full(`(${any('u64')} ${this.#pick(['&', '|', '^'])} ${any('u64')})`);
      case 1:
        return full(`(${any('u64')} >> ${this.#choose(2) === 0 ? `${this.#choose(64)}n` : `u64(${any('i32')} & 127)`})`);
      case 2:
        return full(`(${any('u64')} / (${any('u64')} | 1n))`);
      case 3:
        return full(`(${any('u64')} % ${1 + this.#choose(100000)}n)`);
      case 4:
        return full(`wrapping.${this.#pick(['add', 'sub', 'mul'])}(${any('u64')}, ${any('u64')})`);
      case 5:
        return full(`wrapping.u64(${any('u64')} ${this.#pick(['+', '-', '*'])} ${any('u64')})`);
      case 6:
        return full(`wrapping.u64(${any(this.#pick(['i32', 'i64', 'u32']))})`);
      default:
        return this.#arithmetic(this.#pick(['+', '*']), 'u64', depth);
    }
  }

  #i64(depth: number): Expression {
    const any = (kind: Kind): string => this.#expression(kind, depth - 1).text;
    const full = (text: string): Expression => ({ text, low: LIMIT.i64[0], high: LIMIT.i64[1] });
    switch (this.#choose(8)) {
      case 0:
        return full(`(${any('i64')} ${this.#pick(['&', '|', '^'])} ${any('i64')})`);
      case 1:
        return full(`(${any('i64')} >> ${this.#choose(70)}n)`);
      case 2:
        return full(`(~${any('i64')})`);
      case 3:
        return full(`(${any('i64')} / ${2 + this.#choose(1000)}n)`);
      case 4:
        return full(`wrapping.i64(${any(this.#pick(['u64', 'i32', 'i64']))})`);
      case 5:
        return { text: `i64(${any('i32')})`, low: LIMIT.i32[0], high: LIMIT.i32[1] };
      default:
        return this.#arithmetic(this.#pick(['+', '-', '*']), 'i64', depth);
    }
  }

  #f64(depth: number): Expression {
    switch (this.#choose(6)) {
      case 0:
        return { text: `f64(${this.#expression('i32', depth - 1).text})`, low: LIMIT.i32[0], high: LIMIT.i32[1] };
      case 1: {
        const a = this.#reduced(this.#expression('f64', depth - 1), 'f64');
        return {
          text: `Math.${this.#pick(['floor', 'ceil', 'trunc', 'abs'])}(${a.text})`,
          low: a.low - 1n < -a.high ? a.low - 1n : -a.high,
          high: a.high > -a.low ? a.high + 1n : 1n - a.low,
        };
      }
      case 2:
        return this.#bounded(`(${this.#reduced(this.#expression('f64', depth - 1), 'f64').text} / ${1 + this.#choose(9)}.25)`, 'f64');
      default:
        return this.#arithmetic(this.#pick(['+', '-', '*']), 'f64', depth);
    }
  }

  #boolean(depth: number): string {
    switch (this.#choose(6)) {
      case 0:
        return `(${this.#expression('boolean', depth - 1).text} ${this.#pick(['&&', '||', '===', '!=='])} ${this.#expression('boolean', depth - 1).text})`;
      case 1:
        return `!(${this.#expression('boolean', depth - 1).text})`;
      default: {
        const kind = this.#pick<Kind>(['i32', 'u32', 'u64', 'i64', 'f64']);
        const op = this.#pick(['<', '<=', '>', '>=', '===', '!==']);
        const left = this.#expression(kind, depth - 1).text;
        const right = this.#expression(kind, depth - 1).text;
        // TypeScript's parser takes the `<` of `a < (b > (c) …` for the start of type arguments.
        return op === '<' && right.startsWith('(') ? `(${right} > ${left})` : `(${left} ${op} ${right})`;
      }
    }
  }
}
