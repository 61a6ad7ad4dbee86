/**
 * What is learnt while code is generated and holds for other modules, too: how the instruction table encodes, what texts of assembly become.
 * Pure functions of what went in, so that code does not depend on what was generated before.
 */

import { AssemblyCache } from '../../assembler/index.ts';
import type { Atom } from '../../image/object.ts';
import type { IrFunction } from '../../ir/function.ts';
import { CodeBuffer, Encodings } from './code-buffer.ts';

export class Learnt {
  /** What functions are written into, one after the other. */
  readonly buffer = new CodeBuffer(new Encodings());
  readonly assembly = new AssemblyCache();
  /** The atoms of functions that nothing changes: the function itself, then its tables. */
  readonly functions = new WeakMap<IrFunction, readonly Atom[]>();
  /** The same without rows for DWARF. */
  readonly functionsWithoutDebug = new WeakMap<IrFunction, readonly Atom[]>();
}
