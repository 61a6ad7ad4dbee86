/** `palindrome/intrinsics`: raw memory, ports, system registers, assembly. Only trusted modules get here. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Value } from '../../ir/function.ts';
import { typeArgument } from './builtins.ts';
import { argument } from './calls.ts';
import type { Fn, Rv } from './context.ts';
import { STATIC } from './escape.ts';
import { fieldOf } from './shapes.ts';
import { I64, type IntegerType, isReference, STRING, type Type, U8, U16, U32, U64, unbranded, VOID } from './types.ts';
import { constantRv, convert, irInteger, NEVER_RV, resize, rv, shown, single, VOID_RV } from './values.ts';

/** One that is a fixed piece of assembly: parameter types by register, the text, the result in rax. */
interface AssemblyRow {
  readonly inputs: readonly (readonly [register: string, type: IntegerType])[];
  readonly text: string;
  readonly result: IntegerType | null;
}

const row = (text: string, inputs: AssemblyRow['inputs'] = [], result: IntegerType | null = null): AssemblyRow => ({
  text,
  inputs,
  result,
});

// biome-ignore format: one intrinsic a line
const ASSEMBLY: Readonly<Record<string, AssemblyRow>> = {
  inb:       row('in al, dx\nmovzx eax, al', [['rdx', U16]], U8),
  inw:       row('in ax, dx\nmovzx eax, ax', [['rdx', U16]], U16),
  inl:       row('in eax, dx', [['rdx', U16]], U32),
  outb:      row('out dx, al', [['rdx', U16], ['rax', U8]]),
  outw:      row('out dx, ax', [['rdx', U16], ['rax', U16]]),
  outl:      row('out dx, eax', [['rdx', U16], ['rax', U32]]),
  rdmsr:     row('rdmsr\nshl rdx, 32\nor rax, rdx', [['rcx', U32]], U64),
  wrmsr:     row('mov rdx, rax\nshr rdx, 32\nwrmsr', [['rcx', U32], ['rax', U64]]),
  invlpg:    row('invlpg [rax]', [['rax', U64]]),
  hlt:       row('hlt'),
  cli:       row('cli'),
  sti:       row('sti'),
  stac:      row('stac'),
  clac:      row('clac'),
  pause:     row('pause'),
  swapgs:    row('swapgs'),
  rdtsc:     row('rdtsc\nshl rdx, 32\nor rax, rdx', [], U64),
  readFlags: row('pushfq\npop rax', [], U64),
};

const LOADS: ReadonlyMap<string, IntegerType> = new Map([U8, U16, U32, U64].map((type) => [`load${type.bits}`, type]));
const STORES: ReadonlyMap<string, IntegerType> = new Map([U8, U16, U32, U64].map((type) => [`store${type.bits}`, type]));
const REGISTERS = new Set(['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15']);
const SYSCALL_REGISTERS = ['rax', 'rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];

export function intrinsic(f: Fn, name: string, node: ts.CallExpression, want: Type | null): Rv {
  const given = node.arguments;
  const count = (least: number, most = least): void => {
    if (given.length < least || given.length > most)
      f.fail(node, 'P1307', name, least === most ? String(least) : `${least} to ${most}`, String(given.length));
  };
  const arg = (index: number, type: Type): Value => {
    const e = given[index] ?? bug('counted before');
    return single(f, convert(f, argument(f, e, type), type, e));
  };
  const fixed = ASSEMBLY[name];
  if (fixed !== undefined) {
    count(fixed.inputs.length);
    const values = fixed.inputs.map(([, type], i) => arg(i, type));
    return assembled(
      f,
      node,
      fixed.text,
      fixed.inputs.map(([register]) => register),
      values,
      fixed.result,
    );
  }
  const loaded = LOADS.get(name);
  if (loaded !== undefined) {
    count(1);
    const address = arg(0, U64);
    f.at(node);
    return rv(loaded, [f.b.load(irInteger(loaded), address, 0, true)]);
  }
  const stored = STORES.get(name);
  if (stored !== undefined) {
    count(2);
    const address = arg(0, U64);
    f.at(node);
    const value = arg(1, stored);
    f.at(node);
    f.b.store(value, address, 0, true);
    return VOID_RV;
  }
  switch (name) {
    case 'addressOf': {
      count(1);
      const value = argument(f, given[0] ?? node, null);
      const type = unbranded(value.type);
      if (!isReference(type)) return f.fail(node, 'P1304', name, shown(value), 'objects, slices, strings and functions have addresses');
      if (value.fixed !== undefined) return { type: U64, parts: null, fixed: { ...value.fixed, length: null }, origin: STATIC, path: null };
      return rv(U64, [single(f, value)]);
    }
    case 'sliceAt':
      count(2);
      return viewAt(f, f.program.types.typedArray('Uint8Array'), arg(0, U64), arg(1, U64));
    case 'slice64At':
      count(2);
      return viewAt(f, f.program.types.typedArray('BigUint64Array'), arg(0, U64), arg(1, U64));
    case 'stringAt':
      count(2);
      return viewAt(f, STRING, arg(0, U64), arg(1, U64));
    case 'objectAt':
    case 'functionAt': {
      count(1);
      const type = typeArgument(f, node, want);
      const kind = name === 'objectAt' ? 'class' : 'function';
      if (unbranded(type).kind !== kind) return f.fail(node, 'P1304', name, type.key, `write ${name}<T>(…), T a ${kind}`);
      return rv(type, [arg(0, U64)]);
    }
    case 'offsetOf': {
      count(1);
      const type = typeArgument(f, node, null);
      const field = given[0];
      if (type.kind !== 'class' || field === undefined || !ts.isStringLiteral(field))
        return f.fail(node, 'P1304', name, type.key, "write offsetOf<C>('field')");
      const shape = f.rules.shapeOf(f.program, type);
      if (!shape.fields.has(field.text)) f.fail(field, 'P1501', type.key, field.text, [...shape.fields.keys()].join(', '));
      return constantRv(U64, BigInt(fieldOf(shape, field.text).offset));
    }
    case 'symbol': {
      count(1);
      return { type: U64, parts: null, fixed: { symbol: text(f, given[0] ?? node), offset: 0, length: null }, origin: STATIC, path: null };
    }
    case 'readCr':
    case 'writeCr': {
      count(name === 'readCr' ? 1 : 2);
      const { constant } = f.expression(given[0] ?? bug('counted before'));
      if (typeof constant !== 'number' || ![0, 2, 3, 4, 8].includes(constant))
        return f.fail(node, 'P1308', 'the number of the control register');
      if (name === 'readCr') return assembled(f, node, `mov rax, cr${constant}`, [], [], U64);
      return assembled(f, node, `mov cr${constant}, rax`, ['rax'], [arg(1, U64)], null);
    }
    case 'syscall': {
      count(1, 7);
      const values = given.map((_, i) => arg(i, i === 0 ? I64 : U64));
      return assembled(f, node, 'syscall', SYSCALL_REGISTERS.slice(0, given.length), values, I64);
    }
    case 'trap':
      count(0);
      f.at(node);
      f.b.trap('user');
      f.startDead();
      return NEVER_RV;
    case 'asm':
      count(1, 3);
      return inlineAssembly(f, node);
    case 'assembly':
      return f.fail(node, 'P1002', '`assembly` in a function', 'it stands at module level; here use asm(…)');
    default:
      return f.fail(node.expression, 'P1103', 'palindrome/intrinsics', name);
  }
}

function assembled(f: Fn, node: ts.Node, text: string, inputs: readonly string[], values: Value[], result: IntegerType | null): Rv {
  f.at(node);
  const value = f.b.asm({ text, inputs, output: result === null ? null : 'rax' }, values, result === null ? 'i64' : irInteger(result));
  return value === null || result === null ? VOID_RV : rv(result, [value]);
}

function viewAt(f: Fn, type: Type, address: Value, length: Value): Rv {
  f.b.trapIf(f.b.icmp('ugt', length, f.const64(0x7fff_ffff)), 'bounds');
  return rv(type, [address, length]);
}

function text(f: Fn, node: ts.Node): string {
  const value = f.expression(node as ts.Expression, STRING);
  return typeof value.constant === 'string' ? value.constant : f.fail(node, 'P1308', 'the text');
}

/** `asm(text, inputs?, output?)`. */
function inlineAssembly(f: Fn, node: ts.CallExpression): Rv {
  const [textNode, inputsNode, outputNode] = node.arguments;
  const code = text(f, textNode ?? node);
  const inputs: string[] = [];
  const values: Value[] = [];
  const register = (name: string, at: ts.Node): string => (REGISTERS.has(name) ? name : f.fail(at, 'P1803', name));
  if (inputsNode !== undefined && !(ts.isIdentifier(inputsNode) && inputsNode.text === 'undefined')) {
    if (!ts.isObjectLiteralExpression(inputsNode)) return f.fail(inputsNode, 'P1308', 'the list of inputs');
    for (const p of inputsNode.properties) {
      const value = ts.isPropertyAssignment(p) ? p.initializer : ts.isShorthandPropertyAssignment(p) ? p.name : null;
      if (value === null || p.name === undefined || !ts.isIdentifier(p.name)) return f.fail(p, 'P1308', 'the list of inputs');
      inputs.push(register(p.name.text, p));
      const input = argument(f, value, U64);
      const type = unbranded(input.type);
      if (type.kind === 'integer' || typeof input.constant === 'number' || typeof input.constant === 'bigint')
        values.push(resize(f, input, type.kind === 'integer' && type.signed ? I64 : U64));
      else if (type.kind === 'boolean') values.push(resize(f, input, U64));
      else return f.fail(value, 'P1304', 'asm', shown(input), 'pass an integer, or addressOf(x)');
    }
  }
  const output = outputNode === undefined ? null : register(text(f, outputNode), outputNode);
  f.at(node);
  const result = f.b.asm({ text: code, inputs, output }, values, 'i64');
  return result === null ? { ...VOID_RV, type: VOID } : rv(U64, [result]);
}
