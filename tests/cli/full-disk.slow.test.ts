/** A disk without room ends a command with one line and status 2; a trace stays readable up to where there was room, other outputs are not begun. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTrace, replay } from '../../src/replay/index.ts';
import { guest } from '../replay/guest.ts';
import { toolOrSkip } from '../tools.ts';

const BIN = new URL('../../bin/palindrome', import.meta.url).pathname;
const HELLO = new URL('../../examples/hello.ts', import.meta.url).pathname;

let folder: string;
let image: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
  image = join(folder, 'guest.elf');
  // A MiB of trace, in blocks of some 150 KiB.
  writeFileSync(image, guest({ rounds: 200_000 }).bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

const ran = (command: string, ...args: readonly string[]) => spawnSync(command, args, { encoding: 'utf8', timeout: 100_000 });
const boot = (trace: string): string => `${process.execPath} ${BIN} boot ${image} --memory 4M --trace ${trace}`;

async function expectReadable(partial: string): Promise<void> {
  const trace = await openTrace(partial);
  expect([trace.end, trace.damage, trace.runs > 0]).toEqual([null, null, true]);
  expect(await replay(partial)).toMatchObject({ identical: true, complete: false, instructions: trace.instructions });
}

test('a limit of the size of files (ulimit -f)', async (context) => {
  const bash = toolOrSkip(context, 'bash');
  const trace = join(folder, 'limited.mpk');
  const { status, stderr } = ran(bash, '-c', `ulimit -f 400; ${boot(trace)}`);
  expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('would be larger than the system allows') });
  expect(stderr.trim().split('\n').at(-1)).toContain(`cannot write the trace ${trace}.partial`);
  expect(existsSync(trace)).toBe(false);
  await expectReadable(`${trace}.partial`);
});

test('a file system that is full', async (context) => {
  const unshare = toolOrSkip(context, 'unshare');
  const bash = toolOrSkip(context, 'bash');
  const kept = join(folder, 'kept.mpk');
  const mount = join(folder, 'mount');
  const inside = [
    `mkdir -p ${mount} && mount -t tmpfs -o size=400k none ${mount} || exit 77`,
    `${boot(join(mount, 'full.mpk'))}; echo "status $?"`,
    `cp ${mount}/full.mpk.partial ${kept}; rm ${mount}/*; head -c 396k /dev/zero > ${mount}/filler`,
    // What is not a trace is whole or not there.
    `${process.execPath} ${BIN} compile ${HELLO} -o ${mount}/hello; echo "status $?"; ls ${mount}`,
  ].join('\n');
  const { status, stdout, stderr } = ran(unshare, '-Urm', bash, '-c', inside);
  if (status === 77 || stderr.includes('unshare failed')) return context.skip(`no tmpfs can be mounted here: ${stderr}`);
  expect(stdout.match(/status \d+/g)).toEqual(['status 2', 'status 2']);
  expect(stderr).toContain(`cannot write the trace ${mount}/full.mpk.partial: the disk is full; what was written up to there can be read`);
  expect(stderr).toContain(`cannot write ${mount}/hello: the disk is full`);
  expect(stdout.trim().split('\n').at(-1)).toBe('filler');
  await expectReadable(kept);
});

test('findings are whole or not there', async (context) => {
  const bash = toolOrSkip(context, 'bash');
  const out = join(folder, 'findings');
  const { status, stderr } = ran(
    bash,
    '-c',
    `ulimit -f 40; ${process.execPath} ${BIN} fuzz --saboteur no-smap --runs 20 --workers 1 --out ${out}`,
  );
  expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('would be larger than the system allows') });
  expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
});
