/** What holds of the context switches of every trace, judged by its control-register events alone. */
import { expect } from 'vitest';
import type { Trace, TraceEventOf } from '../../src/replay/index.ts';

const FRAME = 0x000f_ffff_ffff_f000n;
const PG = 1n << 31n;
const PCIDE = 1n << 17n;

/**
 * Every switch stands directly after a CR3 write at its position that says the same, and every CR3 write under paging that leads to another address space
 * has its switch. Gives the switches.
 */
export function checkedSwitches(trace: Trace): TraceEventOf<'context-switch'>[] {
  let [paging, hasPcid] = [false, false];
  let expected: Omit<TraceEventOf<'context-switch'>, 'kind'> | null = null;
  const switches: TraceEventOf<'context-switch'>[] = [];
  for (let run = 0; run < trace.runs; run++) {
    for (const event of trace.events(run)) {
      if (expected !== null) expect(event).toEqual({ kind: 'context-switch', ...expected });
      if (event.kind === 'context-switch') {
        expect(expected).not.toBeNull();
        switches.push(event);
      }
      expected = null;
      if (event.kind !== 'control-register') continue;
      const { at, register, before, after } = event;
      if (register === 0) paging = (after & PG) !== 0n;
      if (register === 4) hasPcid = (after & PCIDE) !== 0n;
      const pcid = (cr3: bigint) => (hasPcid ? Number(cr3 & 0xfffn) : 0);
      const spaces = { from: before & FRAME, fromPcid: pcid(before), to: after & FRAME, toPcid: pcid(after) };
      if (register === 3 && paging && (spaces.from !== spaces.to || spaces.fromPcid !== spaces.toPcid)) expected = { at, ...spaces };
    }
  }
  expect(expected).toBeNull();
  for (const [i, { from, fromPcid }] of switches.entries()) {
    const last = switches[i - 1];
    if (last !== undefined) expect({ root: from, pcid: fromPcid }).toEqual({ root: last.to, pcid: last.toPcid });
  }
  return switches;
}
