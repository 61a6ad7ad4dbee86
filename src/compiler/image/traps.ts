/**
 * `.palindrome.traps`: which `ud2` means what, and where in the source it stands. Version 1, all numbers unsigned LEB128 unless said otherwise:
 * version, count of kinds, of files, of traps; the kinds, then the files, as zero-terminated UTF-8; the first trap's address (u64);
 * then per trap in ascending order: address minus the one before (0 for the first), kind, file, line, column.
 */
import type { ByteWriter } from './byte-writer.ts';
import type { SourceLocation } from './object.ts';

export interface Trap extends SourceLocation {
  /** Unsigned virtual address of the `ud2`. */
  readonly address: bigint;
  readonly kind: string;
}

export const trapsVersion = 1;

export interface TrapSite extends SourceLocation {
  /** Signed. */
  readonly address: number;
  readonly kind: string;
}

/** @param traps in any order */
export function writeTraps(writer: ByteWriter, traps: readonly TrapSite[]): void {
  const sorted = [...traps].sort((a, b) => a.address - b.address);
  const kinds = numbered(sorted.map((t) => t.kind));
  const files = numbered(sorted.map((t) => t.file));
  writer.uleb(trapsVersion).uleb(kinds.size).uleb(files.size).uleb(sorted.length);
  for (const kind of kinds.keys()) writer.string(kind);
  for (const file of files.keys()) writer.string(file);
  let last = sorted[0]?.address ?? 0;
  writer.u64(last);
  for (const { address, kind, file, line, column } of sorted) {
    writer
      .uleb(address - last)
      .uleb(kinds.get(kind) ?? 0)
      .uleb(files.get(file) ?? 0)
      .uleb(line)
      .uleb(column);
    last = address;
  }
}

/** Each distinct string with its number, in order of first appearance. */
function numbered(texts: readonly string[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const text of texts) if (!numbers.has(text)) numbers.set(text, numbers.size);
  return numbers;
}
