/** A recorder that is killed, at any moment: what it had written is there, and is read, also while it still writes. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { inspectEvents, inspectInstructions, openTrace, replay } from '../../src/replay/index.ts';
import { palindrome } from '../cli/palindrome.ts';

const SCRIPT = fileURLToPath(new URL('./record-guest.ts', import.meta.url));
/** The blocks behind which it is killed: it is in the midst of some later one by then, or of a checkpoint. */
const MOMENTS = [1, 2, 3, 4, 5, 8, 9, 12, 16, 33, 64, 150] as const;

/** Reads what there is as commands do, and gives how many instructions that are; `least` of them the recorder has told. */
async function readWhatIsThere(partial: string, least: bigint): Promise<bigint> {
  const trace = await openTrace(partial);
  expect([trace.end, trace.damage]).toEqual([null, null]);
  expect(trace.cut).not.toBeNull();
  const { instructions } = trace;
  expect(instructions).toBeGreaterThanOrEqual(least);
  expect([...inspectEvents(trace)].length).toBeGreaterThan(0);
  const [last] = await inspectInstructions(trace, instructions - 1n, 1);
  expect(last?.at).toBe(instructions - 1n);
  trace.close();
  return instructions;
}

test('SIGKILL at any moment leaves a trace that reads and replays up to its last whole block', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-'));
  try {
    for (const moment of MOMENTS) {
      const to = join(folder, `${moment}.mpk`);
      const child = spawn(process.execPath, ['--conditions=palindrome', SCRIPT, to, '1000000', 'tell'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
      const told: bigint[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        told.push(BigInt(line));
        if (told.length !== moment) continue;
        // It is still at work; then it is no more.
        const before = await readWhatIsThere(`${to}.partial`, told.at(-1) ?? 0n);
        child.kill('SIGKILL');
        expect(await ended).toBe('SIGKILL');
        const after = await readWhatIsThere(`${to}.partial`, before);
        expect(await replay(`${to}.partial`)).toMatchObject({ identical: true, complete: false, difference: null, instructions: after });
        expect(existsSync(to)).toBe(false);
        await expect(openTrace(to)).rejects.toThrow(`read what there is of it, ${to}.partial`);
        break;
      }
      expect(told.length).toBe(moment);
    }
    const to = join(folder, '5.mpk');
    expect(palindrome(['replay', `${to}.partial`])).toMatchObject({ status: 0 });
    expect(palindrome(['inspect', `${to}.partial`, '--kind', 'syscall'])).toMatchObject({ status: 0 });
    for (const command of ['replay', 'inspect', 'index'])
      expect(palindrome([command, to])).toMatchObject({ status: 2, stderr: expect.stringContaining(`${to}.partial`) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
