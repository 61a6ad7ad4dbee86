/** What a recording holds is the same with breakpoints and watchpoints set, byte for byte. */
import { expect, test } from 'vitest';
import { type Probes, QuietHost, type Tier } from '../../src/machine/index.ts';
import { Engine } from '../../src/replay/engine.ts';
import { checksums } from '../../src/replay/trace/checksum.ts';
import { MemorySink } from '../../src/replay/trace/file.ts';
import { TraceWriter } from '../../src/replay/trace/writer.ts';
import { guestRecording } from './guest.ts';

const BLOCK = 1000;

/** The trace of a guest, and how often its probes were changed while it was made. */
async function recorded(tier: Tier, addresses: boolean, probesOf: (rip: bigint, rsp: bigint) => Probes | null) {
  const { image, machine: config } = guestRecording({ rounds: 150 });
  const machine = { ...config, tier, record: { path: true, addresses } };
  const engine = await Engine.create(machine, { image: image.bytes }, new QuietHost(), () => {}, BLOCK, undefined);
  const header = { machine, append: null, branch: null, artefacts: [], blockInstructions: BLOCK, checkpointInstructions: BLOCK };
  const sink = new MemorySink();
  const writer = new TraceWriter(sink, await checksums(), header, []);
  let changes = 0;
  for (let n = 0; ; n++) {
    const { block, stop } = engine.block(1n << 40n, () => true);
    writer.run(block);
    if (stop !== null) {
      writer.end({ at: engine.machine.count, stop, hash: block.hash });
      return { trace: sink.bytes, changes };
    }
    if (n % 3 === 0) {
      engine.machine.probes = probesOf(engine.machine.rip, engine.machine.register(4));
      changes++;
    }
  }
}

test.each([
  [0, false],
  [1, true],
  ['auto', false],
  ['auto', true],
] as const)('tier %s, addresses %s: the same bytes', async (tier, addresses) => {
  const without = await recorded(tier, addresses, () => null);
  const rsp = (at: bigint) => ({ space: 'linear' as const, address: at & ~0xfffn, length: 4096, access: 'access' as const });
  const probed = await recorded(tier, addresses, (rip, at) => ({
    breakpoints: [{ address: rip }],
    watchpoints: [rsp(at), { space: 'physical', address: 0x10_0000n, length: 1 << 16, access: 'access' }],
  }));
  expect(probed.changes).toBeGreaterThan(5);
  expect(Buffer.from(probed.trace).equals(Buffer.from(without.trace))).toBe(true);
});
