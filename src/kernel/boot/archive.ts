/** cpio archives (newc format): their files and directories → the RAM file system. */
import { S_IFDIR, S_IFREG } from '../abi/constants.ts';
import { OWNED_BY_KERNEL } from '../fs/file.ts';
import { files, Lookup, lookUp, make, ROOT } from '../fs/tree.ts';

const HEADER_BYTES = 110;
const FORMAT_BITS = 0o170000;

/** The eight hexadecimal digits at `at`; -1 where they are not that. */
function field(archive: Uint8Array, at: i32): i64 {
  let value: i64 = 0n;
  for (let n = 0; n < 8; n++) {
    const digit = archive[at + n];
    let number = -1;
    if (digit >= 48 && digit <= 57) number = digit - 48;
    else if (digit >= 97 && digit <= 102) number = digit - 87;
    else if (digit >= 65 && digit <= 70) number = digit - 55;
    if (number < 0) return -1n;
    value = value * 16n + i64(number);
  }
  return value;
}

function isTrailer(name: Uint8Array): boolean {
  const trailer = bytesOf('TRAILER!!!');
  if (name.length !== trailer.length) return false;
  for (let at = 0; at < name.length; at++) {
    if (name[at] !== trailer[at]) return false;
  }
  return true;
}

/** Unpacks over what is there. Returns how many files came, or -1 for a damaged archive. */
export function unpack(archive: Uint8Array): i32 {
  let at = 0;
  let count = 0;
  while (at + HEADER_BYTES <= archive.length) {
    if (archive[at] !== 48 || archive[at + 1] !== 55 || archive[at + 5] !== 49) return -1;
    const mode = field(archive, at + 14);
    const size = field(archive, at + 54);
    const nameBytes = field(archive, at + 94);
    if (mode < 0n || size < 0n || nameBytes <= 0n) return -1;
    const nameStart = i64(at + HEADER_BYTES);
    const dataStart = (nameStart + nameBytes + 3n) & -4n;
    if (dataStart + size > i64(archive.length)) return -1;
    const name = archive.subarray(i32(nameStart), i32(nameStart + nameBytes) - 1);
    if (isTrailer(name)) return count;
    if (!place(name, i32(mode), archive.subarray(i32(dataStart), i32(dataStart + size)))) return -1;
    count++;
    at = i32((dataStart + size + 3n) & -4n);
  }
  // No archive at all is none; one without its trailer was cut off.
  return archive.length === 0 ? 0 : -1;
}

function place(name: Uint8Array, mode: i32, data: Uint8Array): boolean {
  const format = mode & FORMAT_BITS;
  if (format !== S_IFREG && format !== S_IFDIR) return true;
  const found = new Lookup();
  if (!makeParents(name)) return false;
  if (lookUp(name, ROOT, found) !== 0) return false;
  let file = found.file;
  if (file < 0) file = make(name, found, format === S_IFDIR, u32(mode & 0o7777), OWNED_BY_KERNEL);
  if (file < 0) return false;
  if (format === S_IFDIR) return true;
  if (files[file].isDirectory) return false;
  files[file].truncate(0n);
  return files[file].write(0n, data) === data.length;
}

/** Makes the directories on the way to `name`, which an archive may leave out. */
function makeParents(name: Uint8Array): boolean {
  for (let at = 1; at < name.length; at++) {
    if (name[at] !== 47) continue;
    const prefix = name.subarray(0, at);
    const found = new Lookup();
    if (lookUp(prefix, ROOT, found) !== 0) return false;
    if (found.file < 0 && make(prefix, found, true, 0o755, OWNED_BY_KERNEL) < 0) return false;
  }
  return true;
}
