/** Reads cpio archives (newc) for the programs in them, so that their symbols are known. The archive may be anybody's: reading stops where it is wrong. */
import type { NamedFile } from './record.ts';

const HEADER = 110;

/** The regular files of an archive up to its trailer, or up to the first entry that cannot be. */
export function archiveFiles(archive: Uint8Array): NamedFile[] {
  const text = (from: number, length: number): string => String.fromCharCode(...archive.subarray(from, from + length));
  const files: NamedFile[] = [];
  let at = 0;
  while (at + HEADER <= archive.length && text(at, 6) === '070701') {
    const field = (index: number): number => Number.parseInt(text(at + 6 + index * 8, 8), 16);
    const mode = field(1);
    const size = field(6);
    const nameSize = field(11);
    if (!(nameSize > 0 && nameSize <= 4096 && size >= 0)) break;
    const name = text(at + HEADER, nameSize - 1);
    const data = (at + HEADER + nameSize + 3) & ~3;
    if (name === 'TRAILER!!!' || data + size > archive.length) break;
    if ((mode & 0o170000) === 0o100000) files.push({ name, bytes: archive.subarray(data, data + size) });
    at = (data + size + 3) & ~3;
  }
  return files;
}
