/** Finds the outside judges (QEMU, gcc, gdb …) that tests call. With CI=true a missing one fails the test; elsewhere the test is left out, and says so. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'vitest';

/** Where the tool lies on PATH, or null. Throws where it is missing and CI=true. */
export function requireTool(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  if (process.env['CI'] === 'true') throw new Error(`${name} is not installed, and CI needs it; see .ci/run`);
  return null;
}

/** The tool's path; where it is missing (outside CI) the calling test is left out with the tool's name as the reason. */
export function toolOrSkip(context: TestContext, name: string): string {
  return requireTool(name) ?? context.skip(`${name} is not installed`);
}

/** Runs a tool to its end and returns what it printed; throws with its own words where it fails. */
export function runTool(
  path: string,
  args: readonly string[],
  options: { timeoutMs?: number; cwd?: string; input?: Uint8Array | string } = {},
): string {
  const { timeoutMs = 60_000, cwd, input } = options;
  const result = spawnSync(path, args, { encoding: 'utf8', timeout: timeoutMs, cwd, input: input as string, maxBuffer: 1 << 28 });
  if (result.status !== 0)
    throw new Error(`${path} ${args.join(' ')} ended with ${result.status ?? result.signal}: ${result.stderr}${result.stdout}`);
  return result.stdout;
}
