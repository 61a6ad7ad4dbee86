/**
 * Module level: what its variables are, their storage, and the code that runs once at start.
 *
 * A constant has no storage. `const x = new C(…)`, `array(…)`, `[…]`, `{…}` is a static object that the name stands for. Anything else is a
 * cell. What can be computed now is written into the object's bytes; the rest becomes code of the module's initialiser, in order.
 */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import { assignedNames } from './assigned.ts';
import { callInstance, chooseInstance } from './calls.ts';
import { attempt, Fn, type Global, MODULE_SCOPE, type Program, type Rv, type Scope } from './context.ts';
import { EscapeGraph, STATIC } from './escape.ts';
import { finish } from './functions.ts';
import type { Declaration, SourceModule } from './modules.ts';
import { lookupValue } from './names.ts';
import {
  checkConstructor,
  classOfNew,
  constructorOf,
  elementTypeOf,
  fillElements,
  literalFields,
  makerBody,
  moveOwned,
} from './objects.ts';
import { staticDeclaration } from './places.ts';
import { locationOf } from './problems.ts';
import { resolveType, scopeOfClass } from './resolve.ts';
import { elementStorage, isArrayCall, isStatic, scratch, settled } from './shapes.ts';
import { bindParameter, disposeScope } from './statements.ts';
import { emit, StaticObject } from './static-object.ts';
import {
  type ClassType,
  irBytes,
  isReference,
  NO_ENVIRONMENT,
  partsOf,
  type SliceType,
  storageOf,
  TYPED_ARRAYS,
  type Type,
  unbranded,
  VOID,
} from './types.ts';
import { convert, rv, storeValue } from './values.ts';

type Variable = Extract<Declaration, { kind: 'variable' }>;

// What a variable is

export function globalOf(p: Program, module: SourceModule, d: Variable): Global {
  const known = p.globals.get(d);
  if (known === 'being made') return p.problems.fail(module.file, d.node, 'P1207', d.name);
  if (known !== undefined) return known;
  p.globals.set(d, 'being made');
  try {
    const made = makeGlobal(p, module, d);
    p.globals.set(d, made);
    return made;
  } catch (error) {
    p.globals.delete(d);
    throw error;
  }
}

/** Without brackets, `as const` and `satisfies`. */
function bare(node: ts.Expression): ts.Expression {
  if (ts.isParenthesizedExpression(node) || ts.isSatisfiesExpression(node)) return bare(node.expression);
  return ts.isAsExpression(node) && isAsConst(node) ? bare(node.expression) : node;
}

function isAsConst(node: ts.AsExpression): boolean {
  return ts.isTypeReferenceNode(node.type) && ts.isIdentifier(node.type.typeName) && node.type.typeName.text === 'const';
}

function makeGlobal(p: Program, module: SourceModule, d: Variable): Global {
  const scope = MODULE_SCOPE(module);
  const { initializer, type: typeNode } = d.node;
  const declared = typeNode === undefined ? null : resolveType(p, scope, typeNode);
  if (initializer === undefined) {
    if (declared === null) return p.problems.fail(module.file, d.node, 'P1005');
    return { kind: 'cell', symbol: nameCell(p, d), type: declared, isConst: d.isConst };
  }
  const node = bare(initializer);
  if (d.isConst && declared === null && ts.isObjectLiteralExpression(node)) {
    const members = new Map<string, ts.Expression>();
    for (const member of node.properties) {
      const name = member.name !== undefined && (ts.isIdentifier(member.name) || ts.isStringLiteral(member.name)) ? member.name.text : null;
      const value = ts.isPropertyAssignment(member) ? member.initializer : ts.isShorthandPropertyAssignment(member) ? member.name : null;
      if (name === null || value === null) return p.problems.fail(module.file, member, 'P1002', 'this member', 'write `name: value`');
      members.set(name, value);
    }
    return { kind: 'table', members, scope };
  }
  if (d.isConst && declared?.kind !== 'nullable') {
    const object = staticObjectType(p, scope, node, declared);
    if (object !== null) {
      const fixed = { symbol: nameCell(p, d), offset: 0, length: object.length };
      return {
        kind: 'object',
        value: { type: object.type, parts: null, fixed, origin: STATIC, path: `o${fixed.symbol}` },
        align: Number(d.tags.get('align') ?? 1),
      };
    }
  }
  const f = scratch(p, scope);
  const raw = f.expression(node, declared);
  if (d.isConst && (raw.constant !== undefined || raw.fixed !== undefined)) {
    const isNumberOrNull = declared?.kind === 'nullable' && !isReference(declared.of);
    if (!isNumberOrNull) return { kind: 'constant', value: { ...(declared === null ? raw : convert(f, raw, declared, node)), path: null } };
  }
  const type = declared ?? settled(raw.type);
  if (type.kind === 'null' || type === VOID) return p.problems.fail(module.file, d.node, 'P1005');
  if (declared !== null) convert(f, raw, declared, node);
  return { kind: 'cell', symbol: nameCell(p, d), type, isConst: d.isConst };
}

function nameCell(p: Program, d: Variable): string {
  const exported = d.tags.get('export');
  return exported === undefined ? p.symbol(d.name) : exported;
}

function makesObject(node: ts.Expression): boolean {
  return (
    ts.isNewExpression(node) ||
    ts.isArrayLiteralExpression(node) ||
    ts.isObjectLiteralExpression(node) ||
    (ts.isCallExpression(node) && isArrayCall(node))
  );
}

/** The type of a static object that an initialiser makes, or null. */
function staticObjectType(
  p: Program,
  scope: Scope,
  node: ts.Expression,
  declared: Type | null,
): { type: Type; length: number | null } | null {
  if (!makesObject(node)) return null;
  const f = scratch(p, scope);
  if (ts.isNewExpression(node)) {
    if (ts.isIdentifier(node.expression) && TYPED_ARRAYS.has(node.expression.text)) {
      const type = p.types.typedArray(node.expression.text);
      return { type: declared ?? type, length: typedArrayLength(f, node) };
    }
    const type = classOfNew(f, node, declared);
    return p.rules.shapeOf(p, type).size === 0
      ? null
      : { type: declared?.kind === 'class' && declared.node !== type.node ? declared : type, length: null };
  }
  if (ts.isCallExpression(node)) {
    const [count, make] = node.arguments;
    if (count === undefined || make === undefined)
      return p.problems.fail(scope.module.file, node, 'P1307', 'array', '2', String(node.arguments.length));
    const element = declared?.kind === 'slice' ? declared.element : elementTypeOf(f, node, make, makerBody(f, make));
    return { type: declared ?? p.types.slice(element, false), length: lengthConstant(f, count) };
  }
  if (ts.isArrayLiteralExpression(node)) {
    if (declared?.kind === 'slice') return { type: declared, length: node.elements.length };
    const [first] = node.elements;
    if (first === undefined) return p.problems.fail(scope.module.file, node, 'P1005');
    return { type: p.types.slice(settled(p.rules.typeOf(f, first)), true), length: node.elements.length };
  }
  if (ts.isObjectLiteralExpression(node) && declared?.kind === 'class') return { type: declared, length: null };
  return null;
}

function lengthConstant(f: Fn, node: ts.Expression): number {
  const { constant } = f.expression(node);
  if (typeof constant !== 'number' || !Number.isInteger(constant) || constant < 0 || constant > 0x7fff_ffff) return f.fail(node, 'P1607');
  return constant;
}

function typedArrayLength(f: Fn, node: ts.NewExpression): number {
  const [first] = node.arguments ?? [];
  if (first === undefined) return f.fail(node, 'P1307', 'new', '1', '0');
  return ts.isArrayLiteralExpression(first) ? first.elements.length : lengthConstant(f, first);
}

/** Where static values are made: `s` evaluates, `f` takes the code of what is not constant (null: then it is given up). */
interface Maker {
  readonly s: Fn;
  readonly f: Fn | null;
}

/** Writes the value of `node` into a static object; false if it is not constant and there is no place for code. */
function place(m: Maker, o: StaticObject, offset: number, type: Type, expression: ts.Expression): boolean {
  const { s } = m;
  const p = s.program;
  const node = bare(expression);
  const plain = unbranded(type);
  const inner = plain.kind === 'nullable' ? unbranded(plain.of) : plain;
  if (plain.kind === 'nullable' && !isReference(inner) && node.kind !== ts.SyntaxKind.NullKeyword) {
    const value = s.expression(node, plain.of);
    if (value.constant !== undefined && place(m, o, offset, plain.of, node)) {
      o.write(offset + storageOf(plain.of).size, 1, 1n);
      return true;
    }
    return inCode(m, o, offset, type, node);
  }
  if (makesObject(node) && (inner.kind === 'class' || inner.kind === 'slice')) {
    // A reference to an object of its own.
    const made = staticObjectType(p, s.scope, node, inner);
    if (made !== null) {
      p.anonymousObjects++;
      const symbol = p.symbol(`${o.symbol}.${offset}`);
      const { size, align } = objectStorage(p, made.type, made.length);
      const own = new StaticObject(symbol, size, align);
      if (!placeObject(m, own, 0, made.type, made.length, node)) return false;
      emit(p, own, isImmutable(p, made.type), undefined, false);
      convert(
        s,
        { type: made.type, parts: null, fixed: { symbol, offset: 0, length: made.length }, origin: STATIC, path: null },
        type,
        node,
      );
      o.address(offset, symbol, 0);
      if (made.length !== null) o.write(offset + 8, 8, BigInt(made.length));
      return true;
    }
  }
  const value = s.expression(node, type);
  if (value.type.kind === 'null') {
    convert(s, value, type, node);
    return true;
  }
  if (value.constant === undefined && value.fixed === undefined) return inCode(m, o, offset, type, node);
  return placeValue(s, o, offset, convert(s, value, type, node));
}

function placeValue(s: Fn, o: StaticObject, offset: number, value: Rv): boolean {
  const { constant, fixed } = value;
  if (fixed !== undefined) {
    o.address(offset, fixed.symbol, fixed.offset);
    if (fixed.length !== null) o.write(offset + 8, 8, BigInt(fixed.length));
    return true;
  }
  const type = unbranded(value.type);
  if (typeof constant === 'string') {
    const { symbol, length } = s.program.text(constant);
    o.address(offset, symbol, 0);
    o.write(offset + 8, 8, BigInt(length));
  } else if (type.kind === 'f64') o.float(offset, Number(constant));
  else if (constant !== undefined) o.write(offset, irBytes(partsOf(type)[0] ?? 'i8'), BigInt.asUintN(64, BigInt(constant)));
  else return bug('a static value that is not constant');
  return true;
}

/** The value is computed and stored when the program starts. */
function inCode(m: Maker, o: StaticObject, offset: number, type: Type, node: ts.Expression): boolean {
  const { f } = m;
  if (f === null) return false;
  o.hasCode = true;
  f.at(node);
  const value = f.expression(node, type);
  const address = f.b.symbol(o.symbol, offset);
  if (value.isFresh) {
    // An owned value at module level lives as long as the program.
    const owned = unbranded(value.type);
    const of = owned.kind === 'nullable' ? owned.of : owned;
    if (of.kind !== 'class' || owned.kind === 'nullable') return f.fail(node, 'P1603', value.type.key);
    const shape = f.rules.shapeOf(f.program, of);
    const symbol = f.program.symbol(`${o.symbol}.owned`);
    emit(f.program, new StaticObject(symbol, shape.size, shape.align), false, undefined, false);
    moveOwned(f, value, rv(of, [f.b.symbol(symbol)]), of);
    storeValue(f, rv(type, [f.b.symbol(symbol)]), address, 0);
    return true;
  }
  const converted = convert(f, value, type, node);
  f.escape.store(STATIC, converted.origin, node);
  storeValue(f, converted, address, 0);
  return true;
}

/** Nothing can be assigned in objects of the type: a `readonly` table whose rows have `readonly` fields only. */
function isImmutable(p: Program, type: Type): boolean {
  if (type.kind === 'slice') return type.readonly && (type.element.kind !== 'class' || isImmutable(p, type.element));
  if (type.kind !== 'class') return false;
  const { fields } = p.rules.shapeOf(p, type);
  return [...fields.values()].every((field) => field.isReadonly && field.inPlace === null);
}

function objectStorage(p: Program, type: Type, length: number | null): { size: number; align: number } {
  if (length === null) return type.kind === 'class' ? p.rules.shapeOf(p, type) : bug(`an object of ${type.key}`);
  if (type.kind !== 'slice') return bug(`elements of ${type.key}`);
  const { size, align } = elementStorage(p, type.element);
  return { size: size * length, align };
}

/** Writes an object that lies at this place: of a class, interface, or the elements of an array. */
function placeObject(m: Maker, o: StaticObject, offset: number, type: Type, length: number | null, expression: ts.Expression): boolean {
  const node = bare(expression);
  if (length !== null) return type.kind === 'slice' ? placeElements(m, o, offset, type, length, node) : bug(type.key);
  if (type.kind !== 'class') return bug(type.key);
  if (ts.isNewExpression(node)) return placeNew(m, o, offset, type, node);
  if (ts.isObjectLiteralExpression(node)) {
    const shape = m.s.rules.shapeOf(m.s.program, type);
    for (const [name, value] of literalFields(m.s, node, type, shape)) {
      const field = shape.fields.get(name) ?? bug(name);
      if (!place(m, o, offset + field.offset, field.type, value)) return false;
    }
    return true;
  }
  return m.s.fail(node, 'P1302', 'this', type.key, 'the objects of an array lie in place: write new C(…) or an object literal');
}

function placeElements(m: Maker, o: StaticObject, offset: number, type: SliceType, length: number, node: ts.Expression): boolean {
  const { size } = elementStorage(m.s.program, type.element);
  const one = (at: number, e: ts.Expression): boolean =>
    type.element.kind === 'class' ? placeObject(m, o, at, type.element, null, e) : place(m, o, at, type.element, e);
  const list = ts.isArrayLiteralExpression(node) ? node.elements : ts.isNewExpression(node) ? node.arguments?.[0] : null;
  if (list !== null && list !== undefined && !('kind' in list)) return list.every((e, i) => one(offset + i * size, e));
  if (ts.isNewExpression(node)) {
    const [first] = node.arguments ?? [];
    return first === undefined || !ts.isArrayLiteralExpression(first) || first.elements.every((e, i) => one(offset + i * size, e));
  }
  if (!ts.isCallExpression(node) || length === 0) return true;
  const make = node.arguments[1] ?? bug('counted before');
  const body = makerBody(m.s, make);
  const isSame = !(ts.isArrowFunction(make) || ts.isFunctionExpression(make)) || make.parameters.length === 0;
  const before = m.s.program.anonymousObjects;
  if (isSame && oneWithoutCode(m, o, offset, type, body)) {
    // Elements that refer to objects of their own need one each.
    const isShared = m.s.program.anonymousObjects === before;
    if (isShared) o.repeat(offset, size, length);
    else for (let i = 1; i < length; i++) oneWithoutCode(m, o, offset + i * size, type, body);
    return true;
  }
  o.clear(offset, size * length);
  if (m.f === null) return false;
  o.hasCode = true;
  const { f } = m;
  fillElements(f, f.b.symbol(o.symbol, offset), length, make, body, type.element);
  return true;
}

function oneWithoutCode(m: Maker, o: StaticObject, offset: number, type: SliceType, body: ts.Expression): boolean {
  const quiet: Maker = { s: m.s, f: null };
  return type.element.kind === 'class'
    ? placeObject(quiet, o, offset, type.element, null, body)
    : place(quiet, o, offset, type.element, body);
}

/** `new C(…)`: its bytes if the constructor only stores constants, else a call of the constructor. */
function placeNew(m: Maker, o: StaticObject, offset: number, type: ClassType, node: ts.NewExpression): boolean {
  const { s } = m;
  const made = classOfNew(s, node, type);
  const shape = s.rules.shapeOf(s.program, made);
  checkConstructor(s, made, shape, node);
  const template = constructorOf(made, shape);
  if (template === null) {
    if ((node.arguments?.length ?? 0) > 0) s.fail(node, 'P1307', made.name, '0', String(node.arguments?.length ?? 0));
    return true;
  }
  if (foldNew(s, o, offset, made, node)) return true;
  o.clear(offset, shape.size);
  const { f } = m;
  if (f === null) return false;
  o.hasCode = true;
  f.at(node);
  const chosen = chooseInstance(f, template, node, node.arguments ?? [], undefined, null);
  callInstance(f, chosen.instance, rv(made, [f.b.symbol(o.symbol, offset)]), chosen.args, node);
  return true;
}

function foldNew(s: Fn, o: StaticObject, offset: number, type: ClassType, node: ts.NewExpression): boolean {
  const p = s.program;
  const shape = s.rules.shapeOf(p, type);
  const within = scratch(p, scopeOfClass(type));
  const m: Maker = { s: within, f: null };
  const { constructorNode } = shape;
  if (constructorNode !== null && !bindConstants(s, within, constructorNode, node.arguments ?? [])) return false;
  within.receiver = { type, parts: null, fixed: { symbol: o.symbol, offset, length: null }, origin: STATIC, path: null };
  for (const field of shape.fields.values()) {
    if (field.initialiser === null) continue;
    const at = offset + field.offset;
    const length = field.inPlace?.kind === 'slice' ? field.inPlace.length : null;
    const done =
      field.inPlace === null
        ? place(m, o, at, field.type, field.initialiser)
        : placeObject(m, o, at, field.type, length, field.initialiser);
    if (!done) return false;
  }
  for (const statement of constructorNode?.body?.statements ?? []) {
    const e = ts.isExpressionStatement(statement) ? statement.expression : null;
    if (e === null || !ts.isBinaryExpression(e) || e.operatorToken.kind !== ts.SyntaxKind.EqualsToken) return false;
    if (!ts.isPropertyAccessExpression(e.left) || e.left.expression.kind !== ts.SyntaxKind.ThisKeyword) return false;
    const field = shape.fields.get(e.left.name.text);
    if (field === undefined || field.inPlace !== null || !isSimple(e.right)) return false;
    if (!place(m, o, offset + field.offset, field.type, e.right)) return false;
  }
  return true;
}

/** Names, literals and members of names: what may be evaluated without asking what it does. */
function isSimple(node: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(node)) return ts.isIdentifier(node.expression);
  if (ts.isPrefixUnaryExpression(node)) return isSimple(node.operand);
  return (
    ts.isIdentifier(node) ||
    ts.isLiteralExpression(node) ||
    [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword].includes(node.kind)
  );
}

/** Gives the constructor's parameters their constant arguments; false if one is not constant. */
function bindConstants(s: Fn, within: Fn, node: ts.ConstructorDeclaration, given: readonly ts.Expression[]): boolean {
  if (node.body !== undefined && assignedNames(within.scope.module, node.body).size > node.body.statements.length) return false;
  for (const [i, q] of node.parameters.entries()) {
    const argument = given[i];
    if (argument === undefined || q.type === undefined || !ts.isIdentifier(q.name)) return false;
    const type = resolveType(s.program, within.scope, q.type);
    if (ts.isNewExpression(argument) || ts.isObjectLiteralExpression(argument)) return false;
    const value = s.expression(argument, type);
    if (value.constant === undefined && value.fixed === undefined) return false;
    const converted = convert(s, value, type, argument);
    if (converted.constant === undefined && converted.fixed === undefined) return false;
    bindParameter(within, q.name.text, converted, q);
  }
  return given.length === node.parameters.length;
}

// Modules

/**
 * Lowers what a module does at start. Of a library module only what is used; call it again when more is.
 * @returns the symbol of the function that does it, or null if there is nothing to do
 */
export function lowerModuleLevel(p: Program, module: SourceModule, done: Set<ts.Node>): string | null {
  const statements = module.library ? module.parsed.initial.filter((s) => isWanted(p, module, s, done)) : module.parsed.initial;
  if (statements.length === 0) return null;
  const symbol = p.symbol(`initialise ${module.path}`);
  const f = new Fn(p, MODULE_SCOPE(module), symbol, [], [], new EscapeGraph(), 'initialiser', locationOf(module.file, module.file));
  f.result = VOID;
  f.body = module.file;
  for (const statement of statements) attempt(() => topLevel(f, module, statement, done));
  const [scope] = f.scopes;
  if (scope !== undefined && scope.disposals.length > 0 && !f.isDead) disposeScope(f, scope);
  if (f.b.isOpen) {
    if (f.isDead) f.b.trap('unreachable');
    else f.b.return([]);
  }
  const blocks = f.b.fn.blocks;
  const isEmpty = blocks.length === 1 && blocks[0]?.instructions.length === 0 && blocks[0].terminator?.op === 'return';
  if (isEmpty) return null;
  p.initialisers.push({ scope: MODULE_SCOPE(module), params: [], escape: f.escape });
  f.b.fn.inline = 'never';
  finish(f);
  return symbol;
}

/** Whether a statement of the library does something that the program uses and that is not lowered yet. */
function isWanted(p: Program, module: SourceModule, node: ts.Statement, done: ReadonlySet<ts.Node>): boolean {
  if (!ts.isVariableStatement(node)) return !done.has(node);
  return node.declarationList.declarations.some((declaration) => {
    const d = ts.isIdentifier(declaration.name) ? module.parsed.values.get(declaration.name.text) : undefined;
    return d !== undefined && p.globals.has(d) && !done.has(declaration);
  });
}

function topLevel(f: Fn, module: SourceModule, node: ts.Statement, done: Set<ts.Node>): void {
  const p = f.program;
  const K = ts.SyntaxKind;
  switch (node.kind) {
    case K.EmptyStatement:
      return;
    case K.ExportAssignment:
      return f.fail(node, 'P1002', 'a default export', 'export by name');
    case K.EnumDeclaration:
      return f.fail(node, 'P1002', '`enum`', 'write `const Name = { A: 0, B: 1 } as const;`');
    case K.ModuleDeclaration:
      return f.fail(node, 'P1002', '`namespace`', 'a file is a module');
  }
  if (ts.isClassDeclaration(node)) {
    for (const member of node.members) {
      if (!ts.isPropertyDeclaration(member) || !isStatic(member)) continue;
      const d = staticDeclaration(p.statics, node.name?.text ?? '?', member);
      if (module.library && !p.globals.has(d)) continue;
      attempt(() => initialise(f, module, d, done));
    }
    return;
  }
  if (ts.isVariableStatement(node)) {
    const kind = node.declarationList.flags & ts.NodeFlags.BlockScoped;
    if (isDeclared(node)) f.fail(node, 'P1002', 'a variable that is only declared', 'give it a value, or read it with symbol(…)');
    if (kind === ts.NodeFlags.None) f.fail(node, 'P1004');
    if (kind === ts.NodeFlags.Using) return f.rules.statement(f, node);
    for (const declaration of node.declarationList.declarations) {
      if (!ts.isIdentifier(declaration.name)) f.fail(declaration.name, 'P1006');
      const d = module.parsed.values.get(declaration.name.getText(module.file));
      if (d?.kind !== 'variable' || d.node !== declaration) continue;
      if (module.library && !p.globals.has(d)) continue;
      attempt(() => initialise(f, module, d, done));
    }
    return;
  }
  if (done.has(node)) return;
  if (ts.isExpressionStatement(node) && isAssembly(f, module, node.expression)) {
    done.add(node);
    const [text] = ts.isCallExpression(node.expression) ? node.expression.arguments : [];
    if (text === undefined || !ts.isStringLiteralLike(text)) return f.fail(node, 'P1308', 'the text');
    p.ir.assembly.push({ name: module.path, text: text.text, location: locationOf(module.file, text) });
    return;
  }
  if (module.library) return;
  done.add(node);
  f.rules.statement(f, node);
}

function isDeclared(node: ts.VariableStatement): boolean {
  return node.modifiers?.some((m) => m.kind === ts.SyntaxKind.DeclareKeyword) === true;
}

function isAssembly(f: Fn, module: SourceModule, node: ts.Expression): boolean {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return false;
  const meaning = lookupValue(f.program, module, node.expression.text, node);
  return meaning?.kind === 'intrinsic' && meaning.name === 'assembly';
}

/** Storage and value of one variable. */
function initialise(f: Fn, module: SourceModule, d: Variable, done: Set<ts.Node>): void {
  if (done.has(d.node)) return;
  done.add(d.node);
  try {
    initialiseVariable(f, module, d);
  } finally {
    f.program.initialised.add(d);
  }
}

function initialiseVariable(f: Fn, module: SourceModule, d: Variable): void {
  const p = f.program;
  const global = globalOf(p, module, d);
  const { initializer } = d.node;
  const section = d.tags.get('section');
  const exported = d.tags.has('export');
  const wanted = Number(d.tags.get('align') ?? 1);
  if (!Number.isInteger(Math.log2(wanted))) p.problems.fail(module.file, d.node, 'P1007', 'align', 'a power of two is wanted');
  if (global.kind === 'constant') return;
  if (global.kind === 'table') {
    for (const member of global.members.values()) p.rules.constant(p, global.scope, member);
    return;
  }
  const within = ts.isPropertyDeclaration(d.node) ? (f.scope.within ?? null) : null;
  const m: Maker = { s: scratch(p, { module, environment: NO_ENVIRONMENT, within }), f };
  if (global.kind === 'object') {
    const { type, fixed } = global.value;
    const length = fixed?.length ?? null;
    const { size, align } = objectStorage(p, type, length);
    const o = new StaticObject(fixed?.symbol ?? bug('fixed'), size, Math.max(align, wanted));
    placeObject(m, o, 0, type, length, initializer ?? bug('an object has an initialiser'));
    emit(p, o, isImmutable(p, type), section, exported);
  } else {
    const { size, align } = storageOf(global.type);
    const o = new StaticObject(global.symbol, size, Math.max(align, wanted));
    if (initializer !== undefined) place(m, o, 0, global.type, initializer);
    emit(p, o, global.isConst, section, exported);
  }
}

/** The constant that an expression is. */
export function constantOf(p: Program, scope: Scope, node: ts.Expression): Rv {
  const value = scratch(p, scope).expression(bare(node));
  if (value.constant === undefined && value.fixed === undefined && value.type.kind !== 'null') {
    return p.problems.fail(scope.module.file, node, 'P1308', 'this');
  }
  return { ...value, path: null };
}
