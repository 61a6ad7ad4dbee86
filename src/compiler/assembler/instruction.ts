/** One instruction's statement → an item of its section, through the table's encoder. */
import { type Encoded, EncodeError, encode } from '../../machine/isa/encode.ts';
import { imm, type MemoryOperand, type Mode, mem, type Operand, reg, rel } from '../../machine/isa/operands.ts';
import { GPR16 } from '../../machine/isa/registers.ts';
import type { Expression, TokenReader } from './expression.ts';
import type { Fixup, Item } from './layout.ts';
import { type ParsedMemory, type ParsedOperand, parseOperand } from './operand.ts';

export interface InstructionContext {
  readonly mode: Mode;
  readonly isConstant: (name: string) => boolean;
  /** The expression's value if it is known by now. */
  readonly known: (expression: Expression) => bigint | null;
}

type Prefixes = { lock?: boolean; rep?: 'rep' | 'repe' | 'repne' };

const prefixWords: Readonly<Record<string, Prefixes>> = {
  lock: { lock: true },
  rep: { rep: 'rep' },
  repe: { rep: 'repe' },
  repz: { rep: 'repe' },
  repne: { rep: 'repne' },
  repnz: { rep: 'repne' },
};

/** GNU as names for what the manual calls otherwise; those of a size of their own stand for the mode's. */
function tableName(word: string, mode: Mode, isFar: boolean): string {
  if (isFar && (word === 'jmp' || word === 'ljmp')) return 'jmpf';
  if (isFar && (word === 'call' || word === 'lcall')) return 'callf';
  if (word === 'movabs') return 'mov';
  if (word === 'lret' || word === 'retf') return mode === 16 ? 'retfw' : 'retf';
  if (word === 'iret' && mode !== 16) return 'iretd';
  if ((word === 'pushf' || word === 'popf') && mode !== 16) return mode === 32 ? `${word}d` : `${word}q`;
  return (word === 'pusha' || word === 'popa') && mode === 32 ? `${word}d` : word;
}

/** These have a short form and a near form. */
const conditions = 'a ae b be c e g ge l le na nae nb nbe nc ne ng nge nl nle no np ns nz o p pe po s z'.split(' ');
const relaxable = new Set(['jmp', ...conditions.map((c) => `j${c}`)]);
const shortOnly = new Set(['loop', 'loope', 'loopne', 'loopz', 'loopnz', 'jcxz', 'jecxz', 'jrcxz']);

export function parseInstruction(reader: TokenReader, context: InstructionContext): Item {
  const { column } = reader.peek();
  let prefixes: Prefixes = {};
  let word = reader.name('an instruction').toLowerCase();
  for (let prefix = prefixWords[word]; prefix !== undefined; prefix = prefixWords[word]) {
    if (reader.isAtEnd) reader.fail(`${word} needs an instruction behind it`, column);
    prefixes = { ...prefixes, ...prefix };
    word = reader.name('an instruction').toLowerCase();
  }
  const operands: ParsedOperand[] = [];
  const isBranch = relaxable.has(word) || shortOnly.has(word) || word === 'call';
  while (!reader.isAtEnd) {
    if (operands.length > 0) reader.expect(',');
    operands.push(parseOperand(reader, context.mode, context.isConstant, isBranch));
  }
  const assembled = new Assembled(reader, context, word, prefixes, column);
  const [first] = operands;
  if (isBranch && first?.kind === 'value' && operands.length === 1) return assembled.branch(first);
  return assembled.instruction(operands);
}

/** What an operand's field must be filled with later. */
interface Pending {
  readonly field: 'displacement' | 'immediate';
  readonly value: Expression;
  readonly fromEnd: boolean;
  readonly isSigned: boolean;
  readonly column: number;
}

class Assembled {
  readonly #reader: TokenReader;
  readonly #context: InstructionContext;
  readonly #word: string;
  readonly #prefixes: Prefixes;
  readonly #column: number;
  #isFar = false;
  /** MOV to a segment register takes 16 bits of whatever register is named. */
  #toSegment = false;

  constructor(reader: TokenReader, context: InstructionContext, word: string, prefixes: Prefixes, column: number) {
    this.#reader = reader;
    this.#context = context;
    this.#word = word;
    this.#prefixes = prefixes;
    this.#column = column;
  }

  branch(target: Extract<ParsedOperand, { kind: 'value' }>): Item {
    const { line } = this.#reader;
    const nearWidth = this.#context.mode === 16 ? 16 : 32;
    const encoded = (width: 8 | 16 | 32) => this.#encode([rel(0, width)]);
    const { value, size, column } = target;
    if (size === 'short' || shortOnly.has(this.#word)) {
      const { bytes } = encoded(8);
      return this.#bytes(bytes, [{ at: bytes.length - 1, bytes: 1, fromEnd: 1, isSigned: true, value, column }]);
    }
    const near = encoded(nearWidth).bytes;
    if (this.#word === 'call' || size === 'near') {
      const bytes = nearWidth === 16 ? 2 : 4;
      return this.#bytes(near, [{ at: near.length - bytes, bytes, fromEnd: bytes, isSigned: true, value, column }]);
    }
    return { kind: 'branch', short: encoded(8).bytes, near, isNear: false, target: value, line, column };
  }

  instruction(parsed: readonly ParsedOperand[]): Item {
    this.#isFar = parsed.some((p) => p.kind === 'memory' && p.isFar);
    const [first] = parsed;
    this.#toSegment = this.#word === 'mov' && first?.kind === 'register' && first.register.class === 'seg';
    const operandWidth = this.#operandWidth(parsed);
    const pending: Pending[] = [];
    const unsized = parsed.find((p) => p.kind === 'memory' && p.width === null);
    const build = (width: number | null) => parsed.map((p) => this.#operand(p, width, operandWidth ?? width, pending));
    const encoded = unsized === undefined ? this.#encode(build(null)) : this.#guessWidth(build, operandWidth, pending, unsized.column);
    const fixups = pending.map(({ field, value, fromEnd, isSigned, column }): Fixup => {
      // The absolute address of a moffs form stands where others have their immediate.
      const isDisplacement = field === 'displacement' && encoded.dispOffset >= 0;
      const at = isDisplacement ? encoded.dispOffset : encoded.immOffset;
      const bytes = first?.kind === 'far' ? first.width / 8 : isDisplacement ? encoded.dispBytes : encoded.immBytes;
      if (at < 0 || (bytes !== 1 && bytes !== 2 && bytes !== 4 && bytes !== 8))
        return this.#reader.fail('this operand must be a constant', column);
      return { at, bytes, fromEnd: fromEnd ? encoded.bytes.length - at : null, isSigned, value, column };
    });
    return this.#bytes(encoded.bytes, fixups);
  }

  #bytes(bytes: Uint8Array, fixups: readonly Fixup[]): Item {
    for (const { at, bytes: size } of fixups) bytes.fill(0, at, at + size);
    return { kind: 'bytes', bytes, fixups, line: this.#reader.line, isCode: true };
  }

  #tryEncode(operands: readonly Operand[]): Encoded {
    const { mode } = this.#context;
    const isFar = operands.some((o) => o.kind === 'far' || (o.kind === 'mem' && this.#isFarPointer(o.width)));
    const encoded = encode({ mnemonic: tableName(this.#word, mode, isFar), operands, mode, ...this.#prefixes });
    return { ...encoded, bytes: encoded.bytes.slice() };
  }

  /** `far ptr`, `fword ptr`, `tbyte ptr`; in 16-bit code a `dword` is one as well if the branch says so. */
  #isFarPointer(width: number): boolean {
    return width === 48 || width === 80 || (width === 32 && (this.#isFar || this.#word.startsWith('l')));
  }

  #encode(operands: readonly Operand[]): Encoded {
    try {
      return this.#tryEncode(operands);
    } catch (error) {
      if (error instanceof EncodeError) return this.#reader.fail(error.message, this.#column);
      throw error;
    }
  }

  /** The width that registers give to immediates and to memory without a size. */
  #operandWidth(parsed: readonly ParsedOperand[]): number | null {
    const [first] = parsed;
    if (first?.kind === 'memory' && first.width !== null) return first.width;
    // The count of a shift, the port of an IN and the source of a widening move say nothing about the other operand.
    const isShift = /^(?:sh[lr]|sa[lr]|ro[lr]|rc[lr])$/.test(this.#word);
    const widens = /^(?:movzx|movsx|movsxd|crc32|cvt.*)$/.test(this.#word);
    const register = isShift || widens ? (first?.kind === 'register' ? first : undefined) : parsed.find((p) => p.kind === 'register');
    if (register?.kind === 'register') return widens ? null : register.register.width;
    const isStackOrBranch = /^(?:jmp|call|push|pop)$/.test(this.#word);
    return isStackOrBranch ? this.#context.mode : null;
  }

  /** Memory without a size: the registers' width, else the one width with which there is such an instruction. */
  #guessWidth(build: (width: number) => Operand[], operandWidth: number | null, pending: Pending[], column: number): Encoded {
    const attempt = (width: number): Encoded | EncodeError => {
      pending.length = 0;
      try {
        return this.#tryEncode(build(width));
      } catch (error) {
        if (error instanceof EncodeError) return error;
        throw error;
      }
    };
    const preferred = operandWidth === null ? new EncodeError('') : attempt(operandWidth);
    if (!(preferred instanceof EncodeError)) return preferred;
    const fitting = memoryWidths.map(attempt).filter((e): e is Encoded => !(e instanceof EncodeError));
    const [only] = fitting;
    const isOne =
      only !== undefined && fitting.every((e) => e.bytes.length === only.bytes.length && e.bytes.every((b, i) => b === only.bytes[i]));
    if (only !== undefined && isOne) return only;
    if (only !== undefined)
      return this.#reader.fail('the size of the memory operand is open: write byte, word, dword or qword ptr', column);
    const failed = attempt(operandWidth ?? this.#context.mode);
    return failed instanceof EncodeError ? this.#reader.fail(failed.message, this.#column) : failed;
  }

  #operand(parsed: ParsedOperand, memoryWidth: number | null, operandWidth: number | null, pending: Pending[]): Operand {
    switch (parsed.kind) {
      case 'register':
        return reg(this.#toSegment && parsed.register.class === 'gpr' ? (GPR16[parsed.register.index] ?? parsed.name) : parsed.name);
      case 'memory':
        return this.#memory(parsed, parsed.width ?? memoryWidth ?? 0, pending);
      case 'far': {
        const selector = this.#context.known(parsed.selector);
        if (selector === null || selector < 0n || selector > 0xffffn)
          return this.#reader.fail('a selector is a number below 65536', parsed.column);
        const offset = this.#context.known(parsed.offset);
        if (offset === null)
          pending.push({ field: 'immediate', value: parsed.offset, fromEnd: false, isSigned: false, column: parsed.column });
        return { kind: 'far', selector: Number(selector), offset: offset ?? 0n, width: parsed.width };
      }
      case 'value': {
        const value = this.#context.known(parsed.value);
        const isWide = this.#word === 'movabs';
        if (value !== null && !isWide) return imm(value);
        const isSigned = (operandWidth ?? this.#context.mode) === 64;
        pending.push({ field: 'immediate', value: parsed.value, fromEnd: false, isSigned, column: parsed.column });
        return imm(isWide ? placeholder64 : placeholderFor(operandWidth ?? this.#context.mode));
      }
    }
  }

  #memory(parsed: ParsedMemory, width: number, pending: Pending[]): MemoryOperand {
    const { base, index, scale, displacement, segment, addressSize, column } = parsed;
    const isRelative = base === 'rip' || base === 'eip';
    const value = displacement === null ? 0n : this.#context.known(displacement);
    let disp = value ?? 0n;
    if (displacement !== null && value === null) {
      const isSigned = addressSize === 64;
      pending.push({ field: 'displacement', value: displacement, fromEnd: isRelative, isSigned, column });
      disp = addressSize === 16 ? 0x1234n : 0x12345678n;
    }
    return mem({
      disp,
      width,
      addressSize,
      ...(base === null ? {} : { base }),
      ...(index === null ? {} : { index, scale }),
      ...(segment === null ? {} : { segment }),
    });
  }
}

const memoryWidths = [0, 8, 16, 32, 64, 48, 80, 128, 4096] as const;

/** Values that need the whole field, so that the encoder leaves room for any. */
const placeholder64 = 0x123456789abcdef0n;
function placeholderFor(width: number): bigint {
  return width === 8 ? 0x12n : width === 16 ? 0x1234n : 0x12345678n;
}
