/** Bodies of functions, methods and constructors: from an instance to a function of the IR. */

import ts from 'typescript';
import { Bug, bug } from '../../../machine/isa/bug.ts';
import type { Block } from '../../ir/function.ts';
import { attempt, Fn, type Instance, type Program, type Rv } from './context.ts';
import { EscapeGraph, STATIC } from './escape.ts';
import { ownedClass, signatureOf } from './instances.ts';
import { fillElements, makerBody, makesZero } from './objects.ts';
import { locationOf, Reported } from './problems.ts';
import { isArrayCall } from './shapes.ts';
import { bindParameter, statements } from './statements.ts';
import { type ClassType, type Field, mayPointToFrame, NEVER, partsOf, VOID } from './types.ts';
import { convert, materialise, rv, settle, single, storeValue } from './values.ts';

export function lowerInstance(p: Program, instance: Instance): void {
  if (instance.state === 'made') return;
  if (instance.state === 'being made') {
    if (instance.result === null) p.problems.fail(instance.scope.module.file, instance.node, 'P1207', instance.name);
    return;
  }
  instance.state = 'being made';
  try {
    lower(p, instance);
  } catch (error) {
    // Where something was reported the function may be left unfinished; nothing is made of it.
    if (!(error instanceof Reported || (error instanceof Bug && p.problems.any))) throw error;
    instance.result ??= { kind: 'error', key: 'error' };
  }
  instance.state = 'made';
}

function lower(p: Program, instance: Instance): void {
  const { node, scope, receiver } = instance;
  const { params, results } = signatureOf(
    p,
    receiver !== null,
    instance.params.map((q) => q.type),
    instance.result ?? VOID,
  );
  const graph = new EscapeGraph();
  instance.escape = graph;
  const f = new Fn(
    p,
    scope,
    instance.symbol,
    params,
    instance.result === null ? [] : results,
    graph,
    'function',
    locationOf(scope.module.file, node),
  );
  f.result = instance.result;
  f.b.fn.exported = instance.exported;
  f.b.fn.inline = instance.hint;
  f.outerNames = p.outerNames.get(instance) ?? new Set();
  f.at(node);

  let next = 0;
  const take = () => f.b.params[next++] ?? bug('a parameter of the signature');
  let index = 0;
  if (receiver !== null) f.receiver = rv(receiver, [take()], { origin: graph.param(index++), path: 'this' });
  if (f.receiver !== null) f.notes?.receiver(f.receiver, node);
  const owned = instance.result === null ? null : ownedClass(p, instance.result);
  if (owned !== null) f.ownedResult = rv(owned, [take()], { origin: graph.param(index++) });
  if (!ts.isClassDeclaration(node) && node.body !== undefined) f.body = node.body;
  for (const q of instance.params) {
    const parts = partsOf(q.type).map(take);
    const node_ = ts.isClassDeclaration(node) ? node : (node.parameters[index] ?? node);
    const origin = graph.param(index++);
    bindParameter(f, q.name, rv(q.type, parts, { origin: mayPointToFrame(q.type) ? origin : STATIC }), node_);
  }

  if (ts.isClassDeclaration(node) || ts.isConstructorDeclaration(node)) {
    f.isConstructor = true;
    if (receiver !== null && f.receiver !== null) initialiseFields(f, receiver, f.receiver);
  }
  if (!ts.isClassDeclaration(node) && node.body !== undefined) {
    const { body } = node;
    if (ts.isBlock(body)) {
      f.scopes.push({ names: new Map(), disposals: [] });
      statements(f, body.statements);
      endOfBody(f, instance);
    } else expressionBody(f, body);
  } else f.b.return([]);
  if (instance.result === null) instance.result = f.result ?? VOID;
  f.notes?.result(instance.result);
  finish(f);
}

/** What is in front of the closing bracket: an implicit return, or an error. */
function endOfBody(f: Fn, instance: Instance): void {
  if (!f.b.isOpen) return;
  if (f.isDead) {
    f.b.trap('unreachable');
    return;
  }
  if (f.result === null) f.result = VOID;
  if (f.result !== VOID) {
    if (f.hasFailed) throw new Reported('P1701');
    f.fail(instance.node, 'P1701', instance.name);
  }
  const scope = f.scopes.at(-1);
  if (scope !== undefined && scope.disposals.length > 0) f.rules.disposeScope(f, scope);
  f.b.return([]);
}

function expressionBody(f: Fn, body: ts.Expression): void {
  const raw = f.expression(body, f.result);
  if (f.isDead) return f.b.trap('unreachable');
  if (f.result === VOID || raw.type === VOID) {
    if (f.result === null) f.result = VOID;
    return f.b.return([]);
  }
  if (raw.isFresh) f.fail(body, 'P1603', raw.type.key);
  const value = f.result === null ? settle(f, raw, body) : convert(f, raw, f.result, body);
  if (f.result === null) f.inferResult(value.type);
  if (mayPointToFrame(value.type)) f.escape.return(value.origin, body);
  f.b.return(value.type === NEVER ? [] : [...materialise(f, value)]);
}

/** Runs the initialisers of fields, in order; the object's bytes are zero. */
function initialiseFields(f: Fn, type: ClassType, object: Rv): void {
  const shape = f.rules.shapeOf(f.program, type);
  for (const field of shape.fields.values()) {
    const { initialiser } = field;
    if (initialiser !== null) attempt(() => initialiseField(f, object, field, initialiser));
  }
}

function initialiseField(f: Fn, object: Rv, field: Field, initialiser: ts.Expression): void {
  f.at(initialiser);
  if (field.inPlace === null) {
    const value = convert(f, f.expression(initialiser, field.type), field.type, initialiser);
    const isZero = value.type.kind === 'integer' && (value.constant === 0 || value.constant === 0n);
    if (!isZero) storeValue(f, value, single(f, object), field.offset);
    if (mayPointToFrame(field.type)) f.escape.store(object.origin, value.origin, initialiser);
    return;
  }
  const address = field.offset === 0 ? single(f, object) : f.b.binary('add', single(f, object), f.const64(field.offset));
  const place = rv(field.type, [address], { origin: object.origin });
  if (field.inPlace.kind === 'object') {
    if (ts.isNewExpression(initialiser)) f.rules.create(f, initialiser, field.type, place);
    return;
  }
  if (field.type.kind !== 'slice') return bug('a slice in place');
  if (ts.isCallExpression(initialiser) && isArrayCall(initialiser)) {
    const make = initialiser.arguments[1];
    if (make === undefined) return f.fail(initialiser, 'P1307', 'array', '2', '1');
    const body = makerBody(f, make);
    if (!makesZero(f, make, body, field.type.element)) fillElements(f, address, field.inPlace.length, make, body, field.type.element);
  }
}

/** Takes out blocks that cannot be reached and hands the function over. */
export function finish(f: Fn): void {
  if (f.program.problems.any) return;
  const reached = new Set<Block>();
  const work: Block[] = [];
  const [entry] = f.b.fn.blocks;
  if (entry !== undefined) work.push(entry);
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (reached.has(block)) continue;
    reached.add(block);
    for (const { block: to } of block.terminator?.targets ?? []) work.push(to);
  }
  f.b.fn.blocks = f.b.fn.blocks.filter((block) => reached.has(block));
  f.variables.finish();
  f.notes?.finish(f.b.fn.blocks);
  f.program.ir.functions.push(f.b.finish());
}
