/**
 * Dead code: unreachable blocks, instructions without an effect whose results nobody needs, and block parameters that nobody needs
 * (cycles of them included).
 *
 * Needs: valid SSA. Keeps: all effects and traps in their order. A load that is not volatile counts as having no effect.
 */
import { Instruction, type IrFunction, type Value } from '../ir/function.ts';
import { isPure } from '../ir/ops.ts';
import { removeUnreachableBlocks } from './rewrite.ts';

export function removeDeadCode(fn: IrFunction): void {
  removeUnreachableBlocks(fn);
  const isNeeded = new Uint8Array(fn.valueCount);
  const work: Value[] = [];
  const need = (value: Value) => {
    if (isNeeded[value.id] === 1) return;
    isNeeded[value.id] = 1;
    work.push(value);
  };

  /** By block id, for each parameter: what the edges pass. */
  const passed: Value[][][] = Array.from({ length: fn.blockCount }, () => []);
  for (const block of fn.blocks) passed[block.id] = block.params.map(() => []);
  for (const block of fn.blocks) {
    for (const i of block.instructions) if (!isRemovable(i)) i.args.forEach(need);
    block.terminator?.args.forEach(need);
    for (const edge of block.terminator?.targets ?? []) {
      for (const [k, arg] of edge.args.entries()) passed[edge.block.id]?.[k]?.push(arg);
    }
  }
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    const { def } = value;
    if (def instanceof Instruction) def.args.forEach(need);
    else passed[def.id]?.[def.params.indexOf(value)]?.forEach(need);
  }

  const entry = fn.blocks[0];
  for (const block of fn.blocks) {
    block.instructions = block.instructions.filter((i) => !isRemovable(i) || i.results.some((r) => isNeeded[r.id] === 1));
    for (const edge of block.terminator?.targets ?? []) {
      if (edge.args.length > 0) edge.args = edge.args.filter((_, k) => isNeeded[edge.block.params[k]?.id ?? 0] === 1);
    }
  }
  for (const block of fn.blocks) if (block !== entry) block.params = block.params.filter((p) => isNeeded[p.id] === 1);
}

function isRemovable(i: Instruction): boolean {
  return isPure(i.op) || (i.op === 'load' && !i.volatile);
}
