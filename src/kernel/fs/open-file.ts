/** Open files ("open file descriptions"): what descriptors of one or several processes refer to, with position and flags, counted. */
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '../abi/constants.ts';
import { type Pipe, pipes } from '../ipc/pipe.ts';
import { domains } from '../security/domain.ts';
import type { File } from './file.ts';
import { files } from './tree.ts';

type OpenKind = u8;
const KIND_CLOSED: u8 = 0;
export const KIND_FILE: u8 = 1;
export const KIND_PIPE: u8 = 2;
export const KIND_CONSOLE: u8 = 3;

const OPEN_FILES = 512;

export class OpenFile {
  kind: OpenKind = KIND_CLOSED;
  /** Descriptors that refer to this. */
  references: u32 = 0;
  flags: i32 = 0;
  position: u64 = 0n;
  /** Index of the file or pipe. */
  object: i32 = 0;
  domain: i32 = 0;

  get mayRead(): boolean {
    return (this.flags & O_ACCMODE) !== O_WRONLY;
  }

  get mayWrite(): boolean {
    return (this.flags & O_ACCMODE) !== O_RDONLY;
  }

  get file(): File {
    assert(this.kind === KIND_FILE);
    return files[this.object];
  }

  get pipe(): Pipe {
    assert(this.kind === KIND_PIPE);
    return pipes[this.object];
  }

  /** One descriptor fewer. Returns true where that closed an end of a pipe, whose other end must be woken. */
  release(): boolean {
    this.references--;
    if (this.references > 0) return false;
    const kind = this.kind;
    domains[this.domain].openFiles--;
    if (kind === KIND_FILE) {
      this.file.opens--;
      this.file.drop();
    }
    if (kind === KIND_PIPE) {
      const pipe = this.pipe;
      if (this.mayRead) pipe.readers--;
      else pipe.writers--;
      if (pipe.readers === 0 && pipe.writers === 0) domains[pipe.domain].pipes--;
      pipe.drop();
    }
    this.kind = KIND_CLOSED;
    return kind === KIND_PIPE;
  }
}

export const openFiles = array(OPEN_FILES, () => new OpenFile());

/** A free entry with one reference; -1: none, or the domain has its share. */
export function takeOpenFile(domain: i32, kind: OpenKind, object: i32, flags: i32): i32 {
  if (!domains[domain].mayOpen()) return -1;
  for (let n = 0; n < OPEN_FILES; n++) {
    const open = openFiles[n];
    if (open.kind !== KIND_CLOSED) continue;
    open.kind = kind;
    open.references = 1;
    open.object = object;
    open.flags = flags;
    open.position = 0n;
    open.domain = domain;
    domains[domain].openFiles++;
    if (kind === KIND_FILE) files[object].opens++;
    return n;
  }
  return -1;
}
