/**
 * Functions, and constants in `.rodata`, that nothing reaches from an exported function, an assembly block, inline assembly or kept data.
 * Needs: nothing. Keeps: exported functions; writable and exported data, and what layouts name (tools look for them); names in assembly count as uses.
 */
import type { IrFunction } from '../ir/function.ts';
import type { DataObject, Module } from '../ir/module.ts';

/** @param entries symbols that others refer to, beside the exported ones (the linker's entry) */
export function removeUnreachableFunctions(module: Module, entries: readonly string[] = []): void {
  // What is reached is taken out of these.
  const functions = new Map<string, IrFunction>();
  for (const fn of module.functions) functions.set(fn.symbol, fn);
  const data = new Map<string, DataObject>();
  for (const object of module.data) data.set(object.symbol, object);
  const workFunctions: IrFunction[] = [];
  const workData: DataObject[] = [];
  // Assembly is read for names only where something is left that it could name.
  const texts = new Set<string>();
  const reach = (symbol: string): void => {
    const fn = functions.get(symbol);
    if (fn !== undefined) {
      functions.delete(symbol);
      workFunctions.push(fn);
    }
    const object = data.get(symbol);
    if (object !== undefined) {
      data.delete(symbol);
      workData.push(object);
    }
  };
  const follow = (): void => {
    while (workFunctions.length > 0 || workData.length > 0) {
      for (const block of workFunctions.pop()?.blocks ?? []) {
        for (const i of block.instructions) {
          if (i.symbol !== '') reach(i.symbol);
          if (i.assembly !== null) texts.add(i.assembly.text);
        }
      }
      for (const relocation of workData.pop()?.relocations ?? []) {
        reach(relocation.symbol);
        if (relocation.minus !== undefined) reach(relocation.minus);
      }
    }
  };

  for (const symbol of entries) reach(symbol);
  for (const fn of module.functions) if (fn.exported) reach(fn.symbol);
  for (const object of module.data) if (isKept(object)) reach(object.symbol);
  for (const global of module.layouts.globals) reach(global.symbol);
  for (const { text } of module.assembly) texts.add(text);
  follow();
  // A set gives what is added while it is walked, too.
  for (const text of texts) {
    if (functions.size === 0 && data.size === 0) break;
    for (const word of text.match(/[A-Za-z_.$][\w.$]*/g) ?? []) reach(word);
    follow();
  }
  module.functions = module.functions.filter((fn) => !functions.has(fn.symbol));
  module.data = module.data.filter((object) => !data.has(object.symbol));
}

function isKept(object: DataObject): boolean {
  return object.exported || object.section !== '.rodata';
}
