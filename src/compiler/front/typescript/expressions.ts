/** Expressions, and conditions as control flow. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Block } from '../../ir/function.ts';
import { callInstance } from './calls.ts';
import type { Fn, Rv, Scope } from './context.ts';
import { Fn as FunctionContext } from './context.ts';
import { EscapeGraph, STATIC } from './escape.ts';
import { instanceOf } from './instances.ts';
import { lookupExport } from './names.ts';
import { ASSIGNMENT_OPERATORS, BINARY_OPERATORS, binary, COMPARISONS, compare, promoted, unary } from './operators.ts';
import { element, identifier, placeOf, property, read, typeOfPlace, write } from './places.ts';
import { resolveType } from './resolve.ts';
import { settled } from './shapes.ts';
import {
  BOOLEAN,
  F64,
  isSmall,
  NEVER,
  NULL,
  partsOf,
  STRING,
  type Type,
  U32,
  UNTYPED_BIGINT,
  UNTYPED_FLOAT,
  UNTYPED_NUMBER,
  unbranded,
} from './types.ts';
import {
  booleanRv,
  constantRv,
  convert,
  isPresent,
  made,
  materialise,
  NULL_RV,
  rv,
  settle,
  shown,
  single,
  stripNull,
  toIntegerChecked,
  truncateTo,
  VOID_RV,
} from './values.ts';

const K = ts.SyntaxKind;

export function expression(f: Fn, node: ts.Expression, want: Type | null): Rv {
  switch (node.kind) {
    case K.ParenthesizedExpression:
      return expression(f, (node as ts.ParenthesizedExpression).expression, want);
    case K.Identifier:
      return identifier(f, node as ts.Identifier);
    case K.NumericLiteral: {
      const { text } = node as ts.NumericLiteral;
      const source = f.scope.module.file.text.slice(Math.max(node.end - 40, node.pos), node.end);
      const isFloat = /(?:^|[^\w.])(?:\d[\d_]*)?(?:\.[\d_]*(?:e[+-]?\d+)?|\de[+-]?\d+)$/i.test(source);
      return constantRv(isFloat || !Number.isInteger(Number(text)) ? UNTYPED_FLOAT : UNTYPED_NUMBER, Number(text));
    }
    case K.BigIntLiteral:
      return constantRv(UNTYPED_BIGINT, BigInt((node as ts.BigIntLiteral).text.slice(0, -1)));
    case K.StringLiteral:
    case K.NoSubstitutionTemplateLiteral:
      return constantRv(STRING, (node as ts.StringLiteral).text);
    case K.TrueKeyword:
      return constantRv(BOOLEAN, true);
    case K.FalseKeyword:
      return constantRv(BOOLEAN, false);
    case K.NullKeyword:
      return NULL_RV;
    case K.ThisKeyword:
      return f.receiver ?? f.fail(node, 'P1505');
    case K.PropertyAccessExpression:
      return propertyAccess(f, node as ts.PropertyAccessExpression);
    case K.ElementAccessExpression: {
      const wrap = f.wrap;
      f.wrap = null;
      const value = element(f, node as ts.ElementAccessExpression);
      f.wrap = wrap;
      return value;
    }
    case K.CallExpression:
      return f.rules.call(f, node as ts.CallExpression, want);
    case K.NewExpression:
      return f.rules.create(f, node as ts.NewExpression, want, null);
    case K.ObjectLiteralExpression:
      return f.rules.objectLiteral(f, node as ts.ObjectLiteralExpression, want, null);
    case K.ArrowFunction:
    case K.FunctionExpression:
      return f.rules.arrow(f, node as ts.ArrowFunction, want);
    case K.BinaryExpression:
      return binaryExpression(f, node as ts.BinaryExpression, want);
    case K.PrefixUnaryExpression:
      return prefix(f, node as ts.PrefixUnaryExpression, want);
    case K.PostfixUnaryExpression:
      return step(f, node as ts.PostfixUnaryExpression, false);
    case K.ConditionalExpression:
      return conditional(f, node as ts.ConditionalExpression, want);
    case K.AsExpression:
      return asExpression(f, node as ts.AsExpression, want);
    case K.SatisfiesExpression:
      return expression(f, (node as ts.SatisfiesExpression).expression, want);
    case K.NonNullExpression:
      return f.fail(node, 'P1402');
    case K.ArrayLiteralExpression:
      return f.fail(node, 'P1002', 'an array literal in a function', 'make it at module level as a `const` table');
    case K.TemplateExpression:
      return f.fail(node, 'P1002', 'a template literal with holes', 'print the parts one by one');
    default:
      return f.fail(node, 'P1002', `this (${K[node.kind]})`, HELP.get(node.kind) ?? 'see docs/bare-typescript.md');
  }
}

const HELP: ReadonlyMap<ts.SyntaxKind, string> = new Map([
  [K.AwaitExpression, 'programs are synchronous'],
  [K.YieldExpression, 'write a loop'],
  [K.TypeOfExpression, 'types are known when the program is compiled'],
  [K.DeleteExpression, 'objects keep their fields'],
  [K.RegularExpressionLiteral, 'compare bytes in a loop'],
  [K.SpreadElement, 'pass the slice itself'],
  [K.ClassExpression, 'declare the class at module level'],
  [K.VoidExpression, 'write a statement'],
] as [ts.SyntaxKind, string][]);

function propertyAccess(f: Fn, node: ts.PropertyAccessExpression): Rv {
  if (node.questionDotToken === undefined) return property(f, node);
  const object = expression(f, node.expression, null);
  if (object.type.kind !== 'nullable') return f.fail(node, 'P1403', shown(object));
  const some = f.b.block();
  const none = f.b.block();
  const behind = f.b.block();
  const narrowed = made(f, object);
  f.branch(isPresent(f, narrowed), some, none);
  f.enter(some);
  const field = f.rules.member(f, stripNull(narrowed), node);
  const type = f.program.types.nullable(settled(field.type));
  return joinArms(f, type, convert(f, field, type, node), none, () => convert(f, NULL_RV, type, node), behind);
}

/** Ends this arm with `first`, makes the other in `other`, and gives what both meet as. */
function joinArms(f: Fn, type: Type, first: Rv, other: Block, makeSecond: () => Rv, behind: Block): Rv {
  const params = partsOf(type).map((t) => f.b.param(behind, t));
  const jump = (value: Rv): void => {
    f.noteEdge(behind);
    f.b.jump(behind, [...materialise(f, value)]);
  };
  jump(first);
  f.enter(other);
  const second = makeSecond();
  jump(second);
  f.enter(behind);
  const low =
    first.range !== undefined && second.range !== undefined
      ? { low: Math.min(first.range.low, second.range.low), high: Math.max(first.range.high, second.range.high) }
      : null;
  const isWrapped = first.isWrapped === true || second.isWrapped === true;
  const joined = rv(type, params, { origin: f.escape.join(first.origin, second.origin), ...(low === null ? {} : { range: low }) });
  return isWrapped ? { ...joined, isWrapped } : joined;
}

function conditional(f: Fn, node: ts.ConditionalExpression, want: Type | null): Rv {
  const whenTrue = f.b.block();
  const whenFalse = f.b.block();
  const known = f.rules.maybeConstant(f, node.condition, BOOLEAN);
  if (known?.constant === true) return expression(f, node.whenTrue, want);
  if (known?.constant === false) return expression(f, node.whenFalse, want);
  const { wrap } = f;
  f.wrap = null;
  condition(f, node.condition, whenTrue, whenFalse);
  f.wrap = wrap;
  return meet(f, node.whenTrue, node.whenFalse, whenTrue, whenFalse, want, node);
}

/** Two expressions in two arms; the result has the wanted type, or the one that holds both. */
function meet(f: Fn, a: ts.Expression, b: ts.Expression, first: Block, second: Block, want: Type | null, node: ts.Node): Rv {
  f.enter(first);
  const left = armOf(f, a, want);
  const firstEnd = f.b.block();
  f.jump(firstEnd);
  f.enter(second);
  const right = armOf(f, b, want);
  const type = meetType(f, left, right, want, node);
  const behind = f.b.block();
  if (left.isFresh || right.isFresh) f.fail(node, 'P1603', type.key);
  if (type.kind === 'void') {
    f.jump(behind);
    f.enter(firstEnd);
    f.jump(behind);
    f.enter(behind);
    return VOID_RV;
  }
  return joinArms(f, type, ranged(convert(f, right, type, b)), firstEnd, () => ranged(convert(f, left, type, a)), behind);
}

/** An arm of a conditional; within `wrapping.T(…)` it is cut to `T` where it stands. */
function armOf(f: Fn, node: ts.Expression, want: Type | null): Rv {
  const value = expression(f, node, want);
  return f.wrap === null || value.type === NEVER ? value : { ...truncateTo(f, value, f.wrap, node), isWrapped: true };
}

function ranged(value: Rv): Rv {
  return value.range === undefined && typeof value.constant === 'number' && isSmall(unbranded(value.type))
    ? { ...value, range: { low: value.constant, high: value.constant } }
    : value;
}

function meetType(f: Fn, a: Rv, b: Rv, want: Type | null, node: ts.Node): Type {
  const x = a.type;
  const y = b.type;
  if (x.kind === 'never') return settled(y);
  if (y.kind === 'never' || x === y) return settle(f, a, node).type === NULL ? (want ?? NULL) : settled(x);
  if (x === NULL) return f.program.types.nullable(settled(y));
  if (y === NULL) return f.program.types.nullable(settled(x));
  if (x.kind === 'nullable' || y.kind === 'nullable') {
    const p = x.kind === 'nullable' ? x.of : x;
    const q = y.kind === 'nullable' ? y.of : y;
    return f.program.types.nullable(q.kind === 'untyped' ? p : p.kind === 'untyped' ? q : q);
  }
  if (x.kind === 'untyped' && y.kind === 'untyped') return x === UNTYPED_FLOAT || y === UNTYPED_FLOAT ? F64 : settled(x);
  const p = unbranded(x);
  const q = unbranded(y);
  if (x.kind === 'untyped') return isSmall(q) ? promotedFor(a, q) : y;
  if (y.kind === 'untyped') return isSmall(p) ? promotedFor(b, p) : x;
  if (isSmall(p) && isSmall(q)) {
    if (p === q) return p;
    return q.least <= p.least && q.most >= p.most ? q : p.least <= q.least && p.most >= q.most ? p : promoted(p);
  }
  return p === q ? p : x;
}

function promotedFor(constant: Rv, type: Type): Type {
  const c = constant.constant;
  if (type.kind !== 'integer' || typeof c !== 'number') return type;
  if (c >= Number(type.least) && c <= Number(type.most)) return type;
  return c > 0x7fff_ffff ? U32 : promoted(type);
}

// Conditions

/** Goes to one block or the other, with what each then knows. */
export function condition(f: Fn, node: ts.Expression, whenTrue: Block, whenFalse: Block): void {
  if (ts.isParenthesizedExpression(node)) return condition(f, node.expression, whenTrue, whenFalse);
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken) return condition(f, node.operand, whenFalse, whenTrue);
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    if (kind === K.AmpersandAmpersandToken || kind === K.BarBarToken) {
      const middle = f.b.block();
      if (kind === K.AmpersandAmpersandToken) condition(f, node.left, middle, whenFalse);
      else condition(f, node.left, whenTrue, middle);
      f.enter(middle);
      return condition(f, node.right, whenTrue, whenFalse);
    }
    if (kind === K.EqualsEqualsEqualsToken || kind === K.ExclamationEqualsEqualsToken) {
      const tested = node.right.kind === K.NullKeyword ? node.left : node.left.kind === K.NullKeyword ? node.right : null;
      if (tested !== null) {
        const value = expression(f, tested, null);
        const [present, absent] = kind === K.ExclamationEqualsEqualsToken ? [whenTrue, whenFalse] : [whenFalse, whenTrue];
        if (value.type.kind === 'nullable') {
          const facts = value.path === null ? [] : [`n:${value.path}`];
          f.at(node);
          f.branch(isPresent(f, value), present, absent, facts, []);
          return;
        }
        if (value.type !== NULL && value.path === null) f.report(node, 'P1403', shown(value));
        f.jump(value.type === NULL ? absent : present);
        return;
      }
    }
  }
  const value = expression(f, node, BOOLEAN);
  if (value.type.kind === 'never') return;
  if (value.type.kind !== 'boolean') f.fail(node, 'P1305', shown(value));
  if (value.constant === true) return f.jump(whenTrue);
  if (value.constant === false) return f.jump(whenFalse);
  f.at(node);
  f.branch(single(f, value), whenTrue, whenFalse);
}

/** A condition as a value. */
function conditionValue(f: Fn, node: ts.Expression): Rv {
  const whenTrue = f.b.block();
  const whenFalse = f.b.block();
  const behind = f.b.block();
  const result = f.b.param(behind, 'i8');
  condition(f, node, whenTrue, whenFalse);
  for (const [block, value] of [
    [whenTrue, 1],
    [whenFalse, 0],
  ] as const) {
    f.enter(block);
    f.noteEdge(behind);
    f.b.jump(behind, [f.b.const('i8', value)]);
  }
  f.enter(behind);
  return booleanRv(result);
}

// Operators

function binaryExpression(f: Fn, node: ts.BinaryExpression, want: Type | null): Rv {
  const { kind } = node.operatorToken;
  const operator = BINARY_OPERATORS.get(kind);
  if (operator !== undefined) {
    const isInner = operator === '+' || operator === '-' || operator === '*' || operator === '<<';
    const wrap = f.wrap;
    if (!isInner) f.wrap = null;
    const left = expression(f, node.left, null);
    if (operator === '<<') f.wrap = null;
    const right = expression(f, node.right, null);
    f.wrap = isInner ? wrap : null;
    f.at(node);
    const value = binary(f, operator, left, right, node);
    f.wrap = wrap;
    return value;
  }
  const wrap = f.wrap;
  f.wrap = null;
  const value = otherBinary(f, node, want);
  f.wrap = wrap;
  return value;
}

function otherBinary(f: Fn, node: ts.BinaryExpression, want: Type | null): Rv {
  const { kind } = node.operatorToken;
  const comparison = COMPARISONS.get(kind);
  if (comparison !== undefined) {
    const left = expression(f, node.left, null);
    const right = expression(f, node.right, null);
    const isText = (v: Rv): boolean => v.type.kind === 'string' || v.type.kind === 'literal';
    f.at(node);
    if (isText(left) && isText(right) && (typeof left.constant !== 'string' || typeof right.constant !== 'string')) {
      if (comparison !== '===' && comparison !== '!==') return f.fail(node, 'P1304', comparison, 'string', 'compare bytes with charCodeAt');
      return compareTexts(f, left, right, comparison === '===', node);
    }
    return compare(f, comparison, left, right, node);
  }
  switch (kind) {
    case K.AmpersandAmpersandToken:
    case K.BarBarToken: {
      const known = f.rules.maybeConstant(f, node.left, BOOLEAN);
      if (typeof known?.constant === 'boolean') {
        return known.constant === (kind === K.AmpersandAmpersandToken) ? expression(f, node.right, BOOLEAN) : known;
      }
      return conditionValue(f, node);
    }
    case K.QuestionQuestionToken: {
      const left = made(f, expression(f, node.left, want === null ? null : f.program.types.nullable(want)));
      if (left.type.kind !== 'nullable') return f.fail(node.left, 'P1403', shown(left));
      const some = f.b.block();
      const none = f.b.block();
      f.branch(isPresent(f, left), some, none);
      f.enter(none);
      const right = expression(f, node.right, want ?? left.type.of);
      const type = right.type.kind === 'nullable' ? right.type : right.type === NULL ? left.type : left.type.of;
      return joinArms(f, type, convert(f, right, type, node.right), some, () => convert(f, stripNull(left), type, node.left), f.b.block());
    }
    case K.EqualsToken:
      return assignment(f, node);
    case K.EqualsEqualsToken:
      return f.fail(node.operatorToken, 'P1003', '==');
    case K.ExclamationEqualsToken:
      return f.fail(node.operatorToken, 'P1003', '!=');
    case K.CommaToken:
      return f.fail(node.operatorToken, 'P1002', 'the comma operator', 'write two statements');
    case K.AsteriskAsteriskToken:
      return f.fail(node.operatorToken, 'P1002', '`**`', 'multiply, or shift');
    case K.InstanceOfKeyword:
    case K.InKeyword:
      return f.fail(node.operatorToken, 'P1002', `\`${ts.tokenToString(kind) ?? ''}\``, 'types are known when the program is compiled');
  }
  const operator = ASSIGNMENT_OPERATORS.get(kind);
  if (operator === undefined) return f.fail(node.operatorToken, 'P1002', `\`${ts.tokenToString(kind) ?? ''}\``, 'write it out');
  const place = placeOf(f, node.left);
  const old = read(f, place, node.left);
  const right = expression(f, node.right, null);
  f.at(node);
  const result = binary(f, operator, old, right, node);
  const value = intoPlace(f, result, typeOfPlace(f, place), node);
  write(f, place, value, node);
  return value;
}

/** The result of a compound assignment: checked against the small type of its variable. */
function intoPlace(f: Fn, value: Rv, type: Type, node: ts.Node): Rv {
  const to = unbranded(type);
  const from = unbranded(value.type);
  if (isSmall(to) && isSmall(from) && type.kind !== 'brand') return toIntegerChecked(f, value, to, node);
  return convert(f, value, type, node);
}

function assignment(f: Fn, node: ts.BinaryExpression): Rv {
  if (ts.isArrayLiteralExpression(node.left) || ts.isObjectLiteralExpression(node.left)) return f.fail(node.left, 'P1006');
  const place = placeOf(f, node.left);
  const type = typeOfPlace(f, place);
  const value = expression(f, node.right, type);
  if (value.isFresh) f.fail(node.right, 'P1603', shown(value));
  const converted = convert(f, value, type, node.right);
  f.at(node);
  write(f, place, converted, node);
  const path = place.kind === 'local' ? `v${place.local.id}` : place.kind === 'memory' ? place.path : null;
  if (type.kind === 'nullable' && path !== null && value.type.kind !== 'nullable' && value.type !== NULL) f.addFacts(`n:${path}`);
  return converted;
}

function prefix(f: Fn, node: ts.PrefixUnaryExpression, want: Type | null): Rv {
  switch (node.operator) {
    case K.MinusToken:
    case K.TildeToken: {
      const operand = expression(f, node.operand, want);
      f.at(node);
      return unary(f, node.operator === K.MinusToken ? '-' : '~', operand, node);
    }
    case K.ExclamationToken: {
      const operand = expression(f, node.operand, BOOLEAN);
      if (operand.type.kind !== 'boolean') return f.fail(node.operand, 'P1305', shown(operand));
      if (typeof operand.constant === 'boolean') return constantRv(BOOLEAN, !operand.constant);
      return booleanRv(f.b.icmp('eq', single(f, operand), f.b.const('i8', 0)));
    }
    case K.PlusPlusToken:
    case K.MinusMinusToken:
      return step(f, node, true);
    default:
      return f.fail(node, 'P1002', 'unary `+`', 'convert with i32(…) or f64(…)');
  }
}

/** `x++`, `--x`. */
function step(f: Fn, node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression, givesNew: boolean): Rv {
  const { wrap } = f;
  f.wrap = null;
  const place = placeOf(f, node.operand);
  const old = made(f, read(f, place, node.operand));
  const type = unbranded(old.type);
  const one = type.kind === 'integer' && type.bits === 64 ? constantRv(UNTYPED_BIGINT, 1n) : constantRv(UNTYPED_NUMBER, 1);
  f.at(node);
  const result = intoPlace(f, binary(f, node.operator === K.PlusPlusToken ? '+' : '-', old, one, node), typeOfPlace(f, place), node);
  write(f, place, result, node);
  f.wrap = wrap;
  return givesNew ? result : old;
}

function asExpression(f: Fn, node: ts.AsExpression, want: Type | null): Rv {
  if (ts.isTypeReferenceNode(node.type) && ts.isIdentifier(node.type.typeName) && node.type.typeName.text === 'const') {
    return expression(f, node.expression, want);
  }
  const type = resolveType(f.program, f.scope, node.type);
  const value = expression(f, node.expression, type.kind === 'brand' ? type.base : type);
  if (value.type === type) return value;
  const to = type.kind === 'nullable' ? type.of : type;
  if (to.kind === 'brand') {
    if (to.module !== f.scope.module && !f.scope.module.trusted) return f.fail(node, 'P1312', to.key);
    const inner = value.type.kind === 'brand' ? { ...value, type: unbranded(value.type) } : value;
    if (type.kind === 'nullable') return f.fail(node, 'P1311', type.key, shown(value));
    return { ...convert(f, inner, unbranded(type), node), type };
  }
  if (value.type.kind === 'untyped' || value.type === NULL) return convert(f, value, type, node);
  const from = unbranded(value.type);
  if (from === unbranded(type)) return { ...value, type };
  if (isSmall(from) && isSmall(to)) return f.fail(node, 'P1311', type.key, shown(value));
  return convert(f, value, type, node);
}

function compareTexts(f: Fn, a: Rv, b: Rv, equal: boolean, node: ts.Node): Rv {
  const result = callRuntime(f, 'textsAreEqual', [a, b], node);
  return equal ? result : booleanRv(f.b.icmp('eq', single(f, result), f.b.const('i8', 0)));
}

/** Calls a function of the library's `runtime.ts`. */
export function callRuntime(f: Fn, name: string, args: readonly Rv[], node: ts.Node): Rv {
  const module = f.program.modules.find((m) => m.library && m.path.endsWith('runtime.ts')) ?? bug('no runtime module');
  const meaning = lookupExport(f.program, module, name, 'values', node);
  if (meaning?.kind !== 'declaration' || meaning.declaration.kind !== 'function') return bug(`the runtime has no ${name}`);
  const scope: Scope = { module, environment: new Map(), within: null };
  const instance = instanceOf(f.program, { node: meaning.declaration.node, name, scope, receiver: null }, new Map());
  return callInstance(f, instance, null, args, node);
}

// Constants and types without code

/** A function like `f` whose code is thrown away: it sees the same names. */
function shadow(f: Fn): Fn {
  const s = new FunctionContext(f.program, f.scope, 'scratch', [], [], new EscapeGraph(), 'scratch', null);
  s.scopes.unshift(...f.scopes);
  s.facts = f.facts;
  s.receiver = f.receiver === null ? null : { ...f.receiver, origin: STATIC };
  s.isDead = true;
  s.outerNames = f.outerNames;
  return s;
}

/** Whether an expression is such that it may be constant: keeps scratch work away from the others. */
function mayBeConstant(f: Fn, node: ts.Expression): boolean {
  switch (node.kind) {
    case K.NumericLiteral:
    case K.BigIntLiteral:
    case K.TrueKeyword:
    case K.FalseKeyword:
    case K.NullKeyword:
    case K.StringLiteral:
      return true;
    case K.Identifier: {
      const { text } = node as ts.Identifier;
      const local = f.lookup(text);
      if (local !== null) return local.value?.constant !== undefined;
      const declared = f.scope.module.parsed.values.get(text);
      return declared?.kind === 'import' || (declared?.kind === 'variable' && declared.isConst);
    }
    case K.ParenthesizedExpression:
      return mayBeConstant(f, (node as ts.ParenthesizedExpression).expression);
    case K.PrefixUnaryExpression: {
      const { operator, operand } = node as ts.PrefixUnaryExpression;
      return operator !== K.PlusPlusToken && operator !== K.MinusMinusToken && mayBeConstant(f, operand);
    }
    case K.PropertyAccessExpression:
      return (
        ts.isIdentifier((node as ts.PropertyAccessExpression).expression) &&
        mayBeConstant(f, (node as ts.PropertyAccessExpression).expression)
      );
    case K.BinaryExpression: {
      const { operatorToken, left, right } = node as ts.BinaryExpression;
      const assigns = operatorToken.kind === K.EqualsToken || ASSIGNMENT_OPERATORS.has(operatorToken.kind);
      return !assigns && mayBeConstant(f, left) && mayBeConstant(f, right);
    }
    default:
      return false;
  }
}

export function maybeConstant(f: Fn, node: ts.Expression, want: Type | null): Rv | null {
  if (!mayBeConstant(f, node)) return null;
  const value = expression(shadow(f), node, want);
  return value.constant !== undefined || value.type === NULL ? value : null;
}

export function typeOf(f: Fn, node: ts.Expression): Type {
  return expression(shadow(f), node, null).type;
}
