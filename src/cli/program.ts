/** Programs of the command line: sources compiled, executables taken as they are. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type Compilation, compile, formatDiagnostic, packPrograms } from '../compiler/index.ts';
import { UserError } from '../machine/index.ts';
import { readInput } from './files.ts';

/** Compiles a source file; what it imports is looked for beside it. */
export function compileFile(
  path: string,
  options: { optimise?: 0 | 2; trusted?: boolean; dump?: { after: string; write: (pass: string, text: string) => void } } = {},
): Compilation {
  const folder = dirname(resolve(path));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const read = (name: string): string | null => {
    const file = resolve(folder, name);
    if (!existsSync(file) || !statSync(file).isFile()) return null;
    try {
      return decoder.decode(readInput(file));
    } catch (error) {
      if (error instanceof TypeError) throw new UserError(`${file}: is not UTF-8 text; a source file is wanted`);
      throw error;
    }
  };
  if (read(basename(path)) === null) throw new UserError(`${path}: there is no such file; check the path`);
  const { optimise = 2, trusted = false, dump } = options;
  return compile({ entry: basename(path), optimise, trusted: () => trusted, ...(dump && { dump }) }, read);
}

/** Whether a file begins as an ELF file does. */
export const isElf = (bytes: Uint8Array): boolean => bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/**
 * The ELF of a program given as source or as ELF, and what a guest is given of it. UserError with the diagnostics where the source does not
 * compile.
 */
export function loadProgram(path: string): { readonly bytes: Uint8Array; readonly stripped: Uint8Array } {
  if (!/\.[cm]?ts$/.test(path)) {
    const bytes = readInput(path);
    if (isElf(bytes)) return { bytes, stripped: bytes };
    throw new UserError(`${path}: is neither an ELF executable nor a source file (*.ts)`);
  }
  const { image, stripped, diagnostics } = compileFile(path);
  if (image === null || stripped === null)
    throw new UserError(`${path} does not compile:\n${diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n')}`);
  return { bytes: image, stripped };
}

/** Programs that are started at once, and the archive that keel takes them from. `args` of the first, separated by spaces. */
export function loadPrograms(
  files: readonly string[],
  args = '',
): { readonly programs: readonly { readonly name: string; readonly bytes: Uint8Array }[]; readonly archive: Uint8Array } {
  const programs = files.map((file, index) => ({
    name: `${index + 1}-${basename(file).replace(/\.[cm]?ts$/, '')}`,
    ...loadProgram(file),
  }));
  const words = args.split(' ').filter((word) => word !== '');
  const placed = programs.map(({ name, stripped }) => ({ path: `/bin/${name}`, bytes: stripped }));
  return {
    programs: programs.map(({ name, bytes }) => ({ name, bytes })),
    archive: packPrograms(
      placed,
      placed.map(({ path }, index) => (index === 0 ? [path, ...words] : [path])),
    ),
  };
}
