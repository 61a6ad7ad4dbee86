/** From type nodes to types: names, aliases, generics, unions, brands. And the other way: inferring type arguments from arguments' types. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import { MODULE_SCOPE, type Program, type Scope } from './context.ts';
import type { Declaration, SourceModule } from './modules.ts';
import { lookupEntity, lookupValue } from './names.ts';
import {
  BOOLEAN,
  type ClassNode,
  type ClassType,
  F64,
  I32,
  I64,
  NAMED_TYPES,
  NULL,
  STRING,
  TYPED_ARRAYS,
  type Type,
  type TypeEnvironment,
  U32,
  U64,
  unbranded,
  VOID,
} from './types.ts';

export function resolveType(p: Program, scope: Scope, node: ts.TypeNode): Type {
  const fail = (why: string): never => p.problems.fail(scope.module.file, node, 'P1201', node.getText(scope.module.file), why);
  switch (node.kind) {
    case ts.SyntaxKind.BooleanKeyword:
      return BOOLEAN;
    case ts.SyntaxKind.StringKeyword:
      return STRING;
    case ts.SyntaxKind.VoidKeyword:
      return VOID;
    case ts.SyntaxKind.NeverKeyword:
      return NAMED_TYPES.get('never') ?? bug('never');
    case ts.SyntaxKind.NumberKeyword:
      return fail('say which: u8 u16 u32 i8 i16 i32 f64');
    case ts.SyntaxKind.BigIntKeyword:
      return fail('say which: u64 or i64');
    case ts.SyntaxKind.ThisType:
      return scope.within ?? fail('there is no class here');
  }
  if (ts.isParenthesizedTypeNode(node)) return resolveType(p, scope, node.type);
  if (ts.isTypeReferenceNode(node)) return resolveReference(p, scope, node);
  if (ts.isArrayTypeNode(node)) return p.types.slice(resolveType(p, scope, node.elementType), false);
  if (ts.isTypeOperatorNode(node)) {
    if (node.operator === ts.SyntaxKind.KeyOfKeyword) return STRING;
    if (node.operator === ts.SyntaxKind.ReadonlyKeyword && ts.isArrayTypeNode(node.type)) {
      return p.types.slice(resolveType(p, scope, node.type.elementType), true);
    }
  }
  if (ts.isFunctionTypeNode(node)) {
    const params = node.parameters.map((q) =>
      q.type === undefined ? p.problems.fail(scope.module.file, q, 'P1206') : resolveType(p, scope, q.type),
    );
    return p.types.function(params, resolveType(p, scope, node.type));
  }
  if (ts.isUnionTypeNode(node)) return resolveUnion(p, scope, node);
  if (ts.isIntersectionTypeNode(node)) return resolveBrand(p, scope, node, node.getText(scope.module.file));
  if (ts.isTypeLiteralNode(node)) return p.types.class('{…}', node, scope.module, scope.environment, []);
  if (ts.isLiteralTypeNode(node)) {
    const { literal } = node;
    if (literal.kind === ts.SyntaxKind.NullKeyword) return NULL;
    if (ts.isStringLiteral(literal)) return p.types.literal(literal.text);
    if (literal.kind === ts.SyntaxKind.TrueKeyword || literal.kind === ts.SyntaxKind.FalseKeyword) return BOOLEAN;
    return resolveNumbers(p, scope, node, [node]);
  }
  if (ts.isTypeQueryNode(node)) return typeOfValue(p, scope, node) ?? fail('`typeof` is for variables with a type of their own');
  if (ts.isIndexedAccessTypeNode(node)) return resolveIndexed(p, scope, node) ?? fail('only (typeof TABLE)[keyof typeof TABLE] is meant');
  return fail('see docs/bare-typescript.md, "Types"');
}

function resolveReference(p: Program, scope: Scope, node: ts.TypeReferenceNode): Type {
  const { file } = scope.module;
  const args = node.typeArguments ?? [];
  if (ts.isIdentifier(node.typeName)) {
    const name = node.typeName.text;
    const bound = scope.environment.get(name);
    if (bound !== undefined) return bound;
    const found = lookupEntity(p, scope, node.typeName);
    if (found === null) {
      const named = NAMED_TYPES.get(name);
      if (named !== undefined) return named;
      if (TYPED_ARRAYS.has(name)) return p.types.typedArray(name);
      const element = args[0];
      if ((name === 'FixedArray' || name === 'Array' || name === 'ReadonlyArray') && element !== undefined) {
        return p.types.slice(resolveType(p, scope, element), name === 'ReadonlyArray');
      }
      if ((name === 'Readonly' || name === 'NonNullable') && element !== undefined) return resolveType(p, scope, element);
      if (lookupValue(p, scope.module, name, node) !== null) p.problems.fail(file, node, 'P1110', name);
      p.problems.fail(file, node, 'P1101', name);
    }
  }
  const meaning = lookupEntity(p, scope, node.typeName);
  if (meaning?.kind !== 'declaration') return p.problems.fail(file, node, 'P1101', node.typeName.getText(file));
  const { module, declaration } = meaning;
  if (declaration.kind !== 'class' && declaration.kind !== 'interface' && declaration.kind !== 'alias') {
    return p.problems.fail(file, node, 'P1110', declaration.name);
  }
  const resolved = args.map((a) => resolveType(p, scope, a));
  return applyArguments(p, module, declaration, resolved, () => {
    const wanted = declaration.node.typeParameters?.length ?? 0;
    return p.problems.fail(file, node, 'P1203', declaration.name, String(wanted), String(resolved.length));
  });
}

/** The type that a declaration gives for type arguments; defaults are filled in. */
export function applyArguments(
  p: Program,
  module: SourceModule,
  declaration: Extract<Declaration, { kind: 'class' | 'interface' | 'alias' }>,
  args: readonly Type[],
  mismatch: () => never,
): Type {
  const parameters = declaration.node.typeParameters ?? [];
  if (args.length > parameters.length) mismatch();
  const environment = new Map<string, Type>();
  for (const [i, parameter] of parameters.entries()) {
    const scope = { module, environment, within: null };
    const arg = args[i] ?? (parameter.default === undefined ? mismatch() : resolveType(p, scope, parameter.default));
    environment.set(parameter.name.text, arg);
  }
  if (declaration.kind !== 'alias')
    return p.types.class(declaration.name, declaration.node, module, environment, [...environment.values()]);
  const scope: Scope = { module, environment, within: null };
  const { type } = declaration.node;
  if (ts.isIntersectionTypeNode(type)) return resolveBrand(p, scope, type, declaration.name);
  return resolveType(p, scope, type);
}

/** `T & { readonly brand: … }`. */
function resolveBrand(p: Program, scope: Scope, node: ts.IntersectionTypeNode, name: string): Type {
  const bases = node.types.filter((t) => !ts.isTypeLiteralNode(t));
  const [base] = bases;
  if (base === undefined || bases.length !== 1) {
    return p.problems.fail(scope.module.file, node, 'P1201', node.getText(scope.module.file), 'a brand is `T & { readonly brand: … }`');
  }
  const type = resolveType(p, scope, base);
  const plain = unbranded(type);
  if (plain.kind === 'nullable' || plain.kind === 'null') {
    return p.problems.fail(scope.module.file, base, 'P1201', node.getText(scope.module.file), 'null has no brand: write `Brand | null`');
  }
  return p.types.brand(name, type, scope.module, node);
}

function resolveUnion(p: Program, scope: Scope, node: ts.UnionTypeNode): Type {
  const text = node.getText(scope.module.file);
  const fail = (): never => p.problems.fail(scope.module.file, node, 'P1202', text);
  const numbers: ts.LiteralTypeNode[] = [];
  const others = new Set<Type>();
  let hasNull = false;
  for (const member of node.types) {
    if (ts.isLiteralTypeNode(member) && isNumeric(member.literal)) {
      numbers.push(member);
      continue;
    }
    const type = resolveType(p, scope, member);
    if (type.kind === 'null') hasNull = true;
    else if (type.kind === 'nullable') {
      hasNull = true;
      others.add(type.of);
    } else others.add(type.kind === 'literal' ? STRING : type);
  }
  if (others.size > 1) {
    // Different brands of one type, or a brand and its base: the base.
    const bases = new Set([...others].map(unbranded));
    if (bases.size > 1) return fail();
    others.clear();
    for (const base of bases) others.add(base);
  }
  let type: Type | undefined = [...others][0];
  if (numbers.length > 0) {
    const literal = resolveNumbers(p, scope, node, numbers);
    if (type === undefined) type = literal;
    else {
      const base = unbranded(type);
      const fits = base.kind === 'integer' && numbers.every((n) => holds(base, n));
      if (!fits && base.kind !== 'f64') return fail();
      type = base;
    }
  }
  if (type === undefined || type.kind === 'void' || type.kind === 'never') return fail();
  return hasNull ? p.types.nullable(type) : type;
}

function isNumeric(node: ts.Node): boolean {
  return ts.isNumericLiteral(node) || ts.isBigIntLiteral(node) || (ts.isPrefixUnaryExpression(node) && isNumeric(node.operand));
}

function literalValue(node: ts.LiteralTypeNode): number | bigint {
  const { literal } = node;
  const operand = ts.isPrefixUnaryExpression(literal) ? literal.operand : literal;
  const sign = ts.isPrefixUnaryExpression(literal) && literal.operator === ts.SyntaxKind.MinusToken ? -1 : 1;
  if (ts.isBigIntLiteral(operand)) return BigInt(operand.text.slice(0, -1)) * BigInt(sign);
  return ts.isNumericLiteral(operand) ? Number(operand.text) * sign : 0;
}

function holds(type: Type, node: ts.LiteralTypeNode): boolean {
  const value = literalValue(node);
  if (type.kind !== 'integer' || (typeof value === 'bigint') !== (type.bits === 64)) return false;
  return (typeof value === 'bigint' || Number.isInteger(value)) && BigInt(value) >= type.least && BigInt(value) <= type.most;
}

function resolveNumbers(p: Program, scope: Scope, node: ts.TypeNode, literals: readonly ts.LiteralTypeNode[]): Type {
  for (const type of [I32, U32, U64, I64]) if (literals.every((n) => holds(type, n))) return type;
  if (literals.every((n) => typeof literalValue(n) === 'number')) return F64;
  return p.problems.fail(scope.module.file, node, 'P1202', node.getText(scope.module.file));
}

/** `typeof name`: the type of a module-level variable. */
function typeOfValue(p: Program, scope: Scope, node: ts.TypeQueryNode): Type | null {
  if (!ts.isIdentifier(node.exprName)) return null;
  const found = lookupValue(p, scope.module, node.exprName.text, node);
  if (found?.kind !== 'declaration' || found.declaration.kind !== 'variable') return null;
  const global = p.rules.global(p, found.module, found.declaration);
  if (global.kind === 'cell') return global.type;
  if (global.kind === 'table') return null;
  const { type } = global.value;
  return type.kind === 'untyped' ? (type.key === 'bigint' ? U64 : type.key === 'float' ? F64 : I32) : type;
}

/** `(typeof TABLE)[keyof typeof TABLE]` and `(typeof TABLE)['name']`: the type that holds all members. */
function resolveIndexed(p: Program, scope: Scope, node: ts.IndexedAccessTypeNode): Type | null {
  const object = ts.isParenthesizedTypeNode(node.objectType) ? node.objectType.type : node.objectType;
  if (!ts.isTypeQueryNode(object) || !ts.isIdentifier(object.exprName)) return null;
  const found = lookupValue(p, scope.module, object.exprName.text, node);
  if (found?.kind !== 'declaration' || found.declaration.kind !== 'variable') return null;
  const global = p.rules.global(p, found.module, found.declaration);
  if (global.kind === 'cell' || global.kind === 'object') {
    const type = global.kind === 'cell' ? global.type : global.value.type;
    return type.kind === 'slice' ? type.element : null;
  }
  if (global.kind !== 'table') return null;
  const texts = [...global.members.values()];
  if (texts.every(ts.isStringLiteral)) return STRING;
  if (texts.some((e) => ts.isBigIntLiteral(e))) return U64;
  const isNegative = (e: ts.Expression): boolean => ts.isPrefixUnaryExpression(e) && e.operator === ts.SyntaxKind.MinusToken;
  const isLarge = (e: ts.Expression): boolean => ts.isNumericLiteral(e) && Number(e.text) > 0x7fff_ffff;
  return texts.some(isLarge) && !texts.some(isNegative) ? U32 : I32;
}

/** Binds type parameters in `found` so that `node` means `type`, as far as that can be seen. */
export function inferArguments(
  p: Program,
  scope: Scope,
  node: ts.TypeNode,
  type: Type,
  names: ReadonlySet<string>,
  found: Map<string, Type>,
): void {
  if (ts.isParenthesizedTypeNode(node)) return inferArguments(p, scope, node.type, type, names, found);
  if (ts.isTypeReferenceNode(node)) {
    if (ts.isIdentifier(node.typeName) && names.has(node.typeName.text)) {
      const known = found.get(node.typeName.text);
      if (type.kind !== 'untyped' && type.kind !== 'null' && (known === undefined || known.kind === 'untyped'))
        found.set(node.typeName.text, type);
      else if (known === undefined && type.kind === 'untyped') found.set(node.typeName.text, type);
      return;
    }
    const args = node.typeArguments ?? [];
    if (type.kind === 'class') {
      for (const [i, a] of args.entries()) {
        const bound = type.args[i];
        if (bound !== undefined) inferArguments(p, scope, a, bound, names, found);
      }
    } else if (type.kind === 'slice' && args[0] !== undefined && type.typedArray === null) {
      inferArguments(p, scope, args[0], type.element, names, found);
    }
  } else if (ts.isArrayTypeNode(node)) {
    if (type.kind === 'slice') inferArguments(p, scope, node.elementType, type.element, names, found);
  } else if (ts.isTypeOperatorNode(node)) {
    inferArguments(p, scope, node.type, type, names, found);
  } else if (ts.isUnionTypeNode(node)) {
    const of = type.kind === 'nullable' ? type.of : type;
    for (const member of node.types) if (!ts.isLiteralTypeNode(member)) inferArguments(p, scope, member, of, names, found);
  } else if (ts.isFunctionTypeNode(node) && type.kind === 'function') {
    for (const [i, q] of node.parameters.entries()) {
      const param = type.params[i];
      if (q.type !== undefined && param !== undefined) inferArguments(p, scope, q.type, param, names, found);
    }
    inferArguments(p, scope, node.type, type.result, names, found);
  }
}

/** The type parameters' constraints: a bound of methods asks for a class that has them. */
export function checkBounds(
  p: Program,
  scope: Scope,
  at: ts.Node,
  atFile: ts.SourceFile,
  parameters: readonly ts.TypeParameterDeclaration[],
  environment: TypeEnvironment,
): void {
  for (const parameter of parameters) {
    const type = environment.get(parameter.name.text);
    const { constraint } = parameter;
    if (type === undefined || constraint === undefined) continue;
    if (ts.isTypeReferenceNode(constraint) && ts.isIdentifier(constraint.typeName) && constraint.typeName.text === 'integer') {
      const isInteger = unbranded(type).kind === 'integer';
      if (!isInteger) p.problems.fail(atFile, at, 'P1205', type.key, 'integer', 'it is no integer type');
      continue;
    }
    if (constraint.kind === ts.SyntaxKind.StringKeyword || ts.isUnionTypeNode(constraint)) continue;
    const bound = resolveType(p, { ...scope, environment }, constraint);
    if (bound.kind === 'class') checkBound(p, at, atFile, type, bound);
  }
}

export function checkBound(p: Program, at: ts.Node, atFile: ts.SourceFile, type: Type, bound: ClassType): void {
  if (type === bound) return;
  if (type.kind !== 'class') return p.problems.fail(atFile, at, 'P1205', type.key, bound.key, 'it is no class');
  const shape = p.rules.shapeOf(p, type);
  for (const name of memberNames(bound.node)) {
    if (shape.fields.has(name) || shape.methods.has(name) || shape.getters.has(name)) continue;
    p.problems.fail(atFile, at, 'P1205', type.key, bound.key, `it has no member ${name}`);
  }
}

function memberNames(node: ClassNode): string[] {
  return node.members.map((m) => (m.name !== undefined && ts.isIdentifier(m.name) ? m.name.text : '')).filter((name) => name !== '');
}

/** The declaration of a class by its type: for messages and layouts. */
export function scopeOfClass(type: ClassType): Scope {
  return { ...MODULE_SCOPE(type.module), environment: type.environment, within: type };
}
