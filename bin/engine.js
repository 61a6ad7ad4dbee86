/**
 * Runs scripts on the pinned engine: the npm package `node`, which `npm ci` installs beside the project, so that a machine whose own
 * Node is older (20 or later starts this file) runs everything on the same version. Plain JavaScript, since it runs before the hand-over.
 */
import { createRequire } from 'node:module';

/** One of Node's own modules. An `import` of some loads much more than they need themselves: streams and promises for node:fs. */
export const useNode = createRequire(import.meta.url);

const { realpathSync } = useNode('node:fs');
const { dirname, join } = useNode('node:path');
const { fileURLToPath, pathToFileURL } = useNode('node:url');

/** The path of the pinned engine's executable. Ends the process with status 2 and one line where it is not installed. */
function enginePath() {
  try {
    return join(dirname(useNode.resolve('node/package.json')), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
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
 * The engine keeps what it stripped and compiled here, in the package's own folder: without it a command spends most of a second before its first
 * instruction. Not under coverage, which it would make less precise.
 */
const COMPILE_CACHE = process.env.NODE_V8_COVERAGE ? null : fileURLToPath(new URL('../node_modules/.cache/palindrome', import.meta.url));

/** Makes the package's own name resolve to its sources (a checkout) instead of `dist` (an installed package). */
const SOURCES = ['--conditions=palindrome'];

/** Whether this process runs on the pinned engine. */
export function isPinnedEngine() {
  try {
    return realpathSync(process.execPath) === realpathSync(enginePath());
  } catch {
    return false;
  }
}

/** Runs a script in this process, which saves the start of another: for what does without a deep stack, whose size is fixed when a process starts. */
export async function runHere(script) {
  for (const flag of LATER) useNode('node:v8').setFlagsFromString(flag);
  if (COMPILE_CACHE !== null) useNode('node:module').enableCompileCache(COMPILE_CACHE);
  await import(pathToFileURL(script).href);
}

/** Runs one of the checkout's tools to its end, without a word. Returns whether it succeeded. */
export function runTool(script) {
  return useNode('node:child_process').spawnSync(enginePath(), [...SOURCES, script], { stdio: 'ignore' }).status === 0;
}

/** Runs `node SCRIPT ARGUMENTS…` on the pinned engine with this process's own input and output, and ends with its status. */
export function handOver(script, args, { checkout }) {
  const flags = ['--disable-warning=ExperimentalWarning', '--stack-size=4000', ...LATER, ...(checkout ? SOURCES : [])];
  const cache = COMPILE_CACHE === null ? {} : { NODE_COMPILE_CACHE: COMPILE_CACHE };
  const child = useNode('node:child_process').spawn(enginePath(), [...flags, script, ...args], {
    stdio: 'inherit',
    env: { ...cache, ...process.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`palindrome: the engine does not start (${error.message}); run "npm ci" again\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (useNode('node:os').constants.signals[signal] ?? 0);
  });
}
