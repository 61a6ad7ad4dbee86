/** Other programs: their versions, and a run timed by the CPU time of the whole process. */
import { spawnSync } from 'node:child_process';
import { BenchError } from './error.ts';

/** No run of the bench takes that long. */
const LIMIT_SECONDS = 600;

/**
 * bash's `time` reads what the kernel accounted to the process and all its children, which Node itself does not offer. It writes to descriptor 3; the
 * program's own standard error stays apart.
 */
const TIMED = `TIMEFORMAT='%3U %3S'; { time timeout -k 1 ${LIMIT_SECONDS} "$@" 2>&4; } 4>&2 2>&3`;

export interface Timed {
  readonly cpuSeconds: number;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `statuses`: the exit statuses that mean success. */
export function runTimed(
  command: string,
  args: readonly string[],
  statuses: readonly number[],
  environment: NodeJS.ProcessEnv = {},
): Timed {
  const { status, output, error } = spawnSync('bash', ['-c', TIMED, 'bash', command, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  if (error) throw error;
  const [, stdout = '', stderr = '', times = ''] = output.map((text) => text ?? '');
  if (status === 124) throw new BenchError(`took more than ${LIMIT_SECONDS} s`);
  if (status === null || !statuses.includes(status))
    throw new BenchError(`ended with status ${status}: ${complaint(`${stdout}${stderr}`)}`);
  const [user = Number.NaN, system = Number.NaN] = times.trim().split(' ').map(Number);
  return { cpuSeconds: user + system, status, stdout, stderr };
}

/** The first line that the tool says of itself, or null where it is not installed. */
export function versionOf(command: string, ...args: string[]): string | null {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', input: '' });
  if (error) return null;
  return `${stdout}${stderr}`.trimStart().split('\n')[0]?.trim() ?? '';
}

/** With CI=true a tool that is missing is an error; elsewhere its column or row says or leaves out what is not there. */
export function needInCi(tool: string, version: string | null, debianPackage = 'npm ci'): void {
  if (version === null && process.env['CI'] === 'true')
    throw new BenchError(`${tool} is not installed, and CI needs it; see .ci/run (Debian: ${debianPackage})`);
}

/** The line that says what went wrong, as well as a line can be guessed. */
function complaint(text: string): string {
  return /^.*\b(\w*error|panic|cannot)\b.*$/im.exec(text)?.[0] ?? lastLine(text);
}

export const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
