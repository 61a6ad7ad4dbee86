/** The members of classes and interfaces, and how objects lie in memory: fields in the order of declaration, each naturally aligned. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import { Fn, type Program, type Scope } from './context.ts';
import { EscapeGraph } from './escape.ts';
import { tagsOf } from './modules.ts';
import { resolveType, scopeOfClass } from './resolve.ts';
import { type ClassShape, type ClassType, F64, type Field, I32, type InPlace, NULL, STRING, storageOf, type Type, U64 } from './types.ts';

export function shapeOf(p: Program, type: ClassType): ClassShape {
  if (type.shape === 'being made') return p.problems.fail(type.module.file, type.node, 'P1208', type.name);
  if (type.shape !== null) return type.shape;
  type.shape = 'being made';
  try {
    const shape = makeShape(p, type);
    type.shape = shape;
    return shape;
  } catch (error) {
    type.shape = null;
    throw error;
  }
}

/** The name of a member, `[Symbol.dispose]` as `dispose`. */
export function memberName(name: ts.PropertyName | ts.PrivateIdentifier | undefined): string | null {
  if (name === undefined) return null;
  if (ts.isIdentifier(name) || ts.isPrivateIdentifier(name) || ts.isStringLiteral(name)) return name.text;
  if (!ts.isComputedPropertyName(name) || !ts.isPropertyAccessExpression(name.expression)) return null;
  const { expression, name: key } = name.expression;
  if (ts.isIdentifier(expression) && expression.text === 'Symbol' && key.text === 'dispose') return DISPOSE;
  return null;
}

export const DISPOSE = '[Symbol.dispose]';

export function isStatic(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && node.modifiers?.some((m) => m.kind === ts.SyntaxKind.StaticKeyword) === true;
}

export function isPrivate(node: ts.ClassElement | ts.TypeElement): boolean {
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return true;
  return ts.canHaveModifiers(node) && node.modifiers?.some((m) => m.kind === ts.SyntaxKind.PrivateKeyword) === true;
}

function hasReadonly(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && node.modifiers?.some((m) => m.kind === ts.SyntaxKind.ReadonlyKeyword) === true;
}

function makeShape(p: Program, type: ClassType): ClassShape {
  const { file } = type.module;
  const scope = scopeOfClass(type);
  const fields = new Map<string, Field>();
  const methods = new Map<string, ts.MethodDeclaration>();
  const getters = new Map<string, ts.GetAccessorDeclaration>();
  const setters = new Map<string, ts.SetAccessorDeclaration>();
  let constructorNode: ts.ConstructorDeclaration | null = null;
  let isBound = false;
  let size = 0;
  let align = 1;

  const place = (name: string, node: ts.PropertyDeclaration | ts.PropertySignature): void => {
    if (node.questionToken !== undefined) p.problems.fail(file, node, 'P1002', 'an optional field', `write \`${name}: T | null\``);
    const initialiser = ts.isPropertyDeclaration(node) ? (node.initializer ?? null) : null;
    const isReadonly = hasReadonly(node);
    const declared = node.type === undefined ? null : resolveType(p, scope, node.type);
    const inPlace = initialiser === null ? null : inPlaceOf(p, scope, initialiser, declared);
    if (inPlace !== null && !isReadonly) p.problems.fail(file, node, 'P1509', name);
    const fieldType =
      inPlace?.type ?? declared ?? (initialiser === null ? p.problems.fail(file, node, 'P1005') : inferType(p, scope, initialiser));
    const storage = inPlace?.storage ?? storageOf(fieldType);
    const offset = alignUp(size, storage.align);
    fields.set(name, {
      name,
      type: fieldType,
      offset,
      size: storage.size,
      isReadonly,
      isPrivate: isPrivate(node),
      inPlace: inPlace?.how ?? null,
      initialiser,
    });
    size = offset + storage.size;
    align = Math.max(align, storage.align);
  };

  for (const member of type.node.members) {
    if (ts.isConstructorDeclaration(member)) {
      if (member.body !== undefined) constructorNode = member;
      continue;
    }
    const name = memberName(member.name);
    if (name === null) {
      if (ts.isSemicolonClassElement(member)) continue;
      p.problems.fail(file, member, 'P1002', 'this member', 'classes have fields, methods, getters, setters and one constructor');
    }
    if (isStatic(member)) continue;
    if (ts.isMethodDeclaration(member)) methods.set(name, member);
    else if (ts.isMethodSignature(member) || (ts.isGetAccessor(member) === false && ts.isCallSignatureDeclaration(member))) isBound = true;
    else if (ts.isGetAccessor(member)) getters.set(name, member);
    else if (ts.isSetAccessor(member)) setters.set(name, member);
    else if (ts.isPropertyDeclaration(member) || ts.isPropertySignature(member)) place(name, member);
  }
  const tagged = tagsOf(file, type.node).get('align');
  if (tagged !== undefined) {
    const wanted = Number(tagged);
    if (!Number.isInteger(Math.log2(wanted))) p.problems.fail(file, type.node, 'P1007', 'align', 'a power of two is wanted');
    align = Math.max(align, wanted);
  }
  if (ts.isClassDeclaration(type.node) && type.node.heritageClauses?.some((c) => c.token === ts.SyntaxKind.ExtendsKeyword) === true) {
    p.problems.fail(file, type.node.name ?? type.node, 'P1503');
  }
  return { fields, methods, getters, setters, constructorNode, size: alignUp(size, align), align, owned: methods.has(DISPOSE), isBound };
}

function alignUp(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}

/** The storage of an element of `T[]`: objects of a class lie in place. */
export function elementStorage(p: Program, element: Type): { readonly size: number; readonly align: number } {
  return element.kind === 'class' ? shapeOf(p, element) : storageOf(element);
}

interface Placed {
  readonly type: Type;
  readonly how: InPlace;
  readonly storage: { readonly size: number; readonly align: number };
}

/** Whether an initialiser makes an object that lies in its field: `new C(…)`, `new Uint8Array(N)`, `array(N, …)`. */
function inPlaceOf(p: Program, scope: Scope, initialiser: ts.Expression, declared: Type | null): Placed | null {
  const made = ts.isNewExpression(initialiser) || (ts.isCallExpression(initialiser) && isArrayCall(initialiser)) ? initialiser : null;
  if (made === null) return null;
  const type = declared !== null && declared.kind !== 'nullable' ? declared : inferType(p, scope, initialiser);
  if (type.kind === 'class') {
    const { size, align } = shapeOf(p, type);
    return { type, how: { kind: 'object' }, storage: { size, align } };
  }
  if (type.kind !== 'slice') return null;
  const [first] = made.arguments ?? [];
  const length = first === undefined ? null : constantNumber(p, scope, first);
  if (length === null) return p.problems.fail(scope.module.file, initialiser, 'P1607');
  const { size, align } = elementStorage(p, type.element);
  return { type, how: { kind: 'slice', length }, storage: { size: size * length, align } };
}

export function isArrayCall(node: ts.CallExpression): boolean {
  return ts.isIdentifier(node.expression) && node.expression.text === 'array';
}

/** Lowers an expression into a function that is thrown away: for its type or constant. */
export function scratch(p: Program, scope: Scope): Fn {
  return new Fn(p, scope, 'scratch', [], [], new EscapeGraph(), 'scratch', null);
}

export function inferType(p: Program, scope: Scope, node: ts.Expression): Type {
  return settled(scratch(p, scope).expression(node).type);
}

/** What an untyped constant's type is when nothing else says: `i32`, `u64`, `f64`. */
export function settled(type: Type): Type {
  if (type.kind === 'literal') return STRING;
  if (type === NULL || type.kind !== 'untyped') return type;
  return type.key === 'bigint' ? U64 : type.key === 'float' ? F64 : I32;
}

/** The value of a constant whole number, 0 or more; null if it is none. */
export function constantNumber(p: Program, scope: Scope, node: ts.Expression): number | null {
  const { constant } = scratch(p, scope).expression(node);
  if (typeof constant !== 'number' && typeof constant !== 'bigint') return null;
  const value = Number(constant);
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function fieldOf(shape: ClassShape, name: string): Field {
  return shape.fields.get(name) ?? bug(`no field ${name}`);
}
