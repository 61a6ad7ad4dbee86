/** A thread of the explorer: it opens the trace for itself, and answers requests about one side of it (thread.ts). */
import { parentPort, workerData } from 'node:worker_threads';
import { Bug } from '../machine/index.ts';
import { openTrace, type Trace } from '../replay/index.ts';
import { MomentDesk } from './moment/desk.ts';
import { NamesDesk } from './names.ts';
import { beginningOf } from './overview/beginning.ts';
import { OverviewDesk } from './overview/desk.ts';
import type { Desk, ThreadAnswer, ThreadData, ThreadRequest } from './thread.ts';
import { WhoDesk } from './who.ts';

const { role, path, failure, cancelled } = workerData as ThreadData;

const DESKS: Readonly<Record<ThreadData['role'], (trace: Trace) => Desk | Promise<Desk>>> = {
  overview: async (trace) => new OverviewDesk(trace, await beginningOf(trace)),
  moment: (trace) => MomentDesk.open(trace, path, failure),
  names: (trace) => NamesDesk.open(trace),
  who: (trace) => WhoDesk.open(trace, path),
};

if (parentPort === null) throw new Bug('a thread without a server');
const port = parentPort;
// A trace that cannot be played fails each request in its turn: the others are answered by the others.
const desk: Promise<Desk> = openTrace(path).then((trace) => DESKS[role](trace));

port.on('message', async (request: ThreadRequest) => {
  const answer = await answered(request);
  const value = answer.value;
  port.postMessage(answer, value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : []);
});

async function answered(request: ThreadRequest): Promise<ThreadAnswer> {
  const { id } = request;
  try {
    return { id, value: await (await desk).answer(request, () => Atomics.load(cancelled, 0) === id) };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    const isOurs = name !== 'UserError' && name !== 'TraceDamage';
    return { id, error: { name, message: isOurs ? (stack ?? message) : message } };
  }
}
