/** `.palindrome.layouts` read back: JSON that anybody may have written, every field checked. */
import { UserError } from '../../machine/isa/bug.ts';
import type { ClassLayout, FieldLayout, GlobalLayout, Layouts, LayoutType } from './layouts.ts';

const deepestType = 32;

/** @param name stands at the front of messages. @throws UserError */
export function parseLayouts(text: string, name: string): Layouts {
  const fail = (what: string): never => {
    throw new UserError(`${name}: the layouts are damaged: ${what}`);
  };
  const record = (value: unknown, what: string): Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : fail(`${what} is no object`);
  const list = (value: unknown, what: string): readonly unknown[] => (Array.isArray(value) ? value : fail(`${what} is no list`));
  const string = (value: unknown, what: string): string => (typeof value === 'string' ? value : fail(`${what} is no string`));
  const size = (value: unknown, what: string): number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fail(`${what} is no size`);

  const type = (value: unknown, depth = 0): LayoutType => {
    if (depth > deepestType) return fail('a type is nested too deeply');
    const { kind, width, signed, to, element, length, name: className } = record(value, 'a type');
    switch (kind) {
      case 'int':
        if (width !== 8 && width !== 16 && width !== 32 && width !== 64) return fail('an integer has no width');
        return { kind, width, signed: signed === true };
      case 'float':
        return { kind, width: 64 };
      case 'boolean':
      case 'string':
      case 'function':
        return { kind };
      case 'reference':
        return { kind, to: string(to, 'the target of a reference') };
      case 'slice':
        return { kind, element: type(element, depth + 1) };
      case 'array':
        return { kind, element: type(element, depth + 1), length: size(length, 'the length of an array') };
      case 'class':
        return { kind, name: string(className, 'the name of a class') };
      default:
        return fail('a type is of an unknown kind');
    }
  };
  const field = (value: unknown): FieldLayout => {
    const { name: fieldName, offset, size: bytes, type: fieldType } = record(value, 'a field');
    return { name: string(fieldName, 'a name'), offset: size(offset, 'an offset'), size: size(bytes, 'a size'), type: type(fieldType) };
  };
  const classLayout = (value: unknown): ClassLayout => {
    const { name: className, size: bytes, alignment, fields } = record(value, 'a class');
    const numbers = { size: size(bytes, 'a size'), alignment: size(alignment, 'an alignment') };
    return { name: string(className, 'a name'), ...numbers, fields: list(fields, 'the fields').map(field) };
  };
  const global = (value: unknown): GlobalLayout => {
    const { symbol, name: globalName, type: globalType } = record(value, 'a global');
    return { symbol: string(symbol, 'a symbol'), name: string(globalName, 'a name'), type: type(globalType) };
  };

  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    fail('they are no JSON');
  }
  const { version, classes, globals, constants } = record(json, 'the whole');
  if (version !== 1) fail(`version ${String(version)} is unknown`);
  return {
    version: 1,
    classes: list(classes, 'classes').map(classLayout),
    globals: list(globals, 'globals').map(global),
    constants: Object.fromEntries(Object.entries(record(constants, 'constants')).map(([key, value]) => [key, string(value, 'a constant')])),
  };
}
