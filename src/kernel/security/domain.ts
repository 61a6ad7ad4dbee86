/**
 * A domain: one program of /etc/programs and all its descendants. Its use of what all share is counted and bounded here, so that a fork bomb or a memory hog
 * ends in EAGAIN or ENOMEM of its own.
 */
import { frames } from '../ostd/frames.ts';

export const DOMAINS = 16;
const MOST_PROCESSES: u32 = 20;
const MOST_FILES: u32 = 60;
const MOST_OPEN_FILES: u32 = 128;
const MOST_PIPES: u32 = 16;

export class Domain {
  processes: u32 = 0;
  /** Leaves and tables of the address spaces of its processes. */
  pages: u32 = 0;
  openFiles: u32 = 0;
  pipes: u32 = 0;
  mostPages: u32 = 0;
  /** Files and directories that it made or changed, and the frames of their contents. */
  files: u32 = 0;
  filePages: u32 = 0;
  mostFilePages: u32 = 0;
  /** Processes that it ever had. */
  private started: u32 = 0;
  /** Wait status of its first process, once that has ended. */
  status: i32 = 0;

  /** Numbers of one domain do not depend on what others do; the first of `/etc/programs` is 1, the second 2. */
  nextPid(index: i32): u32 {
    const pid = 1 + u32(index) + u32(DOMAINS) * this.started;
    this.started++;
    return pid;
  }

  mayFork(): boolean {
    return this.processes < MOST_PROCESSES;
  }

  mayOpen(): boolean {
    return this.openFiles < MOST_OPEN_FILES;
  }

  mayPipe(): boolean {
    return this.pipes < MOST_PIPES;
  }

  mayMakeFile(): boolean {
    return this.files < MOST_FILES;
  }

  mayStore(pages: u32): boolean {
    return this.filePages + pages <= this.mostFilePages;
  }

  mayUse(pages: u32): boolean {
    return this.pages + pages <= this.mostPages;
  }
}

export const domains = array(DOMAINS, () => new Domain());

/** Boot: every domain may use a quarter of what is free for its memory, and a sixteenth for files. */
export function setPageLimits(): void {
  for (const domain of domains) {
    domain.mostPages = frames.free >>> 2;
    domain.mostFilePages = frames.free >>> 4;
  }
}
