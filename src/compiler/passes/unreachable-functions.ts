/**
 * Functions, and constants in `.rodata`, that nothing reaches from an exported function, an assembly block, inline assembly or kept data.
 * Needs: nothing. Keeps: exported functions; writable and exported data, and what layouts name (tools look for them); names in assembly count as uses.
 */
import type { IrFunction } from '../ir/function.ts';
import type { DataObject, Module } from '../ir/module.ts';

/** @param entries symbols that others refer to, beside the exported ones (the linker's entry) */
export function removeUnreachableFunctions(module: Module, entries: readonly string[] = []): void {
  const functions = new Map(module.functions.map((fn) => [fn.symbol, fn]));
  const data = new Map(module.data.map((object) => [object.symbol, object]));
  const reached = new Set<string>();
  const work: string[] = [...entries];
  const named = new Set(module.layouts.globals.map((global) => global.symbol));

  for (const fn of module.functions) if (fn.exported) work.push(fn.symbol);
  for (const object of module.data) if (isKept(object) || named.has(object.symbol)) work.push(object.symbol);
  for (const { text } of module.assembly) work.push(...wordsOf(text));
  for (let symbol = work.pop(); symbol !== undefined; symbol = work.pop()) {
    if (reached.has(symbol)) continue;
    reached.add(symbol);
    const fn = functions.get(symbol);
    if (fn !== undefined) work.push(...symbolsOf(fn));
    for (const relocation of data.get(symbol)?.relocations ?? []) {
      work.push(relocation.symbol);
      if (relocation.minus !== undefined) work.push(relocation.minus);
    }
  }
  module.functions = module.functions.filter((fn) => reached.has(fn.symbol));
  module.data = module.data.filter((object) => reached.has(object.symbol));
}

function isKept(object: DataObject): boolean {
  return object.exported || object.section !== '.rodata';
}

function symbolsOf(fn: IrFunction): string[] {
  const symbols: string[] = [];
  for (const block of fn.blocks) {
    for (const i of block.instructions) {
      if (i.symbol !== '') symbols.push(i.symbol);
      if (i.assembly !== null) symbols.push(...wordsOf(i.assembly.text));
    }
  }
  return symbols;
}

function wordsOf(text: string): string[] {
  return text.match(/[A-Za-z_.$][\w.$]*/g) ?? [];
}
