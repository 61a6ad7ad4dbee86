/** The bench as CI runs it, for one guest: the guest is built, runs on all machines of the short form, and the last line is the result. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildGuest } from '../../bench/build.ts';
import { GUESTS } from '../../bench/guests.ts';
import type { Result } from '../../bench/results.ts';
import { QuietHost, runOnce } from '../../src/machine/index.ts';
import { runTool, toolOrSkip } from '../tools.ts';

it('prints one JSON object as the last line', (context) => {
  toolOrSkip(context, 'gcc');
  toolOrSkip(context, 'qemu-system-x86_64');
  const main = join(import.meta.dirname, '../../bench/main.ts');
  const args = ['--conditions=palindrome', main, '--short', '--only', 'calls', '--json'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const result: Result = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(Object.keys(result)).toEqual(['rows', 'versions', 'date']);
  expect(result.versions).toMatchObject({ node: process.version, QEMU: expect.stringContaining('QEMU emulator') });
  expect(result.rows.filter(({ image }) => image === 'calls').map(({ peerName }) => peerName)).toEqual(
    expect.arrayContaining(['+ path', 'replay', 'QEMU', 'native']),
  );
  for (const { ours, met } of result.rows) expect([ours > 0, met]).toEqual([true, null]);
});

it.for(GUESTS.filter(({ isBare }) => !isBare))('$name: our machine gives the answer of the process', async (guest, context) => {
  toolOrSkip(context, 'gcc');
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-bench-test-'));
  try {
    const { elf64, process: native } = buildGuest(guest, 1, folder);
    const host = new QuietHost();
    const { stop } = await runOnce({ memoryBytes: 128 << 20, seed: '0', harness: false }, { image: readFileSync(elf64) }, host, {
      limit: 10n ** 9n,
    });
    expect(stop).toMatchObject({ reason: 'debug-exit', code: 16 });
    expect(Buffer.from(host.bytes).toString()).toBe(runTool(native ?? '', []));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
