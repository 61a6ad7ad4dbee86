/** `palindrome gdb TRACE|PROGRAM`: the system's gdb on a recording, forwards and backwards. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command } from 'commander';
import { buildKeel, sourceRoot } from '../compiler/index.ts';
import { HarnessHost } from '../fuzz/index.ts';
import { type Tier, UserError } from '../machine/index.ts';
import { Debuggee, GdbServer, openTrace, record } from '../replay/index.ts';
import { outputFile, readInput } from './files.ts';
import { Interruption } from './interruption.ts';
import { isElf, loadPrograms } from './program.ts';
import { grouped, progress, report, STATUS, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { openTimeline, traceFile } from './trace-argument.ts';

interface Options {
  readonly port?: number;
  readonly args?: string;
  readonly trace?: string;
  readonly seed: string;
  readonly memory: number;
  readonly limit: number;
  readonly tier: Tier;
}

export const gdbCommand = (): Command =>
  new Command('gdb')
    .description('debug a recording with gdb, forwards and backwards; a program is recorded first')
    .argument('<recording>', 'a trace (*.mpk), the directory of a finding, or a program (*.ts or a static x86-64 ELF executable)')
    .argument('[gdb...]', 'after --: what gdb is called with, such as -batch -x SCRIPT')
    .option(
      '-p, --port <port>',
      'wait for a gdb at this port of 127.0.0.1 (0: any) instead of starting one',
      wholeNumber('port', 0, 65_535),
    )
    .option('-a, --args <text>', 'arguments of the program, separated by spaces')
    .option('-t, --trace <file>', 'keep the program’s recording in this file')
    .option('-s, --seed <text>', 'feeds the machine’s random numbers while it is recorded', '0')
    .option('-m, --memory <bytes>', 'RAM of the machine', wholeNumber('memory', 16 << 20, 3 * 2 ** 30, true), 64 << 20)
    .option(
      '-l, --limit <count>',
      'end the recording after so many instructions',
      wholeNumber('limit', 1, Number.MAX_SAFE_INTEGER),
      10_000_000_000,
    )
    .addOption(tierOption())
    .action(async (path: string, gdbArguments: string[], options: Options) => {
      const folder = mkdtempSync(join(tmpdir(), 'palindrome-gdb-'));
      try {
        const recorded: Recorded = isProgram(path)
          ? await recordProgram(path, options, options.trace ?? join(folder, 'trace.mpk'))
          : { path, entry: null };
        const timeline = await openTimeline(recorded.path, await openTrace(traceFile(recorded.path)), { tier: options.tier });
        const { entry } = recorded;
        if (entry !== null) timeline.forward({ breakpoints: [{ address: entry }] });
        const debuggee = new Debuggee(timeline);
        if (options.port === undefined) await startGdb(debuggee, folder, path, gdbArguments);
        else await waitForGdb(debuggee, options.port);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

interface Recorded {
  /** The file of the trace, or the directory of a finding. */
  readonly path: string;
  /** Where the program begins; null: nobody knows. */
  readonly entry: bigint | null;
}

function isProgram(path: string): boolean {
  return /\.[cm]?ts$/.test(path) || (existsSync(path) && statSync(path).isFile() && isElf(readInput(path)));
}

/** Runs a program on keel. */
async function recordProgram(path: string, options: Options, to: string): Promise<Recorded> {
  const { programs, archive } = loadPrograms([path], options.args);
  const host = new HarnessHost();
  host.begin(archive);
  const line = progress();
  const { instructions, stop } = await record({
    machine: { memoryBytes: options.memory, seed: options.seed, tier: options.tier, harness: true },
    image: { name: 'keel.elf', bytes: buildKeel().image },
    symbols: programs,
    host,
    to: outputFile(to, [path]),
    limit: BigInt(options.limit),
    progress: (count) => line.show(() => `recording: ${grouped(count)} instructions`),
  });
  line.done();
  process.stderr.write(
    `recorded ${grouped(instructions)} instructions, until ${stop.reason}${options.trace === undefined ? '' : `, in ${to}`}\n`,
  );
  return { path: to, entry: entryOf(programs[0]?.bytes ?? new Uint8Array(64)) };
}

/** The field e_entry of an ELF64 file. */
function entryOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(24, true);
}

/** Starts the system's gdb on a socket that only this user can reach, and ends with it. */
async function startGdb(debuggee: Debuggee, folder: string, path: string, gdbArguments: readonly string[]): Promise<void> {
  const socket = join(folder, 'socket');
  const script = join(folder, 'commands.gdb');
  writeFileSync(script, commands(socket, dirname(resolve(isProgram(path) ? path : traceFile(path)))));
  const server = await GdbServer.open(debuggee, { at: socket, onBug: report });
  const gdb = spawn('gdb', ['-q', '-x', script, ...gdbArguments], { stdio: 'inherit' });
  // Ctrl-C is gdb's: it asks for an interruption by its own means. Other signals end it, and so this.
  const ignored = () => {};
  const handed = (signal: NodeJS.Signals) => gdb.kill(signal);
  process.on('SIGINT', ignored).on('SIGTERM', handed).on('SIGHUP', handed);
  try {
    const status = await new Promise<number | null>((done, failed) => {
      gdb.once('error', failed);
      gdb.once('exit', done);
    });
    if (status !== 0) process.exitCode ??= STATUS.wrongUse;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new UserError('gdb is not installed; install it, or give --port for one that is elsewhere');
  } finally {
    process.off('SIGINT', ignored).off('SIGTERM', handed).off('SIGHUP', handed);
    await server.close();
  }
}

/** What a gdb that is started here is told first: where sources are, commands that move elsewhere, and how to come here. */
function commands(socket: string, programFolder: string): string {
  const root = sourceRoot();
  const defined = (name: string, document: string, ...lines: readonly string[]) => [
    `define ${name}`,
    ...lines,
    'end',
    `document ${name}`,
    document,
    'end',
  ];
  return [
    `directory ${quoted(root)}`,
    `directory ${quoted(programFolder)}`,
    `set substitute-path ./palindrome ${quoted(join(root, 'src/compiler/library'))}`,
    'set remotetimeout 60',
    ...defined('seek', 'Goes to a position of the recording: see "monitor help".', 'monitor seek $arg0', 'continue'),
    ...defined('program', 'Makes the symbols of this program known.', 'monitor program $arg0', 'sharedlibrary', 'info sharedlibrary'),
    `target remote ${socket}`,
    '',
  ].join('\n');
}

/** A path as one word of gdb's, spaces and all. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`;
}

/** Serves one gdb after the other until it is interrupted. */
async function waitForGdb(debuggee: Debuggee, port: number): Promise<void> {
  const server = await GdbServer.open(debuggee, { at: port, onBug: report });
  process.stderr.write(`waiting for gdb: gdb -ex "target remote 127.0.0.1:${server.port}"    (Ctrl-C ends)\n`);
  const interruption = new Interruption();
  if (!interruption.signal.aborted) await new Promise((done) => interruption.signal.addEventListener('abort', done, { once: true }));
  interruption.end();
  await server.close();
}
