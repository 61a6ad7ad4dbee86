/**
 * From files to modules: parsing, imports, and which names a module declares.
 *
 * `ParsedFile` depends on a file's text alone and is kept across compilations by `ParseCache`. `SourceModule` is a file's part in one
 * compilation. Import specifiers are `./x.ts` relative to the importing file, or `palindrome/…` (the library).
 */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Problems } from './problems.ts';

/** What a name stands for in a module's scope. */
export type Declaration =
  | { readonly kind: 'function'; readonly node: ts.FunctionDeclaration; readonly name: string }
  | { readonly kind: 'class'; readonly node: ts.ClassDeclaration; readonly name: string }
  | { readonly kind: 'interface'; readonly node: ts.InterfaceDeclaration; readonly name: string }
  | { readonly kind: 'alias'; readonly node: ts.TypeAliasDeclaration; readonly name: string }
  | {
      readonly kind: 'variable';
      readonly node: ts.VariableDeclaration | ts.PropertyDeclaration;
      readonly isConst: boolean;
      readonly name: string;
      readonly tags: Tags;
    }
  | { readonly kind: 'import'; readonly node: ts.Node; readonly from: string; readonly imported: string; readonly name: string }
  | { readonly kind: 'namespace'; readonly node: ts.Node; readonly from: string; readonly name: string };

/** JSDoc tags of a declaration by name; the first word behind the tag. */
export type Tags = ReadonlyMap<string, string>;

export interface ParsedFile {
  readonly path: string;
  readonly file: ts.SourceFile;
  /** Module specifiers in the order of the source. */
  readonly imports: readonly { readonly specifier: string; readonly node: ts.Node; readonly typeOnly: boolean }[];
  readonly values: ReadonlyMap<string, Declaration>;
  readonly types: ReadonlyMap<string, Declaration>;
  /** Exported name → local name or a name of another module. */
  readonly exports: ReadonlyMap<string, { readonly local: string } | { readonly from: string; readonly imported: string }>;
  /** Statements that may do something at start. */
  readonly initial: readonly ts.Statement[];
  /** `export * from`: specifiers. */
  readonly stars: readonly string[];
  /** What the subset does not have, seen while names were collected. */
  readonly refused: readonly { readonly node: ts.Node; readonly what: string; readonly help: string }[];
  readonly duplicates: readonly { readonly name: string; readonly node: ts.Node }[];
  /** Names assigned to, by the piece of source that was asked for: facts of the text, kept with it. */
  readonly assigned: Map<ts.Node, ReadonlySet<string>>;
  /** Tags of the statements that have any. */
  readonly tags: ReadonlyMap<ts.Node, Tags>;
  readonly syntax: readonly { readonly start: number; readonly length: number; readonly message: string }[];
}

export interface SourceModule {
  readonly path: string;
  readonly parsed: ParsedFile;
  readonly file: ts.SourceFile;
  /** May import intrinsics. */
  readonly trusted: boolean;
  /** Part of the compiler: only what is used of it is compiled. */
  readonly library: boolean;
  /** By specifier. */
  readonly imports: Map<string, SourceModule | 'intrinsics'>;
}

/** Parsed files by path and text, for ever: a compilation of the same text again costs no parsing. */
export class ParseCache {
  readonly #files = new Map<string, ParsedFile>();
  readonly #limit: number;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  parse(path: string, text: string): ParsedFile {
    const known = this.#files.get(path);
    if (known !== undefined && known.file.text === text) return known;
    const parsed = parseFile(path, text);
    if (this.#files.size >= this.#limit) this.#files.clear();
    this.#files.set(path, parsed);
    return parsed;
  }
}

export function tagsOf(file: ts.SourceFile, node: ts.Node): Tags {
  const start = node.getStart(file);
  if (start - node.pos < SHORTEST_TAG) return NO_TAGS;
  const leading = file.text.slice(node.pos, start);
  if (!leading.includes('@')) return NO_TAGS;
  const tags = new Map<string, string>();
  const comment = leading.slice(Math.max(0, leading.lastIndexOf('/**')));
  for (const match of comment.matchAll(/@(\w+)[ \t]*([^\s*]*)/g)) tags.set(match[1] ?? '', match[2] ?? '');
  return tags;
}

const NO_TAGS: Tags = new Map();
/** Characters of a comment with a tag. */
const SHORTEST_TAG = '/**@x*/'.length;

function parseFile(path: string, text: string): ParsedFile {
  const options = { languageVersion: ts.ScriptTarget.ESNext, jsDocParsingMode: ts.JSDocParsingMode.ParseNone };
  const file = ts.createSourceFile(path, text, options, false, ts.ScriptKind.TS);
  const imports: { specifier: string; node: ts.Node; typeOnly: boolean }[] = [];
  const values = new Map<string, Declaration>();
  const types = new Map<string, Declaration>();
  const exports = new Map<string, { local: string } | { from: string; imported: string }>();
  const duplicates: { name: string; node: ts.Node }[] = [];
  const stars: string[] = [];
  const refused: { node: ts.Node; what: string; help: string }[] = [];
  const put = (space: Map<string, Declaration>, d: Declaration): void => {
    if (space.has(d.name)) duplicates.push({ name: d.name, node: d.node });
    else space.set(d.name, d);
  };
  const allTags = new Map<ts.Node, Tags>();
  for (const statement of file.statements) {
    const ownTags = tagsOf(file, statement);
    if (ownTags.size > 0) allTags.set(statement, ownTags);
    const exported = ts.canHaveModifiers(statement) && statement.modifiers?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) === true;
    const note = (name: string): void => {
      if (exported) exports.set(name, { local: name });
    };
    if (ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier)) {
      const from = statement.moduleSpecifier.text;
      const clause = statement.importClause;
      const bindings = clause?.namedBindings;
      const typeOnly = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      imports.push({ specifier: from, node: statement.moduleSpecifier, typeOnly });
      if (clause?.name !== undefined) refused.push({ node: clause.name, what: 'a default import', help: 'import by name' });
      if (bindings !== undefined && ts.isNamespaceImport(bindings)) {
        put(values, { kind: 'namespace', node: bindings, from, name: bindings.name.text });
        put(types, { kind: 'namespace', node: bindings, from, name: bindings.name.text });
      } else if (bindings !== undefined) {
        for (const e of bindings.elements) {
          const d: Declaration = { kind: 'import', node: e, from, imported: (e.propertyName ?? e.name).text, name: e.name.text };
          put(types, d);
          put(values, d);
        }
      }
    } else if (ts.isExportDeclaration(statement)) {
      const from =
        statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier) ? statement.moduleSpecifier.text : null;
      if (from !== null) imports.push({ specifier: from, node: statement.moduleSpecifier ?? statement, typeOnly: statement.isTypeOnly });
      if (statement.exportClause === undefined && from !== null) stars.push(from);
      if (statement.exportClause !== undefined && !ts.isNamedExports(statement.exportClause)) {
        refused.push({ node: statement.exportClause, what: '`export * as`', help: 'import the module as a namespace where it is used' });
      }
      if (statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause)) {
        for (const e of statement.exportClause.elements) {
          const local = (e.propertyName ?? e.name).text;
          exports.set(e.name.text, from === null ? { local } : { from, imported: local });
        }
      }
    } else if (ts.isFunctionDeclaration(statement) && statement.name !== undefined) {
      put(values, { kind: 'function', node: statement, name: statement.name.text });
      note(statement.name.text);
    } else if (ts.isClassDeclaration(statement) && statement.name !== undefined) {
      const d: Declaration = { kind: 'class', node: statement, name: statement.name.text };
      put(values, d);
      put(types, d);
      note(d.name);
    } else if (ts.isInterfaceDeclaration(statement)) {
      put(types, { kind: 'interface', node: statement, name: statement.name.text });
      note(statement.name.text);
    } else if (ts.isTypeAliasDeclaration(statement)) {
      put(types, { kind: 'alias', node: statement, name: statement.name.text });
      note(statement.name.text);
    } else if (ts.isVariableStatement(statement)) {
      const isConst = (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
      const tags = ownTags;
      for (const node of statement.declarationList.declarations) {
        if (!ts.isIdentifier(node.name)) continue;
        put(values, { kind: 'variable', node, isConst, name: node.name.text, tags });
        note(node.name.text);
      }
    }
  }
  return {
    path,
    file,
    imports,
    values,
    types,
    exports,
    initial: file.statements.filter(mayRun),
    stars,
    refused,
    duplicates,
    assigned: new Map(),
    tags: allTags,
    syntax: syntaxProblems(file),
  };
}

const K = ts.SyntaxKind;
const NEVER_RUN: ReadonlySet<ts.SyntaxKind> = new Set([
  K.ImportDeclaration,
  K.ExportDeclaration,
  K.FunctionDeclaration,
  K.InterfaceDeclaration,
  K.TypeAliasDeclaration,
]);

function mayRun(statement: ts.Statement): boolean {
  return !NEVER_RUN.has(statement.kind);
}

function syntaxProblems(file: ts.SourceFile): ParsedFile['syntax'] {
  // The parser keeps these in a field that its declarations do not show.
  const found: unknown = Reflect.get(file, 'parseDiagnostics');
  if (!Array.isArray(found)) return bug('typescript does not give the problems of a parse');
  return found.map((d: ts.DiagnosticWithLocation) => ({
    start: d.start,
    length: d.length,
    message: ts.flattenDiagnosticMessageText(d.messageText, ' '),
  }));
}

export interface ModuleSources {
  /** The text of a file, or null. */
  read(path: string): string | null;
  /** The library module of a specifier `palindrome/…`: its path and text, or null. */
  library(specifier: string): { readonly path: string; readonly text: string } | null;
  trusted(path: string): boolean;
}

/** All modules that `entries` reach, imported ones before those that import them. */
export function loadModules(entries: readonly string[], sources: ModuleSources, cache: ParseCache, problems: Problems): SourceModule[] {
  const byPath = new Map<string, SourceModule>();
  const ordered: SourceModule[] = [];

  const load = (path: string, text: string, library: boolean): SourceModule => {
    const known = byPath.get(path);
    if (known !== undefined) return known;
    const parsed = cache.parse(path, text);
    const { file } = parsed;
    const module: SourceModule = { path, parsed, file, trusted: library || sources.trusted(path), library, imports: new Map() };
    byPath.set(path, module);
    for (const p of parsed.syntax) problems.addAt(file, p.start, p.start + p.length, 'P1001', p.message);
    for (const r of parsed.refused) problems.add(file, r.node, 'P1002', r.what, r.help);
    for (const d of parsed.duplicates) problems.add(file, d.node, 'P1105', d.name);
    for (const { specifier, node, typeOnly } of parsed.imports) {
      if (module.imports.has(specifier) && typeOnly) continue;
      const found = find(module, specifier, node);
      if (found !== null) module.imports.set(specifier, found);
    }
    ordered.push(module);
    return module;
  };

  const find = (from: SourceModule, specifier: string, node: ts.Node): SourceModule | 'intrinsics' | null => {
    if (specifier === 'palindrome/intrinsics') {
      if (!from.trusted) problems.add(from.file, node, 'P1104');
      return 'intrinsics';
    }
    if (specifier.startsWith('palindrome/')) {
      const found = sources.library(specifier);
      if (found !== null) return load(found.path, found.text, true);
    } else if (/^\.\.?\//.test(specifier)) {
      const path = joinPath(from.path, specifier);
      const text = sources.read(path);
      if (text !== null) return load(path, text, from.library);
    }
    problems.add(from.file, node, 'P1102', specifier);
    return null;
  };

  for (const entry of entries) {
    const found = entry.startsWith('palindrome/') ? sources.library(entry) : null;
    const text = found === null ? sources.read(entry) : found.text;
    if (text === null) return bug(`no text for the module ${entry}`);
    load(found?.path ?? entry, text, found !== null);
  }
  return ordered;
}

/** `specifier` as seen from the file `from`; both with `/`. */
export function joinPath(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
