/** Statements: control flow, declarations, `using`. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Block, Value } from '../../ir/function.ts';
import { assignedNames } from './assigned.ts';
import { callInstance } from './calls.ts';
import { attempt, type BlockScope, type Fn, type Local, type Rv } from './context.ts';
import { STATIC } from './escape.ts';
import { instanceOf, memberTemplate, ownedClass } from './instances.ts';
import { moveOwned } from './objects.ts';
import { elementAddress } from './places.ts';
import { resolveType } from './resolve.ts';
import { DISPOSE, elementStorage } from './shapes.ts';
import { type ClassType, I32, I64, isSmall, mayPointToFrame, NEVER, partsOf, type Type, unbranded, VOID } from './types.ts';
import { convert, isPresent, loadValue, made, materialise, resize, rv, second, settle, shown, single, stripNull } from './values.ts';

const K = ts.SyntaxKind;

/** One statement; what it reports ends with it. */
export function statement(f: Fn, node: ts.Statement): void {
  if (f.isDead && !ts.isFunctionDeclaration(node)) return;
  const depth = f.scopes.length;
  const targets = f.targets.length;
  const { loopDepth, isDead } = f;
  if (attempt(() => one(f, node))) return;
  // Given up in the middle: go on in a block of its own, for what else there is to report. No code will come of it.
  f.scopes.length = depth;
  f.targets.length = targets;
  f.loopDepth = loopDepth;
  f.wrap = null;
  f.hasFailed = true;
  if (!f.b.isOpen) f.startDead();
  f.isDead = isDead;
  if (ts.isReturnStatement(node)) f.endUnreachable();
  declareFailed(f, node);
}

/** Names of a declaration that failed, so that their uses are not reported, too. */
function declareFailed(f: Fn, node: ts.Statement): void {
  if (!ts.isVariableStatement(node)) return;
  for (const d of node.declarationList.declarations) {
    if (!ts.isIdentifier(d.name) || f.scopes.at(-1)?.names.has(d.name.text) === true) continue;
    const value = rv({ kind: 'error', key: 'error' }, []);
    attempt(() =>
      f.declare(
        {
          name: d.name.getText(f.scope.module.file),
          type: value.type,
          isConst: false,
          variables: null,
          value,
          origin: STATIC,
          mustAssign: false,
          owned: null,
        },
        d,
      ),
    );
  }
}

function one(f: Fn, node: ts.Statement): void {
  f.at(node);
  switch (node.kind) {
    case K.ExpressionStatement:
      return expressionStatement(f, (node as ts.ExpressionStatement).expression);
    case K.VariableStatement:
      return variables(f, (node as ts.VariableStatement).declarationList);
    case K.Block:
      return inScope(f, () => statements(f, (node as ts.Block).statements));
    case K.IfStatement:
      return ifStatement(f, node as ts.IfStatement);
    case K.WhileStatement:
      return whileLoop(f, node as ts.WhileStatement, null);
    case K.DoStatement:
      return doLoop(f, node as ts.DoStatement, null);
    case K.ForStatement:
      return forLoop(f, node as ts.ForStatement, null);
    case K.ForOfStatement:
      return forOf(f, node as ts.ForOfStatement, null);
    case K.SwitchStatement:
      return switchStatement(f, node as ts.SwitchStatement, null);
    case K.LabeledStatement:
      return labeled(f, node as ts.LabeledStatement);
    case K.ReturnStatement:
      return returnStatement(f, node as ts.ReturnStatement);
    case K.BreakStatement:
    case K.ContinueStatement:
      return leave(f, node as ts.BreakOrContinueStatement);
    case K.EmptyStatement:
    case K.InterfaceDeclaration:
    case K.TypeAliasDeclaration:
      return;
    case K.FunctionDeclaration:
      return f.fail(node, 'P1002', 'a function within a function', 'declare it at module level');
    case K.ClassDeclaration:
      return f.fail(node, 'P1002', 'a class within a function', 'declare it at module level');
    case K.ThrowStatement:
      return f.fail(node, 'P1002', '`throw`', 'return an error, or assert');
    case K.TryStatement:
      return f.fail(node, 'P1002', '`try`', 'return errors; `using` cleans up on every way out');
    case K.ForInStatement:
      return f.fail(node, 'P1002', '`for-in`', 'use for-of over a slice');
    default:
      return f.fail(node, 'P1002', `this statement (${K[node.kind]})`, 'see docs/bare-typescript.md, "Statements"');
  }
}

export function statements(f: Fn, list: readonly ts.Statement[]): void {
  for (const s of list) f.rules.statement(f, s);
}

function expressionStatement(f: Fn, node: ts.Expression): void {
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === K.CommaToken) {
    expressionStatement(f, node.left);
    return expressionStatement(f, node.right);
  }
  const value = f.expression(node);
  if (value.isFresh) f.fail(node, 'P1603', shown(value));
  const inner = ts.isParenthesizedExpression(node) ? node.expression : node;
  const isUse = ts.isCallExpression(inner) || ts.isNewExpression(inner) || isAssignment(inner);
  if (!isUse && value.type !== VOID && value.type !== NEVER) f.report(node, 'P1313', K[inner.kind] ?? 'expression');
}

function isAssignment(node: ts.Expression): boolean {
  if (ts.isPostfixUnaryExpression(node)) return true;
  if (ts.isPrefixUnaryExpression(node)) return node.operator === K.PlusPlusToken || node.operator === K.MinusMinusToken;
  return ts.isBinaryExpression(node) && node.operatorToken.kind >= K.FirstAssignment && node.operatorToken.kind <= K.LastAssignment;
}

// Scopes and disposal

export function inScope(f: Fn, work: () => void): void {
  f.scopes.push({ names: new Map(), disposals: [] });
  work();
  const scope = f.scopes.at(-1) ?? bug('no scope');
  if (!f.isDead) disposeScope(f, scope);
  f.scopes.pop();
  f.noteVariables();
}

/** Disposes what the scope bound with `using`, last first. */
export function disposeScope(f: Fn, scope: BlockScope): void {
  for (let i = scope.disposals.length - 1; i >= 0; i--) {
    const entry = scope.disposals[i];
    if (entry !== undefined) dispose(f, entry.type, entry.local);
  }
}

/** Disposes for leaving all scopes down to `depth` open ones. */
function disposeDownTo(f: Fn, depth: number): void {
  for (let i = f.scopes.length - 1; i >= depth; i--) {
    const scope = f.scopes[i];
    if (scope !== undefined) disposeScope(f, scope);
  }
}

function dispose(f: Fn, type: ClassType, local: Local): void {
  const value = local.value ?? bug('a `using` is never assigned');
  const method = f.rules.shapeOf(f.program, type).methods.get(DISPOSE) ?? bug('not owned');
  const instance = instanceOf(f.program, memberTemplate(type, method), type.environment);
  const call = (object: Rv): void => {
    callInstance(f, instance, object, [], method);
  };
  if (value.type.kind !== 'nullable') return call(value);
  const some = f.b.block();
  const behind = f.b.block();
  f.branch(isPresent(f, value), some, behind);
  f.enter(some);
  call(stripNull(value));
  f.jump(behind);
  f.enter(behind);
}

// Declarations

export function variables(f: Fn, list: ts.VariableDeclarationList): void {
  const { flags } = list;
  const isUsing = (flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.Using;
  if ((flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.None) f.fail(list, 'P1004');
  if ((flags & ts.NodeFlags.BlockScoped) === ts.NodeFlags.AwaitUsing) f.fail(list, 'P1002', '`await using`', 'write `using`');
  const isConst = isUsing || (flags & ts.NodeFlags.Const) !== 0;
  for (const d of list.declarations) declareVariable(f, d, isConst, isUsing);
}

function declareVariable(f: Fn, node: ts.VariableDeclaration, isConst: boolean, isUsing: boolean): void {
  if (!ts.isIdentifier(node.name)) return f.fail(node.name, 'P1006');
  const name = node.name.text;
  const declared = node.type === undefined ? null : resolveType(f.program, f.scope, node.type);
  if (declared?.kind === 'class' && f.rules.shapeOf(f.program, declared).isBound) f.fail(node, 'P1209', declared.name);
  if (node.initializer === undefined) {
    if (declared === null) return f.fail(node, 'P1005');
    const parts = partsOf(declared).map((t) => f.variables.declare(t));
    const origin = mayPointToFrame(declared) ? f.escape.node() : STATIC;
    f.declare({ name, type: declared, isConst: false, variables: parts, value: null, origin, mustAssign: true, owned: null }, node);
    return;
  }
  const raw = f.expression(node.initializer, declared);
  const initial = declared === null ? raw : convert(f, raw, declared, node.initializer);
  if (initial.type === VOID) f.fail(node.initializer, 'P1302', 'void', 'a value', 'the function returns nothing');
  const owned = ownedClass(f.program, initial.type);
  if (isUsing && owned === null && initial.type.kind !== 'null') return f.fail(node, 'P1605', shown(initial));
  if (raw.isFresh && !isConst) f.fail(node, 'P1603', shown(raw));
  const ownership = raw.isFresh || isUsing ? (isUsing ? 'using' : 'const') : null;
  const local = bind(f, name, initial, declared, isConst || !f.isAssigned(name), isConst, ownership, node);
  if (isUsing && owned !== null) f.scopes.at(-1)?.disposals.push({ type: owned, local });
  if (declared?.kind === 'nullable' && raw.type.kind !== 'nullable' && raw.type.kind !== 'null') f.addFacts(`n:v${local.id}`);
}

/** A name for a value: the value itself if it is never assigned to, else SSA variables. */
function bind(
  f: Fn,
  name: string,
  initial: Rv,
  declared: Type | null,
  isFixed: boolean,
  isConst: boolean,
  owned: Local['owned'],
  node: ts.Node,
): Local {
  const common = { name, isConst, mustAssign: false, owned };
  if (isFixed) {
    // A constant stays untyped if nobody gave it a type; anything else is made here, where it is evaluated.
    const keeps = initial.constant !== undefined && (isConst || initial.type.kind !== 'untyped');
    const settled = keeps ? initial : settle(f, initial, node);
    const value = { ...(settled.constant !== undefined || settled.fixed !== undefined ? settled : made(f, settled)), path: null };
    const { isFresh: _, ...kept } = value;
    return f.declare({ ...common, type: kept.type, variables: null, value: kept, origin: kept.origin }, node);
  }
  const settled = declared === null ? settle(f, initial, node) : initial;
  const parts = partsOf(settled.type).map((t) => f.variables.declare(t));
  const origin = mayPointToFrame(settled.type) ? f.escape.node() : STATIC;
  f.escape.flow(settled.origin, origin);
  let index = 0;
  for (const part of materialise(f, settled)) f.variables.write(parts[index++] ?? bug(name), part);
  return f.declare({ ...common, type: settled.type, variables: parts, value: null, origin }, node);
}

/** A parameter's name. */
export function bindParameter(f: Fn, name: string, value: Rv, node: ts.Node): void {
  bind(f, name, value, value.type, !f.isAssigned(name), false, null, node);
}

// Branches and loops

function ifStatement(f: Fn, node: ts.IfStatement): void {
  const whenTrue = f.b.block();
  const whenFalse = f.b.block();
  const behind = node.elseStatement === undefined ? whenFalse : f.b.block();
  f.rules.condition(f, node.expression, whenTrue, whenFalse);
  f.enter(whenTrue);
  inScope(f, () => f.rules.statement(f, node.thenStatement));
  f.jump(behind);
  if (node.elseStatement !== undefined) {
    const { elseStatement } = node;
    f.enter(whenFalse);
    inScope(f, () => f.rules.statement(f, elseStatement));
    f.jump(behind);
  }
  f.enter(behind);
}

/** Before a loop: forgets what its turns may change. */
function forgetAssigned(f: Fn, node: ts.Node): void {
  if (f.facts.size === 0) return;
  for (const name of assignedNames(f.scope.module, node)) {
    if (name.startsWith('.')) f.forgetMember(name.slice(1));
    else {
      const local = f.lookup(name);
      if (local !== null) f.forget(`v${local.id}`);
    }
  }
}

function loopBody(f: Fn, label: string | null, body: ts.Statement, breakTo: Block, continueTo: Block): void {
  f.targets.push({ label, breakTo, continueTo, depth: f.scopes.length });
  f.loopDepth++;
  inScope(f, () => f.rules.statement(f, body));
  f.loopDepth--;
  f.targets.pop();
}

function whileLoop(f: Fn, node: ts.WhileStatement, label: string | null): void {
  const header = f.b.block();
  const body = f.b.block();
  const behind = f.b.block();
  forgetAssigned(f, node);
  f.jump(header);
  f.enter(header, true);
  f.loopDepth++;
  f.rules.condition(f, node.expression, body, behind);
  f.loopDepth--;
  f.enter(body);
  loopBody(f, label, node.statement, behind, header);
  f.jump(header);
  f.variables.seal(header);
  f.enter(behind);
}

function doLoop(f: Fn, node: ts.DoStatement, label: string | null): void {
  const body = f.b.block();
  const test = f.b.block();
  const behind = f.b.block();
  forgetAssigned(f, node);
  f.jump(body);
  f.enter(body, true);
  loopBody(f, label, node.statement, behind, test);
  f.jump(test);
  f.enter(test);
  f.rules.condition(f, node.expression, body, behind);
  f.variables.seal(body);
  f.enter(behind);
}

function forLoop(f: Fn, node: ts.ForStatement, label: string | null): void {
  inScope(f, () => {
    const { initializer, condition, incrementor } = node;
    if (initializer !== undefined) {
      if (ts.isVariableDeclarationList(initializer)) variables(f, initializer);
      else expressionStatement(f, initializer);
    }
    const header = f.b.block();
    const body = f.b.block();
    const next = f.b.block();
    const behind = f.b.block();
    forgetAssigned(f, node);
    f.jump(header);
    f.enter(header, true);
    f.loopDepth++;
    if (condition === undefined) f.jump(body);
    else f.rules.condition(f, condition, body, behind);
    f.loopDepth--;
    f.enter(body);
    loopBody(f, label, node.statement, behind, next);
    f.jump(next);
    f.enter(next);
    if (incrementor !== undefined && !f.isDead) expressionStatement(f, incrementor);
    f.jump(header);
    f.variables.seal(header);
    f.enter(behind);
  });
}

function forOf(f: Fn, node: ts.ForOfStatement, label: string | null): void {
  const { initializer } = node;
  if (node.awaitModifier !== undefined) f.fail(node, 'P1002', '`for await`', 'programs are synchronous');
  const [declaration] = ts.isVariableDeclarationList(initializer) ? initializer.declarations : [];
  if (declaration === undefined || !ts.isIdentifier(declaration.name)) return f.fail(initializer, 'P1006');
  const { name } = declaration;
  const slice = made(f, f.expression(node.expression));
  const type = unbranded(slice.type);
  if (type.kind === 'nullable') return f.fail(node.expression, 'P1401');
  if (type.kind !== 'slice')
    return f.fail(node.expression, 'P1304', 'for-of', shown(slice), 'it is for slices and arrays; strings: charCodeAt(i)');
  const start = single(f, slice);
  const length = second(f, slice);
  const { size } = elementStorage(f.program, type.element);
  const index = f.variables.declare('i64');
  f.variables.write(index, f.const64(0));
  const header = f.b.block();
  const body = f.b.block();
  const next = f.b.block();
  const behind = f.b.block();
  forgetAssigned(f, node.statement);
  f.jump(header);
  f.enter(header, true);
  f.branch(f.b.icmp('ult', f.variables.read(index), length), body, behind);
  f.enter(body);
  f.loopDepth++;
  inScope(f, () => {
    f.loopDepth--;
    const at = elementAddress(f, start, f.variables.read(index), size);
    const origin = mayPointToFrame(type.element) ? slice.origin : STATIC;
    const value = type.element.kind === 'class' ? rv(type.element, [at], { origin }) : loadValue(f, type.element, at, 0, origin);
    const isConst = ts.isVariableDeclarationList(initializer) && (initializer.flags & ts.NodeFlags.Const) !== 0;
    bind(f, name.text, value, null, isConst || !f.isAssigned(name.text), isConst, null, declaration);
    loopBody(f, label, node.statement, behind, next);
    f.loopDepth++;
  });
  f.loopDepth--;
  f.jump(next);
  f.enter(next);
  f.variables.write(index, f.b.binary('add', f.variables.read(index), f.const64(1)));
  f.jump(header);
  f.variables.seal(header);
  f.enter(behind);
}

function labeled(f: Fn, node: ts.LabeledStatement): void {
  const label = node.label.text;
  const { statement: inner } = node;
  if (ts.isForStatement(inner)) return forLoop(f, inner, label);
  if (ts.isForOfStatement(inner)) return forOf(f, inner, label);
  if (ts.isWhileStatement(inner)) return whileLoop(f, inner, label);
  if (ts.isDoStatement(inner)) return doLoop(f, inner, label);
  if (ts.isSwitchStatement(inner)) return switchStatement(f, inner, label);
  const behind = f.b.block();
  f.targets.push({ label, breakTo: behind, continueTo: null, depth: f.scopes.length });
  inScope(f, () => f.rules.statement(f, inner));
  f.targets.pop();
  f.jump(behind);
  f.enter(behind);
}

function leave(f: Fn, node: ts.BreakOrContinueStatement): void {
  const isBreak = node.kind === K.BreakStatement;
  const label = node.label?.text ?? null;
  for (let i = f.targets.length - 1; i >= 0; i--) {
    const target = f.targets[i];
    if (target === undefined) continue;
    if (label !== null && target.label !== label) continue;
    // A plain `break` leaves loops and switches, not labelled blocks.
    if (label === null && target.label !== null && target.continueTo === null && !target.isSwitch) continue;
    const to = isBreak ? target.breakTo : target.continueTo;
    if (to === null) {
      if (label === null) continue;
      break;
    }
    disposeDownTo(f, target.depth);
    f.jump(to);
    f.startDead();
    return;
  }
  if (label !== null) f.fail(node, 'P1703', label);
  f.fail(node, 'P1702', isBreak ? 'break' : 'continue');
}

function switchStatement(f: Fn, node: ts.SwitchStatement, label: string | null): void {
  const value = made(f, settle(f, f.expression(node.expression), node.expression));
  const type = unbranded(value.type);
  const behind = f.b.block();
  const clauses = node.caseBlock.clauses.map((clause) => ({ clause, block: f.b.block() }));
  const otherwise = clauses.find(({ clause }) => ts.isDefaultClause(clause))?.block ?? behind;
  const cases: { constant: string | number | bigint | boolean; block: Block; node: ts.Expression; value: Rv }[] = [];
  const seen = new Set<unknown>();
  for (const { clause, block } of clauses) {
    if (ts.isDefaultClause(clause)) continue;
    const given = f.expression(clause.expression, value.type);
    const constant = convert(f, given, type, clause.expression);
    if (constant.constant === undefined) f.fail(clause.expression, 'P1308', 'a case');
    if (seen.has(constant.constant)) f.fail(clause.expression, 'P1704', String(constant.constant));
    seen.add(constant.constant);
    cases.push({ constant: constant.constant, block, node: clause.expression, value: constant });
  }
  f.at(node);
  if (type.kind === 'integer') {
    const wide = isSmall(type) ? resize(f, value, type.signed || type.bits < 32 ? I32 : I64) : single(f, value);
    const edges = cases.map(({ constant, block }) => [typeof constant === 'bigint' ? constant : Number(constant), block] as const);
    for (const [, block] of edges) f.noteEdge(block);
    f.noteEdge(otherwise);
    f.b.switch(wide, wide.type === 'i64' ? edges.map(([c, b]) => [BigInt(c), b] as const) : edges, otherwise);
  } else if (type.kind === 'string') {
    for (const { block, value: text, node: at } of cases) {
      const next = f.b.block();
      f.branch(single(f, f.rules.textsAreEqual(f, value, text, at)), block, next);
      f.enter(next);
    }
    f.jump(otherwise);
  } else f.fail(node.expression, 'P1304', 'switch', shown(value), 'it is for integers and strings');

  f.targets.push({ label, breakTo: behind, continueTo: null, depth: f.scopes.length, isSwitch: true });
  f.scopes.push({ names: new Map(), disposals: [] });
  for (const { clause, block } of clauses) {
    if (f.b.isOpen) f.jump(block);
    f.enter(block);
    statements(f, clause.statements);
  }
  const scope = f.scopes.at(-1);
  if (scope !== undefined && scope.disposals.length > 0) f.fail(node, 'P1002', '`using` directly in a case', 'put the case in a block');
  f.scopes.pop();
  f.targets.pop();
  f.jump(behind);
  f.enter(behind);
}

// Return

function returnStatement(f: Fn, node: ts.ReturnStatement): void {
  if (f.isInitialiser) return f.fail(node, 'P1702', 'return');
  const { expression } = node;
  if (expression === undefined) {
    if (f.result === null) f.result = VOID;
    if (f.result !== VOID) f.fail(node, 'P1706', f.result.key);
    finishReturn(f, []);
    return;
  }
  if (f.result === NEVER) f.fail(node, 'P1707');
  const owned = f.result === null ? null : ownedClass(f.program, f.result);
  if (owned !== null) return returnOwned(f, expression, owned, node);
  const raw = f.expression(expression, f.result);
  if (f.result === VOID) {
    if (raw.type !== VOID && raw.type !== NEVER) f.fail(expression, 'P1707');
    return finishReturn(f, []);
  }
  const value = f.result === null ? settle(f, raw, expression) : convert(f, raw, f.result, expression);
  if (f.result === null) {
    f.inferResult(value.type);
    if (ownedClass(f.program, value.type) !== null) f.fail(expression, 'P1206');
  }
  if (mayPointToFrame(value.type)) f.escape.return(value.origin, expression);
  finishReturn(f, value.type === VOID ? [] : [...materialise(f, value)]);
}

function finishReturn(f: Fn, values: Value[]): void {
  disposeDownTo(f, 0);
  f.b.return(values);
  f.startDead();
}

/** Returns an owned value: it is made in, or moved to, the caller's storage. */
function returnOwned(f: Fn, node: ts.Expression, owned: ClassType, at: ts.Node): void {
  const place = f.ownedResult ?? bug('no place for the owned result');
  const result = f.result ?? bug('no result type');
  const inner = ts.isParenthesizedExpression(node) ? node.expression : node;
  if (ts.isConditionalExpression(inner)) {
    const whenTrue = f.b.block();
    const whenFalse = f.b.block();
    f.rules.condition(f, inner.condition, whenTrue, whenFalse);
    f.enter(whenTrue);
    returnOwned(f, inner.whenTrue, owned, at);
    f.b.trap('unreachable');
    f.enter(whenFalse);
    return returnOwned(f, inner.whenFalse, owned, at);
  }
  if (ts.isNewExpression(inner)) {
    const made = f.rules.create(f, inner, result, place);
    if (made.type !== owned) convert(f, made, result, inner);
    return finishReturn(f, [single(f, place)]);
  }
  const value = f.expression(inner, result);
  if (value.type.kind === 'null') {
    if (result.kind !== 'nullable') convert(f, value, result, inner);
    return finishReturn(f, [f.const64(0)]);
  }
  const local = ts.isIdentifier(inner) ? f.lookup(inner.text) : null;
  if (local?.owned === 'using') f.fail(inner, 'P1606', local.name);
  if (value.type !== NEVER && value.isFresh !== true && local?.owned !== 'const') f.fail(inner, 'P1604', owned.name);
  const converted = made(f, convert(f, value, result, inner));
  if (value.type.kind !== 'nullable') {
    moveOwned(f, converted, place, owned);
    return finishReturn(f, [single(f, place)]);
  }
  const some = f.b.block();
  const none = f.b.block();
  f.branch(isPresent(f, converted), some, none);
  f.enter(some);
  moveOwned(f, converted, place, owned);
  finishReturn(f, [single(f, place)]);
  f.b.trap('unreachable');
  f.enter(none);
  finishReturn(f, [f.const64(0)]);
}
