/** The bench as CI runs it, for one guest; and every guest, made small, on all machines that CI has. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildGuest } from '../../bench/build.ts';
import { GUESTS } from '../../bench/guests.ts';
import { measure } from '../../bench/measure.ts';
import { nativePeer } from '../../bench/peers/native.ts';
import { ourPeers } from '../../bench/peers/ours.ts';
import { qemuPeers } from '../../bench/peers/qemu.ts';
import { v86Peer } from '../../bench/peers/v86.ts';
import type { Result } from '../../bench/results.ts';
import { toolOrSkip } from '../tools.ts';

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

it.for(GUESTS)('$name: the same answer on every machine', (guest, context) => {
  toolOrSkip(context, 'gcc');
  toolOrSkip(context, 'qemu-system-x86_64');
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-bench-test-'));
  try {
    const peers = [...ourPeers('of this checkout'), ...qemuPeers(), v86Peer(), nativePeer()];
    const { cells } = measure(buildGuest(guest, 1, folder), peers, 1, () => {});
    const kinds = peers.map(({ name }) => [name, cells.get(name)]);
    const runs = expect.objectContaining({ kind: 'timed' });
    expect(kinds).toEqual(peers.map(({ name }) => [name, name === 'native' && guest.isBare ? { kind: 'left out' } : runs]));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('tells where the time of a row goes', (context) => {
  toolOrSkip(context, 'gcc');
  const main = join(import.meta.dirname, '../../bench/main.ts');
  const args = ['--conditions=palindrome', main, '--short', '--profile', 'faults'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^page faults: [\d.]+ M instructions, [\d.]+ CPU seconds/);
  expect(stdout).toMatch(/^generated code +[\d.]+ +[\d.]+ %$/m);
  expect(stdout).toMatch(/^interpreter left: miss +\d+ +[\d.]+$/m);
  expect(stdout).toMatch(/^helper \w+ +\d+ +[\d.]+$/m);
});
