/**
 * The linker's door. `link(objects, options)` places atoms, resolves symbols, applies relocations and writes an ELF64 image with
 * symbols, DWARF and the project's own sections (`.palindrome.layouts`, `.palindrome.traps`).
 */
import type { Layouts } from './layouts.ts';
import type { ObjectFile } from './object.ts';

export interface LinkOptions {
  /**
   * - `linux-program`: static ET_EXEC at 0x400000.
   * - `keel-kernel`: sections `.boot*` identity-linked from 1 MiB on, all others at 0xFFFFFFFF80000000 + physical; PVH note whose
   *   entry is `entry`'s physical address.
   */
  readonly target: 'linux-program' | 'keel-kernel';
  /** Default `_start` (program), `pvh_start` (kernel; must lie in a `.boot*` section). */
  readonly entry?: string;
  readonly layouts?: Layouts;
  /** DW_AT_comp_dir; default `.`: images must not depend on where they were built. */
  readonly directory?: string;
  /** DW_AT_name of the compile unit; default the first object's name. */
  readonly name?: string;
  /** Without it (false) no DWARF is written. Symbols, traps and layouts always are. */
  readonly debug?: boolean;
}

export interface LinkedSymbol {
  readonly name: string;
  /** As an unsigned 64-bit value. */
  readonly address: bigint;
  readonly size: number;
  readonly type: 'function' | 'object' | 'label';
  readonly binding: 'local' | 'global';
  readonly section: string;
}

export interface LinkedImage {
  readonly bytes: Uint8Array;
  readonly symbols: readonly LinkedSymbol[];
  /** Virtual address of the first instruction (physical for a kernel). */
  readonly entry: bigint;
}

/** What is wrong with the objects, one line each: an undefined or doubly defined symbol, a field that its address does not fit. */
export class LinkError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'LinkError';
    this.problems = problems;
  }
}

/** Symbols that the linker defines: `__<section>_start` and `__<section>_end` for each section (dots become `_`: `.text` → `__text_start`),
 *  `__image_start`, `__image_end` (virtual, of all that is loaded high), and for a kernel `__physical_start`, `__physical_end` and
 *  `__virtual_offset` (0xFFFFFFFF80000000). They exist, equal, for `.text .rodata .data .bss` even when those are empty. */
export function link(_objects: readonly ObjectFile[], _options: LinkOptions): LinkedImage {
  throw new Error('link: being written');
}
