/** The text, statement by statement: labels, directives, instructions → sections of items → an object. */
import type { Atom, AtomSymbol, FrameDescription, LineRow, ObjectFile, SectionKind } from '../image/object.ts';
import { type Expression, evaluate, type Names, TokenReader } from './expression.ts';
import { frameDescriptions, frameDirective } from './frames.ts';
import { parseInstruction } from './instruction.ts';
import { anchorOf, type Fixup, isHidden, type LaidOut, Layout, type Section } from './layout.ts';
import { type Statement, statements } from './lex.ts';
import { isAddress } from './operand.ts';
import { AssemblyError, type AssemblyProblem } from './problem.ts';

export interface AssembleOptions {
  /** Name of the object and file of its line rows. */
  readonly name: string;
  /** Line of the source on which the text starts (for line rows and messages of the whole file); default 1. */
  readonly firstLine?: number;
  /** Mode before any `.code16/32/64`; default 64. */
  readonly mode?: 16 | 32 | 64;
  /** Section before any `.section`; default `.text`. */
  readonly section?: string;
  /** Write a line row per instruction; default true. */
  readonly lines?: boolean;
}

/** @throws AssemblyError with every problem of the text */
export function assemble(text: string, options: AssembleOptions): ObjectFile {
  const assembler = new TextAssembler(options.mode ?? 64, options.section ?? '.text');
  assembler.run(text);
  return assembler.object(options);
}

const maximalRepeats = 65536;

export class TextAssembler {
  readonly #sections = new Map<string, Section>();
  readonly #constants = new Map<string, bigint>();
  readonly #equations = new Map<string, { value: Expression; line: number }>();
  readonly #equationNames = new Set<string>();
  readonly #globals = new Map<string, { line: number; column: number }>();
  readonly #labels = new Map<string, { section: Section; line: number; column: number }>();
  readonly #types = new Map<string, 'function' | 'object'>();
  readonly #sizes = new Map<string, { value: Expression; line: number }>();
  readonly #numeric = new Map<string, number>();
  readonly #problems: AssemblyProblem[] = [];
  readonly #names: Names;
  #mode: 16 | 32 | 64;
  #section: Section;
  #previous: Section;
  #hereCount = 0;

  constructor(mode: 16 | 32 | 64, section: string) {
    this.#mode = mode;
    this.#section = this.#enter(section, null) ?? { name: section, kind: 'code', items: [], alignment: 1 };
    this.#sections.set(section, this.#section);
    this.#previous = this.#section;
    this.#names = {
      here: () => this.#hereLabel(),
      local: (label, forward) => `${label}@${(this.#numeric.get(label) ?? 0) + (forward ? 1 : 0)}`,
      constant: (name) => this.#constants.get(name) ?? null,
    };
  }

  get sections(): readonly Section[] {
    return [...this.#sections.values()];
  }

  get problems(): AssemblyProblem[] {
    return this.#problems;
  }

  run(text: string): void {
    for (const match of text.matchAll(/\.(?:equ|set)\s+([\w.$]+)\s*,|([\w.$]+)\s*=/g)) this.#equationNames.add(match[1] ?? match[2] ?? '');
    const all: Statement[] = [];
    for (const each of statements(text)) {
      if (each instanceof AssemblyError) this.#problems.push(...each.problems);
      else all.push(each);
    }
    this.#runAll(all);
  }

  #runAll(all: readonly Statement[]): void {
    for (let index = 0; index < all.length; index += 1) {
      const statement = all[index];
      if (statement === undefined) break;
      try {
        const [first] = statement.tokens;
        const isRepeat = first?.kind === 'name' && first.text.toLowerCase() === '.rept';
        if (isRepeat) index = this.#repeat(all, index);
        else this.#statement(statement);
      } catch (error) {
        if (!(error instanceof AssemblyError)) throw error;
        this.#problems.push(...error.problems);
      }
    }
  }

  /** Runs the statements between `.rept` at `index` and its `.endr`; returns the latter's index. */
  #repeat(all: readonly Statement[], index: number): number {
    const isWord = (statement: Statement | undefined, word: string) => {
      const token = statement?.tokens[0];
      return token?.kind === 'name' && token.text.toLowerCase() === word;
    };
    let depth = 0;
    let end = index;
    do {
      if (isWord(all[end], '.rept')) depth += 1;
      if (isWord(all[end], '.endr')) depth -= 1;
      end += 1;
    } while (depth > 0 && end < all.length);
    const { tokens, line } = all[index] ?? { tokens: [], line: 1 };
    if (depth > 0) throw AssemblyError.at(line, 1, '.rept without .endr');
    const reader = new TokenReader(tokens, line, this.#names);
    reader.take();
    const count = this.#constant(reader, 'the count');
    reader.end();
    if (count < 0n || count > maximalRepeats) reader.fail(`cannot repeat ${count} times`);
    for (let turn = 0n; turn < count; turn += 1n) this.#runAll(all.slice(index + 1, end - 1));
    return end - 1;
  }

  #statement({ tokens, line }: Statement): void {
    const reader = new TokenReader(tokens, line, this.#names);
    for (let token = reader.peek(); reader.isPunctuation(':', 1); token = reader.peek()) {
      if (token.kind === 'name') this.#label(token.text, line, token.column);
      else if (token.kind === 'number') this.#numericLabel(String(token.value));
      else break;
      reader.take();
      reader.take();
    }
    if (reader.isAtEnd) return;
    const token = reader.peek();
    if (token.kind === 'name' && reader.isPunctuation('=', 1)) {
      reader.take();
      reader.take();
      this.#equate(token.text, reader.expression(), line);
      reader.end();
      return;
    }
    if (token.kind === 'name' && token.text.startsWith('.')) {
      reader.take();
      this.#directive(token.text.toLowerCase(), reader);
      reader.end();
      return;
    }
    const known = (expression: Expression): bigint | null => {
      const value = this.#tryConstant(expression, line);
      return value;
    };
    this.#section.items.push(parseInstruction(reader, { mode: this.#mode, isConstant: (name) => this.#isConstant(name), known }));
  }

  #label(name: string, line: number, column: number): void {
    if (this.#labels.has(name) || this.#equations.has(name) || this.#constants.has(name)) {
      throw AssemblyError.at(line, column, `${name} is defined twice`);
    }
    this.#labels.set(name, { section: this.#section, line, column });
    this.#section.items.push({ kind: 'label', name });
  }

  #numericLabel(label: string): void {
    const count = (this.#numeric.get(label) ?? 0) + 1;
    this.#numeric.set(label, count);
    this.#section.items.push({ kind: 'label', name: `${label}@${count}` });
  }

  #hereLabel(): string {
    const name = `.@${(this.#hereCount += 1)}`;
    this.#section.items.push({ kind: 'label', name });
    return name;
  }

  #equate(name: string, value: Expression, line: number): void {
    if (this.#labels.has(name)) throw AssemblyError.at(line, 1, `${name} is a label already`);
    const constant = this.#tryConstant(value, line);
    if (constant !== null) this.#constants.set(name, constant);
    else if (this.#equations.has(name)) throw AssemblyError.at(line, 1, `${name} is defined twice`);
    else this.#equations.set(name, { value, line });
  }

  #isConstant(name: string): boolean {
    if (this.#constants.has(name)) return true;
    const equation = this.#equations.get(name);
    if (equation !== undefined) return !isAddress(equation.value, (other) => other !== name && this.#isConstant(other));
    return this.#equationNames.has(name) && !this.#labels.has(name);
  }

  #tryConstant(expression: Expression, line: number): bigint | null {
    if (mentionsSymbol(expression)) return null;
    return evaluate(expression, line, () => null).constant;
  }

  #constant(reader: TokenReader, what: string): bigint {
    const { column } = reader.peek();
    return this.#tryConstant(reader.expression(), reader.line) ?? reader.fail(`${what} must be a constant known here`, column);
  }

  #directive(name: string, reader: TokenReader): void {
    switch (name) {
      case '.code16':
      case '.code32':
      case '.code64':
        this.#mode = name === '.code16' ? 16 : name === '.code32' ? 32 : 64;
        return;
      case '.text':
      case '.data':
      case '.bss':
      case '.rodata':
        this.#switchTo(name, null, reader);
        return;
      case '.section':
        this.#sectionDirective(reader);
        return;
      case '.previous':
        [this.#section, this.#previous] = [this.#previous, this.#section];
        return;
      case '.global':
      case '.globl':
        do {
          const { column } = reader.peek();
          this.#globals.set(reader.name('a symbol'), { line: reader.line, column });
        } while (reader.accept(','));
        return;
      case '.local':
      case '.extern':
        do reader.name('a symbol');
        while (reader.accept(','));
        return;
      case '.type': {
        const symbol = reader.name('a symbol');
        reader.expect(',');
        reader.accept('%');
        const type = reader.name('@function or @object').replace('@', '');
        if (type !== 'function' && type !== 'object') return reader.fail('expected @function or @object');
        this.#types.set(symbol, type);
        return;
      }
      case '.size': {
        const symbol = reader.name('a symbol');
        reader.expect(',');
        this.#sizes.set(symbol, { value: reader.expression(), line: reader.line });
        return;
      }
      case '.equ':
      case '.set': {
        const symbol = reader.name('a symbol');
        reader.expect(',');
        this.#equate(symbol, reader.expression(), reader.line);
        return;
      }
      case '.byte':
        return this.#data(reader, 1);
      case '.short':
      case '.word':
      case '.hword':
      case '.2byte':
        return this.#data(reader, 2);
      case '.long':
      case '.int':
      case '.4byte':
        return this.#data(reader, 4);
      case '.quad':
      case '.8byte':
        return this.#data(reader, 8);
      case '.ascii':
        return this.#strings(reader, false);
      case '.asciz':
      case '.string':
        return this.#strings(reader, true);
      case '.align':
      case '.balign':
      case '.p2align':
        return this.#align(name, reader);
      case '.zero':
      case '.skip':
      case '.space': {
        const { column } = reader.peek();
        const size = reader.expression();
        const fill = reader.accept(',') ? this.#constant(reader, 'the filling') : 0n;
        this.#section.items.push({ kind: 'space', size, fill: Number(fill & 0xffn), line: reader.line, column });
        return;
      }
      case '.intel_syntax':
        reader.acceptWord('noprefix');
        return;
      default: {
        const directive = frameDirective(name, reader, () => Number(this.#constant(reader, 'the offset')));
        if (directive === null) return reader.fail(`the directive ${name} is unknown`, 1);
        this.#section.items.push({ kind: 'frame', directive, line: reader.line });
      }
    }
  }

  #data(reader: TokenReader, size: 1 | 2 | 4 | 8): void {
    do {
      const { column } = reader.peek();
      const value = reader.expression();
      const fixup: Fixup = { at: 0, bytes: size, fromEnd: null, isSigned: false, value, column };
      this.#section.items.push({ kind: 'bytes', bytes: new Uint8Array(size), fixups: [fixup], line: reader.line, isCode: false });
    } while (reader.accept(','));
  }

  #strings(reader: TokenReader, hasZero: boolean): void {
    do {
      const token = reader.take();
      if (token.kind !== 'string') return reader.fail('expected a string', token.column);
      const bytes = hasZero ? Uint8Array.from([...token.bytes, 0]) : token.bytes;
      this.#section.items.push({ kind: 'bytes', bytes, fixups: [], line: reader.line, isCode: false });
    } while (reader.accept(','));
  }

  #align(name: string, reader: TokenReader): void {
    const { column } = reader.peek();
    const value = this.#constant(reader, 'the alignment');
    const alignment = name === '.p2align' ? 1n << value : value;
    const isPowerOfTwo = alignment > 0n && alignment <= 0x200000n && (alignment & (alignment - 1n)) === 0n;
    if (!isPowerOfTwo) reader.fail('an alignment is a power of two up to 2 MiB', column);
    const fill = reader.accept(',') ? Number(this.#constant(reader, 'the filling') & 0xffn) : this.#section.kind === 'code' ? null : 0;
    this.#section.alignment = Math.max(this.#section.alignment, Number(alignment));
    this.#section.items.push({ kind: 'align', alignment: Number(alignment), fill, mode: this.#mode });
  }

  #sectionDirective(reader: TokenReader): void {
    const name = reader.name('a section');
    let flags: string | null = null;
    if (reader.accept(',')) {
      const token = reader.take();
      if (token.kind !== 'string') return reader.fail('expected the flags as a string', token.column);
      flags = new TextDecoder().decode(token.bytes);
      if (reader.accept(',')) {
        reader.accept('%');
        if (reader.name('@progbits or @nobits').replace('@', '') === 'nobits') flags += 'z';
      }
    }
    this.#switchTo(name, flags, reader);
  }

  #switchTo(name: string, flags: string | null, reader: TokenReader): void {
    const section = this.#enter(name, flags);
    if (section === null)
      return reader.fail(`the section ${name} needs flags: "a" (constants), "aw" (data), "ax" (code), or "aw", @nobits`);
    const kind = flags === null ? section.kind : kindOfFlags(flags);
    if (kind !== section.kind) return reader.fail(`the section ${name} is ${section.kind} already, not ${kind}`);
    this.#previous = this.#section;
    this.#section = section;
  }

  #enter(name: string, flags: string | null): Section | null {
    const known = this.#sections.get(name);
    if (known !== undefined) return known;
    const kind = flags === null ? kindOfName(name) : kindOfFlags(flags);
    if (kind === null) return null;
    const section: Section = { name, kind, items: [], alignment: kind === 'code' ? 16 : 1 };
    this.#sections.set(name, section);
    return section;
  }

  object({ name, firstLine = 1, lines = true }: AssembleOptions): ObjectFile {
    const layout = new Layout({ sections: this.sections, constants: this.#constants, equations: this.#equations });
    const atoms: Atom[] = [];
    for (const section of this.sections) {
      if (section.items.length === 0) continue;
      const laidOut = layout.finish(section);
      const rows = lines && section.kind === 'code' ? lineRows(laidOut, name, firstLine) : [];
      const symbols = this.#symbols(section, laidOut, layout, name, firstLine, lines);
      const { bytes, size, relocations } = laidOut;
      atoms.push({
        section: section.name,
        kind: section.kind,
        alignment: section.alignment,
        bytes,
        size,
        symbols,
        relocations,
        lines: rows,
        ...(laidOut.frames.length === 0 ? {} : { frames: this.#frames(laidOut) }),
      });
    }
    // A section that others reach by its start has a symbol there.
    const anchors = new Set(
      atoms.flatMap((a) => a.relocations.flatMap((r) => [r.symbol, r.minus ?? '']).filter((s) => s.endsWith('@start'))),
    );
    const anchored = atoms.map((atom): Atom => {
      const anchor = anchorOf(atom.section);
      if (!anchors.has(anchor)) return atom;
      return { ...atom, symbols: [{ name: anchor, offset: 0, size: 0, type: 'label', binding: 'local' }, ...atom.symbols] };
    });
    this.#problems.push(...layout.problems);
    for (const [symbol, { line, column }] of this.#globals) {
      const isDefined = this.#labels.has(symbol) || this.#constants.has(symbol);
      if (!isDefined && this.#equations.has(symbol))
        this.#problems.push({ line, column, message: `${symbol} is no constant and cannot be global` });
    }
    this.throwProblems();
    const absolutes = [...this.#constants].map(([symbol, value]) => {
      return { name: symbol, value, binding: this.#globals.has(symbol) ? ('global' as const) : ('local' as const) };
    });
    return { name, atoms: anchored, absolutes: absolutes.filter((a) => a.binding === 'global') };
  }

  #frames(laidOut: LaidOut): FrameDescription[] {
    try {
      return frameDescriptions(laidOut.frames);
    } catch (error) {
      if (!(error instanceof AssemblyError)) throw error;
      this.#problems.push(...error.problems);
      return [];
    }
  }

  throwProblems(): void {
    if (this.#problems.length === 0) return;
    throw new AssemblyError([...this.#problems].sort((a, b) => a.line - b.line || a.column - b.column));
  }

  #symbols(section: Section, laidOut: LaidOut, layout: Layout, file: string, firstLine: number, declares: boolean): AtomSymbol[] {
    const named = section.items.flatMap((item) => (item.kind === 'label' && !isHidden(item.name) ? [item.name] : []));
    return named.map((name, index): AtomSymbol => {
      const offset = layout.places.get(name)?.offset ?? 0;
      const isGlobal = this.#globals.has(name);
      const type = this.#types.get(name) ?? (section.kind !== 'code' ? 'object' : isGlobal ? 'function' : 'label');
      const isEnd = (other: string) => type !== 'function' || this.#globals.has(other) || this.#types.has(other);
      const next = named.slice(index + 1).find(isEnd);
      const end = next === undefined ? laidOut.size : (layout.places.get(next)?.offset ?? offset);
      const size = this.#explicitSize(name, layout) ?? (type === 'label' ? 0 : end - offset);
      const line = (this.#labels.get(name)?.line ?? 1) + firstLine - 1;
      const declared = declares && type === 'function' ? { declared: { file, line, column: 1 } } : {};
      return { name, offset, size, type, binding: isGlobal ? 'global' : 'local', ...declared };
    });
  }

  #explicitSize(name: string, layout: Layout): number | null {
    const size = this.#sizes.get(name);
    if (size === undefined) return null;
    const value = layout.constant(size.value, size.line);
    return value === null ? null : Number(value);
  }
}

function lineRows(laidOut: LaidOut, file: string, firstLine: number): LineRow[] {
  return laidOut.starts.filter((s) => s.isCode).map(({ offset, line }) => ({ offset, file, line: line + firstLine - 1, column: 1 }));
}

function kindOfFlags(flags: string): SectionKind {
  if (flags.includes('z')) return 'bss';
  return flags.includes('x') ? 'code' : flags.includes('w') ? 'data' : 'rodata';
}

function kindOfName(name: string): SectionKind | null {
  const plain = name.replace(/^\.boot/, '');
  if (plain === '' || /^\.text\b/.test(plain)) return 'code';
  if (/^\.rodata\b/.test(plain)) return 'rodata';
  if (/^\.data\b/.test(plain)) return 'data';
  return /^\.bss\b/.test(plain) ? 'bss' : null;
}

function mentionsSymbol(expression: Expression): boolean {
  switch (expression.kind) {
    case 'symbol':
      return true;
    case 'unary':
      return mentionsSymbol(expression.of);
    case 'binary':
      return mentionsSymbol(expression.left) || mentionsSymbol(expression.right);
    default:
      return false;
  }
}
