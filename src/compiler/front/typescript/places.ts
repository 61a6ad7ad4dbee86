/** What can be read and assigned: names, members, elements. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Value } from '../../ir/function.ts';
import type { Fn, Local, Meaning, Rv } from './context.ts';
import { type Origin, STATIC } from './escape.ts';
import { instanceOf, memberTemplate, ownedClass } from './instances.ts';
import type { Declaration, SourceModule } from './modules.ts';
import { lookupExport, lookupValue } from './names.ts';
import { Reported } from './problems.ts';
import { elementStorage, isPrivate, isStatic, memberName } from './shapes.ts';
import { type ClassType, type Field, I32, I64, isSmall, mayPointToFrame, partsOf, type Type, unbranded } from './types.ts';
import {
  constantRv,
  convert,
  isPresent,
  loadValue,
  materialise,
  resize,
  rv,
  second,
  shown,
  single,
  storeValue,
  stripNull,
} from './values.ts';

export type Place =
  | { readonly kind: 'local'; readonly local: Local }
  | {
      readonly kind: 'memory';
      readonly type: Type;
      readonly address: Value;
      readonly offset: number;
      /** Of the object it is part of; what it holds may point there too. */
      readonly origin: Origin;
      readonly path: string | null;
      readonly member: string | null;
    }
  | { readonly kind: 'accessor'; readonly object: Rv; readonly type: ClassType; readonly name: string };

// Names

/** What an identifier or dotted name means, if it is no local: a declaration, module, builtin. */
export function meaningOf(f: Fn, node: ts.Expression): Meaning | null {
  if (ts.isIdentifier(node)) {
    if (f.lookup(node.text) !== null) return null;
    const found = lookupValue(f.program, f.scope.module, node.text, node);
    if (found === null && f.outerNames.has(node.text)) f.fail(node, 'P1506', node.text);
    return found;
  }
  if (ts.isPropertyAccessExpression(node)) {
    const left = meaningOf(f, node.expression);
    if (left?.kind === 'module') {
      return (
        lookupExport(f.program, left.module, node.name.text, 'values', node) ?? f.fail(node.name, 'P1103', left.module.path, node.name.text)
      );
    }
  }
  return null;
}

export function identifier(f: Fn, node: ts.Identifier): Rv {
  const local = f.lookup(node.text);
  if (local !== null) return readLocal(f, local, node);
  const meaning = meaningOf(f, node);
  if (meaning === null) return f.fail(node, 'P1101', node.text);
  return valueOfName(f, meaning, node);
}

/** The value of a module-level name. */
export function valueOfName(f: Fn, meaning: Meaning, node: ts.Expression): Rv {
  if (meaning.kind === 'module') return f.fail(node, 'P1109', node.getText(f.scope.module.file), 'module');
  if (meaning.kind !== 'declaration') return f.fail(node, 'P1801', meaning.name);
  const { module, declaration } = meaning;
  switch (declaration.kind) {
    case 'variable':
      return readPlaceOrValue(f, module, declaration, node);
    case 'function': {
      const template = {
        node: declaration.node,
        name: declaration.name,
        scope: { module, environment: new Map(), within: null },
        receiver: null,
      };
      if ((declaration.node.typeParameters?.length ?? 0) > 0)
        return f.fail(node, 'P1204', declaration.node.typeParameters?.[0]?.name.text ?? 'T');
      const instance = instanceOf(f.program, template, new Map());
      return functionValue(f, instance);
    }
    default:
      return f.fail(node, 'P1109', declaration.name, declaration.kind);
  }
}

export function functionValue(f: Fn, instance: ReturnType<typeof instanceOf>): Rv {
  if (instance.result === null) f.rules.lowerInstance(f.program, instance);
  const type = f.program.types.function(
    instance.params.map((q) => q.type),
    instance.result ?? bug('no result type'),
  );
  f.program.noteAddressTaken(type, instance);
  return { type, parts: null, fixed: { symbol: instance.symbol, offset: 0, length: null }, origin: STATIC, path: null };
}

function readPlaceOrValue(f: Fn, module: SourceModule, d: Extract<Declaration, { kind: 'variable' }>, node: ts.Expression): Rv {
  const global = f.rules.global(f.program, module, d);
  checkInitialised(f, module, d, global.kind, node);
  switch (global.kind) {
    case 'constant':
      return global.value;
    case 'object':
      return global.value;
    case 'table':
      return f.fail(node, 'P1109', d.name, 'table of constants');
    case 'cell':
      return read(f, globalPlace(f, global.symbol, global.type, d.isConst), node, d.isConst);
  }
}

/** Code at module level runs in order: what it names must have been initialised. */
function checkInitialised(f: Fn, module: SourceModule, d: Extract<Declaration, { kind: 'variable' }>, kind: string, node: ts.Node): void {
  const isLater = f.isInitialiser && !module.library && !f.program.initialised.has(d);
  if (isLater && (kind === 'cell' || kind === 'object')) f.fail(node, 'P1106', d.name);
}

function globalPlace(f: Fn, symbol: string, type: Type, isConst: boolean): Place {
  return {
    kind: 'memory',
    type,
    address: f.b.symbol(symbol),
    offset: 0,
    origin: STATIC,
    path: isConst ? `k${symbol}` : `g${symbol}`,
    member: null,
  };
}

export function readLocal(f: Fn, local: Local, node: ts.Node): Rv {
  const path = `v${local.id}`;
  if (local.type.kind === 'error') throw new Reported('P1101');
  if (local.mustAssign && !f.isDead && !f.hasFailed && !f.facts.has(`a:${path}`)) f.fail(node, 'P1705', local.name);
  let value: Rv;
  if (local.variables === null) value = { ...(local.value ?? bug(`no value of ${local.name}`)), path };
  else
    value = rv(
      local.type,
      local.variables.map((v) => f.variables.read(v)),
      { origin: local.origin, path },
    );
  return value.type.kind === 'nullable' && f.facts.has(`n:${path}`) ? stripNull(value) : value;
}

// Places

/** The place that an assignable expression stands for. */
export function placeOf(f: Fn, node: ts.Expression): Place {
  if (ts.isParenthesizedExpression(node)) return placeOf(f, node.expression);
  if (ts.isIdentifier(node)) {
    const local = f.lookup(node.text);
    if (local !== null) {
      if (local.isConst) f.fail(node, 'P1309', `\`${node.text}\``, 'declare it with `let`');
      return { kind: 'local', local };
    }
    const meaning = meaningOf(f, node);
    if (meaning === null) return f.fail(node, 'P1101', node.text);
    return placeOfMeaning(f, meaning, node);
  }
  if (ts.isPropertyAccessExpression(node)) {
    const meaning = meaningOf(f, node);
    if (meaning !== null) return placeOfMeaning(f, meaning, node);
    const fixed = staticMember(f, node);
    if (fixed?.kind === 'variable') return placeOfVariable(f, fixed.module, fixed.declaration, node);
    return memberPlace(f, node, true);
  }
  if (ts.isElementAccessExpression(node)) return elementPlace(f, node, true);
  return f.fail(node, 'P1309', 'this expression', 'variables, fields and elements can be');
}

function placeOfMeaning(f: Fn, meaning: Meaning, node: ts.Expression): Place {
  if (meaning.kind !== 'declaration' || meaning.declaration.kind !== 'variable') {
    return f.fail(node, 'P1309', node.getText(f.scope.module.file), 'it is no variable');
  }
  return placeOfVariable(f, meaning.module, meaning.declaration, node);
}

function placeOfVariable(f: Fn, module: SourceModule, d: Extract<Declaration, { kind: 'variable' }>, node: ts.Expression): Place {
  if (d.isConst) return f.fail(node, 'P1309', `\`${d.name}\``, 'declare it with `let`');
  const global = f.rules.global(f.program, module, d);
  if (global.kind !== 'cell') return f.fail(node, 'P1309', `\`${d.name}\``, 'declare it with `let` and a type');
  return globalPlace(f, global.symbol, global.type, false);
}

export function read(f: Fn, place: Place, node: ts.Node, isStable = false): Rv {
  switch (place.kind) {
    case 'local':
      return readLocal(f, place.local, node);
    case 'accessor':
      return f.fail(node, 'P1002', 'this use of a setter', 'read and assign in two statements');
    case 'memory': {
      const origin = mayPointToFrame(place.type) ? place.origin : STATIC;
      const value = loadValue(f, place.type, place.address, place.offset, origin, place.path);
      if (value.type.kind !== 'nullable' || place.path === null || !f.facts.has(`n:${place.path}`)) return value;
      // It was tested, and is loaded again: somebody may have changed it since.
      if (!isStable) f.b.trapIf(f.b.icmp('eq', isPresent(f, value), f.b.const('i8', 0)), 'null');
      return stripNull(value);
    }
  }
}

/** Stores a value that has the place's type already. */
export function write(f: Fn, place: Place, value: Rv, node: ts.Node): void {
  switch (place.kind) {
    case 'local': {
      const { local } = place;
      let index = 0;
      for (const part of materialise(f, value)) f.variables.write(local.variables?.[index++] ?? bug(local.name), part);
      if (local.mustAssign) f.addFacts(`a:v${local.id}`);
      f.noteVariables();
      f.escape.flow(value.origin, local.origin);
      if (local.loopDepth < f.loopDepth) f.escape.outlive(value.origin, node);
      f.forget(`v${local.id}`);
      return;
    }
    case 'accessor': {
      const setter = f.rules.shapeOf(f.program, place.type).setters.get(place.name) ?? bug(place.name);
      const instance = instanceOf(f.program, memberTemplate(place.type, setter), place.type.environment);
      const converted = convert(f, value, instance.params[0]?.type ?? bug('setter'), node);
      f.escape.call(instance, 0, [place.object.origin, converted.origin], node, place.name);
      f.b.call(instance.symbol, [single(f, place.object), ...materialise(f, converted)], []);
      return;
    }
    case 'memory':
      storeValue(f, { ...value, type: place.type }, place.address, place.offset);
      if (mayPointToFrame(place.type)) f.escape.store(place.origin, value.origin, node);
      if (place.path !== null) f.forget(place.path);
      if (place.member !== null) f.forgetMember(place.member);
  }
}

/** The type that an assignment converts to. */
export function typeOfPlace(f: Fn, place: Place): Type {
  if (place.kind === 'local') return place.local.type;
  if (place.kind === 'memory') return place.type;
  const setter = f.rules.shapeOf(f.program, place.type).setters.get(place.name) ?? bug(place.name);
  const instance = instanceOf(f.program, memberTemplate(place.type, setter), place.type.environment);
  return instance.params[0]?.type ?? bug('a setter without parameter');
}

// Members

type StaticMember =
  | { readonly kind: 'variable'; readonly module: SourceModule; readonly declaration: Extract<Declaration, { kind: 'variable' }> }
  | { readonly kind: 'method'; readonly node: ts.MethodDeclaration; readonly module: SourceModule; readonly owner: ts.ClassDeclaration }
  | { readonly kind: 'table'; readonly value: Rv };

/** `Class.member` and `TABLE.member`; null if the left side is a value. */
export function staticMember(f: Fn, node: ts.PropertyAccessExpression): StaticMember | null {
  const left = meaningOf(f, node.expression);
  if (left?.kind !== 'declaration') return null;
  const { module, declaration } = left;
  const name = node.name.text;
  if (declaration.kind === 'variable') {
    const global = f.rules.global(f.program, module, declaration);
    if (global.kind !== 'table') return null;
    const member = global.members.get(name);
    if (member === undefined) return f.fail(node.name, 'P1501', declaration.name, name, [...global.members.keys()].slice(0, 12).join(', '));
    const scratch = f.rules.constant(f.program, global.scope, member);
    return { kind: 'table', value: scratch };
  }
  if (declaration.kind !== 'class') return null;
  for (const member of declaration.node.members) {
    if (!isStatic(member) || memberName(member.name) !== name) continue;
    if (isPrivate(member) && f.scope.within?.node !== declaration.node) f.fail(node.name, 'P1502', name, declaration.name);
    if (ts.isMethodDeclaration(member)) return { kind: 'method', node: member, module, owner: declaration.node };
    if (ts.isPropertyDeclaration(member)) return { kind: 'variable', module, declaration: staticVariable(f, declaration, member) };
  }
  const names = declaration.node.members.filter(isStatic).map((m) => memberName(m.name) ?? '?');
  return f.fail(node.name, 'P1501', declaration.name, name, names.join(', '));
}

function staticVariable(
  f: Fn,
  owner: Extract<Declaration, { kind: 'class' }>,
  node: ts.PropertyDeclaration,
): Extract<Declaration, { kind: 'variable' }> {
  return staticDeclaration(f.program.statics, owner.name, node);
}

export function staticDeclaration(
  statics: Map<ts.PropertyDeclaration, Extract<Declaration, { kind: 'variable' }>>,
  owner: string,
  node: ts.PropertyDeclaration,
): Extract<Declaration, { kind: 'variable' }> {
  let declaration = statics.get(node);
  if (declaration === undefined) {
    const isConst = node.modifiers?.some((m) => m.kind === ts.SyntaxKind.ReadonlyKeyword) === true;
    declaration = { kind: 'variable', node, isConst, name: `${owner}.${memberName(node.name) ?? '?'}`, tags: new Map() };
    statics.set(node, declaration);
  }
  return declaration;
}

/** `a.b` as a value. */
export function property(f: Fn, node: ts.PropertyAccessExpression): Rv {
  const meaning = meaningOf(f, node);
  if (meaning !== null) return valueOfName(f, meaning, node);
  const fixed = staticMember(f, node);
  if (fixed?.kind === 'table') return fixed.value;
  if (fixed?.kind === 'variable') return readPlaceOrValue(f, fixed.module, fixed.declaration, node);
  if (fixed?.kind === 'method') return f.fail(node, 'P1002', 'a method as a value', 'wrap it in a function');
  const object = base(f, node.expression);
  return member(f, object, node);
}

/** The object of a member access: neither null nor a fresh owned value. */
export function base(f: Fn, node: ts.Expression): Rv {
  const object = f.expression(node);
  if (object.isFresh) f.fail(node, 'P1603', object.type.key);
  if (object.type.kind === 'nullable') f.fail(node, 'P1401');
  return object;
}

export function member(f: Fn, object: Rv, node: ts.PropertyAccessExpression): Rv {
  const name = node.name.text;
  const type = unbranded(object.type);
  if (type.kind === 'slice' || type.kind === 'string' || type.kind === 'literal') {
    if (name !== 'length') return f.fail(node.name, 'P1501', type.key, name, 'length');
    return lengthOf(f, object);
  }
  if (type.kind !== 'class') return f.fail(node.name, 'P1501', shown(object), name, 'none');
  const shape = f.rules.shapeOf(f.program, type);
  const field = shape.fields.get(name);
  if (field !== undefined) {
    checkPrivate(f, type, field.isPrivate, name, node.name);
    return readField(f, object, field, node);
  }
  const getter = shape.getters.get(name);
  if (getter === undefined) return f.fail(node.name, 'P1501', type.key, name, memberList(shape));
  checkPrivate(f, type, isPrivate(getter), name, node.name);
  const instance = instanceOf(f.program, memberTemplate(type, getter), type.environment);
  if (instance.result === null) f.rules.lowerInstance(f.program, instance);
  const result = instance.result ?? bug('no result type');
  if (ownedClass(f.program, result) !== null) f.fail(node, 'P1002', 'a getter of an owned value', 'make it a method');
  const origin = f.escape.call(instance, 0, [object.origin], node, name);
  f.at(node);
  return rv(result, f.b.call(instance.symbol, [single(f, object)], partsOf(result)), { origin });
}

export function memberList(shape: {
  fields: ReadonlyMap<string, unknown>;
  methods: ReadonlyMap<string, unknown>;
  getters: ReadonlyMap<string, unknown>;
}): string {
  return [...shape.fields.keys(), ...shape.getters.keys(), ...shape.methods.keys()].slice(0, 12).join(', ') || 'none';
}

export function checkPrivate(f: Fn, type: ClassType, isPrivateMember: boolean, name: string, node: ts.Node): void {
  if (isPrivateMember && f.scope.within?.node !== type.node) f.fail(node, 'P1502', name, type.name);
}

export function lengthOf(f: Fn, slice: Rv): Rv {
  if (typeof slice.constant === 'string') return constantRv(I32, new TextEncoder().encode(slice.constant).length);
  if (slice.fixed !== undefined && slice.fixed.length !== null) return constantRv(I32, slice.fixed.length);
  return rv(I32, [f.b.convert('trunc', 'i32', second(f, slice))], { range: { low: 0, high: 0x7fff_ffff } });
}

export function readField(f: Fn, object: Rv, field: Field, node: ts.Node): Rv {
  const path = object.path === null ? null : `${object.path}.${field.name}`;
  if (field.inPlace !== null) {
    const length = field.inPlace.kind === 'slice' ? field.inPlace.length : null;
    if (object.fixed !== undefined) {
      const fixed = { symbol: object.fixed.symbol, offset: object.fixed.offset + field.offset, length };
      return { type: field.type, parts: null, fixed, origin: object.origin, path };
    }
    const start = single(f, object);
    const address = field.offset === 0 ? start : f.b.binary('add', start, f.const64(field.offset));
    return rv(field.type, length === null ? [address] : [address, f.const64(length)], { origin: object.origin, path });
  }
  f.at(node);
  const place: Place = {
    kind: 'memory',
    type: field.type,
    address: single(f, object),
    offset: field.offset,
    origin: object.origin,
    path,
    member: field.name,
  };
  return read(f, place, node);
}

/** `a.b` to be assigned to. */
function memberPlace(f: Fn, node: ts.PropertyAccessExpression, isWrite: boolean): Place {
  const object = base(f, node.expression);
  const name = node.name.text;
  const type = unbranded(object.type);
  if (type.kind !== 'class') return f.fail(node, 'P1309', `\`${name}\` of ${shown(object)}`, 'fields of objects can be');
  const shape = f.rules.shapeOf(f.program, type);
  const field = shape.fields.get(name);
  if (field === undefined) {
    const setter = shape.setters.get(name);
    if (setter === undefined) return f.fail(node.name, 'P1501', type.key, name, memberList(shape));
    checkPrivate(f, type, isPrivate(setter), name, node.name);
    return { kind: 'accessor', object, type, name };
  }
  checkPrivate(f, type, field.isPrivate, name, node.name);
  if (isWrite && field.inPlace !== null) f.fail(node, 'P1309', `\`${name}\``, 'its object lies in place: assign to the fields of that');
  const isOwnInitialisation = f.isConstructor && node.expression.kind === ts.SyntaxKind.ThisKeyword;
  if (isWrite && field.isReadonly && !isOwnInitialisation) f.fail(node, 'P1309', `\`${name}\``, 'it is readonly');
  const path = object.path === null ? null : `${object.path}.${name}`;
  return { kind: 'memory', type: field.type, address: single(f, object), offset: field.offset, origin: object.origin, path, member: name };
}

// Elements

/** The index as i64, whatever small integer it is; a negative one is larger than any length. */
export function indexValue(f: Fn, node: ts.Expression): Value {
  const wrap = f.wrap;
  f.wrap = null;
  const index = f.expression(node, I32);
  f.wrap = wrap;
  const type = unbranded(index.type);
  if (type.kind === 'untyped' && typeof index.constant === 'number' && Number.isInteger(index.constant)) return f.const64(index.constant);
  const isWide = type.kind === 'integer' && type.bits === 64;
  if (!isSmall(type)) {
    const help = isWide || type.key === 'bigint' ? 'write s[idx(i)]' : 'an index is a small integer';
    return f.fail(node, 'P1302', shown(index), 'an index', help);
  }
  return resize(f, index, I64);
}

export function elementPlace(f: Fn, node: ts.ElementAccessExpression, isWrite: boolean): Place {
  const slice = base(f, node.expression);
  const type = unbranded(slice.type);
  if (type.kind !== 'slice') {
    const help = type.kind === 'string' ? 'write s.charCodeAt(i)' : 'slices and arrays have elements';
    return f.fail(node, 'P1304', '[ ]', shown(slice), help);
  }
  if (isWrite && type.element.kind === 'class')
    f.fail(node, 'P1309', 'an element of a class', 'the objects lie in place: assign to their fields');
  if (isWrite && type.readonly) f.fail(node, 'P1309', 'an element', 'the array is readonly');
  const [start, length] = materialise(f, slice);
  if (start === undefined || length === undefined) return bug('a slice has two parts');
  const index = indexValue(f, node.argumentExpression);
  f.at(node);
  f.b.trapIf(f.b.icmp('uge', index, length), 'bounds');
  const address = elementAddress(f, start, index, elementStorage(f.program, type.element).size);
  return { kind: 'memory', type: type.element, address, offset: 0, origin: slice.origin, path: null, member: null };
}

export function elementAddress(f: Fn, start: Value, index: Value, size: number): Value {
  if (size === 1) return f.b.binary('add', start, index);
  const shift = Math.log2(size);
  const offset = Number.isInteger(shift) ? f.b.binary('shl', index, f.const64(shift)) : f.b.binary('mul', index, f.const64(size));
  return f.b.binary('add', start, offset);
}

/** `s[i]` as a value. */
export function element(f: Fn, node: ts.ElementAccessExpression): Rv {
  const place = elementPlace(f, node, false);
  if (place.kind !== 'memory') return bug('an element lies in memory');
  if (place.type.kind === 'class') return rv(place.type, [place.address], { origin: place.origin });
  return read(f, place, node);
}
