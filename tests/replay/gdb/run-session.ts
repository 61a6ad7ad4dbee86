/**
 * A session with the real gdb: a script and what gdb says to each of its lines, in one file under sessions/.
 *
 *     # trace: guest                  the recording, and what the session is about
 *     # at: syscall:write             where it begins (unless at the start)
 *     break handle_timer              the script: a command of gdb's a line
 *     continue
 *     # --------                      from here on: what is expected, as `npm run bless` writes it
 *     (gdb) break handle_timer
 *     …
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Debuggee, GdbServer, Timeline } from '../../../src/replay/index.ts';
import { isTraceName, recordingOf, type TraceName } from './traces.ts';

const RULE = '# --------';
const ROOT = join(import.meta.dirname, '../../..');
const TIMEOUT_MS = 60_000;

export interface SessionFile {
  readonly path: string;
  readonly trace: TraceName;
  /** The position at which the session begins, as Timeline.resolve takes it. */
  readonly at: string;
  readonly script: readonly string[];
  readonly expected: string;
  /** Everything above the expected lines, with the rule. */
  readonly head: string;
}

function readSession(path: string): SessionFile {
  const text = readFileSync(path, 'utf8');
  const end = text.indexOf(`${RULE}\n`);
  const head = end < 0 ? `${text.trimEnd()}\n${RULE}\n` : text.slice(0, end + RULE.length + 1);
  const said = (what: string) => new RegExp(`^# ${what}: (\\S+)`, 'm').exec(head)?.[1];
  const trace = said('trace') ?? '';
  if (!isTraceName(trace)) throw new Error(`${path}: "# trace: NAME" names no recording of traces.ts`);
  const script = head.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { path, trace, at: said('at') ?? 'start', script, expected: text.slice(head.length), head };
}

/** What gdb says. Each command is one of its own: one that fails does not end the session. */
export async function runSession(gdb: string, { trace, at, script }: SessionFile): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-session-'));
  const { sources } = await recordingOf(trace);
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, name), text);
  const timeline = await timelineOf(trace);
  timeline.seek(timeline.start);
  timeline.seek(timeline.resolve(at));
  const socket = join(folder, 'socket');
  const server = await GdbServer.open(new Debuggee(timeline), { at: socket });
  try {
    const commands = [
      'set pagination off',
      'set width 0',
      'set confirm off',
      `directory ${[ROOT, join(import.meta.dirname, 'programs'), folder].join(':')}`,
      `set substitute-path ./palindrome ${join(ROOT, 'src/compiler/library')}`,
      `target remote ${socket}`,
    ];
    const shown = script.flatMap((line) => [`echo (gdb) ${line.replace(/[\\"]/g, '\\$&')}\\n`, line]);
    const args = [...commands, ...shown].flatMap((line) => ['-ex', line]);
    const said = await saidBy(gdb, ['-nx', '-batch', ...args]);
    const session = said.slice(said.indexOf(`(gdb) ${script[0]}`)).replace(/^\[Inferior 1 \(Remote target\) detached\]\n/m, '');
    return trace === 'keel' || trace === 'turns' || trace === 'planted' ? withoutPlaces(session) : session;
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

/** Whatever changes keel moves its code, and the run with it: where exactly it lies, and how many instructions it takes, is no matter of these tests. */
function withoutPlaces(said: string): string {
  return said
    .replace(/\b0xffffffff8[\da-f]{7}\b/g, '0xffffffff8_______')
    .replace(/\b0xffffc[\da-f]{11}\b/g, '0xffffc___________')
    .replace(/(<\S+)\+\d+>/g, '$1+…>')
    .replace(/\+0x[\da-f]+,/g, '+0x…,')
    .replace(/\b(entry|at) 0x(0[01]0{8})(?!000)[\da-f]{3}([\da-f]{3})\b/g, '$1 0x$2…$3')
    .replace(/( value = )-?\d{16,}/g, '$1…')
    .replace(/\b(PDBR=|usedFrame=)\w+/g, '$1…')
    .replace(/(CR3 0x|→ 0x|switch 0x)[\da-f]+?([\da-f]{3})\b/g, '$1…$2')
    .replace(/\b([12]_?\d{3}_?\d{3}|9\d{5})\b/g, '#######');
}

/** Standard output and errors in the order in which they came. */
function saidBy(gdb: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const shell = ['-c', 'exec "$0" "$@" 2>&1 </dev/null', gdb, ...args];
    execFile('/bin/sh', shell, { timeout: TIMEOUT_MS, maxBuffer: 1 << 24, env: { ...process.env, LC_ALL: 'C.UTF-8' } }, (error, stdout) => {
      if (error !== null && (error.killed === true || typeof error.code !== 'number')) reject(new Error(`${error.message}\n${stdout}`));
      else resolve(stdout);
    });
  });
}

const timelines = new Map<TraceName, Promise<Timeline>>();

/** One machine for all sessions of a recording: what they need is compiled and checkpointed once. */
function timelineOf(name: TraceName): Promise<Timeline> {
  const timeline = timelines.get(name) ?? recordingOf(name).then(({ trace }) => Timeline.open(trace));
  timelines.set(name, timeline);
  return timeline;
}

const FOLDER = join(import.meta.dirname, 'sessions');

export function sessions(): SessionFile[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.gdb'))
    .sort()
    .map((name) => readSession(join(FOLDER, name)));
}

/** Writes what gdb says today below each script. */
export async function blessSessions(gdb: string): Promise<void> {
  for (const session of sessions()) writeFileSync(session.path, `${session.head}${await runSession(gdb, session)}`);
}
