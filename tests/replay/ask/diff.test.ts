import { describe, expect, test } from 'vitest';
import type { Host } from '../../../src/machine/index.ts';
import { diff, openTrace, Player, record, type Trace } from '../../../src/replay/index.ts';
import { type GuestOptions, guestRecording, ScriptedHost } from '../guest.ts';

/** Gives another byte than ScriptedHost at one call. */
class OtherHost implements Host {
  readonly #inner = new ScriptedHost();
  #calls = 0;

  serialInput(): number | null {
    const byte = this.#inner.serialInput();
    return this.#calls++ === 4 ? 0x7a : byte;
  }

  program(): null {
    return null;
  }

  serialOutput(): void {}
}

async function traceOf(
  options: GuestOptions & { readonly host?: Host; readonly addresses?: boolean; readonly limit?: bigint } = {},
): Promise<Trace> {
  const { host, addresses, limit, ...guest } = options;
  const recording = guestRecording(guest);
  const { trace } = await record({ ...recording, ...(host && { host }), ...(limit && { limit }), ...(addresses && { addresses }) });
  return openTrace(trace ?? new Uint8Array(0));
}

/** The first instruction after which two runs are not in the same state, one by one. */
async function judged(a: Trace, b: Trace): Promise<bigint | null> {
  const [left, right] = [await Player.open(a), await Player.open(b)];
  for (let at = 0n; at < a.instructions && at < b.instructions; at++) {
    left.run(at + 1n);
    right.run(at + 1n);
    if (left.machine.hash() !== right.machine.hash()) return at;
  }
  return null;
}

describe('two runs', () => {
  test('of the same input are the same', async () => {
    expect(await diff(await traceOf(), await traceOf())).toMatchObject({ identical: true, given: [], state: null, milestones: null });
  });

  test('with and without one input part at the instruction that reads it', async () => {
    const [a, b] = [await traceOf(), await traceOf({ host: new OtherHost() })];
    const report = await diff(a, b);
    const at = await judged(a, b);
    expect(at).not.toBeNull();
    expect(report).toMatchObject({ identical: false, given: [], state: { at } });
    const { state } = report;
    expect(state?.before).toHaveLength(8);
    expect(state?.sides.map(({ next }) => next[0]?.at)).toEqual([at, at]);
    expect(state?.sides.every(({ events }) => events.length > 0)).toBe(true);
    // the byte waits in the UART until it is read into RAX
    expect(state?.seenAt).toBeGreaterThan(at ?? 0n);
    expect(state?.registers.get('rax')).toEqual([69n, 0x7an]);
    expect(state?.pageCount).toBe(0);
  });

  test('of which one was left earlier part there', async () => {
    const [a, b] = [await traceOf(), await traceOf({ limit: 3000n })];
    const report = await diff(a, b);
    expect(report).toMatchObject({
      identical: false,
      given: [],
      state: { at: 3000n, message: expect.stringContaining('the second run ends at 3000 (limit)') },
    });
    expect(await diff(b, a)).toMatchObject({ state: { at: 3000n, message: expect.stringContaining('the first run ends at 3000') } });
  });

  test('are the same whether addresses were recorded or not', async () => {
    expect(await diff(await traceOf(), await traceOf({ addresses: true }))).toMatchObject({ identical: true });
  });

  test('of other images are told by what they did to the world', async () => {
    const report = await diff(await traceOf(), await traceOf({ step: 9 }));
    expect(report.state).toBeNull();
    expect(report.given).toEqual([expect.stringMatching(/^image: guest [0-9a-f]{12} against guest [0-9a-f]{12}$/)]);
    expect(report.milestones).toMatchObject({ last: [expect.anything(), expect.anything()] });
    expect(report.milestones?.common).toBeGreaterThan(3);
    const [one, other] = report.milestones?.next ?? [];
    expect(one?.[0]?.sign).not.toBe(other?.[0]?.sign);
  });
});
