/** Looking up names: a module's scope, through its imports, then the language's own. */

import ts from 'typescript';
import type { Meaning, Program, Scope } from './context.ts';
import type { Declaration, SourceModule } from './modules.ts';

/** Functions and objects that are there without import. */
export const BUILTINS: ReadonlySet<string> = new Set([
  ...['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f64'],
  ...['wrapping', 'div', 'idx', 'array', 'bytesOf', 'sizeOf', 'assert', 'unreachable', 'Math', 'BigInt'],
]);

type Space = 'values' | 'types';

export function lookupValue(p: Program, module: SourceModule, name: string, at: ts.Node): Meaning | null {
  const found = lookup(p, module, name, 'values', at);
  return found ?? (BUILTINS.has(name) ? { kind: 'builtin', name } : null);
}

export function lookupType(p: Program, module: SourceModule, name: string, at: ts.Node): Meaning | null {
  return lookup(p, module, name, 'types', at);
}

function lookup(p: Program, module: SourceModule, name: string, space: Space, at: ts.Node): Meaning | null {
  const declaration = module.parsed[space].get(name);
  if (declaration === undefined) return null;
  return follow(p, module, declaration, space, at);
}

function follow(p: Program, module: SourceModule, declaration: Declaration, space: Space, at: ts.Node): Meaning | null {
  if (declaration.kind !== 'import' && declaration.kind !== 'namespace') return { kind: 'declaration', module, declaration };
  const target = module.imports.get(declaration.from);
  if (target === undefined) return null;
  if (declaration.kind === 'namespace') return target === 'intrinsics' ? null : { kind: 'module', module: target };
  if (target === 'intrinsics') return space === 'values' ? { kind: 'intrinsic', name: declaration.imported } : null;
  const found = lookupExport(p, target, declaration.imported, space, at);
  const other = space === 'values' ? 'types' : 'values';
  if (found === null && lookupExport(p, target, declaration.imported, other, at) === null) {
    p.problems.fail(module.file, declaration.node, 'P1103', declaration.from, declaration.imported);
  }
  return found;
}

export function lookupExport(p: Program, module: SourceModule, name: string, space: Space, at: ts.Node): Meaning | null {
  const exported = module.parsed.exports.get(name);
  if (exported === undefined) {
    for (const star of module.parsed.stars) {
      const target = module.imports.get(star);
      const found = target === undefined || target === 'intrinsics' ? null : lookupExport(p, target, name, space, at);
      if (found !== null) return found;
    }
    return null;
  }
  if ('local' in exported) return lookup(p, module, exported.local, space, at);
  const target = module.imports.get(exported.from);
  if (target === undefined || target === 'intrinsics') return null;
  return lookupExport(p, target, exported.imported, space, at);
}

/** A dotted type name (`ns.Name`, `Name`). */
export function lookupEntity(p: Program, scope: Scope, name: ts.EntityName): Meaning | null {
  if (ts.isIdentifier(name)) return lookupType(p, scope.module, name.text, name);
  const left = lookupEntity(p, scope, name.left);
  return left?.kind === 'module' ? lookupExport(p, left.module, name.right.text, 'types', name) : null;
}
