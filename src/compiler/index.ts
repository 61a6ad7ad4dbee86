/**
 * The compiler's door: bare TypeScript → ELF64, in this process, synchronously, without reading the program's files or a clock.
 *
 *     const { image, diagnostics } = compile({ entry: 'hello.ts' }, new Map([['hello.ts', source]]));
 *     if (image === null) for (const d of diagnostics) process.stderr.write(formatDiagnostic(d));
 *
 * Same files and options, same bytes. `buildKeel` compiles the kernel; `packPrograms` makes the archives that it takes.
 */

export { type Compilation, type CompileOptions, compile, type Files } from './compile.ts';
export { type Diagnostic, formatDiagnostic } from './diagnostics.ts';
export { type ArchiveFile, packArchive, packPrograms } from './image/cpio.ts';
export type { DebugContext, FoundValue } from './image/evaluate-location.ts';
export type { Layouts } from './image/layouts.ts';
export type { LinkedSymbol } from './image/link.ts';
export { type ElfImage, readElf } from './image/read-elf.ts';
export type { FrameRules, FrameTable, RegisterRule } from './image/read-frames.ts';
export type { DebugCall, DebugInfo, DebugVariable, VariableMember, VariableType } from './image/read-variables.ts';
export { buildKeel, type Keel, type KeelEdit, type KeelOptions, sourceRoot } from './keel.ts';
