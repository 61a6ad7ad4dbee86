/**
 * Copies and needless block parameters: one that gets the same value on every edge is that value.
 * Needs: valid SSA, every block ended. Keeps: blocks, instructions, edges.
 */
import type { IrFunction } from '../ir/function.ts';
import { removeRedundantParams } from '../ir/ssa.ts';

export function removeRedundantParameters(fn: IrFunction): void {
  removeRedundantParams(fn);
}
