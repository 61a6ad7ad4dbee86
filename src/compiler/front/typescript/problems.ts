/**
 * Reporting: diagnostics are collected; the construct that has one is given up by throwing `Reported`, which the next statement catches.
 */

import type ts from 'typescript';
import { type Code, type Diagnostic, diagnostic } from '../../diagnostics.ts';
import type { Location } from '../../ir/module.ts';

/** Thrown after a diagnostic has been collected: this construct has no meaning, go on behind it. */
export class Reported extends Error {}

export class Problems {
  readonly #found = new Map<string, Diagnostic>();

  get all(): readonly Diagnostic[] {
    return [...this.#found.values()].sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column));
  }

  get any(): boolean {
    return this.#found.size > 0;
  }

  /** Collects a diagnostic at a node of a file; the same one at the same place counts once. */
  add(file: ts.SourceFile, node: ts.Node, code: Code, ...values: string[]): void {
    this.addAt(file, node.getStart(file), node.getEnd(), code, ...values);
  }

  addAt(file: ts.SourceFile, start: number, end: number, code: Code, ...values: string[]): void {
    const { line, character } = file.getLineAndCharacterOfPosition(start);
    const lines = file.getLineStarts();
    const source = file.text.slice(lines[line] ?? 0, lines[line + 1] ?? file.text.length).replace(/\r?\n$/, '');
    const d = diagnostic(
      code,
      { file: file.fileName, line: line + 1, column: character + 1, source, width: Math.max(1, end - start) },
      values,
    );
    const key = `${d.file}:${d.line}:${d.column}:${code}`;
    if (!this.#found.has(key)) this.#found.set(key, d);
  }

  /** Collects and gives up. */
  fail(file: ts.SourceFile, node: ts.Node, code: Code, ...values: string[]): never {
    this.add(file, node, code, ...values);
    throw new Reported(code);
  }
}

/** Where a node starts. */
export function locationOf(file: ts.SourceFile, node: ts.Node): Location {
  const start = node.getStart(file);
  const lines = file.getLineStarts();
  let line = 0;
  for (let end = lines.length; end - line > 1; ) {
    const middle = (line + end) >> 1;
    if ((lines[middle] ?? 0) <= start) line = middle;
    else end = middle;
  }
  return { file: file.fileName, line: line + 1, column: start - (lines[line] ?? 0) + 1 };
}
