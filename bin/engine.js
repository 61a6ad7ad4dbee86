/**
 * Hands a script over to the pinned engine: the npm package `node`, which `npm ci` installs beside the project, so that a machine whose own
 * Node is older (20 or later starts this file) runs everything on the same version. Plain JavaScript, since it runs before the hand-over.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of the pinned engine's executable. Ends the process with status 2 and one line where it is not installed. */
function enginePath() {
  try {
    return join(
      dirname(createRequire(import.meta.url).resolve('node/package.json')),
      'bin',
      process.platform === 'win32' ? 'node.exe' : 'node',
    );
  } catch {
    process.stderr.write('palindrome: the engine (npm package "node") is not installed; run "npm ci" first\n');
    process.exit(2);
  }
}

/**
 * Runs `node SCRIPT ARGUMENTS…` on the pinned engine with this process's own input and output, and ends with its status.
 * The condition `palindrome` makes the package's own name resolve to its sources (a checkout) instead of `dist` (an installed package).
 */
export function handOver(script, args, { checkout }) {
  const flags = ['--disable-warning=ExperimentalWarning', '--stack-size=4000', ...(checkout ? ['--conditions=palindrome'] : [])];
  const child = spawn(enginePath(), [...flags, script, ...args], { stdio: 'inherit', env: { ...compileCache(), ...process.env } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`palindrome: the engine does not start (${error.message}); run "npm ci" again\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

/**
 * The engine keeps what it stripped and compiled in the package's own folder: without it a command spends most of a second before its first instruction.
 * Not under coverage, which it would make less precise.
 */
function compileCache() {
  if (process.env.NODE_V8_COVERAGE) return {};
  return { NODE_COMPILE_CACHE: fileURLToPath(new URL('../node_modules/.cache/palindrome', import.meta.url)) };
}
