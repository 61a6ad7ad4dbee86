/**
 * The IR as text. `parse.ts` reads it back; the grammar stands there.
 */

import type { Edge, Instruction, IrFunction, Terminator, Value } from './function.ts';
import type { DataObject, Location, Module } from './module.ts';
import { opRow } from './ops.ts';
import type { Constant } from './types.ts';

export interface PrintOptions {
  /** Print where instructions come from. Default true. */
  readonly locations?: boolean;
}

export function printModule(module: Module, options: PrintOptions = {}): string {
  const parts = module.data.map(printData);
  for (const { name, text, location } of module.assembly) {
    parts.push(`assembly ${JSON.stringify(name)} ${JSON.stringify(text)}${printLocation(location, options)}\n`);
  }
  for (const fn of module.functions) parts.push(printFunction(fn, options));
  const { classes, globals, constants } = module.layouts;
  if (classes.length + globals.length + Object.keys(constants).length > 0) parts.push(`layouts ${JSON.stringify(module.layouts)}\n`);
  return parts.join('\n');
}

export function printFunction(fn: IrFunction, options: PrintOptions = {}): string {
  const flags = `${fn.exported ? ' exported' : ''}${fn.inline === 'auto' ? '' : ` inline ${fn.inline}`}`;
  const lines = [
    `function ${name(fn.symbol)}(${fn.params.join(', ')}) -> (${fn.results.join(', ')})${flags}${printLocation(fn.location, options)} {`,
  ];
  for (const slot of fn.slots) lines.push(`  slot $${slot.index} size ${slot.size} align ${slot.align}`);
  for (const block of fn.blocks) {
    lines.push(`b${block.id}(${block.params.map((p) => `%${p.id}: ${p.type}`).join(', ')})${block.cold ? ' cold' : ''}:`);
    for (const i of block.instructions) lines.push(`  ${printInstruction(i)}${printLocation(i.location, options)}`);
    if (block.terminator !== null) {
      lines.push(`  ${printTerminator(block.terminator)}${printLocation(block.terminator.location, options)}`);
    }
  }
  lines.push('}\n');
  return lines.join('\n');
}

export function printInstruction(i: Instruction): string {
  const results = i.results.length === 0 ? '' : `${values(i.results)} = `;
  return `${results}${i.op}.${i.type}${operands(i)}`;
}

function operands(i: Instruction): string {
  const [a, b] = i.args;
  switch (i.op) {
    case 'const':
      return ` ${printConstant(i.value)}`;
    case 'symbol':
      return ` ${name(i.symbol)}${offset(i.offset)}`;
    case 'slot':
      return ` $${i.slot?.index}${offset(i.offset)}`;
    case 'load':
      return ` %${a?.id}${offset(i.offset)}${i.volatile ? ' volatile' : ''}`;
    case 'store':
      return ` %${a?.id}, %${b?.id}${offset(i.offset)}${i.volatile ? ' volatile' : ''}`;
    case 'icmp':
    case 'fcmp':
      return ` ${i.predicate} ${values(i.args)}`;
    case 'trapif':
      return ` ${values(i.args)} ${i.trap}`;
    case 'call':
      return ` ${name(i.symbol)}(${values(i.args)})${resultTypes(i)}`;
    case 'callind':
      return ` %${a?.id}(${values(i.args.slice(1))})${resultTypes(i)}`;
    case 'asm': {
      const inputs = i.args.map((arg, k) => `${i.assembly?.inputs[k]} %${arg.id}`).join(', ');
      const output = i.assembly?.output === null ? '' : ` -> ${i.assembly?.output}`;
      return ` ${JSON.stringify(i.assembly?.text)} (${inputs})${output}`;
    }
    default:
      return i.args.length === 0 && opRow(i.op).args.length === 0 ? '' : ` ${values(i.args)}`;
  }
}

const resultTypes = (i: Instruction): string => ` -> (${i.results.map((r) => r.type).join(', ')})`;
const values = (list: readonly Value[]): string => list.map((v) => `%${v.id}`).join(', ');
const offset = (n: number): string => (n === 0 ? '' : n < 0 ? `${n}` : `+${n}`);

export function printTerminator(t: Terminator): string {
  const [value] = t.args;
  switch (t.op) {
    case 'jump':
      return `jump ${t.targets.map(printEdge).join(', ')}`;
    case 'branch':
      return `branch %${value?.id}, ${t.targets.map(printEdge).join(', ')}`;
    case 'switch':
      return `switch %${value?.id} [${t.targets.map((edge, k) => `${k < t.cases.length ? t.cases[k] : 'default'}: ${printEdge(edge)}`).join(', ')}]`;
    case 'return':
      return t.args.length === 0 ? 'return' : `return ${values(t.args)}`;
    case 'trap':
      return `trap ${t.trap}`;
  }
}

const printEdge = (edge: Edge): string => `b${edge.block.id}(${values(edge.args)})`;

function printConstant(value: Constant): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function printData(data: DataObject): string {
  const bytes = data.bytes === null ? 'zero' : `x${Buffer.from(data.bytes).toString('hex')}`;
  const relocations = data.relocations.map((r) => `\n  ${r.kind} at ${r.offset} ${name(r.symbol)}${offset(r.addend)}`).join('');
  const flags = data.exported ? ' exported' : '';
  return `data ${name(data.symbol)} ${JSON.stringify(data.section)} ${data.kind} align ${data.align} size ${data.size} ${bytes}${flags}${relocations}\n`;
}

function name(symbol: string): string {
  return /^[\w.$]+$/.test(symbol) ? `@${symbol}` : `@${JSON.stringify(symbol)}`;
}

function printLocation(location: Location | null, options: PrintOptions): string {
  if (location === null || options.locations === false) return '';
  return ` !${JSON.stringify(location.file)}:${location.line}:${location.column}`;
}
