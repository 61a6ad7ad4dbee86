/** Variables and constants at module level as debug information says them; a `const` table is an object of which there is but the value. */
import ts from 'typescript';
import type { DebugType, GlobalDebug, Member, StructureType, VariablePlace } from '../../image/debug-info.ts';
import { floatBits } from '../../image/float-bits.ts';
import type { Global, Program, Rv } from './context.ts';
import { arrayType, debugType, objectType } from './debug-types.ts';
import type { Declaration, SourceModule } from './modules.ts';
import { settledConstant } from './notes.ts';
import { locationOf } from './problems.ts';
import { storageOf, type Type, unbranded } from './types.ts';

type Parts = VariablePlace['parts'];

export function debugGlobals(p: Program): GlobalDebug[] {
  const list: GlobalDebug[] = [];
  const homes = homesOf(p);
  for (const [d, global] of p.globals) {
    const file = homes.get(d)?.file;
    if (global === 'being made' || d.kind !== 'variable' || file === undefined) continue;
    const said = placeOf(p, global);
    if (said !== null) list.push({ name: d.name, declared: locationOf(file, d.node), ...said });
  }
  return list;
}

/** The modules of variables and of static fields. */
function homesOf(p: Program): ReadonlyMap<Declaration, SourceModule> {
  const homes = new Map<Declaration, SourceModule>();
  for (const module of p.modules) {
    for (const d of module.parsed.values.values()) homes.set(d, module);
    if (p.statics.size === 0) continue;
    for (const statement of module.file.statements) {
      if (!ts.isClassDeclaration(statement)) continue;
      for (const member of statement.members) {
        const d = ts.isPropertyDeclaration(member) ? p.statics.get(member) : undefined;
        if (d !== undefined) homes.set(d, module);
      }
    }
  }
  return homes;
}

function placeOf(p: Program, global: Global): Pick<GlobalDebug, 'type' | 'place'> | null {
  switch (global.kind) {
    case 'cell':
      return { type: debugType(p, global.type), place: { symbol: global.symbol } };
    case 'object': {
      const { type, fixed } = global.value;
      if (fixed === undefined) return null;
      return { type: fixed.length === null ? objectType(p, type) : arrayType(p, type, fixed.length), place: { symbol: fixed.symbol } };
    }
    case 'constant': {
      const value = valueOfConstant(p, global.value);
      return value === null ? null : { type: debugType(p, value.type), place: { parts: value.parts } };
    }
    case 'table':
      return tableOf(p, global);
  }
}

function valueOfConstant(p: Program, value: Rv): { readonly type: Type; readonly parts: Parts } | null {
  const { constant, fixed } = value;
  if (fixed !== undefined) {
    const address = { bytes: 8, piece: { kind: 'address', symbol: fixed.symbol, addend: fixed.offset } } as const;
    return { type: value.type, parts: fixed.length === null ? [address] : [address, word(fixed.length)] };
  }
  if (constant === undefined) return null;
  const type = settledConstant(value.type, constant);
  if (typeof constant === 'string') {
    const symbol = p.textSymbol(constant);
    const piece = symbol === null ? null : ({ kind: 'address', symbol, addend: 0 } as const);
    return { type, parts: [{ bytes: 8, piece }, word(new TextEncoder().encode(constant).length)] };
  }
  const bits = unbranded(type).kind === 'f64' ? floatBits(Number(constant)) : BigInt(constant);
  return { type, parts: [{ bytes: storageOf(type).size, piece: { kind: 'constant', value: bits } }] };
}

function word(value: number): Parts[number] {
  return { bytes: 8, piece: { kind: 'constant', value: BigInt(value) } };
}

function tableOf(p: Program, table: Extract<Global, { kind: 'table' }>): Pick<GlobalDebug, 'type' | 'place'> | null {
  const members: Member[] = [];
  const parts: Parts[number][] = [];
  let offset = 0;
  for (const [name, node] of table.members) {
    // Others might make code or data, which debug information must not.
    const value = isPlain(p, table.scope.module, node) ? valueOfConstant(p, p.rules.constant(p, table.scope, node)) : null;
    if (value === null) continue;
    const type: DebugType = debugType(p, value.type);
    members.push({ name, offset, type });
    for (const part of value.parts) {
      parts.push(part);
      offset += part.bytes;
    }
  }
  if (members.length === 0) return null;
  const type: StructureType = { kind: 'structure', name: '', bytes: offset, members, isClass: false };
  return { type, place: { parts } };
}

/** Made of literals and of names of constants. */
function isPlain(p: Program, module: SourceModule, node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node)) return isPlain(p, module, node.expression);
  if (ts.isPrefixUnaryExpression(node)) return isPlain(p, module, node.operand);
  if (ts.isBinaryExpression(node)) return isPlain(p, module, node.left) && isPlain(p, module, node.right);
  if (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node) || ts.isStringLiteralLike(node)) return true;
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) return true;
  if (!ts.isIdentifier(node)) return false;
  const d: Declaration | undefined = module.parsed.values.get(node.text);
  const global = d === undefined ? undefined : p.globals.get(d);
  return global !== undefined && global !== 'being made' && global.kind === 'constant';
}
