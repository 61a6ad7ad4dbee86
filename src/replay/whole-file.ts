/** Files that are written whole or not at all, and why the system would not. */
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { UserError } from '../machine/isa/bug.ts';

/** Writes a file under a temporary name first, then renames it. UserError where it cannot: nothing is left behind then, and what stood there stays. */
export function writeWhole(path: string, bytes: Uint8Array | string, mode = 0o666): void {
  checkPlace(path);
  const temporary = `${path}.${process.pid}.partial`;
  try {
    writeFileSync(temporary, bytes, { mode });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UserError(`cannot write ${path}: ${reason(error)}`);
  }
}

/** The same for a file that is made piece by piece: `make` is given what writes one. */
export async function writePieces(path: string, make: (write: (piece: Uint8Array) => void) => Promise<void>, mode = 0o666): Promise<void> {
  checkPlace(path);
  const temporary = `${path}.${process.pid}.partial`;
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new UserError(`cannot write ${path}: ${reason(error)}`);
    }
  };
  const descriptor = guarded(() => openSync(temporary, 'w', mode));
  try {
    await make((piece) => guarded(() => writeFileSync(descriptor, piece)));
    guarded(() => renameSync(temporary, path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** UserError where something stands that is no file: a rename cannot replace a folder, which shows when all is done, and would replace a device. */
export function checkPlace(path: string): void {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined || stats.isFile()) return;
    throw new UserError(`cannot write ${path}: ${stats.isDirectory() ? REASONS['EISDIR'] : 'it is a device or a pipe, a file is wanted'}`);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`cannot write ${path}: ${reason(error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EROFS: 'nothing can be written there (the file system is read-only)',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full (the user’s quota)',
  EFBIG: 'the file would be larger than the system allows (ulimit -f)',
  EISDIR: 'it is a folder',
};

/** Why the system refused, in a few words. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return (code === undefined ? undefined : REASONS[code]) ?? error.message;
}
