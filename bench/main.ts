/**
 * `npm run bench`: one table of guests and machines, the goals under it. Exit status 0 done (goals met or not), 1 a machine failed or gave another
 * answer, 2 wrong use or a tool that CI needs is missing. docs/how-to/read-the-bench.md says what the columns mean.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askingRows } from './asking.ts';
import { buildGuest, buildKeelImage, type Image } from './build.ts';
import { compilingRows } from './compiling.ts';
import { BenchError } from './error.ts';
import { fuzzingRows } from './fuzzing.ts';
import { GUESTS, KEEL } from './guests.ts';
import { measure } from './measure.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { bochsPeer } from './peers/bochs.ts';
import { nativePeer } from './peers/native.ts';
import { ourPeers } from './peers/ours.ts';
import type { Peer } from './peers/peer.ts';
import { qemuPeers } from './peers/qemu.ts';
import { v86Peer } from './peers/v86.ts';
import { needInCi, versionOf } from './process.ts';
import { profileTables } from './profile.ts';
import { comparison, load, type Result, save } from './results.ts';
import { goalRows, guestRows, type Row, unmetLines } from './rows.ts';
import { seekingRows } from './seeking.ts';
import { snapshotRows } from './snapshots.ts';
import { errorLines, rowTable, speedTable } from './table.ts';

/** How much the full and the short form do: of each guest's work, rounds of keel's programs, programs of a campaign. */
const FULL = { percent: 100, keelRounds: 30, programs: 4000 } as const;
const SHORT = { percent: 10, keelRounds: 3, programs: 400 } as const;

const isWanted = ({ only }: Options, file: string): boolean => only.length === 0 || only.includes(file);

function build(options: Options, folder: string): Image[] {
  const { percent, keelRounds } = options.isShort ? SHORT : FULL;
  const images = GUESTS.filter(({ file }) => isWanted(options, file)).map((guest) => buildGuest(guest, percent, folder));
  return isWanted(options, KEEL.file) ? [...images, buildKeelImage(keelRounds, folder)] : images;
}

function findPeers(isShort: boolean): Peer[] {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  const commit = spawnSync('git', ['describe', '--always', '--dirty'], { cwd: import.meta.dirname, encoding: 'utf8' });
  const peers = [
    ...ourPeers(`${version} ${commit.stdout?.trim() ?? ''}`.trim()),
    ...qemuPeers(),
    bochsPeer(),
    v86Peer(),
    nativePeer(),
  ].filter(({ isInFullOnly }) => !(isShort && isInFullOnly));
  for (const { tool, version, debianPackage } of peers) needInCi(tool, version, debianPackage);
  return peers;
}

function versions(peers: readonly Peer[]): Record<string, string> {
  const tools = { node: process.version, tcc: versionOf('tcc', '-v') };
  const all = { ...tools, ...Object.fromEntries(peers.map(({ tool, version }) => [tool, version])) };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** A line for people that is overwritten; nothing where standard error is no terminal. */
const show = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[2K${text}`);

async function bench(options: Options, folder: string): Promise<void> {
  const before = options.compare === null ? null : load(options.compare);
  const peers = findPeers(options.isShort);
  const { rounds } = options;
  const { programs } = options.isShort ? SHORT : FULL;
  show('compiling');
  const compiling = isWanted(options, 'compiling') ? compilingRows(rounds, folder) : []; // first: cold is cold only before keel is built
  show('building the guests');
  const measured = build(options, folder).map((image) => measure(image, peers, rounds, show));
  show('fuzzing');
  const besides = [
    ...compiling,
    ...(isWanted(options, 'fuzzing') ? fuzzingRows(rounds, programs, folder) : []),
    ...(isWanted(options, 'snapshots') ? await snapshotRows() : []),
    ...(await seekingRows(measured)),
    ...(await askingRows(measured)),
  ];
  show('');
  const guests = guestRows(measured);
  const judged: Row[] = [...guests, ...goalRows(measured), ...besides];
  // The short form is mostly start-up: its figures say that the bench works, not whether a goal is met.
  const rows = options.isShort ? judged.map((row) => ({ ...row, met: null })) : judged;
  const result: Result = { rows, versions: versions(peers), date: new Date().toISOString() };

  if (measured.length > 0) process.stdout.write(`${speedTable(measured, peers)}\n`);
  const goals = rows.filter(({ goal, name }) => goal !== null || besides.some((beside) => beside.name === name));
  process.stdout.write(rowTable(goals));
  const unmet = unmetLines(rows, measured);
  if (unmet.length > 0) process.stdout.write(`\nnot met, and where to look:\n${unmet.map((line) => `  ${line}\n`).join('')}`);
  if (before) process.stdout.write(`\n${comparison(before, result)}`);
  const errors = errorLines(measured);
  for (const line of errors) process.stderr.write(`bench: ${line}\n`);
  if (options.isSaved) process.stdout.write(`\n${save(result)}\n`);
  if (options.isJson) process.stdout.write(`${JSON.stringify(result)}\n`);
  if (errors.length > 0) process.exitCode = 1;
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === 'help') process.stdout.write(USAGE);
  else if (options.build !== null) {
    mkdirSync(options.build, { recursive: true });
    for (const { elf64 } of build(options, options.build)) process.stdout.write(`${elf64}\n`);
  } else {
    const folder = mkdtempSync(join(tmpdir(), 'palindrome-bench-'));
    try {
      if (options.profile === null) await bench(options, folder);
      else for (const image of build({ ...options, only: [options.profile] }, folder)) process.stdout.write(profileTables(image, folder));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}
