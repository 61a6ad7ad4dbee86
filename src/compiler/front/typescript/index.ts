/**
 * The front end's door: modules of bare TypeScript → a module of the IR, or diagnostics.
 *
 * Order: parse what the entries reach; lower all functions of the program's own modules and, of the library's, those that are called;
 * lower what runs at start; check the escape rule over all functions; note the layouts.
 */

import ts from 'typescript';
import type { Diagnostic } from '../../diagnostics.ts';
import { Module } from '../../ir/module.ts';
import { builtin, builtinMember, sliceMember } from './builtins.ts';
import { makeCall } from './calls.ts';
import { attempt, Program, type ProgramNotes, type Rules } from './context.ts';
import { debugGlobals } from './debug-globals.ts';
import { solveEscapes } from './escape.ts';
import { callRuntime, condition, expression, maybeConstant, typeOf } from './expressions.ts';
import { lowerInstance } from './functions.ts';
import { instanceOf, memberTemplate } from './instances.ts';
import { intrinsic } from './intrinsics.ts';
import { layoutsOf } from './layouts.ts';
import { loadModules, type ModuleSources, type ParseCache, type SourceModule } from './modules.ts';
import { lookupType, lookupValue } from './names.ts';
import { arrow, create, objectLiteral } from './objects.ts';
import { member } from './places.ts';
import { Problems } from './problems.ts';
import { resolveType } from './resolve.ts';
import { isStatic, memberName, shapeOf } from './shapes.ts';
import { callerOf, INITIALISE, type StartCache } from './start.ts';
import { disposeScope, statement } from './statements.ts';
import { constantOf, globalOf, lowerModuleLevel } from './static.ts';
import { type ClassType, NO_ENVIRONMENT } from './types.ts';

export { ParseCache } from './modules.ts';
export { VariableNotes } from './notes.ts';
export { StartCache } from './start.ts';

export interface FrontResult {
  readonly module: Module;
  readonly diagnostics: readonly Diagnostic[];
}

const RULES: Rules = {
  expression,
  condition,
  statement,
  resolveType,
  shapeOf,
  global: globalOf,
  lowerInstance,
  disposeScope,
  textsAreEqual: (f, a, b, node) => callRuntime(f, 'textsAreEqual', [a, b], node),
  member,
  constant: constantOf,
  maybeConstant,
  typeOf,
  call: makeCall({ builtin, builtinMember, intrinsic, sliceMember }),
  create,
  objectLiteral,
  arrow,
};

/**
 * Lowers the modules that `entries` reach; the first is the program.
 *
 * @param starts what is known of the library's own part; null where passes change functions, which those kept may not be
 * @param notes for debug information of variables; null if none is wanted
 */
export function lowerProgram(
  entries: readonly string[],
  sources: ModuleSources,
  cache: ParseCache,
  starts: StartCache | null,
  notes: ProgramNotes | null,
): FrontResult {
  const problems = new Problems();
  const modules = loadModules(entries, sources, cache, problems);
  // What a broken text means is anybody's guess: only its syntax is reported.
  if (modules.some((m) => m.parsed.syntax.length > 0)) return { module: new Module(), diagnostics: problems.all };
  const p = new Program(modules, problems, RULES, notes);
  p.reserve(INITIALISE);
  const exported = new Set<string>();
  for (const module of modules) reserveSymbols(p, module, exported);
  for (const module of modules) if (!module.library) requestAll(p, module);

  const done = new Set<ts.Node>();
  const own: string[] = [];
  for (const module of modules) {
    if (module.library) continue;
    const symbol = lowerModuleLevel(p, module, done);
    if (symbol !== null) own.push(symbol);
  }
  drain(p);
  const lower = (): readonly string[] => lowerLibrary(p, modules, done);
  const symbols = [...(starts === null ? lower() : starts.add(p, lower)), ...own];
  p.ir.functions.push(starts === null ? callerOf(symbols) : starts.caller(symbols));
  solveEscapes([...p.instances.values(), ...p.initialisers], p.reachable(), (subject, node, code, ...values) =>
    problems.add(subject.scope.module.file, node, code, ...values),
  );
  if (!problems.any) {
    p.ir.layouts = layoutsOf(p);
    if (notes !== null) {
      notes.sayTypes(p);
      p.ir.globals = debugGlobals(p);
    }
  }
  return { module: p.ir, diagnostics: problems.all };
}

/** What the program uses of the library, which may use more of it. @returns the symbols of its initialisers */
function lowerLibrary(p: Program, modules: readonly SourceModule[], done: Set<ts.Node>): readonly string[] {
  const symbols: string[] = [];
  for (let before = -1; before !== p.globals.size + p.instances.size; ) {
    before = p.globals.size + p.instances.size;
    for (const module of modules) {
      if (!module.library) continue;
      requestExported(p, module);
      const symbol = lowerModuleLevel(p, module, done);
      if (symbol !== null) symbols.push(symbol);
    }
    drain(p);
  }
  return symbols;
}

function drain(p: Program): void {
  for (let instance = p.waiting.shift(); instance !== undefined; instance = p.waiting.shift()) lowerInstance(p, instance);
}

/** Symbols that the source demands are taken first, so that nothing else gets them. */
function reserveSymbols(p: Program, module: SourceModule, exported: Set<string>): void {
  for (const [statement, tags] of module.parsed.tags) {
    if (!ts.isFunctionDeclaration(statement) && !ts.isVariableStatement(statement)) continue;
    for (const tag of ['extern', 'section']) {
      if (tags.has(tag) && !module.trusted) p.problems.add(module.file, statement, 'P1806', tag);
    }
    const symbol = tags.get('export') ?? tags.get('extern');
    if (symbol === undefined) continue;
    if (symbol === '')
      p.problems.add(module.file, statement, 'P1007', tags.has('export') ? 'export' : 'extern', 'a linker symbol is wanted behind it');
    else if (tags.has('export') && exported.has(symbol)) p.problems.add(module.file, statement, 'P1108', symbol);
    else {
      p.reserve(symbol);
      if (tags.has('export')) exported.add(symbol);
    }
  }
}

/** All functions and methods of a module that need no type arguments: they are compiled, used or not. */
function requestAll(p: Program, module: SourceModule): void {
  for (const d of module.parsed.values.values()) {
    if (d.kind === 'import') attempt(() => lookupValue(p, module, d.name, d.node) ?? lookupType(p, module, d.name, d.node));
  }
  for (const statement of module.file.statements) {
    if (ts.isFunctionDeclaration(statement)) attempt(() => requestFunction(p, module, statement));
    else if (ts.isClassDeclaration(statement) && statement.typeParameters === undefined) attempt(() => requestClass(p, module, statement));
    else if (ts.isInterfaceDeclaration(statement) && statement.typeParameters === undefined) {
      attempt(() => shapeOf(p, p.types.class(statement.name.text, statement, module, NO_ENVIRONMENT, [])));
    } else if (ts.isTypeAliasDeclaration(statement) && statement.typeParameters === undefined) {
      attempt(() => resolveType(p, { module, environment: NO_ENVIRONMENT, within: null }, statement.type));
    }
  }
}

function requestFunction(p: Program, module: SourceModule, node: ts.FunctionDeclaration): void {
  if (node.name === undefined || node.typeParameters !== undefined) return;
  const scope = { module, environment: NO_ENVIRONMENT, within: null };
  const takesBound = node.parameters.some((q) => {
    const type = q.type === undefined ? null : resolveType(p, scope, q.type);
    return type?.kind === 'class' && shapeOf(p, type).isBound;
  });
  if (!takesBound) instanceOf(p, { node, name: node.name.text, scope, receiver: null }, NO_ENVIRONMENT);
}

/** Functions of the library with a linker symbol: assembly calls them. */
function requestExported(p: Program, module: SourceModule): void {
  for (const [statement, tags] of module.parsed.tags) {
    if (ts.isFunctionDeclaration(statement) && tags.has('export')) attempt(() => requestFunction(p, module, statement));
  }
}

function requestClass(p: Program, module: SourceModule, node: ts.ClassDeclaration): void {
  const type: ClassType = p.types.class(node.name?.text ?? '?', node, module, NO_ENVIRONMENT, []);
  shapeOf(p, type);
  for (const m of node.members) {
    const isFunction =
      ts.isMethodDeclaration(m) || ts.isGetAccessorDeclaration(m) || ts.isSetAccessorDeclaration(m) || ts.isConstructorDeclaration(m);
    if (!isFunction || (ts.isMethodDeclaration(m) && m.typeParameters !== undefined)) continue;
    attempt(() => {
      const scope = { module, environment: NO_ENVIRONMENT, within: type };
      const takesBound = m.parameters.some((q) => {
        const of = q.type === undefined ? null : resolveType(p, scope, q.type);
        return of?.kind === 'class' && shapeOf(p, of).isBound;
      });
      if (takesBound) return;
      if (isStatic(m) && ts.isMethodDeclaration(m)) {
        const name = `${type.name}.${memberName(m.name) ?? '?'}`;
        instanceOf(p, { node: m, name, scope, receiver: null }, NO_ENVIRONMENT);
      } else instanceOf(p, memberTemplate(type, m), NO_ENVIRONMENT);
    });
  }
}
