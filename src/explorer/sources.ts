/**
 * Source text by the names that line tables have. The names are the trace's, which may be anybody's: only files below a few folders are read, and only
 * what may be source.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { extname, join, resolve, sep } from 'node:path';

const root = join(import.meta.dirname, '../..');
const MOST_BYTES = 4 << 20;
const EXTENSIONS = new Set(['.ts', '.c', '.h', '.s', '.S', '.rs', '.zig', '.cc', '.cpp', '.hpp']);
/** What programs import by these names is here (src/compiler/library). */
const LIBRARY = /^palindrome\//;

export class Sources {
  readonly #folders: readonly string[];

  /** `folders`: where files are looked for, in this order; keel's and the library's own are known. */
  constructor(folders: readonly string[]) {
    this.#folders = [...folders.map((folder) => resolve(folder)), root];
  }

  /** The lines of a file; null where it is not at hand. */
  lines(name: string): readonly string[] | null {
    if (name.includes('\0') || !EXTENSIONS.has(extname(name))) return null;
    for (const folder of this.#folders) {
      const path = inside(folder, name);
      if (path !== null) return readFileSync(path, 'utf8').split(/\r?\n/);
    }
    const library = LIBRARY.test(name) ? inside(join(root, 'src/compiler/library'), name.replace(LIBRARY, '')) : null;
    return library === null ? null : readFileSync(library, 'utf8').split(/\r?\n/);
  }
}

/** The real path of a file below a folder; null where there is none, or where it lies elsewhere. */
function inside(folder: string, name: string): string | null {
  try {
    const base = realpathSync(folder);
    const path = realpathSync(resolve(base, name));
    if (!path.startsWith(base + sep)) return null;
    const stats = statSync(path);
    return stats.isFile() && stats.size <= MOST_BYTES ? path : null;
  } catch {
    return null;
  }
}
