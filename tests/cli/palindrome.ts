/** Runs the command line as a user does: bin/palindrome in a process of its own. */
import { spawnSync } from 'node:child_process';

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The last line of standard output as JSON; null where it is none. */
  readonly json: Record<string, unknown> | null;
}

/** @param env is added to this process's environment. */
export function palindrome(args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}): Ran {
  const bin = new URL('../../bin/palindrome', import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 1 << 28,
    env: { ...process.env, ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { status, stdout, stderr, json: last.startsWith('{') ? (JSON.parse(last) as Record<string, unknown>) : null };
}
