/**
 * Builds keel from its sources: the one way in which the tools, the fuzzer and the tests get a kernel.
 *
 *     const { image, symbols, layouts } = buildKeel();
 *     const sabotaged = buildKeel({ edits: [{ file: 'ostd/cpu.ts', text: 'cr4 |= CR4_SMEP', replacement: 'cr4 |= 0n' }] });
 *
 * A saboteur is a list of edits of the source, applied before it is compiled: keel itself has no switch for defects. Same sources and edits, same
 * bytes; results are kept within the process by the hash of what went in.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { bug, UserError } from '../machine/isa/bug.ts';
import { compile } from './compile.ts';
import { formatDiagnostic } from './diagnostics.ts';
import type { Layouts } from './image/layouts.ts';
import type { LinkedSymbol } from './image/link.ts';

/** Replaces `text`, which must stand exactly once in the file (a path below src/kernel, e.g. `mm/address-space.ts`). */
export interface KeelEdit {
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
}

export interface KeelOptions {
  readonly edits?: readonly KeelEdit[];
  readonly optimise?: 0 | 2;
  /** Default true: DWARF, for whoever looks at a trace. What is loaded is the same without, and made in less time. */
  readonly debug?: boolean;
  /** Run the IR verifier after every pass. */
  readonly verify?: boolean;
}

export interface Keel {
  readonly image: Uint8Array;
  readonly symbols: readonly LinkedSymbol[];
  readonly layouts: Layouts;
  /** Hash of sources, edits and options: the name of this build. */
  readonly key: string;
}

/** The kernel's folder whose code may use intrinsics. */
const trustedFolder = 'src/kernel/ostd/';
const entry = 'src/kernel/boot/main.ts';

interface Cache {
  readonly builds: Map<string, Keel>;
  sources: ReadonlyMap<string, string> | null;
}

const cache: Cache = { builds: new Map(), sources: null };

/** @throws UserError for an edit that does not apply or source that does not compile (with all diagnostics) */
export function buildKeel(options: KeelOptions = {}): Keel {
  cache.sources ??= readSources();
  const files = applyEdits(cache.sources, options.edits ?? []);
  const key = hashOf(files, options);
  const known = cache.builds.get(key);
  if (known !== undefined) return known;
  const compiled = compile(
    {
      entry,
      target: 'keel-kernel',
      trusted: (path) => path.startsWith(trustedFolder),
      optimise: options.optimise ?? 2,
      debug: options.debug ?? true,
      verify: options.verify ?? false,
    },
    files,
  );
  if (compiled.image === null) {
    throw new UserError(`keel does not compile:\n${compiled.diagnostics.map((each) => formatDiagnostic(each)).join('')}`);
  }
  const keel = { image: compiled.image, symbols: compiled.symbols, layouts: compiled.layouts, key };
  cache.builds.set(key, keel);
  return keel;
}

/** All sources of keel by path from the project's root. */
function readSources(): ReadonlyMap<string, string> {
  const folder = kernelFolder();
  const files = new Map<string, string>();
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.ts'))
    .sort();
  for (const path of paths) files.set(`src/kernel/${path}`, readFileSync(join(folder, path), 'utf8'));
  return files;
}

/** src/kernel of the checkout or of the installed package, above this module. */
function kernelFolder(): string {
  for (const up of ['../..', '../../..']) {
    const folder = join(import.meta.dirname, up, 'src', 'kernel');
    if (existsSync(join(folder, 'boot', 'main.ts'))) return folder;
  }
  return bug(`the kernel's sources are not beside the compiler (${relative(process.cwd(), import.meta.dirname)})`);
}

function applyEdits(sources: ReadonlyMap<string, string>, edits: readonly KeelEdit[]): ReadonlyMap<string, string> {
  if (edits.length === 0) return sources;
  const files = new Map(sources);
  for (const edit of edits) {
    const path = `src/kernel/${edit.file.replace(/^src\/kernel\//, '')}`;
    const text = files.get(path);
    if (text === undefined) throw new UserError(`edit of ${edit.file}: keel has no such file`);
    const parts = text.split(edit.text);
    if (parts.length !== 2) {
      throw new UserError(`edit of ${edit.file}: the text stands there ${parts.length - 1} times, not once: ${JSON.stringify(edit.text)}`);
    }
    files.set(path, parts.join(edit.replacement));
  }
  return files;
}

function hashOf(files: ReadonlyMap<string, string>, options: KeelOptions): string {
  const hash = createHash('sha256');
  hash.update(`optimise ${options.optimise ?? 2}, debug ${options.debug ?? true}\n`);
  for (const [path, text] of files) hash.update(`${path} ${text.length}\n${text}`);
  return hash.digest('hex');
}

/** The folder that the names of sources in line tables are relative to: of the checkout, or of the installed package. */
export function sourceRoot(): string {
  return join(kernelFolder(), '..', '..');
}
