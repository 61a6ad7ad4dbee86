/**
 * The types of the front end as debug information says them. Asked for when all is lowered: a class that nobody looked into stays unknown.
 *
 * As values lie in memory: an object is a pointer to its class; a slice or string is address and length; a number that may be null is the number
 * and a byte that says whether it is there.
 */
import type { DebugType, Member, StructureType } from '../../image/debug-info.ts';
import type { Program } from './context.ts';
import { type ClassType, type Field, irBytes, isReference, partsOf, storageOf, type Type } from './types.ts';

/** Of what has no type that anybody could say. */
export const UNKNOWN: DebugType = { kind: 'pointer', to: null };

const U64: DebugType = { kind: 'base', name: 'u64', bytes: 8, encoding: 'unsigned' };
const BOOLEAN: DebugType = { kind: 'base', name: 'boolean', bytes: 1, encoding: 'boolean' };
const TEXT: DebugType = { kind: 'base', name: 'char', bytes: 1, encoding: 'text' };

export function debugType(p: Program, type: Type): DebugType {
  switch (type.kind) {
    case 'integer':
      return { kind: 'base', name: type.key, bytes: type.bits / 8, encoding: type.signed ? 'signed' : 'unsigned' };
    case 'f64':
      return { kind: 'base', name: 'f64', bytes: 8, encoding: 'float' };
    case 'boolean':
      return BOOLEAN;
    case 'string':
    case 'literal':
      return pointerAndLength('string', TEXT);
    case 'slice':
      return pointerAndLength(type.key, objectType(p, type.element));
    case 'class':
      return { kind: 'pointer', to: structureOf(p, type) };
    case 'function':
      return {
        kind: 'pointer',
        to: { kind: 'function', parameters: type.params.map((t) => debugType(p, t)), result: resultType(p, type.result) },
      };
    case 'nullable':
      return isReference(type.of) ? debugType(p, type.of) : numberOrNull(p, type.of, storageOf(type).size / 2);
    case 'brand':
      return { kind: 'alias', name: type.key, of: debugType(p, type.base) };
    case 'void':
    case 'never':
    case 'null':
    case 'error':
    case 'untyped':
      return UNKNOWN;
  }
}

/** As functions give it: a number that may be null comes in two registers. */
export function resultType(p: Program, type: Type): DebugType | null {
  if (partsOf(type).length === 0) return null;
  return type.kind === 'nullable' && !isReference(type.of) ? numberOrNull(p, type.of, 8) : debugType(p, type);
}

/** As it lies in a field, array or variable of its own: objects in place. */
export function objectType(p: Program, type: Type): DebugType {
  return type.kind === 'class' ? structureOf(p, type) : debugType(p, type);
}

export function arrayType(p: Program, type: Type, length: number): DebugType {
  return type.kind === 'slice' ? { kind: 'array', element: objectType(p, type.element), length } : debugType(p, type);
}

function pointerAndLength(name: string, element: DebugType): DebugType {
  const members: readonly Member[] = [
    { name: 'data', offset: 0, type: { kind: 'pointer', to: element } },
    { name: 'length', offset: 8, type: U64 },
  ];
  return { kind: 'structure', name, bytes: 16, members, isClass: false };
}

function numberOrNull(p: Program, of: Type, presentAt: number): DebugType {
  const members: readonly Member[] = [
    { name: 'value', offset: 0, type: debugType(p, of) },
    { name: 'isPresent', offset: presentAt, type: BOOLEAN },
  ];
  const part = partsOf(of)[0];
  const bytes = part === undefined ? 2 * presentAt : Math.max(2 * presentAt, 2 * irBytes(part));
  return { kind: 'structure', name: `${of.key} | null`, bytes, members, isClass: false };
}

function structureOf(p: Program, type: ClassType): DebugType {
  const known = p.structures.get(type);
  if (known !== undefined) return known;
  const { shape } = type;
  if (shape === null || shape === 'being made') return { kind: 'structure', name: type.key, bytes: 0, members: [], isClass: false };
  const structure: StructureType = { kind: 'structure', name: type.key, bytes: shape.size, members: [], isClass: true };
  p.structures.set(type, structure);
  structure.members = [...shape.fields.values()].map((field) => ({ name: field.name, offset: field.offset, type: fieldType(p, field) }));
  return structure;
}

function fieldType(p: Program, { type, inPlace }: Field): DebugType {
  if (inPlace === null) return debugType(p, type);
  return inPlace.kind === 'object' ? objectType(p, type) : arrayType(p, type, inPlace.length);
}
