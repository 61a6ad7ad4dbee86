/**
 * Archives in the cpio "newc" format, as Linux takes them for its initial RAM file system (Documentation/driver-api/early-userspace/buffer-format.rst):
 * what keel unpacks over its file system at boot and whenever the harness hands it programs to run.
 *
 * The bytes are a function of the entries alone: inode numbers count from 1, times and owners are 0.
 */

/** A file of the archive. Parent directories need no entry of their own. */
export interface ArchiveFile {
  /** Where it will lie: an absolute path, e.g. `/bin/hello`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits; 0o755 unless told otherwise. */
  readonly mode?: number;
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const ENCODER = new TextEncoder();
const utf8 = (text: string): Uint8Array => ENCODER.encode(text);
const align4 = (size: number): number => (size + 3) & ~3;
const TRAILER = utf8('TRAILER!!!');
const DIGITS = utf8('0123456789ABCDEF');
const MAGIC_BYTES = 6;
const EMPTY = new Uint8Array();
/** The magic number and 13 fields of eight digits. */
const HEADER_BYTES = 110;
/** Those that are not 0, by their places. */
const FIELD = { inode: 0, mode: 1, links: 4, size: 6, nameBytes: 11 } as const;
const NO_FIELDS = utf8(`070701${'0'.repeat(HEADER_BYTES - MAGIC_BYTES)}`);

interface Entry {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

const fileEntry = ({ path, bytes, mode = 0o755 }: ArchiveFile): Entry => ({
  name: utf8(partsOf(path).join('/')),
  mode: S_IFREG | mode,
  bytes,
});
const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '');

/** Packs files, and the directories above them, in the order given. */
export function packArchive(files: readonly ArchiveFile[]): Uint8Array {
  const entries: Entry[] = [];
  const directories = new Set<string>();
  for (const file of files) {
    const parts = partsOf(file.path);
    for (let depth = 1; depth < parts.length; depth++) {
      const name = parts.slice(0, depth).join('/');
      if (directories.has(name)) continue;
      directories.add(name);
      entries.push({ name: utf8(name), mode: S_IFDIR | 0o755, bytes: EMPTY });
    }
    entries.push(fileEntry(file));
  }
  return pack(entries);
}

function pack(entries: readonly Entry[]): Uint8Array {
  const all = [...entries, { name: TRAILER, mode: 0, bytes: EMPTY }];
  const archive = new Uint8Array(
    all.reduce((sum, { name, bytes }) => sum + align4(HEADER_BYTES + name.length + 1) + align4(bytes.length), 0),
  );
  let offset = 0;
  for (const [index, { name, mode, bytes }] of all.entries()) {
    archive.set(NO_FIELDS, offset);
    const put = (field: number, value: number) => putHex(archive, offset + MAGIC_BYTES + 8 * field, value);
    put(FIELD.inode, name === TRAILER ? 0 : index + 1);
    put(FIELD.mode, mode);
    put(FIELD.links, 1);
    put(FIELD.size, bytes.length);
    put(FIELD.nameBytes, name.length + 1);
    archive.set(name, offset + HEADER_BYTES);
    offset += align4(HEADER_BYTES + name.length + 1);
    archive.set(bytes, offset);
    offset += align4(bytes.length);
  }
  return archive;
}

/** The digits of a value, over the last of eight that are 0. */
function putHex(archive: Uint8Array, at: number, value: number): void {
  for (let digit = 7, left = value; left !== 0; digit--, left >>>= 4) archive[at + digit] = DIGITS[left & 15] ?? 0;
}

/** A program to start: argv, of which the first is the path of the file in the archive. */
export type CommandLine = readonly string[];

/**
 * The archive that makes keel start the programs, in order and at once: their files and the list `/etc/programs`, one command line a line. keel makes the
 * directories itself.
 */
export function packPrograms(files: readonly ArchiveFile[], programs: readonly CommandLine[]): Uint8Array {
  const list = programs.map((argv) => `${argv.join(' ')}\n`).join('');
  return pack([...files, { path: '/etc/programs', bytes: utf8(list), mode: 0o644 }].map(fileEntry));
}
