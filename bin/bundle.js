/** Which script is the command line: the bundle that tools/bundle.ts makes of the sources, or where there can be none, the sources. */
import { runTool, useNode } from './engine.js';

const { accessSync, constants, existsSync, readFileSync, statSync } = useNode('node:fs');
const { join } = useNode('node:path');
const { fileURLToPath } = useNode('node:url');

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src/cli/main.ts');
const tool = join(root, 'tools/bundle.ts');

/** Whether this is a checkout of the project, whose sources may change. */
export const isCheckout = existsSync(source);

/** A checkout's bundle is made anew after each change of its sources. It does what the sources do; coverage is wanted of them. */
export function commandLine() {
  if (!isCheckout) return bundled() ?? missing();
  if (process.env.NODE_V8_COVERAGE) return source;
  return bundled() ?? (mayMake() && runTool(tool) ? bundled() : null) ?? source;
}

/** The bundle's script; null where there is none that is whole, or one of other sources. */
function bundled() {
  const folder = join(root, isCheckout ? '.cache/bundle' : 'dist/bundle');
  try {
    const { digest, files, stamps } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    if (isCheckout && !stamps.every(isUnchanged)) return null;
    return files.every(([path, size, mtimeMs]) => isWhole(join(folder, digest, path), size, mtimeMs))
      ? join(folder, digest, 'main.js')
      : null;
  } catch {
    return null;
  }
}

/** A package's files have the times at which it was installed. */
function isWhole(path, size, mtimeMs) {
  const now = statSync(path, { throwIfNoEntry: false });
  return now !== undefined && now.size === size && (!isCheckout || now.mtimeMs === mtimeMs);
}

/** Whether a bundle can be made: a checkout that cannot be written to would try at every command. */
function mayMake() {
  const place = ['.cache/bundle', '.cache', '.'].map((name) => join(root, name)).find((path) => existsSync(path));
  try {
    accessSync(place, constants.W_OK);
    return existsSync(join(root, 'node_modules/rolldown'));
  } catch {
    return false;
  }
}

function isUnchanged([path, size, mtimeMs]) {
  const now = statSync(join(root, path), { throwIfNoEntry: false });
  return now !== undefined && now.size === size && now.mtimeMs === mtimeMs;
}

function missing() {
  process.stderr.write('palindrome: the package is not whole (dist/bundle is missing); install it again\n');
  process.exit(2);
}
