/** A step of a larger check: one command, one line, its output only where it fails. */
import { spawnSync } from 'node:child_process';

export interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Shows the command's own output while it runs. */
  readonly live?: boolean;
}

/** The command line of a package's own executable script, run on the engine that runs this process. */
export const script = (path: string, ...args: string[]): string[] => [process.execPath, `node_modules/${path}`, ...args];

/** Runs every step, also after a failure, so that one run shows all that is wrong. Returns how many failed. */
export function runSteps(steps: readonly Step[]): number {
  let failed = 0;
  for (const { name, command, live } of steps) {
    const [file = '', ...args] = command;
    const start = performance.now();
    const result = spawnSync(file, args, { stdio: live ? 'inherit' : 'pipe', encoding: 'utf8', maxBuffer: 1 << 28 });
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const ok = result.status === 0;
    if (!ok) failed++;
    process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
    if (!ok && !live) process.stdout.write(`${result.stdout}${result.stderr}${result.error?.message ?? ''}\n`);
  }
  return failed;
}
