/** Calls: of functions, methods, function values; their arguments, type arguments and owned results. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Value } from '../../ir/function.ts';
import type { Fn, Instance, Rv, Scope } from './context.ts';
import { type Origin, STATIC } from './escape.ts';
import { instanceOf, memberTemplate, ownedClass, parametersOf, signatureOf, type Template } from './instances.ts';
import { base, checkPrivate, meaningOf, memberList, readField, staticMember } from './places.ts';
import { checkBound, checkBounds, inferArguments, resolveType } from './resolve.ts';
import { isPrivate, settled } from './shapes.ts';
import { type ClassType, mayPointToFrame, NEVER, partsOf, type Type, unbranded } from './types.ts';
import { convert, isPresent, materialise, NEVER_RV, rv, settle, shown, single, stripNull, VOID_RV } from './values.ts';

/** Calls that the compiler knows by name; builtins.ts and intrinsics.ts fill these. Null: no such name. */
export interface KnownCalls {
  builtin(f: Fn, name: string, node: ts.CallExpression, want: Type | null): Rv;
  builtinMember(f: Fn, object: string, name: string, node: ts.CallExpression, want: Type | null): Rv;
  intrinsic(f: Fn, name: string, node: ts.CallExpression, want: Type | null): Rv;
  /** A method of slices and strings. */
  sliceMember(f: Fn, object: Rv, name: string, node: ts.CallExpression): Rv;
}

export function makeCall(known: KnownCalls): (f: Fn, node: ts.CallExpression, want: Type | null) => Rv {
  return (f, node, want) => {
    const wrap = f.wrap;
    f.wrap = null;
    const value = callExpression(f, known, node, want);
    f.wrap = wrap;
    return value;
  };
}

function callExpression(f: Fn, known: KnownCalls, node: ts.CallExpression, want: Type | null): Rv {
  const callee = ts.isParenthesizedExpression(node.expression) ? node.expression.expression : node.expression;
  if (ts.isIdentifier(callee) || ts.isPropertyAccessExpression(callee)) {
    const meaning = meaningOf(f, callee);
    if (meaning?.kind === 'builtin') return known.builtin(f, meaning.name, node, want);
    if (meaning?.kind === 'intrinsic') return known.intrinsic(f, meaning.name, node, want);
    if (meaning?.kind === 'declaration' && meaning.declaration.kind === 'function') {
      const { declaration, module } = meaning;
      const scope: Scope = { module, environment: new Map(), within: null };
      return direct(f, { node: declaration.node, name: declaration.name, scope, receiver: null }, null, node, want);
    }
    if (meaning?.kind === 'declaration' && meaning.declaration.kind !== 'variable')
      return f.fail(callee, 'P1310', callee.getText(f.scope.module.file));
  }
  if (ts.isPropertyAccessExpression(callee)) {
    const left = meaningOf(f, callee.expression);
    if (left?.kind === 'builtin') return known.builtinMember(f, left.name, callee.name.text, node, want);
    const fixed = staticMember(f, callee);
    if (fixed?.kind === 'method') {
      // Static methods may use the private members of their class.
      const environment = new Map<string, Type>();
      const within = f.program.types.class(fixed.owner.name?.text ?? '?', fixed.owner, fixed.module, environment, []);
      const name = `${fixed.owner.name?.text ?? '?'}.${callee.name.text}`;
      return direct(f, { node: fixed.node, name, scope: { module: fixed.module, environment, within }, receiver: null }, null, node, want);
    }
    if (meaningOf(f, callee) === null && fixed === null) return methodCall(f, known, callee, node, want);
  }
  return indirect(f, f.expression(callee), node);
}

function methodCall(f: Fn, known: KnownCalls, callee: ts.PropertyAccessExpression, node: ts.CallExpression, want: Type | null): Rv {
  if (callee.questionDotToken !== undefined) return optionalCall(f, known, callee, node, want);
  return methodOf(f, known, base(f, callee.expression), callee, node, want);
}

function methodOf(
  f: Fn,
  known: KnownCalls,
  object: Rv,
  callee: ts.PropertyAccessExpression,
  node: ts.CallExpression,
  want: Type | null,
): Rv {
  const name = callee.name.text;
  const type = unbranded(object.type);
  if (type.kind === 'slice' || type.kind === 'string' || type.kind === 'literal') return known.sliceMember(f, object, name, node);
  if (type.kind !== 'class') return f.fail(callee.name, 'P1501', shown(object), name, 'none');
  const shape = f.rules.shapeOf(f.program, type);
  const method = shape.methods.get(name);
  if (method !== undefined) {
    checkPrivate(f, type, isPrivate(method), name, callee.name);
    return direct(f, memberTemplate(type, method), object, node, want);
  }
  const field = shape.fields.get(name);
  if (field === undefined) return f.fail(callee.name, 'P1501', type.key, name, memberList(shape));
  checkPrivate(f, type, field.isPrivate, name, callee.name);
  return indirect(f, readField(f, object, field, callee), node);
}

/** `a?.m()`: nothing happens if `a` is null. */
function optionalCall(f: Fn, known: KnownCalls, callee: ts.PropertyAccessExpression, node: ts.CallExpression, want: Type | null): Rv {
  const object = f.expression(callee.expression);
  if (object.type.kind !== 'nullable') return f.fail(callee, 'P1403', shown(object));
  const call = f.b.block();
  const behind = f.b.block();
  f.branch(isPresent(f, object), call, behind);
  f.enter(call);
  const result = methodOf(f, known, stripNull(object), callee, node, want);
  if (partsOf(result.type).length > 0) f.fail(node, 'P1002', '`?.` on a method with a result', 'test for null first');
  f.jump(behind);
  f.enter(behind);
  return VOID_RV;
}

/** A call of a known function or method: choose its type arguments, convert the arguments, call. */
function direct(f: Fn, template: Template, receiver: Rv | null, node: ts.CallExpression, want: Type | null): Rv {
  const chosen = chooseInstance(f, template, node, node.arguments, node.typeArguments, want);
  return callInstance(f, chosen.instance, receiver, chosen.args, node);
}

export function callInstance(
  f: Fn,
  instance: Instance,
  receiver: Rv | null,
  args: readonly Rv[],
  node: ts.Node,
  place: Rv | null = null,
): Rv {
  if (instance.result === null) f.rules.lowerInstance(f.program, instance);
  const { result } = instance;
  if (result === null) return f.fail(node, 'P1207', instance.name);
  return emit(f, { instance, pointer: null, type: 0 }, receiver, args, result, node, instance.name, place);
}

interface Chosen {
  readonly instance: Instance;
  readonly args: readonly Rv[];
}

/** Lowers the arguments and finds the instance; used by `new`, too. */
export function chooseInstance(
  f: Fn,
  template: Template,
  node: ts.Node,
  argumentNodes: readonly ts.Expression[],
  typeNodes: readonly ts.TypeNode[] | undefined,
  want: Type | null,
): Chosen {
  const { scope } = template;
  const parameters = parametersOf(template.node);
  checkCount(f, node, template.name, parameters, argumentNodes.length);
  const typeParameters = ts.isClassDeclaration(template.node) ? [] : (template.node.typeParameters ?? []);
  const environment = new Map(scope.environment);
  const args: (Rv | null)[] = argumentNodes.map(() => null);
  if (typeParameters.length > 0)
    inferTypes(f, template, typeParameters, parameters, argumentNodes, typeNodes, environment, args, node, want);

  const chosen = new Map<number, Type>();
  const inner: Scope = { ...scope, environment };
  const values: Rv[] = [];
  for (const [i, parameter] of parameters.entries()) {
    const argumentNode = argumentNodes[i];
    if (argumentNode === undefined) continue;
    const declared = parameter.type === undefined ? null : resolveType(f.program, inner, parameter.type);
    const bound = declared?.kind === 'class' && f.rules.shapeOf(f.program, declared).isBound ? declared : null;
    if (bound !== null) {
      const value = args[i] ?? argument(f, argumentNode, null);
      const type = unbranded(value.type);
      checkBound(f.program, argumentNode, f.scope.module.file, type, bound);
      chosen.set(i, type);
      values.push(value);
      continue;
    }
    const value = args[i] ?? argument(f, argumentNode, declared);
    values.push(declared === null ? settle(f, value, argumentNode) : convert(f, value, declared, argumentNode));
  }
  const instance = instanceOf(f.program, template, environment, chosen);
  for (const [i, q] of instance.params.entries()) {
    const value = values[i];
    if (value !== undefined) values[i] = convert(f, value, q.type, argumentNodes[i] ?? node);
    else if (q.initialiser !== null) values[i] = convert(f, f.rules.constant(f.program, instance.scope, q.initialiser), q.type, node);
  }
  return { instance, args: values };
}

function checkCount(f: Fn, node: ts.Node, name: string, parameters: readonly ts.ParameterDeclaration[], given: number): void {
  const least = parameters.filter((q) => q.initializer === undefined).length;
  if (given >= least && given <= parameters.length) return;
  f.fail(node, 'P1307', name, least === parameters.length ? String(least) : `${least} to ${parameters.length}`, String(given));
}

/** An argument: no fresh owned value, which nobody would dispose. */
export function argument(f: Fn, node: ts.Expression, want: Type | null): Rv {
  const value = f.expression(node, want);
  if (value.isFresh) f.fail(node, 'P1603', shown(value));
  return value;
}

function inferTypes(
  f: Fn,
  template: Template,
  typeParameters: readonly ts.TypeParameterDeclaration[],
  parameters: readonly ts.ParameterDeclaration[],
  argumentNodes: readonly ts.Expression[],
  typeNodes: readonly ts.TypeNode[] | undefined,
  environment: Map<string, Type>,
  args: (Rv | null)[],
  node: ts.Node,
  want: Type | null,
): void {
  const { program } = f;
  if (typeNodes !== undefined) {
    if (typeNodes.length !== typeParameters.length) {
      f.fail(node, 'P1203', template.name, String(typeParameters.length), String(typeNodes.length));
    }
    for (const [i, t] of typeParameters.entries()) {
      const typeNode = typeNodes[i];
      if (typeNode !== undefined) environment.set(t.name.text, resolveType(program, f.scope, typeNode));
    }
  } else {
    const names = new Set(typeParameters.map((t) => t.name.text));
    const found = new Map<string, Type>();
    const isFunction = (e: ts.Expression): boolean => ts.isArrowFunction(e) || ts.isFunctionExpression(e);
    // Functions last: their parameters may take their types from the others.
    for (const late of [false, true]) {
      for (const [i, argumentNode] of argumentNodes.entries()) {
        const parameter = parameters[i];
        if (parameter?.type === undefined || isFunction(argumentNode) !== late) continue;
        const inner = { ...template.scope, environment: new Map([...environment, ...found]) };
        const value = argument(f, argumentNode, late ? tryResolve(f, inner, parameter.type, names, found) : null);
        args[i] = value;
        // A constant that is no i32 says which type it is, unless something else does.
        const own = value.type.kind === 'untyped' ? settle(f, value, argumentNode).type : value.type;
        const type = own === settled(value.type) ? value.type : own;
        inferArguments(program, inner, parameter.type, type, names, found);
      }
    }
    if (want !== null && !ts.isClassDeclaration(template.node) && template.node.type !== undefined) {
      const open = new Set([...names].filter((n) => !found.has(n) || found.get(n)?.kind === 'untyped'));
      if (open.size > 0) inferArguments(program, template.scope, template.node.type, want, open, found);
    }
    for (const t of typeParameters) {
      const type = found.get(t.name.text);
      if (type === undefined && t.default !== undefined) environment.set(t.name.text, resolveType(program, template.scope, t.default));
      else if (type === undefined) f.fail(node, 'P1204', t.name.text);
      else environment.set(t.name.text, settled(type));
    }
  }
  checkBounds(program, template.scope, node, f.scope.module.file, typeParameters, environment);
}

/** A function parameter's type when all type parameters in its own parameters are known; else null. */
function tryResolve(f: Fn, scope: Scope, node: ts.TypeNode, names: ReadonlySet<string>, found: ReadonlyMap<string, Type>): Type | null {
  if (!ts.isFunctionTypeNode(node)) return null;
  const params: Type[] = [];
  for (const q of node.parameters) {
    if (q.type === undefined) return null;
    const isOpen =
      ts.isTypeReferenceNode(q.type) &&
      ts.isIdentifier(q.type.typeName) &&
      names.has(q.type.typeName.text) &&
      !found.has(q.type.typeName.text);
    if (isOpen) return null;
    params.push(settled(resolveType(f.program, scope, q.type)));
  }
  return f.program.types.function(params, NEVER);
}

/** A call through a function value. */
function indirect(f: Fn, callee: Rv, node: ts.CallExpression): Rv {
  const type = unbranded(callee.type);
  if (type.kind === 'nullable') return f.fail(node.expression, 'P1401');
  if (type.kind !== 'function') return f.fail(node.expression, 'P1310', node.expression.getText(f.scope.module.file));
  if (node.arguments.length !== type.params.length) {
    f.fail(node, 'P1307', node.expression.getText(f.scope.module.file), String(type.params.length), String(node.arguments.length));
  }
  const args = node.arguments.map((a, i) => convert(f, argument(f, a, type.params[i] ?? null), type.params[i] ?? bug('a parameter'), a));
  const id = f.program.types.id(type);
  return emit(
    f,
    { instance: null, pointer: single(f, callee), type: id },
    null,
    args,
    type.result,
    node,
    node.expression.getText(f.scope.module.file),
    null,
  );
}

interface Target {
  readonly instance: Instance | null;
  readonly pointer: Value | null;
  readonly type: number;
}

function emit(
  f: Fn,
  target: Target,
  receiver: Rv | null,
  args: readonly Rv[],
  result: Type,
  node: ts.Node,
  name: string,
  place: Rv | null,
): Rv {
  const owned = ownedClass(f.program, result);
  const values: Value[] = [];
  const origins: Origin[] = [];
  if (receiver !== null) {
    values.push(single(f, receiver));
    origins.push(receiver.origin);
  }
  let home: Rv | null = null;
  if (owned !== null) {
    home = place ?? ownedPlace(f, owned);
    values.push(single(f, home));
    origins.push(home.origin);
  }
  const first = origins.length;
  for (const arg of args) {
    values.push(...materialise(f, arg));
    origins.push(mayPointToFrame(arg.type) ? arg.origin : STATIC);
  }
  f.at(node);
  const origin = f.escape.call(target.instance, target.type, origins, node, name, first);
  const { results } = signatureOf(f.program, false, [], result);
  if (results.length > 2) bug(`${result.key} takes ${results.length} words`);
  const parts =
    target.instance !== null
      ? f.b.call(target.instance.symbol, values, results)
      : f.b.callIndirect(target.pointer ?? bug('no callee'), values, results);
  if (result === NEVER) {
    f.endUnreachable();
    return NEVER_RV;
  }
  if (parts.length === 0) return { ...VOID_RV, type: result };
  if (home !== null) return rv(result, parts, { origin: home.origin, isFresh: true });
  return rv(result, parts, { origin: mayPointToFrame(result) ? origin : STATIC });
}

/** Storage for an owned value in this frame. In a function that returns one, what it holds must outlive the frame, as the result does. */
export function ownedPlace(f: Fn, type: ClassType): Rv {
  const { size, align } = f.rules.shapeOf(f.program, type);
  const slot = f.slot(size, align);
  const own = f.loopDepth > 0 ? f.escape.loop : f.escape.frame;
  const result = f.ownedResult !== null && f.ownedResult.type === type ? f.ownedResult.origin : STATIC;
  // It lies in this frame, and what is put into it may go out with the result.
  const origin = f.escape.join(own, result);
  return rv(type, [f.b.slotAddress(slot)], { origin });
}
