/** One statement's text → tokens. Columns count from 1. */
import { AssemblyError } from './problem.ts';

export type Token =
  | { readonly kind: 'name'; readonly text: string; readonly column: number }
  | { readonly kind: 'number'; readonly value: bigint; readonly column: number }
  /** `1b`, `1f`: the nearest numeric label backwards or forwards. */
  | { readonly kind: 'local'; readonly label: string; readonly forward: boolean; readonly column: number }
  | { readonly kind: 'string'; readonly bytes: Uint8Array; readonly column: number }
  | { readonly kind: 'punctuation'; readonly text: string; readonly column: number }
  | { readonly kind: 'end'; readonly column: number };

/** `;` separates statements as in GNU as; `#` and `//` begin a comment. */
export interface Statement {
  readonly tokens: readonly Token[];
  readonly line: number;
}

const patterns: readonly (readonly [RegExp, (text: string, column: number, line: number) => Token])[] = [
  [/0x[0-9a-f_]+/iy, number((text) => BigInt(text.replaceAll('_', '')))],
  [/0b[01][01_]*(?![0-9a-z])/iy, number((text) => BigInt(text.replaceAll('_', '')))],
  [/\d+[bf](?![0-9a-z_])/iy, localLabel],
  [/\d[0-9a-f]*h(?![0-9a-z_])/iy, number((text) => BigInt(`0x${text.slice(0, -1)}`))],
  [/\d+(?![0-9a-z_])/iy, decimal],
  [/[A-Za-z_.$@][\w.$@]*/y, (text, column) => ({ kind: 'name', text, column })],
  [/"(?:[^"\\]|\\.)*"/y, (text, column, line) => ({ kind: 'string', bytes: unquoted(text.slice(1, -1), column, line), column })],
  [/'(?:[^'\\]|\\.)'/y, character],
  [/<<|>>|[-+*/%()[\],:|&^~!=<>]/y, (text, column) => ({ kind: 'punctuation', text, column })],
];

export function* statements(text: string): Generator<Statement | AssemblyError> {
  for (const [index, line] of text.split('\n').entries()) {
    try {
      yield* statementsOf(line, index + 1);
    } catch (error) {
      if (!(error instanceof AssemblyError)) throw error;
      yield error;
    }
  }
}

function statementsOf(line: string, number: number): Statement[] {
  const all: Statement[] = [];
  let tokens: Token[] = [];
  let at = 0;
  const finish = () => {
    if (tokens.length > 0) all.push({ tokens: [...tokens, { kind: 'end', column: at + 1 }], line: number });
    tokens = [];
  };
  while (at < line.length) {
    const rest = line[at];
    if (rest === ' ' || rest === '\t' || rest === '\r') {
      at += 1;
    } else if (rest === '#' || line.startsWith('//', at)) {
      break;
    } else if (rest === ';') {
      finish();
      at += 1;
    } else {
      const [token, length] = next(line, at, number);
      tokens.push(token);
      at += length;
    }
  }
  finish();
  return all;
}

function next(line: string, at: number, number: number): [Token, number] {
  for (const [pattern, make] of patterns) {
    pattern.lastIndex = at;
    const [text] = pattern.exec(line) ?? [];
    if (text !== undefined) return [make(text, at + 1, number), text.length];
  }
  throw AssemblyError.at(number, at + 1, `'${line[at] ?? ''}' cannot stand here`);
}

function number(read: (text: string) => bigint): (text: string, column: number) => Token {
  return (text, column) => ({ kind: 'number', value: read(text), column });
}

function decimal(text: string, column: number, line: number): Token {
  if (/^0\d/.test(text)) throw AssemblyError.at(line, column, `${text} would be octal: write ${text.replace(/^0+/, '') || '0'} or 0x…`);
  return { kind: 'number', value: BigInt(text), column };
}

function localLabel(text: string, column: number): Token {
  return { kind: 'local', label: text.slice(0, -1), forward: /f$/i.test(text), column };
}

function character(text: string, column: number, line: number): Token {
  const bytes = unquoted(text.slice(1, -1), column, line);
  if (bytes.length !== 1) throw AssemblyError.at(line, column, `${text} is more than one byte`);
  return { kind: 'number', value: BigInt(bytes[0] ?? 0), column };
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, b: 8, f: 12, 0: 0, '"': 34, "'": 39, '\\': 92 };

function unquoted(text: string, column: number, line: number): Uint8Array {
  const bytes: number[] = [];
  const parts = /\\x([0-9a-f]{1,2})|\\([0-7]{2,3})|\\(.)|([^\\]+)/giy;
  for (const [whole, hex, octal, single, plain] of text.matchAll(parts)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else if (octal !== undefined) bytes.push(Number.parseInt(octal, 8) & 0xff);
    else if (single !== undefined) bytes.push(escapes[single] ?? badEscape(whole, column, line));
    else bytes.push(...new TextEncoder().encode(plain ?? ''));
  }
  return Uint8Array.from(bytes);
}

function badEscape(text: string, column: number, line: number): never {
  throw AssemblyError.at(line, column, `the escape ${text} is unknown`);
}
