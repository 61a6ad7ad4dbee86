/**
 * Puts the command line into few files, which load in a third of the time that its modules take: FOLDER/<digest>/, and FOLDER/manifest.json that names
 * this folder and the files that it was made from. What is generated from the sources alone (src/machine/translator/fixed-modules.ts) is written in.
 *
 * bin/palindrome has this script make `.cache/bundle` where the sources of a checkout have changed; `npm pack` makes `dist/bundle` for the package.
 */
import { createHash, randomUUID } from 'node:crypto';
import fs, { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { commonForms } from '../src/machine/translator/common-forms.ts';
import { FIXED_MODULES, fixedBytes, inlinedKeys } from '../src/machine/translator/fixed-modules.ts';
import { FormLibrary } from '../src/machine/translator/form-library.ts';
import type { ReadyMade } from '../src/machine/translator/ready-made.ts';

/** Path, size and time of change of a file. */
type Stamp = readonly [string, number, number];

/** bin/bundle.js reads it. */
interface Manifest {
  readonly digest: string;
  /** Its own files. */
  readonly files: readonly Stamp[];
  readonly stamps: readonly Stamp[];
}

const root = join(import.meta.dirname, '..');
const ENTRIES = {
  main: join(root, 'src/cli/main.ts'),
  worker: join(root, 'src/fuzz/campaign/worker.ts'),
  'explorer-worker': join(root, 'src/explorer/explorer-worker.ts'),
};
/** The module that names a worker finds it, which lies beside it in the bundle too, and nothing else by its own place. */
const WORKER = /'\.\/(explorer-)?worker\.js'/;
const READY_MADE = 'src/machine/translator/ready-made.ts';
/**
 * Modules that are slow to load. `import` makes Node look at every export of node:fs, of which some load streams and promises (5 ms), and look for kind
 * and exports of typescript, of 9 MB (60 ms); commander asks for node:child_process, which brings the network, for what is not used here.
 */
const REPLACED: ReadonlyMap<string, string> = new Map([
  ['node:fs', `export const { ${plainNames(fs).join(', ')} } = process.getBuiltinModule('node:fs');`],
  [
    'node:child_process',
    ['spawn', 'spawnSync']
      .map((name) => `export const ${name} = (...args) => process.getBuiltinModule('node:child_process').${name}(...args);`)
      .join('\n'),
  ],
  ['typescript', `import { createRequire } from 'node:module';\nexport default createRequire(import.meta.url)('typescript');`],
]);
const DIGEST = /^[0-9a-f]{16}$/;

/** `name`: of a folder of the project, as deep as `.cache/bundle`. */
export async function makeBundle(name: string): Promise<void> {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const stamps = ['package-lock.json', 'tools/bundle.ts'].map((path) => stamp(root, path));
  const files = await link(stamps);
  const hash = createHash('sha256');
  for (const { path, code } of files) hash.update(`${path}\n${code}\n`);
  const digest = hash.digest('hex').slice(0, 16);

  const before = digestBefore(folder);
  const bundle = join(folder, digest);
  // What was damaged under the same name gives way. What is not there yet, another process may be putting there.
  if (existsSync(bundle) && !files.every(({ path, code }) => holds(join(bundle, path), code)))
    rmSync(bundle, { recursive: true, force: true });
  putInPlace(bundle, (next) => {
    mkdirSync(next);
    for (const { path, code } of files) writeFileSync(join(next, path), code);
  });
  const manifest: Manifest = { digest, files: files.map(({ path }) => stamp(bundle, path)), stamps };
  putInPlace(manifestIn(folder), (next) => writeFileSync(next, JSON.stringify(manifest)));
  // A process that began with the bundle before this one may still load parts of it.
  for (const old of readdirSync(folder))
    if (DIGEST.test(old) && old !== digest && old !== before) rmSync(join(folder, old), { recursive: true, force: true });
}

/** The bundle's files; the sources' stamps are added to `stamps`. */
async function link(stamps: Stamp[]): Promise<{ readonly path: string; readonly code: string }[]> {
  const sources: Plugin = {
    name: 'sources',
    resolveId: (id) => (REPLACED.has(id) ? `\0${id}` : null),
    load(id) {
      const replaced = REPLACED.get(id.slice(1));
      if (replaced !== undefined) return replaced;
      const path = relative(root, id);
      if (!path.startsWith('src/')) return null;
      stamps.push(stamp(root, path)); // before it is read: what is changed meanwhile counts as changed
      const code = readFileSync(id, 'utf8');
      if (path === READY_MADE) return { code: readyMade(), moduleType: 'js' };
      return { code: WORKER.test(code) ? code : keepPlaces(path, code), moduleType: 'ts' };
    },
  };
  const bundle = await rolldown({ input: ENTRIES, platform: 'node', plugins: [sources] });
  const { output } = await bundle.generate({
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    comments: false,
  });
  await bundle.close();
  return output.flatMap((file) => (file.type === 'chunk' ? [{ path: file.fileName, code: inAscii(file.code) }] : []));
}

/** Names of functions alone: none that is made when it is asked for. */
function plainNames(module: object): string[] {
  return Object.keys(module).filter((name) => typeof Object.getOwnPropertyDescriptor(module, name)?.value === 'function');
}

/** The same code: what is not ASCII stands in strings and regular expressions. V8 keeps a text of ASCII alone in half of the memory. */
function inAscii(code: string): string {
  if (/String\.raw|\\[\u0080-\uffff]/.test(code)) throw new Error('an escape would not say the same in this code');
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function readyMade(): string {
  const modules = Object.fromEntries(FIXED_MODULES.map((name) => [name, fixedBytes(name).toBase64()]));
  const library = new FormLibrary({ hasPath: false });
  for (const { decoded, segmentation } of commonForms()) library.find(decoded, segmentation);
  const ready: ReadyMade = { modules, inlinedKeys: inlinedKeys(), known: library.share().known };
  return `export const readyMade = ${JSON.stringify(ready)};`;
}

/** Modules find what is no module (the kernel's sources, examples) by their own places: they keep those of the checkout, as seen from the bundle's folder. */
function keepPlaces(path: string, code: string): string {
  const place = (name: string) => `new URL(${JSON.stringify(`../../../${name}`)}, import.meta.url)`;
  return code
    .replaceAll('import.meta.url', `${place(path)}.href`)
    .replaceAll('import.meta.dirname', `process.getBuiltinModule('node:url').fileURLToPath(${place(dirname(path))})`);
}

function stamp(folder: string, path: string): Stamp {
  const { size, mtimeMs } = statSync(join(folder, path));
  return [path, size, mtimeMs];
}

function holds(path: string, code: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8') === code;
}

const manifestIn = (folder: string): string => join(folder, 'manifest.json');

/** The digest of the bundle that was there before; null where there was none that is whole. */
function digestBefore(folder: string): string | null {
  try {
    return (JSON.parse(readFileSync(manifestIn(folder), 'utf8')) as Manifest).digest;
  } catch {
    return null;
  }
}

/** What a reader of `path` finds is the old or the new, never a part. */
function putInPlace(path: string, write: (next: string) => void): void {
  const next = join(dirname(path), randomUUID());
  try {
    write(next);
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error; // the same bundle, by another process
  }
}

if (import.meta.main) await makeBundle('.cache/bundle');
