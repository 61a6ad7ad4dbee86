/** Making objects in a function: `new`, object literals, `array(…)`, functions as values. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import { assignedNames } from './assigned.ts';
import { callInstance, chooseInstance, ownedPlace } from './calls.ts';
import type { Fn, FunctionNode, Rv, Scope } from './context.ts';
import { type Origin, STATIC } from './escape.ts';
import { instanceOf, memberTemplate, type Template } from './instances.ts';
import { elementAddress, functionValue, meaningOf } from './places.ts';
import { inferArguments, resolveType } from './resolve.ts';
import { elementStorage, memberName, settled } from './shapes.ts';
import { type ClassShape, type ClassType, I32, mayPointToFrame, type SliceType, TYPED_ARRAYS, type Type, unbranded } from './types.ts';
import { convert, rv, single, storeValue } from './values.ts';

const FRAME_LIMIT = 16384;

/** Code that runs once, when the program starts: what it makes is static. */
function runsOnce(f: Fn): boolean {
  return f.isInitialiser && f.loopDepth === 0;
}

/** The origin of storage that is made here. */
function frameOrigin(f: Fn): Origin {
  if (runsOnce(f)) return STATIC;
  return f.loopDepth > 0 ? f.escape.loop : f.escape.frame;
}

/** Zeroed storage in this frame. */
export function frameStorage(f: Fn, size: number, align: number, node: ts.Node): Rv['parts'] {
  if (runsOnce(f)) {
    const symbol = f.program.symbol('static');
    const bytes = Math.max(1, size);
    f.program.ir.data.push({ symbol, section: '.bss', kind: 'bss', align, size: bytes, bytes: null, relocations: [], exported: false });
    return [f.b.symbol(symbol)];
  }
  if (f.frameBytes + size > FRAME_LIMIT && !f.isScratch) f.fail(node, 'P1608', String(size), String(FRAME_LIMIT));
  const address = f.b.slotAddress(f.slot(size, align));
  if (size > 0) f.b.memory('memset', address, f.b.const('i8', 0), f.const64(size));
  return [address];
}

export function create(f: Fn, node: ts.NewExpression, want: Type | null, place: Rv | null): Rv {
  const { expression } = node;
  const wrap = f.wrap;
  f.wrap = null;
  try {
    if (ts.isIdentifier(expression) && TYPED_ARRAYS.has(expression.text) && meaningOf(f, expression) === null) {
      return createTypedArray(f, f.program.types.typedArray(expression.text), node);
    }
    return createObject(f, classOfNew(f, node, want), node, place);
  } finally {
    f.wrap = wrap;
  }
}

/** The class that `new C<…>(…)` makes an object of. */
export function classOfNew(f: Fn, node: ts.NewExpression, want: Type | null): ClassType {
  const meaning = meaningOf(f, node.expression);
  if (meaning?.kind !== 'declaration' || meaning.declaration.kind !== 'class') {
    return f.fail(node.expression, 'P1310', `new ${node.expression.getText(f.scope.module.file)}`);
  }
  const { module, declaration } = meaning;
  const parameters = declaration.node.typeParameters ?? [];
  const environment = new Map<string, Type>();
  const wanted = want?.kind === 'nullable' ? want.of : want;
  if (parameters.length > 0) {
    if (node.typeArguments !== undefined) {
      if (node.typeArguments.length !== parameters.length) {
        f.fail(node, 'P1203', declaration.name, String(parameters.length), String(node.typeArguments.length));
      }
      for (const [i, t] of parameters.entries()) {
        const typeNode = node.typeArguments[i];
        if (typeNode !== undefined) environment.set(t.name.text, resolveType(f.program, f.scope, typeNode));
      }
    } else if (wanted?.kind === 'class' && wanted.node === declaration.node) {
      return wanted;
    } else {
      const constructorNode = declaration.node.members.find(ts.isConstructorDeclaration);
      const names = new Set(parameters.map((t) => t.name.text));
      for (const [i, q] of (constructorNode?.parameters ?? []).entries()) {
        const argumentNode = node.arguments?.[i];
        if (q.type === undefined || argumentNode === undefined) continue;
        const scope: Scope = { module, environment, within: null };
        inferArguments(f.program, scope, q.type, f.rules.typeOf(f, argumentNode), names, environment);
      }
      for (const t of parameters) {
        const type = environment.get(t.name.text);
        if (type === undefined) f.fail(node, 'P1204', t.name.text);
        else environment.set(t.name.text, settled(type));
      }
    }
  }
  const ordered = new Map(parameters.map((t) => [t.name.text, environment.get(t.name.text) ?? bug(t.name.text)]));
  return f.program.types.class(declaration.name, declaration.node, module, ordered, [...ordered.values()]);
}

/** What makes an object of the class from zero bytes: its constructor, or the initialisers of its fields; null if nothing does. */
export function constructorOf(type: ClassType, shape: ClassShape): Template | null {
  const node: FunctionNode | null = shape.constructorNode ?? (ts.isClassDeclaration(type.node) ? type.node : null);
  const hasWork = shape.constructorNode !== null || [...shape.fields.values()].some((field) => field.initialiser !== null);
  return node !== null && hasWork ? memberTemplate(type, node) : null;
}

export function checkConstructor(f: Fn, type: ClassType, shape: ClassShape, node: ts.Node): void {
  const { constructorNode } = shape;
  const isPrivate = constructorNode?.modifiers?.some((m) => m.kind === ts.SyntaxKind.PrivateKeyword) === true;
  if (isPrivate && f.scope.within?.node !== type.node) f.fail(node, 'P1504', type.name);
  const body = constructorNode?.body;
  const assigned = body === undefined ? null : assignedNames(type.module, body);
  for (const field of shape.fields.values()) {
    const { kind } = unbranded(field.type);
    if (field.initialiser !== null || (kind !== 'class' && kind !== 'function')) continue;
    if (assigned?.has(`.${field.name}`) !== true) f.fail(node, 'P1510', field.name, type.name);
  }
}

function createObject(f: Fn, type: ClassType, node: ts.NewExpression, place: Rv | null): Rv {
  const shape = f.rules.shapeOf(f.program, type);
  checkConstructor(f, type, shape, node);
  const template = constructorOf(type, shape);
  const given = node.arguments ?? [];
  if (template === null && given.length > 0) f.fail(node, 'P1307', type.name, '0', String(given.length));
  // Arguments first: they may use the storage that the object goes to.
  const chosen = template === null ? null : chooseInstance(f, template, node, given, undefined, null);
  f.at(node);
  let object: Rv;
  if (place !== null) {
    object = { ...place, type };
    if (shape.size > 0) f.b.memory('memset', single(f, object), f.b.const('i8', 0), f.const64(shape.size));
  } else if (shape.size === 0) {
    // Without fields it has no storage: all are one, at an address of their own.
    const { symbol } = f.program.text('');
    object = { type, parts: null, fixed: { symbol, offset: 0, length: null }, origin: STATIC, path: null };
  } else if (shape.owned) {
    object = ownedPlace(f, type);
    f.b.memory('memset', single(f, object), f.b.const('i8', 0), f.const64(shape.size));
  } else {
    object = rv(type, frameStorage(f, shape.size, shape.align, node) ?? [], { origin: frameOrigin(f) });
  }
  if (chosen !== null) callInstance(f, chosen.instance, object, chosen.args, node);
  return shape.owned ? { ...object, isFresh: true } : object;
}

function createTypedArray(f: Fn, type: SliceType, node: ts.NewExpression): Rv {
  const [first] = node.arguments ?? [];
  if (first === undefined || node.arguments?.length !== 1) return f.fail(node, 'P1307', type.key, '1', String(node.arguments?.length ?? 0));
  const { size } = elementStorage(f.program, type.element);
  if (ts.isArrayLiteralExpression(first)) {
    const [address] = frameStorage(f, size * first.elements.length, size, node) ?? [];
    for (const [i, e] of first.elements.entries()) {
      storeValue(f, convert(f, f.expression(e, type.element), type.element, e), address ?? bug('storage'), i * size);
    }
    return rv(type, [address ?? bug('storage'), f.const64(first.elements.length)], { origin: frameOrigin(f) });
  }
  const length = constantLength(f, first);
  const [address] = frameStorage(f, size * length, size, node) ?? [];
  return rv(type, [address ?? bug('storage'), f.const64(length)], { origin: frameOrigin(f) });
}

export function constantLength(f: Fn, node: ts.Expression): number {
  const { constant } = f.expression(node);
  if (typeof constant !== 'number' || !Number.isInteger(constant) || constant < 0 || constant > 0x7fff_ffff) return f.fail(node, 'P1607');
  return constant;
}

/** `array(N, () => value)` in a function. */
export function createArray(f: Fn, node: ts.CallExpression, want: Type | null): Rv {
  const [count, make] = node.arguments;
  if (count === undefined || make === undefined || node.arguments.length !== 2)
    return f.fail(node, 'P1307', 'array', '2', String(node.arguments.length));
  const length = constantLength(f, count);
  const body = makerBody(f, make);
  const wanted = want?.kind === 'slice' ? want.element : null;
  const elementType = wanted ?? elementTypeOf(f, node, make, body);
  const { size, align } = elementStorage(f.program, elementType);
  const [address] = frameStorage(f, size * length, align, node) ?? [];
  const start = address ?? bug('storage');
  const result = rv(f.program.types.slice(elementType, false), [start, f.const64(length)], { origin: frameOrigin(f) });
  if (!makesZero(f, make, body, elementType)) fillElements(f, start, length, make, body, elementType);
  return result;
}

/** The maker of an array gives zero bytes, as its storage has already. */
export function makesZero(f: Fn, make: ts.Expression, body: ts.Expression, elementType: Type): boolean {
  if ((ts.isArrowFunction(make) || ts.isFunctionExpression(make)) && make.parameters.length > 0) return false;
  const value = f.rules.maybeConstant(f, body, elementType);
  if (value === null) return false;
  return value.constant === 0 || value.constant === 0n || value.constant === false || value.type.kind === 'null';
}

/** Loops over the elements of an array and makes each. */
export function fillElements(
  f: Fn,
  start: NonNullable<Rv['parts']>[number],
  length: number,
  make: ts.Expression,
  body: ts.Expression,
  elementType: Type,
): void {
  const { size } = elementStorage(f.program, elementType);
  const index = f.variables.declare('i64');
  f.variables.write(index, f.const64(0));
  const header = f.b.block();
  const turn = f.b.block();
  const behind = f.b.block();
  f.jump(header);
  f.enter(header, true);
  f.branch(f.b.icmp('ult', f.variables.read(index), f.const64(length)), turn, behind);
  f.enter(turn);
  f.scopes.push({ names: new Map(), disposals: [] });
  // What a turn makes is its own, so it cannot be kept in the array.
  const origin = frameOrigin(f);
  f.loopDepth++;
  const i = f.variables.read(index);
  const name = ts.isArrowFunction(make) || ts.isFunctionExpression(make) ? make.parameters[0]?.name : undefined;
  if (name !== undefined && ts.isIdentifier(name)) {
    const value = rv(I32, [f.b.convert('trunc', 'i32', i)], { range: { low: 0, high: length } });
    f.declare({ name: name.text, type: I32, isConst: true, variables: null, value, origin: STATIC, mustAssign: false, owned: null }, make);
  }
  const at = elementAddress(f, start, i, size);
  if (elementType.kind === 'class') {
    const place = rv(elementType, [at], { origin });
    if (ts.isNewExpression(body)) f.rules.create(f, body, elementType, place);
    else if (ts.isObjectLiteralExpression(body)) f.rules.objectLiteral(f, body, elementType, place);
    else f.fail(body, 'P1302', 'this', elementType.key, 'the objects of an array lie in place: write `() => new C(…)`');
  } else {
    const value = convert(f, f.expression(body, elementType), elementType, body);
    storeValue(f, value, at, 0);
    if (mayPointToFrame(elementType)) f.escape.store(origin, value.origin, body);
  }
  f.loopDepth--;
  f.scopes.pop();
  f.variables.write(index, f.b.binary('add', i, f.const64(1)));
  f.jump(header);
  f.variables.seal(header);
  f.enter(behind);
}

/** The expression that an array's maker gives. */
export function makerBody(f: Fn, make: ts.Expression): ts.Expression {
  if ((!ts.isArrowFunction(make) && !ts.isFunctionExpression(make)) || ts.isBlock(make.body)) {
    return f.fail(make, 'P1002', 'this maker', 'write `() => value`');
  }
  return ts.isParenthesizedExpression(make.body) ? make.body.expression : make.body;
}

export function elementTypeOf(f: Fn, call: ts.CallExpression, make: ts.Expression, body: ts.Expression): Type {
  const [given] = call.typeArguments ?? [];
  if (given !== undefined) return resolveType(f.program, f.scope, given);
  if ((ts.isArrowFunction(make) || ts.isFunctionExpression(make)) && make.type !== undefined)
    return resolveType(f.program, f.scope, make.type);
  const name = ts.isArrowFunction(make) || ts.isFunctionExpression(make) ? make.parameters[0]?.name : undefined;
  if (name === undefined || !ts.isIdentifier(name)) return settled(f.rules.typeOf(f, body));
  f.scopes.push({ names: new Map(), disposals: [] });
  const index = rv(I32, [f.b.fn.newValue('i32', f.b.here)]);
  f.declare(
    { name: name.text, type: I32, isConst: true, variables: null, value: index, origin: STATIC, mustAssign: false, owned: null },
    make,
  );
  const type = settled(f.rules.typeOf(f, body));
  f.scopes.pop();
  return type;
}

/** `{ a: 1, b }` of an interface with fields. */
export function objectLiteral(f: Fn, node: ts.ObjectLiteralExpression, want: Type | null, place: Rv | null): Rv {
  const type = want?.kind === 'nullable' ? unbranded(want.of) : want === null ? null : unbranded(want);
  if (type?.kind !== 'class') return f.fail(node, 'P1508');
  const shape = f.rules.shapeOf(f.program, type);
  if (shape.isBound) return f.fail(node, 'P1209', type.name);
  const object = place ?? rv(type, frameStorage(f, shape.size, shape.align, node) ?? [], { origin: frameOrigin(f) });
  const address = single(f, object);
  for (const [name, value] of literalFields(f, node, type, shape)) {
    const field = shape.fields.get(name) ?? bug(name);
    const converted = convert(f, f.expression(value, field.type), field.type, value);
    storeValue(f, converted, address, field.offset);
    if (mayPointToFrame(field.type)) f.escape.store(object.origin, converted.origin, value);
  }
  return { ...object, type };
}

/** The fields of an object literal, checked against the interface, in the order of the source. */
export function literalFields(f: Fn, node: ts.ObjectLiteralExpression, type: ClassType, shape: ClassShape): Map<string, ts.Expression> {
  const given = new Map<string, ts.Expression>();
  for (const member of node.properties) {
    const name = memberName(member.name);
    const value = ts.isPropertyAssignment(member) ? member.initializer : ts.isShorthandPropertyAssignment(member) ? member.name : null;
    if (name === null || value === null) return f.fail(member, 'P1002', 'this member', 'write `name: value`');
    if (!shape.fields.has(name)) return f.fail(member, 'P1501', type.key, name, [...shape.fields.keys()].join(', '));
    given.set(name, value);
  }
  for (const [name, field] of shape.fields) {
    if (!given.has(name) && field.type.kind !== 'nullable') f.fail(node, 'P1507', type.key, name);
  }
  return given;
}

/** `(x) => …` as a value: a function of its own. */
export function arrow(f: Fn, node: ts.ArrowFunction | ts.FunctionExpression, want: Type | null): Rv {
  const wanted = want === null ? null : unbranded(want.kind === 'nullable' ? want.of : want);
  const chosen = new Map<number, Type>();
  for (const [i, q] of node.parameters.entries()) {
    const type = wanted?.kind === 'function' ? wanted.params[i] : undefined;
    if (q.type === undefined && type !== undefined) chosen.set(i, type);
  }
  const template: Template = { node, name: `${f.b.fn.symbol}.λ`, scope: f.scope, receiver: null };
  const instance = instanceOf(f.program, template, f.scope.environment, chosen);
  const outer = new Set<string>();
  for (const scope of f.scopes) for (const name of scope.names.keys()) outer.add(name);
  f.program.outerNames.set(instance, outer);
  if (instance.result === null && wanted?.kind === 'function' && wanted.result.kind !== 'never') instance.result = wanted.result;
  return functionValue(f, instance);
}

/** Moves an owned value into another place of its class. */
export function moveOwned(f: Fn, from: Rv, to: Rv, type: ClassType): void {
  const { size } = f.rules.shapeOf(f.program, type);
  if (size > 0) f.b.memory('memmove', single(f, to), single(f, from), f.const64(size));
}
