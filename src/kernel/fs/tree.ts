/** The tree of names of the RAM file system. Entry 0 is the root directory. All of it lies in memory and goes when the machine stops. */

import { S_IFDIR, S_IFREG } from '../abi/constants.ts';
import { EBUSY, EEXIST, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOSPC, ENOTDIR, ENOTEMPTY } from '../abi/errno.ts';
import { domains } from '../security/domain.ts';
import { File, MOST_NAME_BYTES, OWNED_BY_KERNEL } from './file.ts';

const FILES = 256;
export const files = array(FILES, () => new File());
export const ROOT = 0;

const SLASH = 47;
const DOT = 46;

/** Where a path leads: the file, or the directory in which its last name is missing. */
export class Lookup {
  /** Index of the file; -1: it does not exist. */
  file: i32 = -1;
  /** Index of the directory that holds, or would hold, the last name. */
  directory: i32 = ROOT;
  /** The last name's place within the path. */
  nameStart: i32 = 0;
  nameEnd: i32 = 0;
  /** The path ends with a slash: it must be a directory. */
  hasSlash: boolean = false;
}

/** Boot: an empty root directory. */
export function initialiseTree(): void {
  for (let n = 0; n < FILES; n++) files[n].index = n;
  const root = files[ROOT];
  root.isUsed = true;
  root.isDirectory = true;
  root.isLinked = true;
  root.owner = OWNED_BY_KERNEL;
  root.mode = S_IFDIR | 0o755;
}

class TreeBounds {
  /** Entries from here on have never been used. */
  end: i32 = 1;
}
const bounds = new TreeBounds();

function child(directory: i32, name: Uint8Array): i32 {
  for (let n = 1; n < bounds.end; n++) {
    const file = files[n];
    if (file.isUsed && file.isLinked && file.parent === directory && file.isNamed(name)) return n;
  }
  return -1;
}

/** Follows `path` from `start`. Returns 0, or the errno of a step that fails before the last name. */
export function lookUp(path: Uint8Array, start: i32, found: Lookup): i32 {
  if (path.length === 0) return ENOENT;
  let at = 0;
  let current = path[0] === SLASH ? ROOT : start;
  found.directory = files[current].parent;
  found.file = current;
  found.hasSlash = true;
  while (at < path.length) {
    while (at < path.length && path[at] === SLASH) at++;
    if (at >= path.length) break;
    const from = at;
    while (at < path.length && path[at] !== SLASH) at++;
    if (at - from > MOST_NAME_BYTES) return ENAMETOOLONG;
    if (current < 0) return ENOENT;
    if (!files[current].isDirectory) return ENOTDIR;
    found.hasSlash = at < path.length;
    const name = path.subarray(from, at);
    if (name.length === 1 && name[0] === DOT) continue;
    if (name.length === 2 && name[0] === DOT && name[1] === DOT) {
      current = files[current].parent;
      found.file = current;
      found.directory = files[current].parent;
      continue;
    }
    found.directory = current;
    found.nameStart = from;
    found.nameEnd = at;
    current = child(current, name);
    found.file = current;
  }
  if (found.hasSlash && current >= 0 && !files[current].isDirectory) return ENOTDIR;
  return 0;
}

/** Makes a file or directory where `found` says the name is missing, charged to the domain `owner`; returns its index, or the negative errno. */
export function make(path: Uint8Array, found: Lookup, isDirectory: boolean, mode: u32, owner: i32): i32 {
  if (found.file >= 0) return -EEXIST;
  if (owner !== OWNED_BY_KERNEL && !domains[owner].mayMakeFile()) return -ENOSPC;
  if (found.hasSlash && !isDirectory) return -EISDIR;
  // A directory that was removed and is still open takes no new names.
  if (!files[found.directory].isLinked) return -ENOENT;
  for (let n = 1; n < FILES; n++) {
    const file = files[n];
    if (file.isUsed) continue;
    if (n >= bounds.end) bounds.end = n + 1;
    file.isUsed = true;
    file.isLinked = true;
    file.isDirectory = isDirectory;
    file.owner = owner;
    if (owner !== OWNED_BY_KERNEL) domains[owner].files++;
    file.parent = found.directory;
    file.opens = 0;
    file.size = 0n;
    file.mode = ((isDirectory ? S_IFDIR : S_IFREG) | (i32(mode & 0o7777) & 0o7777)) >>> 0;
    file.setName(path.subarray(found.nameStart, found.nameEnd));
    return n;
  }
  return -ENOSPC;
}

/** Takes a name away; returns 0 or the errno. */
export function unlink(index: i32, wantsDirectory: boolean): i32 {
  const file = files[index];
  if (file.isDirectory && !wantsDirectory) return EISDIR;
  if (!file.isDirectory && wantsDirectory) return ENOTDIR;
  if (file.isDirectory) {
    if (index === ROOT) return ENOTEMPTY;
    for (let n = 1; n < bounds.end; n++) {
      if (files[n].isUsed && files[n].isLinked && files[n].parent === index) return ENOTEMPTY;
    }
  }
  file.isLinked = false;
  file.drop();
  return 0;
}

/** The absolute path of a directory, at the start of `into`; returns its length, or -1: too long, or removed. */
export function pathOf(directory: i32, into: Uint8Array): i32 {
  let start = into.length;
  for (let at = directory; at !== ROOT; at = files[at].parent) {
    const name = files[at].nameBytes;
    if (!files[at].isLinked || name.length + 1 > start) return -1;
    start -= name.length + 1;
    into[start] = SLASH;
    into.set(name, start + 1);
  }
  if (start === into.length) {
    start--;
    into[start] = SLASH;
  }
  const length = into.length - start;
  into.set(into.subarray(start));
  return length;
}

/** Whether `directory` is `ancestor` or lies below it. */
function isWithin(directory: i32, ancestor: i32): boolean {
  for (let at = directory; at !== ROOT; at = files[at].parent) {
    if (at === ancestor) return true;
  }
  return ancestor === ROOT;
}

/** Gives a file the name that `to` says, in `path`; a file that had it goes. Returns 0 or the errno. */
export function rename(index: i32, path: Uint8Array, to: Lookup): i32 {
  const file = files[index];
  if (index === ROOT || (file.isDirectory && isWithin(to.directory, index))) return EINVAL;
  if (to.file === index) return 0;
  if (to.hasSlash && !file.isDirectory) return ENOTDIR;
  if (!files[to.directory].isLinked) return ENOENT;
  if (to.file >= 0) {
    if (to.file === ROOT) return EBUSY;
    if (file.isDirectory && !files[to.file].isDirectory) return ENOTDIR;
    if (!file.isDirectory && files[to.file].isDirectory) return EISDIR;
    const error = unlink(to.file, file.isDirectory);
    if (error !== 0) return error;
  }
  file.parent = to.directory;
  file.setName(path.subarray(to.nameStart, to.nameEnd));
  return 0;
}

/** The first entry of `directory` at or behind index `from` of the table; -1: none. */
export function nextChild(directory: i32, from: i32): i32 {
  for (let n = from; n < bounds.end; n++) {
    if (n !== ROOT && files[n].isUsed && files[n].isLinked && files[n].parent === directory) return n;
  }
  return -1;
}
