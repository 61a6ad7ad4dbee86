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
 * Most commands live for a second or less, in which V8's optimising compilers for JavaScript cost more than they give: they wait for more calls, and
 * for the calls of this process (the compile cache would tell what others found hot). Measured, CPU ms before and after: the bench guest `hash` (short) 291
 * and 241, keel and its programs 945 and 859, page faults 1154 and 1081, a campaign of 800 runs 5286 and 5120. WebAssembly is not concerned: other
 * budgets for its tiers, the size of the young generation and the number of threads made no difference.
 */
const LATER = ['--no-profile-guided-optimization', '--invocation-count-for-maglev=4000', '--invocation-count-for-turbofan=30000'];

/**
 * Runs `node SCRIPT ARGUMENTS…` on the pinned engine with this process's own input and output, and ends with its status.
 * The condition `palindrome` makes the package's own name resolve to its sources (a checkout) instead of `dist` (an installed package).
 */
export function handOver(script, args, { checkout }) {
  const condition = checkout ? ['--conditions=palindrome'] : [];
  const flags = ['--disable-warning=ExperimentalWarning', '--stack-size=4000', ...LATER, ...condition];
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
