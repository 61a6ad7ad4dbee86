/** Changes one run block of a trace and makes all checksums, the index among them, right again: as a forger would, or a machine that went wrong. */
import type { RunBlock } from '../../src/replay/schema.ts';
import { checksums } from '../../src/replay/trace/checksum.ts';
import { TraceCursor } from '../../src/replay/trace/cursor.ts';
import { MemorySink, MemorySource } from '../../src/replay/trace/file.ts';
import { TraceWriter } from '../../src/replay/trace/writer.ts';

/** The trace with `change` applied to run block number `index`, and `state` to the state of every checkpoint. */
export async function forge(
  trace: Uint8Array,
  index: number,
  change: (run: RunBlock) => RunBlock,
  state: (state: Uint8Array) => Uint8Array = (bytes) => bytes,
): Promise<Uint8Array> {
  const cursor = await TraceCursor.open(new MemorySource(trace));
  const sink = new MemorySink();
  let writer: TraceWriter | null = null;
  let runs = 0;
  const contents: Uint8Array[] = [];
  let header: Parameters<typeof start>[0] | null = null;
  const sums = await checksums();
  const start = (of: ConstructorParameters<typeof TraceWriter>[2]): TraceWriter => new TraceWriter(sink, sums, of, contents);
  for (let block = cursor.next(); block !== null; block = cursor.next()) {
    if (block.kind === 'header') header = block.value;
    if (block.kind === 'artefact')
      contents[block.value.artefact] = Uint8Array.from([...(contents[block.value.artefact] ?? []), ...block.value.data]);
    if (block.kind === 'run' && header !== null) {
      writer ??= start(header);
      writer.run(runs++ === index ? change(block.value) : block.value);
    }
    if (block.kind === 'checkpoint') writer?.checkpoint({ ...block.value, state: state(block.value.state) });
    if (block.kind === 'end') writer?.end(block.value);
  }
  return sink.bytes;
}
