/** What it costs to go back to a snapshot after 100 pages were written, beside copying 100 pages. */
import { assemble } from '../src/compiler/assembler/index.ts';
import { link } from '../src/compiler/image/link.ts';
import { Machine, QuietHost } from '../src/machine/index.ts';
import { median } from './measure.ts';
import { type Row, row } from './rows.ts';

const PAGES = 100;
const PAGE_BYTES = 4096;
const MEMORY_BYTES = 64 << 20;
/** From one written page to the next: they are neighbours no more than those of a program are. */
const STRIDE_PAGES = 37;
const FIRST = 4 << 20;
const REPEATS = 400;

/** Writes a word into each of the pages, and halts. */
const GUEST = `
.section .boot.text, "ax"
.code32
.global pvh_start
pvh_start:
  cli
  mov ecx, ${PAGES}
  mov edi, ${FIRST}
1:
  mov dword ptr [edi], ecx
  add edi, ${STRIDE_PAGES * PAGE_BYTES}
  dec ecx
  jnz 1b
  hlt
`;

export async function snapshotRows(): Promise<Row[]> {
  const image = link([assemble(GUEST, { name: 'snapshots.s' })], { target: 'keel-kernel' }).bytes;
  const machine = await Machine.create({ memoryBytes: MEMORY_BYTES, seed: 'bench', harness: false }, new QuietHost());
  machine.load({ image });
  const start = machine.snapshot();
  const restoring: number[] = [];
  const copying: number[] = [];
  const from = new Uint8Array(PAGES * PAGE_BYTES);
  const to = new Uint8Array(MEMORY_BYTES);
  for (let i = 0; i < REPEATS; i++) {
    machine.run(BigInt(10 * PAGES));
    restoring.push(timed(() => machine.restore(start)));
    copying.push(timed(() => copyPages(from, to)));
  }
  return [
    row(
      {
        name: 'restoring a snapshot',
        image: `${PAGES} dirty pages`,
        unit: 'µs',
        ours: median(restoring),
        peer: median(copying),
        peerName: `copying ${PAGES} pages`,
        better: 'less',
      },
      { of: 'ratio', bound: '≥', value: 0.33 },
    ),
  ];
}

function copyPages(from: Uint8Array, to: Uint8Array): void {
  for (let i = 0; i < PAGES; i++) to.set(from.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES), FIRST + i * STRIDE_PAGES * PAGE_BYTES);
}

/** Microseconds. */
function timed(work: () => void): number {
  const begin = performance.now();
  work();
  return 1000 * (performance.now() - begin);
}
