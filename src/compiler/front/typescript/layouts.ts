/** What readers of memory need to see a program's objects by name: layouts of classes, types of module-level variables, constants. */

import type { ClassLayout, FieldLayout, GlobalLayout, Layouts, LayoutType } from '../../image/layouts.ts';
import type { Program } from './context.ts';
import type { ClassType, Field, Type } from './types.ts';

export function layoutsOf(p: Program): Layouts {
  const classes: ClassLayout[] = [];
  for (const type of p.types.classes) {
    const { shape } = type;
    if (shape === null || shape === 'being made' || shape.isBound || type.name === '{…}') continue;
    const fields: FieldLayout[] = [...shape.fields.values()].map((field) => ({
      name: field.name,
      offset: field.offset,
      size: field.size,
      type: fieldType(field),
    }));
    if (!classes.some((c) => c.name === type.key)) classes.push({ name: type.key, size: shape.size, alignment: shape.align, fields });
  }
  const globals: GlobalLayout[] = [];
  const constants: Record<string, string> = {};
  for (const [d, global] of p.globals) {
    if (global === 'being made') continue;
    if (global.kind === 'cell') globals.push({ symbol: global.symbol, name: d.name, type: layoutType(global.type) });
    else if (global.kind === 'object') {
      const { type, fixed } = global.value;
      if (fixed === undefined) continue;
      const of: LayoutType = fixed.length === null ? { kind: 'class', name: type.key } : arrayType(type, fixed.length);
      globals.push({ symbol: fixed.symbol, name: d.name, type: of });
    } else if (global.kind === 'constant') {
      const { constant } = global.value;
      if (typeof constant === 'number' || typeof constant === 'bigint') constants[d.name] = String(constant);
    }
  }
  return { version: 1, classes, globals, constants };
}

function fieldType(field: Field): LayoutType {
  if (field.inPlace === null) return layoutType(field.type);
  return field.inPlace.kind === 'object' ? { kind: 'class', name: field.type.key } : arrayType(field.type, field.inPlace.length);
}

function arrayType(type: Type, length: number): LayoutType {
  if (type.kind !== 'slice') return layoutType(type);
  return { kind: 'array', element: elementType(type.element), length };
}

function elementType(type: Type): LayoutType {
  return type.kind === 'class' ? { kind: 'class', name: type.key } : layoutType(type);
}

function layoutType(type: Type): LayoutType {
  switch (type.kind) {
    case 'integer':
      return { kind: 'int', width: type.bits, signed: type.signed };
    case 'f64':
      return { kind: 'float', width: 64 };
    case 'string':
    case 'literal':
      return { kind: 'string' };
    case 'slice':
      return { kind: 'slice', element: elementType(type.element) };
    case 'class':
      return { kind: 'reference', to: (type as ClassType).key };
    case 'function':
      return { kind: 'function' };
    case 'nullable':
      return layoutType(type.of);
    case 'brand':
      return layoutType(type.base);
    default:
      return { kind: 'boolean' };
  }
}
