/**
 * The types of bare TypeScript as the front end sees them: interned, so that equal types are one object.
 *
 * `untyped` numbers are those of constants that have not met a type yet. `error` is the type of what was already reported.
 * A value of a type is one or two *parts* in the IR: a slice is address and length, a number that may be null is the value and a byte "present".
 */

import type ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Type as IrType } from '../../ir/types.ts';
import type { SourceModule } from './modules.ts';

export type IntegerName = 'u8' | 'u16' | 'u32' | 'u64' | 'i8' | 'i16' | 'i32' | 'i64';

export interface IntegerType {
  readonly kind: 'integer';
  readonly key: IntegerName;
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
  readonly least: bigint;
  readonly most: bigint;
}
/** `number`: an untyped whole number, `bigint`: an untyped bigint, `float`: one written with a point or exponent. */
export interface UntypedType {
  readonly kind: 'untyped';
  readonly key: 'number' | 'bigint' | 'float';
}
type PlainKind = 'f64' | 'boolean' | 'string' | 'void' | 'never' | 'null' | 'error';
interface Plain<K extends PlainKind> {
  readonly kind: K;
  readonly key: string;
}
export type PlainType = { [K in PlainKind]: Plain<K> }[PlainKind];
/** A typed array, or `T[]`; of a class the objects lie in place. */
export interface SliceType {
  readonly kind: 'slice';
  readonly key: string;
  readonly element: Type;
  readonly readonly: boolean;
  /** `Uint8Array` …, or null for `T[]`. */
  readonly typedArray: string | null;
}
export interface FunctionType {
  readonly kind: 'function';
  readonly key: string;
  readonly params: readonly Type[];
  readonly result: Type;
}
export interface NullableType {
  readonly kind: 'nullable';
  readonly key: string;
  readonly of: Type;
}
export interface BrandType {
  readonly kind: 'brand';
  readonly key: string;
  readonly base: Type;
  readonly module: SourceModule;
}
/** A string literal as a type argument: a phantom. As the type of a value it is `string`. */
export interface LiteralType {
  readonly kind: 'literal';
  readonly key: string;
  readonly text: string;
}

export type TypeEnvironment = ReadonlyMap<string, Type>;
export const NO_ENVIRONMENT: TypeEnvironment = new Map();

export type ClassNode = ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeLiteralNode;

/** How a `readonly` field that is initialised by `new` lies in its object. */
export type InPlace = { readonly kind: 'object' } | { readonly kind: 'slice'; readonly length: number };

export interface Field {
  readonly name: string;
  /** As an expression sees it. */
  readonly type: Type;
  readonly offset: number;
  readonly size: number;
  readonly isReadonly: boolean;
  readonly isPrivate: boolean;
  readonly inPlace: InPlace | null;
  readonly initialiser: ts.Expression | null;
}

/** What the members of a class are once it is specialised. Made by classes.ts on first use. */
export interface ClassShape {
  readonly fields: ReadonlyMap<string, Field>;
  readonly methods: ReadonlyMap<string, ts.MethodDeclaration>;
  readonly getters: ReadonlyMap<string, ts.GetAccessorDeclaration>;
  readonly setters: ReadonlyMap<string, ts.SetAccessorDeclaration>;
  readonly constructorNode: ts.ConstructorDeclaration | null;
  readonly size: number;
  readonly align: number;
  /** It has `[Symbol.dispose]()`. */
  readonly owned: boolean;
  /** An interface with methods: a bound, not storage. */
  readonly isBound: boolean;
}

/** A class, an interface with fields, or an object type literal. */
export class ClassType {
  readonly kind = 'class';
  readonly key: string;
  readonly name: string;
  readonly node: ClassNode;
  readonly module: SourceModule;
  readonly environment: TypeEnvironment;
  readonly args: readonly Type[];
  shape: ClassShape | 'being made' | null = null;

  constructor(key: string, name: string, node: ClassNode, module: SourceModule, environment: TypeEnvironment, args: readonly Type[]) {
    this.key = key;
    this.name = name;
    this.node = node;
    this.module = module;
    this.environment = environment;
    this.args = args;
  }
}

export type Type = IntegerType | UntypedType | PlainType | SliceType | FunctionType | NullableType | BrandType | LiteralType | ClassType;

function integer(key: IntegerName): IntegerType {
  const bits = Number(key.slice(1));
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) return bug(key);
  const signed = key.startsWith('i');
  const span = 1n << BigInt(bits);
  return { kind: 'integer', key, bits, signed, least: signed ? -span / 2n : 0n, most: signed ? span / 2n - 1n : span - 1n };
}

function plain<K extends PlainKind>(kind: K): Plain<K> {
  return { kind, key: kind };
}

export const U8 = integer('u8');
export const U16 = integer('u16');
export const U32 = integer('u32');
export const U64 = integer('u64');
export const I8 = integer('i8');
export const I16 = integer('i16');
export const I32 = integer('i32');
export const I64 = integer('i64');
export const F64 = plain('f64');
export const BOOLEAN = plain('boolean');
export const STRING = plain('string');
export const VOID = plain('void');
export const NEVER = plain('never');
export const NULL = plain('null');
export const UNTYPED_NUMBER: UntypedType = { kind: 'untyped', key: 'number' };
export const UNTYPED_BIGINT: UntypedType = { kind: 'untyped', key: 'bigint' };
export const UNTYPED_FLOAT: UntypedType = { kind: 'untyped', key: 'float' };

export const INTEGERS: ReadonlyMap<string, IntegerType> = new Map([U8, U16, U32, U64, I8, I16, I32, I64].map((t) => [t.key, t]));

/** Types that are names of the language. */
export const NAMED_TYPES: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...INTEGERS,
  ['f64', F64],
  ['boolean', BOOLEAN],
  ['string', STRING],
  ['void', VOID],
  ['never', NEVER],
]);

/** Element types of the typed arrays. */
export const TYPED_ARRAYS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ['Uint8Array', U8],
  ['Uint16Array', U16],
  ['Uint32Array', U32],
  ['Int8Array', I8],
  ['Int16Array', I16],
  ['Int32Array', I32],
  ['BigUint64Array', U64],
  ['BigInt64Array', I64],
  ['Float64Array', F64],
]);

/** The compound types of one compilation, each once. */
export class TypeTable {
  readonly #types = new Map<string, Type>();
  readonly classes: ClassType[] = [];
  readonly #ids = new Map<object, number>();

  /** A number for a declaration or type, in order of first use: unlike names never that of two. */
  id(of: object): number {
    const known = this.#ids.get(of);
    if (known !== undefined) return known;
    this.#ids.set(of, this.#ids.size);
    return this.#ids.size - 1;
  }

  slice(element: Type, isReadonly: boolean, typedArray: string | null = null): SliceType {
    const shown = element.kind === 'nullable' || element.kind === 'function' ? `(${element.key})` : element.key;
    const key = typedArray ?? `${isReadonly ? 'readonly ' : ''}${shown}[]`;
    return this.#intern(`slice ${this.id(element)} ${isReadonly} ${typedArray}`, () => ({
      kind: 'slice',
      key,
      element,
      readonly: isReadonly,
      typedArray,
    }));
  }

  typedArray(name: string): SliceType {
    return this.slice(TYPED_ARRAYS.get(name) ?? bug(name), false, name);
  }

  function(params: readonly Type[], result: Type): FunctionType {
    const key = `(${params.map((p) => p.key).join(', ')}) => ${result.key}`;
    const id = `function ${params.map((p) => this.id(p)).join(',')} ${this.id(result)}`;
    return this.#intern(id, () => ({ kind: 'function', key, params, result }));
  }

  nullable(of: Type): Type {
    if (of.kind === 'nullable' || of.kind === 'null') return of;
    const key = `${of.kind === 'function' ? `(${of.key})` : of.key} | null`;
    return this.#intern<NullableType>(`nullable ${this.id(of)}`, () => ({ kind: 'nullable', key, of }));
  }

  brand(name: string, base: Type, module: SourceModule, node: object): BrandType {
    return this.#intern(`brand ${this.id(node)}`, () => ({ kind: 'brand', key: name, base, module }));
  }

  literal(text: string): LiteralType {
    const key = `'${text}'`;
    return this.#intern(`literal ${text}`, () => ({ kind: 'literal', key, text }));
  }

  class(name: string, node: ClassNode, module: SourceModule, environment: TypeEnvironment, args: readonly Type[]): ClassType {
    const key = args.length === 0 ? name : `${name}<${args.map((a) => a.key).join(', ')}>`;
    // An object type literal within a generic means another type under each environment.
    const context = name === '{…}' ? [...environment.values()] : args;
    const id = `class ${this.id(node)} ${context.map((a) => this.id(a)).join(',')}`;
    return this.#intern(id, () => {
      const made = new ClassType(key, name, node, module, environment, args);
      this.classes.push(made);
      return made;
    });
  }

  #intern<T extends Type>(id: string, make: () => T): T {
    const known = this.#types.get(id);
    if (known !== undefined) return known as T;
    const made = make();
    this.#types.set(id, made);
    return made;
  }
}

/** Without its brand. */
export function unbranded(type: Type): Type {
  let t = type;
  while (t.kind === 'brand') t = t.base;
  return t;
}

export function isSmall(type: Type): type is IntegerType {
  return type.kind === 'integer' && type.bits < 64;
}

/** Values of it are addresses: null can be address 0. */
export function isReference(type: Type): boolean {
  const t = unbranded(type);
  return t.kind === 'class' || t.kind === 'slice' || t.kind === 'string' || t.kind === 'function';
}

/** A value of the type may point into a frame. */
export function mayPointToFrame(type: Type): boolean {
  const t = unbranded(type);
  return t.kind === 'nullable' ? mayPointToFrame(t.of) : t.kind === 'class' || t.kind === 'slice';
}

const POINTER: readonly IrType[] = ['i64'];
const POINTER_AND_LENGTH: readonly IrType[] = ['i64', 'i64'];
const BY_BITS: Readonly<Record<number, readonly IrType[]>> = { 8: ['i8'], 16: ['i16'], 32: ['i32'], 64: ['i64'] };
const NOTHING: readonly IrType[] = [];
const FLOAT: readonly IrType[] = ['f64'];

/** The IR types of a value's parts. */
export function partsOf(type: Type): readonly IrType[] {
  switch (type.kind) {
    case 'integer':
      return BY_BITS[type.bits] ?? bug(type.key);
    case 'f64':
      return FLOAT;
    case 'boolean':
      return BY_BITS[8] ?? NOTHING;
    case 'string':
    case 'slice':
    case 'literal':
      return POINTER_AND_LENGTH;
    case 'class':
    case 'function':
      return POINTER;
    case 'nullable':
      return isReference(type.of) ? partsOf(type.of) : [...partsOf(type.of), 'i8'];
    case 'brand':
      return partsOf(type.base);
    case 'void':
    case 'never':
    case 'error':
      return NOTHING;
    case 'null':
      return POINTER;
    case 'untyped':
      return bug(`an untyped ${type.key} constant has no parts`);
  }
}

/** Size and alignment of a value in a field, element or variable (an object of a class is not meant: its reference is). */
export function storageOf(type: Type): { readonly size: number; readonly align: number } {
  const parts = partsOf(type);
  const first = parts[0];
  if (first === undefined) return { size: 0, align: 1 };
  const size = irBytes(first);
  if (parts.length === 1) return { size, align: size };
  return { size: isReference(type) || size === 8 ? 16 : 2 * size, align: size };
}

export function irBytes(type: IrType): number {
  return type === 'i8' ? 1 : type === 'i16' ? 2 : type === 'i32' ? 4 : 8;
}
