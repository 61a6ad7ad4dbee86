/**
 * What a compiled program is made of before it is machine code: functions, data, assembly, layouts.
 *
 * Symbols are names: a function, a data object, a label of an assembly block, or what the linker defines. Nothing here says where things
 * are; `image` decides that. Order is meaningful only for determinism: the same source gives the same module.
 */

import type { GlobalDebug } from '../image/debug-info.ts';
import type { Layouts } from '../image/layouts.ts';
import { emptyLayouts } from '../image/layouts.ts';
import type { Relocation } from '../image/object.ts';
import type { IrFunction, Location } from './function.ts';

export type { Location };

/** A piece of static storage with a name. */
export interface DataObject {
  readonly symbol: string;
  /** `.rodata`, `.data`, `.bss`, or a name of one's own. */
  readonly section: string;
  readonly kind: 'rodata' | 'data' | 'bss';
  /** Power of two. */
  readonly align: number;
  readonly size: number;
  /** The initial bytes, `size` of them; null is all zero (and always so in `bss`). */
  readonly bytes: Uint8Array | null;
  readonly relocations: readonly Relocation[];
  /** Seen by assembly blocks and other objects. */
  readonly exported: boolean;
}

/** Assembly text at module level, for `assembler/`. */
export interface AssemblyBlock {
  /** Of the object that it becomes, for messages. */
  readonly name: string;
  readonly text: string;
  readonly location: Location | null;
}

export class Module {
  functions: IrFunction[] = [];
  data: DataObject[] = [];
  assembly: AssemblyBlock[] = [];
  layouts: Layouts = emptyLayouts;
  /** Variables and constants at module level, for debug information. */
  globals: readonly GlobalDebug[] = [];
}
