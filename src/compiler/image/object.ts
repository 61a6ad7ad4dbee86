/**
 * What the code generator and the assembler hand to the linker: an object, which is a list of atoms.
 *
 * Words:
 * - *atom*: a run of bytes that the linker places as a whole (one function, one data object, one assembly block's part of a section).
 *   Atoms of the same section name are laid one behind the other, in the order given. A compiled function is one atom in `.text`.
 * - *symbol*: a name for an offset within an atom. Local symbols are seen within their object alone, global ones everywhere. A local
 *   symbol wins over a global one of the same name. Names are the linker's only link between atoms.
 * - *relocation*: a field of an atom that the linker fills with an address.
 *
 * Addresses are *signed* 64-bit values held in numbers, so that both the low half and the top 2 GiB (negative) are exact.
 * Nothing here is changed by the linker; the same objects give the same bytes.
 */

import type { FunctionDebug, GlobalDebug, SourceLocation } from './debug-info.ts';

/**
 * What is written at `offset` (S symbol, A addend, P address of the field), little endian, and what must hold:
 * - `abs64` S + A, 64 bits        - `abs32s` S + A, 32 bits, equal after sign extension (displacements, `mov r/m64, imm32`)
 * - `abs32` S + A, 32 bits, equal after zero extension (`mov r32, imm32`, 32-bit code); a sign-extended negative is refused
 * - `abs16`, `abs8` S + A, in real-mode code; either extension
 * - `pc8`, `pc16`, `pc32`, `pc64` S + A - P, signed. As in ELF, P is the address of the *field*: a `call rel32` has addend -4, and
 *   a RIP-relative operand followed by an imm8 has addend -5.
 */
export type RelocationKind = 'abs64' | 'abs32' | 'abs32s' | 'abs16' | 'abs8' | 'pc64' | 'pc32' | 'pc16' | 'pc8';

export interface Relocation {
  readonly kind: RelocationKind;
  /** Byte offset of the field within its atom. */
  readonly offset: number;
  readonly symbol: string;
  /** Safe integer; sums are taken modulo 2^64. */
  readonly addend: number;
  /** Subtracted as well, if given: `symbol - minus + addend` (absolute kinds only). */
  readonly minus?: string;
}

export type { SourceLocation };

/** From `offset` on (to the next row or the atom's end) the bytes belong to this place. Rows ascend by offset. */
export interface LineRow extends SourceLocation {
  readonly offset: number;
  /** The first row behind the prologue: where a debugger's `break function` stops. */
  readonly prologueEnd?: boolean;
  /** It is the call in whose place an inlined function begins here: the function's own row follows at the same offset. */
  readonly isCall?: boolean;
}

/** The `ud2` at `offset` means `kind` (`'overflow'`, `'bounds'`, …: the IR's own word) at that place of the source. */
export interface TrapRow extends SourceLocation {
  readonly offset: number;
  readonly kind: string;
}

/** DWARF register numbers of x86-64 (ABI figure 3.36), which are not the SDM's. */
// biome-ignore format: as the ABI prints it
export const dwarfRegister = {
  rax: 0, rdx: 1, rcx: 2, rbx: 3, rsi: 4, rdi: 5, rbp: 6, rsp: 7,
  r8: 8, r9: 9, r10: 10, r11: 11, r12: 12, r13: 13, r14: 14, r15: 15, rip: 16,
} as const;
export type DwarfRegisterName = keyof typeof dwarfRegister;

/** What became of a register of the caller: saved at an offset from the canonical frame address, or in another register, or lost. */
export type FrameRule =
  | { readonly kind: 'saved'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: DwarfRegisterName }
  | { readonly kind: 'undefined' };

/** From `offset` on the canonical frame address is `cfa.register + cfa.offset`, and these registers are no longer what they were. Each row is complete. */
export interface FrameRow {
  readonly offset: number;
  readonly cfa: { readonly register: DwarfRegisterName; readonly offset: number };
  readonly rules: readonly (readonly [register: DwarfRegisterName, rule: FrameRule])[];
}

/** The frames of a run of code; without rows: CFA = rsp + 8 throughout. The usual rbp frame is {@link rbpFrame}. */
export interface FrameDescription {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** It is not called, but entered by an interrupt, exception or system call. */
  readonly isSignal: boolean;
  readonly rows: readonly FrameRow[];
}

/** `code` R-X, `rodata` R--, `data` RW-, `bss` RW- without bytes in the file. */
export type SectionKind = 'code' | 'rodata' | 'data' | 'bss';

export interface AtomSymbol {
  readonly name: string;
  readonly offset: number;
  /** Bytes; 0 where not known (labels). */
  readonly size: number;
  readonly type: 'function' | 'object' | 'label';
  readonly binding: 'local' | 'global';
  /** Where it is declared: gives a function its DWARF subprogram, so that gdb lists it. */
  readonly declared?: SourceLocation;
  /** The name a person reads, if it differs (`Table.lookup` for `Table_lookup`). */
  readonly displayName?: string;
}

export interface Atom {
  /** `.text`, `.rodata`, `.data`, `.bss`, or a name of one's own; all atoms of a name have one kind. `.boot*` is linked low (keel). */
  readonly section: string;
  readonly kind: SectionKind;
  /** Power of two. */
  readonly alignment: number;
  /** For `bss`: empty. */
  readonly bytes: Uint8Array;
  /** `bytes.length`, but for `bss`. */
  readonly size: number;
  readonly symbols: readonly AtomSymbol[];
  readonly relocations: readonly Relocation[];
  readonly lines?: readonly LineRow[];
  readonly traps?: readonly TrapRow[];
  readonly frames?: readonly FrameDescription[];
  /** Of a function: its variables. */
  readonly debug?: FunctionDebug;
}

/** One compilation unit (of the program, or an assembly block): the scope of local symbols. */
export interface ObjectFile {
  /** For messages and the symbol table's FILE entries. */
  readonly name: string;
  readonly atoms: readonly Atom[];
  /** What debug information says of its data. */
  readonly globals?: readonly GlobalDebug[];
  /** Symbols with a fixed value (`.equ` with `.global`). */
  readonly absolutes?: readonly { readonly name: string; readonly value: bigint; readonly binding: 'local' | 'global' }[];
}

/** What a code generator has in its hand after a function. */
export interface CompiledFunction {
  readonly symbol: string;
  readonly displayName?: string;
  readonly binding: 'local' | 'global';
  readonly section?: string;
  readonly alignment?: number;
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
  readonly lines: readonly LineRow[];
  readonly traps: readonly TrapRow[];
  readonly frames: readonly FrameRow[];
  readonly declared?: SourceLocation;
  readonly debug?: FunctionDebug;
}

/** A function as an atom (of `.text`, aligned to 16, if it does not say otherwise). */
export function functionAtom(f: CompiledFunction): Atom {
  return {
    section: f.section ?? '.text',
    kind: 'code',
    alignment: f.alignment ?? 16,
    bytes: f.bytes,
    size: f.bytes.length,
    symbols: [
      {
        name: f.symbol,
        offset: 0,
        size: f.bytes.length,
        type: 'function',
        binding: f.binding,
        ...(f.declared === undefined ? {} : { declared: f.declared }),
        ...(f.displayName === undefined ? {} : { displayName: f.displayName }),
      },
    ],
    relocations: f.relocations,
    lines: f.lines,
    traps: f.traps,
    frames: [{ from: 0, to: f.bytes.length, isSignal: false, rows: f.frames }],
    ...(f.debug === undefined ? {} : { debug: f.debug }),
  };
}

/** A data object as an atom with one symbol. `bss` when `bytes` is a size. */
export function dataAtom(data: {
  symbol: string;
  binding: 'local' | 'global';
  section: string;
  kind: 'rodata' | 'data' | 'bss';
  alignment: number;
  bytes: Uint8Array;
  /** For bss, whose bytes are empty. */
  size?: number;
  relocations?: readonly Relocation[];
}): Atom {
  const size = data.size ?? data.bytes.length;
  return {
    section: data.section,
    kind: data.kind,
    alignment: data.alignment,
    bytes: data.bytes,
    size,
    symbols: [{ name: data.symbol, offset: 0, size, type: 'object', binding: data.binding }],
    relocations: data.relocations ?? [],
  };
}

/**
 * The frame rows of `push rbp; mov rbp, rsp; …; leave; ret`.
 * @param afterPush offset behind `push rbp`
 * @param afterMove offset behind `mov rbp, rsp`
 * @param saved callee-saved registers that the prologue stores, with their offset from rbp (negative: the first push is -8)
 * @param savedAt offset from which on they are all stored (behind the last store)
 * @param returns for each `ret`: the offset of the ret itself, and that of the first byte behind it
 */
export function rbpFrame(
  afterPush: number,
  afterMove: number,
  saved: readonly (readonly [DwarfRegisterName, number])[],
  savedAt: number,
  returns: readonly { readonly ret: number; readonly after: number }[],
): FrameRow[] {
  const at = (register: DwarfRegisterName, offset: number) => [register, { kind: 'saved', offset }] as const;
  const rbp = at('rbp', -16);
  const body: Omit<FrameRow, 'offset'> = {
    cfa: { register: 'rbp', offset: 16 },
    rules: [rbp, ...saved.map(([register, offset]) => at(register, offset - 16))],
  };
  const rows: FrameRow[] = [
    { offset: 0, cfa: { register: 'rsp', offset: 8 }, rules: [] },
    { offset: afterPush, cfa: { register: 'rsp', offset: 16 }, rules: [rbp] },
    { offset: afterMove, cfa: { register: 'rbp', offset: 16 }, rules: [rbp] },
  ];
  if (saved.length > 0) rows.push({ offset: savedAt, ...body });
  for (const { ret, after } of returns) {
    rows.push({ offset: ret, cfa: { register: 'rsp', offset: 8 }, rules: [] });
    rows.push({ offset: after, ...body });
  }
  return rows;
}
