/**
 * `npm run bench`: one table. Guests are timed as whole processes, ours and QEMU's in turn in the same run, medians of `--rounds` (default 3); the ratio is
 * what counts, the machine under it comes and goes. Instructions are counted by our machine, so both columns speak of the same work.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildKeel, compile } from '../src/compiler/index.ts';
import { campaign } from '../src/fuzz/index.ts';
import { GUESTS } from './guests.ts';

const rounds = Number(process.argv[process.argv.indexOf('--rounds') + 1]) || 3;
const folder = mkdtempSync(join(tmpdir(), 'palindrome-bench-'));
const bin = new URL('../bin/palindrome', import.meta.url).pathname;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

interface Timed {
  readonly seconds: number;
  readonly status: number | null;
  readonly stdout: string;
}

function time(command: string, args: readonly string[]): Timed {
  const start = performance.now();
  const { status, stdout, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
  if (error) throw error;
  return { seconds: (performance.now() - start) / 1000, status, stdout };
}

const lastJson = (text: string) => JSON.parse(text.trimEnd().split('\n').at(-1) ?? '{}') as { instructions: number };
const qemu = spawnSync('qemu-system-x86_64', ['--version']).status === 0;
const qemuArgs = (image: string) => [
  '-kernel', image, '-accel', 'tcg', '-cpu', 'max', '-m', '128', '-display', 'none', '-serial', 'null', '-monitor', 'none', '-no-reboot', '-nic', 'none',
  '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
]; // biome-ignore format: an option a word

const rows: string[][] = [['guest', 'instructions', 'ours', 'QEMU TCG', 'ours : QEMU', 'recording', 'replay']];
const rate = (instructions: number, seconds: number) => `${(instructions / seconds / 1e6).toFixed(0)} M/s`;
try {
  for (const [name, source] of Object.entries(GUESTS)) {
    const { image, diagnostics } = compile(
      { entry: 'guest.ts', target: 'keel-kernel', trusted: () => true, debug: false },
      new Map([['guest.ts', source]]),
    );
    if (image === null) throw new Error(`${name}: ${JSON.stringify(diagnostics)}`);
    const path = join(folder, `${name.replaceAll(' ', '-')}.elf`);
    const trace = `${path}.mpk`;
    writeFileSync(path, image);
    const ours: number[] = [];
    const theirs: number[] = [];
    let instructions = 0;
    for (let round = 0; round < rounds; round++) {
      const run = time(process.execPath, [bin, 'boot', path, '--json']);
      ({ instructions } = lastJson(run.stdout));
      ours.push(run.seconds);
      if (qemu) theirs.push(time('qemu-system-x86_64', qemuArgs(path)).seconds);
    }
    const recording = time(process.execPath, [bin, 'boot', path, '--trace', trace, '--json']).seconds;
    const replay = time(process.execPath, [bin, 'replay', trace, '--json']).seconds;
    const mine = median(ours);
    const other = median(theirs);
    const bits = ((8 * readFileSync(trace).length) / instructions).toFixed(3);
    rows.push([
      name,
      instructions.toLocaleString('en'),
      rate(instructions, mine),
      qemu ? rate(instructions, other) : 'not installed',
      qemu ? `${(other / mine).toFixed(2)} : 1` : '',
      `${rate(instructions, recording)}, ${bits} bit each`,
      rate(instructions, replay),
    ]);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
for (const row of rows)
  process.stdout.write(
    `${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   ')}\n`,
  );

/** Milliseconds of `work`, median of `times`. */
function milliseconds(times: number, work: (round: number) => void): number {
  return median(
    Array.from({ length: times }, (_, round) => {
      const start = performance.now();
      work(round);
      return performance.now() - start;
    }),
  );
}

/** A line of keel that each round gives another comment, so that nothing of the build before serves. */
const FIRST_LINE = "putText('keel: starting\\n');";
const cold = milliseconds(1, () => buildKeel());
const warm = milliseconds(rounds, (round) =>
  buildKeel({ edits: [{ file: 'boot/main.ts', text: FIRST_LINE, replacement: `${FIRST_LINE} // ${round}` }] }),
);
const sample = readFileSync(new URL('../examples/sha256.ts', import.meta.url), 'utf8');
const lines = sample.split('\n').length;
const small = milliseconds(50, () => compile({ entry: 'sha256.ts' }, new Map([['sha256.ts', sample]])));
process.stdout.write(
  `\nkeel compiles in ${cold.toFixed(0)} ms (first) and ${warm.toFixed(0)} ms (warm); a program of ${lines} lines in ${small.toFixed(1)} ms (warm)\n`,
);

for (const workers of [1, 2]) {
  const { programs, programsPerSecond, instructions } = await campaign({ kernel: buildKeel().image, seed: 'bench', runs: 4000, workers });
  process.stdout.write(
    `fuzzing with ${workers} worker${workers === 1 ? '' : 's'}: ${programsPerSecond.toFixed(0)} programs a second (${programs} programs, ${Math.round(Number(instructions) / programs).toLocaleString('en')} instructions each), compiled, run and judged\n`,
  );
}
