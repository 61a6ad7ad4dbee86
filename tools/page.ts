/**
 * Builds the explorer's page with vite: FOLDER/index.html and its assets. `palindrome explore` has this script make `.cache/explorer` in a checkout, which
 * is left as it is while the sources are; `npm pack` makes `dist/explorer` for the package.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const page = join(root, 'src/explorer/page');
const STAMP = 'sources.sha256';

/** `name`: of a folder of the project. */
export async function makePage(name: string): Promise<void> {
  const folder = join(root, name);
  const digest = digestOfSources();
  if (existsSync(join(folder, STAMP)) && readFileSync(join(folder, STAMP), 'utf8') === digest) return;
  const { build } = await import('vite'); // half a second, which is saved where nothing is to do
  const next = `${folder}.${randomUUID()}`;
  mkdirSync(dirname(folder), { recursive: true });
  try {
    await build({
      root: page,
      configFile: false,
      base: './',
      logLevel: 'error',
      build: { outDir: next, emptyOutDir: true, target: 'es2024', modulePreload: false, assetsInlineLimit: 0 },
    });
    writeFileSync(join(next, STAMP), digest);
    rmSync(folder, { recursive: true, force: true });
    renameSync(next, folder);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

/** Of all that the page is made from. */
function digestOfSources(): string {
  const hash = createHash('sha256');
  const files = readdirSync(page, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(tsx?|css|html|json)$/.test(name));
  for (const path of [
    ...files.sort().map((name) => join(page, name)),
    join(page, '../protocol.ts'),
    join(root, 'package-lock.json'),
    import.meta.filename,
  ])
    hash.update(`${path.slice(root.length)}\n`).update(readFileSync(path));
  return hash.digest('hex');
}

if (import.meta.main) await makePage('.cache/explorer');
