import { expect, test } from 'vitest';
import { CrewMember } from '../../src/fuzz/campaign/crew.ts';
import type { BatchResult } from '../../src/fuzz/campaign/messages.ts';
import { UserError } from '../../src/machine/index.ts';

/** A worker whose answers name the requests; `body` is executed before the answer to a request from `from` on. */
function member(body: string, start = '', stuckSeconds?: number): CrewMember {
  const text = `
    import { parentPort, workerData } from 'node:worker_threads';
    ${start}
    parentPort.once('message', () => {
      parentPort.on('message', ({ from, to }) => {
        Atomics.store(workerData.program, 0, from);
        ${body}
        parentPort.postMessage({ from, to });
      });
      parentPort.postMessage(null);
    });`;
  const data = { kernel: new Uint8Array(), seed: 'crew', variants: 1, tier: undefined };
  return new CrewMember(new URL(`data:text/javascript,${encodeURIComponent(text)}`), data, stuckSeconds);
}

const READY = {
  code: { hasPath: false, hasAddresses: false, modules: [], known: [] },
  snapshot: { state: new Uint8Array(), numbers: new Uint32Array(), bytes: new Uint8Array() },
};
const batch = (from: number) => ({ from, to: from + 8 });

/** Three requests on their way: the batch that each was answered with, or why there was none. */
async function answers(worker: CrewMember): Promise<unknown[]> {
  try {
    await worker.takeOver(READY);
    const settled = await Promise.allSettled([0, 8, 16].map((from) => worker.run(batch(from))));
    return settled.map((each) => (each.status === 'fulfilled' ? (each.value as BatchResult).from : String(each.reason)));
  } finally {
    await worker.end();
  }
}

test('requests are answered in their order, with several on their way', async () => {
  expect(await answers(member(''))).toEqual([0, 8, 16]);
});

test.each([
  [
    'throws',
    'if (from === 8) throw new RangeError("too far");',
    /^Bug: internal error: a worker in program 8 of seed crew failed: RangeError: too far/,
  ],
  ['ends', 'if (from === 8) process.exit(7);', /^Bug: internal error: a worker in program 8 of seed crew ended with status 7/],
  ['hangs', 'while (from === 8);', /^Bug: internal error: a worker in program 8 of seed crew does not go on for 0.5 s/],
])('a worker that %s is a bug of ours in the program that it ran', async (_how, body, message) => {
  const [first, ...others] = await answers(member(body, '', 0.5));
  expect(first).toBe(0);
  expect(others).toEqual([expect.stringMatching(message), expect.stringMatching(message)]);
});

test('so is one that does not start', async () => {
  await expect(answers(member('', 'throw new Error("no");'))).rejects.toThrow(/^internal error: a worker at its start failed: Error: no/);
});

test('a kernel that does not boot is an error of its user', async () => {
  const worker = member('', 'throw Object.assign(new Error("the kernel does not get ready"), { name: "UserError" });');
  await expect(worker.boot()).rejects.toThrow(UserError);
  await expect(worker.boot()).rejects.toThrow(/^the kernel does not get ready$/);
  await worker.end();
});

test('nothing is answered by a worker that has failed', async () => {
  const worker = member('process.exit(1);');
  await worker.takeOver(READY);
  await expect(worker.run(batch(0))).rejects.toThrow('program 0');
  await expect(worker.run(batch(8))).rejects.toThrow('program 0');
  await worker.end();
});
