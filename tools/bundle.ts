/**
 * Puts the command line into few files, which load in a third of the time that its modules take: FOLDER/<digest>/, and FOLDER/manifest.json that names
 * this folder and the files that it was made from. What is generated from the sources alone (src/machine/translator/fixed-modules.ts) is written in.
 *
 * bin/palindrome has this script make `.cache/bundle` where the sources of a checkout have changed; `npm pack` makes `dist/bundle` for the package.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { FIXED_MODULES, fixedBytes, inlinedKeys } from '../src/machine/translator/fixed-modules.ts';
import type { ReadyMade } from '../src/machine/translator/ready-made.ts';

/** Path, size and time of change of a file that the bundle was made from. */
type Stamp = readonly [string, number, number];

interface Manifest {
  readonly digest: string;
  readonly stamps: readonly Stamp[];
}

const root = join(import.meta.dirname, '..');
const ENTRIES = { main: join(root, 'src/cli/main.ts'), worker: join(root, 'src/fuzz/campaign/worker.ts') };
/** Finds the worker, which lies beside it in the bundle too, and nothing else by its own place. */
const STARTS_WORKERS = 'src/fuzz/campaign/campaign.ts';
const READY_MADE = 'src/machine/translator/ready-made.ts';
const DIGEST = /^[0-9a-f]{16}$/;

/** `name`: of a folder of the project, as deep as `.cache/bundle`. */
export async function makeBundle(name: string): Promise<void> {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const stamps = ['package-lock.json', 'tools/bundle.ts'].map((path) => stamp(join(root, path)));
  const files = await link(stamps);
  const hash = createHash('sha256');
  for (const { path, code } of files) hash.update(`${path}\n${code}\n`);
  const digest = hash.digest('hex').slice(0, 16);

  const before = digestBefore(folder);
  putInPlace(join(folder, digest), (next) => {
    mkdirSync(next);
    for (const { path, code } of files) writeFileSync(join(next, path), code);
  });
  putInPlace(manifestIn(folder), (next) => writeFileSync(next, JSON.stringify({ digest, stamps } satisfies Manifest)));
  // A process that began with the bundle before this one may still load parts of it.
  for (const old of readdirSync(folder))
    if (DIGEST.test(old) && old !== digest && old !== before) rmSync(join(folder, old), { recursive: true });
}

/** The bundle's files; the sources' stamps are added to `stamps`. */
async function link(stamps: Stamp[]): Promise<{ readonly path: string; readonly code: string }[]> {
  const sources: Plugin = {
    name: 'sources',
    load(id) {
      const path = relative(root, id);
      if (!path.startsWith('src/')) return null;
      stamps.push(stamp(id)); // before it is read: what is changed meanwhile counts as changed
      const code = readFileSync(id, 'utf8');
      if (path === READY_MADE) return { code: readyMade(), moduleType: 'js' };
      return { code: path === STARTS_WORKERS ? code : keepPlaces(path, code), moduleType: 'ts' };
    },
  };
  const bundle = await rolldown({ input: ENTRIES, platform: 'node', external: ['typescript', 'iced-x86'], plugins: [sources] });
  const { output } = await bundle.generate({ format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' });
  await bundle.close();
  return output.flatMap((file) => (file.type === 'chunk' ? [{ path: file.fileName, code: file.code }] : []));
}

function readyMade(): string {
  const modules = Object.fromEntries(FIXED_MODULES.map((name) => [name, fixedBytes(name).toBase64()]));
  const ready: ReadyMade = { modules, inlinedKeys: inlinedKeys() };
  return `export const readyMade = ${JSON.stringify(ready)};`;
}

/** Modules find what is no module (the kernel's sources, examples) by their own places: they keep those of the checkout, as seen from the bundle's folder. */
function keepPlaces(path: string, code: string): string {
  const place = (name: string) => `new URL(${JSON.stringify(`../../../${name}`)}, import.meta.url)`;
  return code
    .replaceAll('import.meta.url', `${place(path)}.href`)
    .replaceAll('import.meta.dirname', `process.getBuiltinModule('node:url').fileURLToPath(${place(dirname(path))})`);
}

function stamp(path: string): Stamp {
  const { size, mtimeMs } = statSync(path);
  return [relative(root, path), size, mtimeMs];
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
  write(next);
  try {
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { recursive: true });
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error; // the same bundle, by another process
  }
}

if (import.meta.main) await makeBundle('.cache/bundle');
