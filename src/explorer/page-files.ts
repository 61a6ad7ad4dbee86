/**
 * The built page, read once into memory: what is not among its files is not served. In a checkout it is built when its sources have changed (tools/page.ts);
 * the package brings it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { UserError } from '../machine/index.ts';

export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The files of the page by their paths below its folder. */
export interface PageFiles {
  get(path: string): PageFile | null;
}

const root = join(import.meta.dirname, '../..');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** UserError where the page cannot be had. */
export function pageFiles(): PageFiles {
  const tool = join(root, 'tools/page.ts');
  const isCheckout = existsSync(tool);
  const folder = join(root, isCheckout ? '.cache/explorer' : 'dist/explorer');
  if (isCheckout) {
    const { status, stderr } = spawnSync(process.execPath, ['--conditions=palindrome', tool], { encoding: 'utf8' });
    if (status !== 0) throw new UserError(`the explorer's page cannot be built: ${stderr.trim().split('\n').at(-1)}`);
  }
  if (!existsSync(join(folder, 'index.html'))) throw new UserError('the package is not whole (dist/explorer is missing); install it again');
  const files = new Map<string, PageFile>();
  for (const path of filesBelow(folder)) {
    const type = TYPES[extname(path)];
    if (type !== undefined) files.set(relative(folder, path), { type, bytes: readFileSync(path) });
  }
  return { get: (path) => files.get(path) ?? null };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
