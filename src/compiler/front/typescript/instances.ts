/** Which functions of the IR there are: finding or making the instance of a function for its type arguments, and its signature. */

import ts from 'typescript';
import type { Type as IrType } from '../../ir/types.ts';
import type { FunctionNode, Instance, Program, Scope } from './context.ts';
import { tagsOf } from './modules.ts';
import { resolveType } from './resolve.ts';
import { inferType, memberName } from './shapes.ts';
import { type ClassType, partsOf, type Type, type TypeEnvironment, VOID } from './types.ts';

/** A function before its type arguments are chosen. */
export interface Template {
  readonly node: FunctionNode;
  readonly name: string;
  readonly scope: Scope;
  readonly receiver: ClassType | null;
}

export function parametersOf(node: FunctionNode): readonly ts.ParameterDeclaration[] {
  return ts.isClassDeclaration(node) ? [] : node.parameters;
}

/** The instance; `chosen` gives types of parameters that are bounds, by index. */
export function instanceOf(
  p: Program,
  template: Template,
  environment: TypeEnvironment,
  chosen: ReadonlyMap<number, Type> = new Map(),
): Instance {
  const { node, receiver } = template;
  const own = ts.isClassDeclaration(node) ? [] : (node.typeParameters ?? []).map((t) => environment.get(t.name.text));
  const classArgs = receiver === null ? [...template.scope.environment.values()] : [];
  const ids = [...own, ...classArgs].map((t) => (t === undefined ? '?' : p.types.id(t)));
  const chosenIds = [...chosen].map(([i, t]) => `${i}:${p.types.id(t)}`);
  const key = `${p.types.id(node)} ${receiver === null ? '' : p.types.id(receiver)} ${ids.join(',')} ${chosenIds.join(',')}`;
  const known = p.instances.get(key);
  if (known !== undefined) return known;

  const scope: Scope = { ...template.scope, environment };
  const { file } = scope.module;
  const tags = ts.isArrowFunction(node) || ts.isFunctionExpression(node) ? null : tagsOf(file, node);
  const params = parametersOf(node).map((q, i) => {
    if (!ts.isIdentifier(q.name)) return p.problems.fail(file, q, 'P1006');
    if (q.dotDotDotToken !== undefined || q.questionToken !== undefined) {
      return p.problems.fail(file, q, 'P1002', 'such a parameter', 'give every parameter a type, and a default where it may be left out');
    }
    const type = chosen.get(i) ?? (q.type !== undefined ? resolveType(p, scope, q.type) : null) ?? typeOfDefault(p, scope, q);
    return { name: q.name.text, type, initialiser: q.initializer ?? null };
  });
  refuseModifiers(p, scope, node);
  const isBodiless = !ts.isClassDeclaration(node) && node.body === undefined;
  const external = tags?.get('extern') ?? null;
  if (isBodiless && external === null) p.problems.fail(file, node, 'P1107', template.name);
  const exportedAs = tags?.get('export') ?? null;
  const args = own.length === 0 ? '' : `<${own.map((t) => t?.key ?? '?').join(',')}>`;
  const path = receiver === null ? template.name : `${receiver.key}.${template.name}`;
  if (args.length > 2000) p.problems.fail(file, node, 'P1210', template.name);
  const instance: Instance = {
    symbol: external ?? exportedAs ?? p.symbol(`${path}${args}`.replaceAll(' ', '')),
    name: template.name,
    node,
    scope,
    receiver,
    params,
    result: resultOf(p, scope, node),
    isExternal: external !== null && isBodiless,
    exported: exportedAs !== null,
    hint: tags?.has('noinline') === true ? 'never' : tags?.has('inline') === true ? 'always' : 'auto',
    state: external !== null && isBodiless ? 'made' : 'waiting',
    escape: null,
  };
  p.instances.set(key, instance);
  if (!instance.isExternal) p.waiting.push(instance);
  return instance;
}

/** `async`, generators, decorators and parameter properties. */
function refuseModifiers(p: Program, scope: Scope, node: FunctionNode): void {
  const { file } = scope.module;
  if (ts.isClassDeclaration(node)) return;
  if (node.modifiers?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword) === true)
    p.problems.fail(file, node, 'P1002', '`async`', 'programs are synchronous');
  if (node.asteriskToken !== undefined) p.problems.fail(file, node, 'P1002', 'a generator', 'write a loop');
  if (node.modifiers?.some((m) => m.kind === ts.SyntaxKind.Decorator) === true)
    p.problems.fail(file, node, 'P1002', 'a decorator', 'call what it does');
  for (const q of node.parameters) {
    if (ts.isIdentifier(q.name) && q.name.text === 'this')
      p.problems.fail(file, q, 'P1002', 'a `this` parameter', 'give it a name of its own');
    if ((q.modifiers?.length ?? 0) > 0) p.problems.fail(file, q, 'P1002', 'a parameter property', 'declare the field and assign it');
  }
}

function typeOfDefault(p: Program, scope: Scope, q: ts.ParameterDeclaration): Type {
  if (q.initializer === undefined) return p.problems.fail(scope.module.file, q, 'P1206');
  return inferType(p, scope, q.initializer);
}

function resultOf(p: Program, scope: Scope, node: FunctionNode): Type | null {
  if (ts.isClassDeclaration(node) || ts.isConstructorDeclaration(node) || ts.isSetAccessorDeclaration(node)) return VOID;
  if (node.type === undefined) return null;
  if (node.type.kind === ts.SyntaxKind.TypePredicate) return VOID;
  return resolveType(p, scope, node.type);
}

/** The class of an owned result (`C` or `C | null` with `[Symbol.dispose]`), which is made in storage of the caller; else null. */
export function ownedClass(p: Program, type: Type): ClassType | null {
  const t = type.kind === 'nullable' ? type.of : type;
  return t.kind === 'class' && p.rules.shapeOf(p, t).owned ? t : null;
}

/** IR types of parameters and results: the receiver first, then the place of an owned result. */
export function signatureOf(
  p: Program,
  hasReceiver: boolean,
  params: readonly Type[],
  result: Type,
): { params: IrType[]; results: IrType[] } {
  const flat: IrType[] = hasReceiver ? ['i64'] : [];
  if (ownedClass(p, result) !== null) flat.push('i64');
  for (const type of params) flat.push(...partsOf(type));
  return { params: flat, results: [...partsOf(result)] };
}

/** The template of a method, getter, setter or constructor of a class. */
export function memberTemplate(type: ClassType, node: FunctionNode): Template {
  const name = ts.isConstructorDeclaration(node) || ts.isClassDeclaration(node) ? 'new' : (memberName(node.name) ?? '?');
  const prefix = ts.isGetAccessorDeclaration(node) ? 'get ' : ts.isSetAccessorDeclaration(node) ? 'set ' : '';
  return { node, name: prefix === '' ? name : `${prefix.trim()}_${name}`, scope: scopeOf(type), receiver: type };
}

function scopeOf(type: ClassType): Scope {
  return { module: type.module, environment: type.environment, within: type };
}
