/** A chain over two processes of keel: the text that a child reads out of a pipe comes from its parent's program, which the harness fetched. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildKeel, compile, packPrograms } from '../../../src/compiler/index.ts';
import { inspectEvents, type Link, openTrace, record, type Trace, Who } from '../../../src/replay/index.ts';

let trace: Trace;
let who: Who;

beforeAll(async () => {
  const source = readFileSync(fileURLToPath(new URL('../../../examples/pipes.ts', import.meta.url)), 'utf8');
  const pipes = compile({ entry: 'pipes.ts' }, new Map([['pipes.ts', source]])).image;
  const keel = buildKeel().image;
  if (pipes === null || keel === null) throw new Error('pipes or keel does not compile');
  const { trace: bytes } = await record({
    machine: { memoryBytes: 32 << 20, seed: 'keel', harness: false },
    image: { name: 'keel', bytes: keel },
    initrd: { name: 'initrd', bytes: packPrograms([{ path: '/bin/pipes', bytes: pipes }], [['/bin/pipes']]) },
    limit: 100_000_000n,
  });
  trace = await openTrace(bytes ?? new Uint8Array(0));
  who = await Who.open(trace, { path: null });
});

/** The first read of the child has returned; where it put what it read. */
function firstRead(): { readonly at: bigint; readonly buffer: bigint } {
  const [call, result] = [...inspectEvents(trace, { syscall: 'read', kinds: new Set(['syscall', 'sysret']) })].map(({ event }) => event);
  if (call?.kind !== 'syscall' || result === undefined) throw new Error('nothing was read');
  return { at: result.at, buffer: call.args[1] ?? 0n };
}

function firstPath(link: Link): Link[] {
  const [source] = link.sources;
  return [link, ...(source === undefined ? [] : firstPath(source.link))];
}

describe('who', () => {
  test('follows text through a pipe from one process to the other, and to the archive of programs', () => {
    const { at, buffer } = firstRead();
    const [link] = who.chain(who.linear(buffer, { length: 8, at, process: null }), at);
    if (link === undefined) throw new Error('no answer');
    const path = firstPath(link);
    expect(path.map(({ place }) => place.kind)).toEqual(path.map(() => 'memory'));
    expect(path.every(({ after }) => Buffer.from(after).toString() === 'the quic')).toBe(true);
    const [child, parent] = path;
    expect(child?.process).toMatch(/^pid \d+ pipes$/);
    expect(parent?.process).toMatch(/^pid 1 pipes$/);
    expect(child?.process).not.toBe(parent?.process);
    expect(child?.instruction?.place?.symbol).toMatch(/^copy_to_user/);
    expect(parent?.instruction?.place?.symbol).toMatch(/^copy_from_user/);
    expect(path.at(-1)).toMatchObject({ by: 'boot', end: expect.stringMatching(/^the boot image: byte \d+ of initrd$/) });
  });

  test('looks an address up in the process that is named, and says which there are', () => {
    const { at, buffer } = firstRead();
    const where = { length: 8, at };
    const child = who.linear(buffer, { ...where, process: null });
    const processes = ['1', '2', '3', '17'].flatMap((process) => {
      try {
        return [who.linear(buffer, { ...where, process })];
      } catch {
        return [];
      }
    });
    expect(processes).toContainEqual(child);
    expect(processes.some(({ pieces }) => pieces[0]?.physical !== child.pieces[0]?.physical)).toBe(true);
    expect(() => who.linear(buffer, { ...where, process: '99' })).toThrow(
      /no process is called 99 at position \d+: there are \d+ pipes, \d+ pipes/,
    );
    expect(() => who.linear(buffer, { ...where, process: 'pipes' })).toThrow(/several processes are called pipes/);
  });

  test('names the kernel’s data by symbol', () => {
    const bytes = who.resolve('keel:scheduler', { length: 4, at: who.end, process: null });
    const [link] = who.lastWrite(bytes, who.end);
    expect(link).toMatchObject({
      by: 'instruction',
      place: { name: 'keel:scheduler' },
      instruction: { place: { symbol: expect.stringMatching(/^Scheduler\./) } },
    });
    expect(link?.sources).toEqual([]);
  });
});
