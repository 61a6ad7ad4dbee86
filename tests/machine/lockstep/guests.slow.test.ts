/** Every guest image of the project in two tiers at once: the bench's guests, made small, and keel with every example. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { buildGuest, buildKeelImage, type Image } from '../../../bench/build.ts';
import { GUESTS } from '../../../bench/guests.ts';
import { QuietHost } from '../../../src/machine/index.ts';
import { lockstep } from '../../../src/replay/index.ts';
import { toolOrSkip } from '../../tools.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { expectSame } from './judge.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const folder = mkdtempSync(join(tmpdir(), 'palindrome-lockstep-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WAYS = [
  { tier: 1, path: false, addresses: false },
  { tier: 1, path: true, addresses: true },
  { tier: 'auto', path: false, addresses: false },
  { tier: 'auto', path: true, addresses: false },
] as const;

/** At most this many instructions from one stop to the next. */
async function judge(
  image: Image,
  { tier, path, addresses }: (typeof WAYS)[number],
  stride: number,
): Promise<{ instructions: bigint; text: string }> {
  const r = new Random(SEED);
  const host = new QuietHost();
  const report = await lockstep({
    machine: { memoryBytes: 128 << 20, seed: 'guests', harness: false, record: { path, addresses } },
    boot: { image: readFileSync(image.elf64), ...(image.initrd !== null && { initrd: readFileSync(image.initrd) }) },
    tiers: [0, tier],
    host,
    limit: 1_000_000_000n,
    stride: () => 1 + r.below(stride),
  });
  expectSame(`${image.name}, seed ${SEED}`, report);
  expect(report.end).toEqual({ reason: 'debug-exit', code: expect.any(Number) });
  return { instructions: report.instructions, text: host.text };
}

describe.each(WAYS)('tier 0 and tier $tier, path recorded: $path, addresses: $addresses', (way) => {
  test.for(GUESTS)('$name', { timeout: 300_000 }, async (guest, context) => {
    toolOrSkip(context, 'gcc');
    const { instructions } = await judge(buildGuest(guest, 1, folder), way, 200_000);
    expect(instructions).toBeGreaterThan(500_000n);
  });

  test('keel and every example', { timeout: 300_000 }, async () => {
    const { text } = await judge(buildKeelImage(1, folder), way, 400_000);
    expect(text).toContain('keel: all programs have ended');
  });
});
