/**
 * The IR from text, as `print.ts` writes it. For tests and dumps; names and ids are kept.
 *
 *     module      = { data | assembly | function | layouts }
 *     data        = "data" SYMBOL STRING kind "align" INT "size" INT ("zero" | "x" HEX) ["exported"] { kind "at" INT SYMBOL [OFFSET] }
 *     assembly    = "assembly" STRING STRING [location]
 *     layouts     = "layouts" JSON-to-the-end-of-the-line
 *     function    = "function" SYMBOL types "->" types ["exported"] ["inline" hint] [location] "{" { slot } { block } "}"
 *     slot        = "slot" "$"INT "size" INT "align" INT
 *     block       = "b"INT "(" ["%"INT ":" type {"," …}] ")" ["cold"] ":" { instruction [location] } terminator [location]
 *     instruction = ["%"INT {"," "%"INT} "="] OP "." type operands
 *     terminator  = "jump" edge | "branch" "%"INT "," edge "," edge | "switch" "%"INT "[" CONSTANT ":" edge … "default" ":" edge "]"
 *                 | "return" ["%"INT {"," "%"INT}] | "trap" CODE
 *     edge        = "b"INT "(" ["%"INT {"," "%"INT}] ")"
 *     location    = "!" STRING ":" INT ":" INT
 *
 * `#` begins a comment that ends with the line.
 */

import { UserError } from '../../machine/isa/bug.ts';
import type { Layouts } from '../image/layouts.ts';
import type { Relocation } from '../image/object.ts';
import { type Block, type Edge, Instruction, IrFunction, type Predicate, Terminator, type TerminatorOp, Value } from './function.ts';
import { type Location, Module } from './module.ts';
import { OPS, type Op, opRow } from './ops.ts';
import { isTrapCode, type TrapCode } from './trap-codes.ts';
import { type Constant, normal, TYPES, type Type } from './types.ts';

const TOKEN =
  /(?:\s|#[^\n]*)*(?:("(?:[^"\\]|\\.)*")|(->|[+-]?\d+(?:\.\d+)?e[+-]?\d+|[+-](?:\d+(?:\.\d+)?|Infinity))|([%$@]?[\w.$]+|@)|([^\s]))?/y;
const PREDICATES = new Set(['eq', 'ne', 'slt', 'sle', 'sgt', 'sge', 'ult', 'ule', 'ugt', 'uge', 'lt', 'le', 'gt', 'ge']);
const RELOCATIONS = new Set(['abs64', 'abs32', 'abs32s', 'abs16', 'abs8', 'pc64', 'pc32', 'pc16', 'pc8']);

const isPredicate = (word: string): word is Predicate => PREDICATES.has(word);
const isType = (word: string): word is Type => TYPES.some((type) => type === word);
const isOp = (word: string): word is Op => Object.hasOwn(OPS, word);
const isRelocation = (word: string): word is Relocation['kind'] => RELOCATIONS.has(word);
const isTerminator = (word: string): word is TerminatorOp => ['jump', 'branch', 'switch', 'return', 'trap'].includes(word);

/** @throws UserError naming the line */
export function parseModule(text: string): Module {
  return new Parser(text).module();
}

/** A text that holds one function. @throws UserError naming the line */
export function parseFunction(text: string): IrFunction {
  const [fn, ...more] = parseModule(text).functions;
  if (fn === undefined || more.length > 0) throw new UserError('IR text: expected exactly one function');
  return fn;
}

class Parser {
  private readonly text: string;
  private at = 0;
  private token = '';
  private tokenStart = 0;
  /** Of the word that `next` gave last. */
  private taken = 0;

  constructor(text: string) {
    this.text = text;
    this.advance();
  }

  module(): Module {
    const module = new Module();
    while (this.token !== '') {
      if (this.token === 'data') this.data(module);
      else if (this.token === 'assembly') this.assembly(module);
      else if (this.token === 'layouts') this.layouts(module);
      else if (this.token === 'function') module.functions.push(new FunctionParser(this).parse());
      else this.fail('expected data, assembly, layouts or function', this.tokenStart);
    }
    return module;
  }

  private data(module: Module): void {
    this.expect('data');
    const symbol = this.symbol();
    const section = this.string();
    const kind = this.next();
    const known = kind === 'rodata' || kind === 'data' || kind === 'bss' ? kind : this.fail(`${kind} is not rodata, data or bss`);
    this.expect('align');
    const align = this.integer();
    this.expect('size');
    const size = this.integer();
    const content = this.next();
    const bytes = content === 'zero' ? null : new Uint8Array(Buffer.from(content.slice(1), 'hex'));
    const exported = this.accept('exported');
    const relocations: Relocation[] = [];
    while (isRelocation(this.token)) {
      const relocation = this.next();
      this.expect('at');
      const offset = this.integer();
      if (isRelocation(relocation)) relocations.push({ kind: relocation, offset, symbol: this.symbol(), addend: this.offset() });
    }
    module.data.push({ symbol, section, kind: known, align, size, bytes, relocations, exported });
  }

  private assembly(module: Module): void {
    this.expect('assembly');
    module.assembly.push({ name: this.string(), text: this.string(), location: this.location() });
  }

  private layouts(module: Module): void {
    const end = this.text.indexOf('\n', this.at);
    const json = this.text.slice(this.at, end < 0 ? undefined : end);
    const layouts: Layouts = JSON.parse(json);
    module.layouts = layouts;
    this.at = end < 0 ? this.text.length : end;
    this.advance();
  }

  // Words

  next(): string {
    const token = this.token;
    if (token === '') this.fail('unexpected end');
    this.taken = this.tokenStart;
    this.advance();
    return token;
  }

  is(token: string): boolean {
    return this.token === token;
  }

  startsWith(prefix: string): boolean {
    return this.token.startsWith(prefix);
  }

  accept(token: string): boolean {
    if (this.token !== token) return false;
    this.advance();
    return true;
  }

  expect(token: string): void {
    if (!this.accept(token)) this.fail(`expected ${token}, found ${this.token}`, this.tokenStart);
  }

  string(): string {
    const start = this.token;
    if (!start.startsWith('"')) this.fail(`expected a string, found ${start}`);
    const value: string = JSON.parse(this.next());
    return value;
  }

  symbol(): string {
    const word = this.next();
    if (word === '@') return this.string();
    if (!word.startsWith('@')) this.fail(`expected a symbol, found ${word}`);
    return word.slice(1);
  }

  integer(): number {
    const word = this.next();
    const value = Number(word);
    if (!Number.isSafeInteger(value)) this.fail(`expected an integer, found ${word}`);
    return value;
  }

  /** A signed integer if there is one, or 0. */
  offset(): number {
    return /^[+-]\d/.test(this.token) ? this.integer() : 0;
  }

  numbered(prefix: string): number {
    const word = this.next();
    const rest = word.slice(prefix.length);
    if (!word.startsWith(prefix) || !/^\d+$/.test(rest)) this.fail(`expected ${prefix} and a number, found ${word}`);
    return Number(rest);
  }

  constant(type: Type): Constant {
    const word = this.next();
    const value = type === 'i64' ? parseBigInt(word) : Number(word);
    if (value === null || (Number.isNaN(value) && word !== 'NaN')) return this.fail(`${word} is not a constant of ${type}`);
    return normal(type, value);
  }

  type(): Type {
    const word = this.next();
    return isType(word) ? word : this.fail(`${word} is not a type`);
  }

  /** "(" types ")" */
  types(): Type[] {
    return this.list('(', ')', () => this.type());
  }

  list<T>(open: string, close: string, item: () => T): T[] {
    this.expect(open);
    const items: T[] = [];
    if (this.accept(close)) return items;
    do items.push(item());
    while (this.accept(','));
    this.expect(close);
    return items;
  }

  location(): Location | null {
    if (!this.accept('!')) return null;
    const file = this.string();
    this.expect(':');
    const line = this.integer();
    this.expect(':');
    return { file, line, column: this.integer() };
  }

  /** @param at offset in the text; default: where the last word began that was taken */
  fail(message: string, at = this.taken): never {
    const line = this.text.slice(0, at).split('\n').length;
    throw new UserError(`IR text, line ${line}: ${message}`);
  }

  private advance(): void {
    TOKEN.lastIndex = this.at;
    const match = TOKEN.exec(this.text);
    this.at = TOKEN.lastIndex;
    this.token = match?.[1] ?? match?.[2] ?? match?.[3] ?? match?.[4] ?? '';
    this.tokenStart = this.at - this.token.length;
  }
}

function parseBigInt(word: string): bigint | null {
  return /^[+-]?\d+$/.test(word) || /^0x[0-9a-f]+$/i.test(word) ? BigInt(word) : null;
}

class FunctionParser {
  private readonly p: Parser;
  private readonly values = new Map<number, Value>();
  private readonly blocks = new Map<number, Block>();
  /** Uses, to be filled in when all values are known. */
  private readonly uses: { readonly list: Value[]; readonly index: number; readonly id: number }[] = [];
  private fn = new IrFunction('', [], []);

  constructor(parser: Parser) {
    this.p = parser;
  }

  parse(): IrFunction {
    const p = this.p;
    p.expect('function');
    const symbol = p.symbol();
    const params = p.types();
    p.expect('->');
    const results = p.types();
    const exported = p.accept('exported');
    const hint = p.accept('inline') ? p.next() : 'auto';
    if (hint !== 'auto' && hint !== 'always' && hint !== 'never') return p.fail(`${hint} is not an inline hint`);
    const fn = new IrFunction(symbol, params, results, p.location());
    this.fn = fn;
    fn.exported = exported;
    fn.inline = hint;
    p.expect('{');
    while (p.accept('slot')) this.slot();
    const placed = new Set<Block>();
    while (!p.accept('}')) {
      const block = this.parseBlock();
      if (placed.has(block)) p.fail(`b${block.id} is there twice`);
      placed.add(block);
    }
    for (const { list, index, id } of this.uses) list[index] = this.values.get(id) ?? p.fail(`${symbol}: %${id} is not defined`);
    for (const block of this.blocks.values()) if (!placed.has(block)) p.fail(`${symbol}: b${block.id} is not there`);
    return fn;
  }

  private slot(): void {
    const p = this.p;
    const index = p.numbered('$');
    p.expect('size');
    const size = p.integer();
    p.expect('align');
    const slot = this.fn.newSlot(size, p.integer());
    if (slot.index !== index) p.fail(`slots must be numbered in order: $${index} should be $${slot.index}`);
  }

  private parseBlock(): Block {
    const p = this.p;
    const block = this.block(p.numbered('b'));
    this.fn.blocks.push(block);
    block.params = p.list('(', ')', () => {
      const id = p.numbered('%');
      p.expect(':');
      return this.define(id, p.type(), block);
    });
    block.cold = p.accept('cold');
    p.expect(':');
    while (block.terminator === null) {
      const results: number[] = [];
      if (p.startsWith('%')) {
        do results.push(p.numbered('%'));
        while (p.accept(','));
        p.expect('=');
      }
      const word = p.next();
      if (isTerminator(word) && results.length === 0) block.terminator = this.terminator(word);
      else block.instructions.push(this.instruction(word, results));
    }
    return block;
  }

  private instruction(word: string, results: number[]): Instruction {
    const p = this.p;
    const [op = '', type = ''] = word.split('.');
    if (!isOp(op) || !isType(type)) return p.fail(`${word} is not an operation and a type`);
    const i = new Instruction(op, type, [], null);
    const types = this.operands(i);
    if (results.length !== types.length) p.fail(`${op} has ${types.length} results, not ${results.length}`);
    i.results = results.map((id, k) => this.define(id, types[k] ?? type, i));
    i.location = p.location();
    return i;
  }

  /** Reads what follows the op. @returns the results' types */
  private operands(i: Instruction): Type[] {
    const p = this.p;
    switch (i.op) {
      case 'const':
        i.value = p.constant(i.type);
        return [i.type];
      case 'symbol':
        i.symbol = p.symbol();
        i.offset = p.offset();
        return [i.type];
      case 'slot': {
        const index = p.numbered('$');
        i.slot = this.fn.slots[index] ?? p.fail(`there is no slot $${index}`);
        i.offset = p.offset();
        return [i.type];
      }
      case 'load':
      case 'store':
        this.use(i.args);
        if (i.op === 'store') {
          p.expect(',');
          this.use(i.args);
        }
        i.offset = p.offset();
        i.volatile = p.accept('volatile');
        return i.op === 'load' ? [i.type] : [];
      case 'call':
        i.symbol = p.symbol();
        return this.callOperands(i);
      case 'callind':
        this.use(i.args);
        return this.callOperands(i);
      case 'asm':
        return this.assemblyOperands(i);
      default:
        return this.plainOperands(i);
    }
  }

  private callOperands(i: Instruction): Type[] {
    this.p.list('(', ')', () => this.use(i.args));
    this.p.expect('->');
    return this.p.types();
  }

  private assemblyOperands(i: Instruction): Type[] {
    const p = this.p;
    const text = p.string();
    const inputs = p.list('(', ')', () => {
      const register = p.next();
      this.use(i.args);
      return register;
    });
    const output = p.accept('->') ? p.next() : null;
    i.assembly = { text, inputs, output };
    return output === null ? [] : [i.type];
  }

  private plainOperands(i: Instruction): Type[] {
    const p = this.p;
    if (i.op === 'icmp' || i.op === 'fcmp') {
      const predicate = p.next();
      i.predicate = isPredicate(predicate) ? predicate : p.fail(`${predicate} is not a predicate`);
    }
    const { args, result } = opRow(i.op);
    for (let k = 0; k < args.length; k++) {
      if (k > 0) p.expect(',');
      this.use(i.args);
    }
    if (i.op === 'trapif') i.trap = this.trapCode();
    return result === 'none' ? [] : [result === 'T' || !isType(result) ? i.type : result];
  }

  private terminator(op: TerminatorOp): Terminator {
    const p = this.p;
    const t = new Terminator(op, [], [], null);
    if (op === 'jump') t.targets.push(this.edge());
    else if (op === 'branch') {
      this.use(t.args);
      p.expect(',');
      t.targets.push(this.edge());
      p.expect(',');
      t.targets.push(this.edge());
    } else if (op === 'switch') this.switch(t);
    else if (op === 'trap') t.trap = this.trapCode();
    else if (p.startsWith('%')) {
      do this.use(t.args);
      while (p.accept(','));
    }
    t.location = p.location();
    return t;
  }

  /** The type of the cases is not in the text: a value defined above is looked up, and must be. */
  private switch(t: Terminator): void {
    const p = this.p;
    const id = this.use(t.args);
    const type = this.values.get(id)?.type ?? p.fail(`%${id} must be defined above its switch`);
    const cases: Constant[] = [];
    p.list('[', ']', () => {
      if (!p.accept('default')) cases.push(p.constant(type));
      p.expect(':');
      t.targets.push(this.edge());
    });
    t.cases = cases;
  }

  private trapCode(): TrapCode {
    const code = this.p.next();
    return isTrapCode(code) ? code : this.p.fail(`${code} is not a trap code`);
  }

  private edge(): Edge {
    const edge: Edge = { block: this.block(this.p.numbered('b')), args: [] };
    this.p.list('(', ')', () => this.use(edge.args));
    return edge;
  }

  private use(list: Value[]): number {
    const id = this.p.numbered('%');
    const index = list.length;
    const known = this.values.get(id);
    if (known !== undefined) list.push(known);
    else {
      list.push(new Value(id, 'i64', this.block(0)));
      this.uses.push({ list, index, id });
    }
    return id;
  }

  private define(id: number, type: Type, def: Instruction | Block): Value {
    if (this.values.has(id)) this.p.fail(`%${id} is defined twice`);
    const value = new Value(id, type, def);
    this.values.set(id, value);
    this.fn.valueCount = Math.max(this.fn.valueCount, id + 1);
    return value;
  }

  private block(id: number): Block {
    let block = this.blocks.get(id);
    if (block === undefined) {
      block = this.fn.newBlockWithId(id);
      this.blocks.set(id, block);
    }
    return block;
  }
}
