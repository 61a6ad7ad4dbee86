import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PATH_TARGET_COUNT, PATH_TARGETS } from '../../src/machine/cpu/state.ts';
import { LOG_BYTES, TraceLog } from '../../src/machine/cpu/trace-log.ts';
import { logModule } from '../../src/machine/translator/log-code.ts';
import type { TraceEvent } from '../../src/replay/events.ts';
import { openTrace, record, replay } from '../../src/replay/index.ts';
import { type CodeAt, targetsOf, walkPath } from '../../src/replay/path.ts';
import type { RunBlock } from '../../src/replay/schema.ts';
import { guestImage } from '../machine/system/guest.ts';
import { run } from './sample.ts';

/** Bits of a text of 0 and 1 as a column. */
function bits(text: string): { bits: Uint8Array; bitCount: number } {
  const bytes = new Uint8Array((text.length + 7) >> 3);
  for (const [i, digit] of [...text].entries()) if (digit === '1') bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  return { bits: bytes, bitCount: text.length };
}

/** A block of `count` instructions from 0x1000 with this path. */
function block(count: number, path: string, targets: readonly bigint[]): RunBlock {
  return {
    ...run(0n, count, [], '0'.repeat(16)),
    rip: 0x1000n,
    path: { ...bits(path), guesses: null, targetCount: targets.length, targets: new Uint8Array(BigUint64Array.from(targets).buffer) },
  };
}

/** Code at 0x1000, padded with NOP. */
function code(hex: string, mode: 16 | 32 | 64 = 64): CodeAt {
  const bytes = new Uint8Array(0x2000).fill(0x90);
  bytes.set(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  return (_, rip) => ({ bytes: bytes.subarray(Number(rip) - 0x1000, Number(rip) - 0x1000 + 15), mode });
}

function walk(blocks: RunBlock, at: CodeAt, events: readonly TraceEvent[] = []): string[] {
  return [...walkPath(blocks, events, at)].map(({ rip }) => rip.toString(16));
}

describe('targets', () => {
  const memory = new WebAssembly.Memory({ initial: (LOG_BYTES >> 16) + 2 });
  const log = new TraceLog(memory, 65536, new WebAssembly.Module(logModule()));
  const view = new DataView(memory.buffer);
  view.setUint32(PATH_TARGETS, 8192, true);

  test('come back as they were, in whatever pieces they were folded', () => {
    // few different ones, so that many are guessed, and any
    const target = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(0n, 0x1000n, 0x1010n, 0x2345n) },
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    );
    let guessed = 0;
    fc.assert(
      fc.property(fc.array(fc.array(target, { maxLength: 30 }), { maxLength: 6 }), (pieces) => {
        log.begin(0);
        for (const piece of pieces) {
          for (const [i, each] of piece.entries()) view.setBigUint64(8192 + 8 * i, each, true);
          view.setUint32(PATH_TARGET_COUNT, piece.length, true);
          log.fold(0);
          expect(view.getUint32(PATH_TARGET_COUNT, true)).toBe(0);
        }
        const { guesses, targetCount, targets } = log.takeTargets();
        guessed += targetCount - targets.length;
        const path = { ...bits(''), guesses, targetCount, targets: new Uint8Array(targets.slice().buffer) };
        expect([...targetsOf(path)]).toEqual(pieces.flat());
        if ((targetCount & 7) !== 0) expect((guesses.at(-1) ?? 0) >> (targetCount & 7)).toBe(0);
      }),
      { numRuns: 500, seed: 5 },
    );
    expect(guessed).toBeGreaterThan(1000);
  });
});

describe('the walk along a path', () => {
  test('goes both ways at a conditional branch', () => {
    const loop = code('ff c8  75 fc  90'); // dec eax; jnz -4; nop
    expect(walk(block(7, '110', []), loop)).toEqual(['1000', '1002', '1000', '1002', '1000', '1002', '1004']);
  });

  test('follows direct jumps, calls and their returns without a target', () => {
    const calls = code('e8 03 00 00 00  eb 02  f4  c3'); // call 1008; jmp 1009; hlt; ret
    expect(walk(block(4, '1', []), calls)).toEqual(['1000', '1008', '1005', '1009']);
  });

  test('takes a target for a return that goes elsewhere, and for indirect jumps', () => {
    const wild = code('e8 00 00 00 00  c3'); // call 1005; ret
    expect(walk(block(3, '0', [0x1800n]), wild)).toEqual(['1000', '1005', '1800']);
    expect(walk(block(3, '0', [0x1400n]), code('c3'))).toEqual(['1000', '1400', '1401']);
    expect(walk(block(2, '', [0x1200n]), code('ff e0'))).toEqual(['1000', '1200']);
  });

  test('stays at a repeated string instruction for as long as it goes on', () => {
    expect(walk(block(4, '110', []), code('f3 a4'))).toEqual(['1000', '1000', '1000', '1002']);
  });

  test('follows interrupts and faults by their events', () => {
    const events: TraceEvent[] = [
      { kind: 'irq', at: 1n, vector: 32, target: 0x1100n },
      { kind: 'exception', at: 2n, vector: 14, code: 2, cr2: 0n, rip: 0x1101n, target: 0x1200n },
      { kind: 'exception', at: 2n, vector: 8, code: 0, cr2: 0n, rip: 0x1101n, target: 0x1300n },
    ];
    expect(walk(block(3, '', []), code(''), events)).toEqual(['1000', '1100', '1300']);
  });

  test('knows INTO that goes on from one that does not', () => {
    const interrupt: TraceEvent = { kind: 'software-interrupt', at: 0n, vector: 4, rip: 0x1000n, target: 0x1100n };
    expect(walk(block(2, '', []), code('ce', 32))).toEqual(['1000', '1001']);
    expect(walk(block(2, '', [0x1100n]), code('ce', 32), [interrupt])).toEqual(['1000', '1100']);
  });

  test.each([
    ['has no bit left', '', [], '75 fe', 2],
    ['has no target left', '', [], 'ff e0', 2],
    ['has bits over', '1', [], '90', 2],
    ['has targets over', '', [1n], '90', 2],
    ['returns to no call', '1', [], 'c3', 2],
    ['meets no instruction', '', [], '0f 04', 2],
  ])('is refused where it %s', (_, path, targets, hex, count) => {
    expect(() => walk(block(count, path, targets), code(hex))).toThrow(/path|matches|decoded/);
  });
});

test('a run with more calls than returns is restored from its checkpoints', async () => {
  const program = `
  mov ecx, 1000
1:
  call 2f
2:
  add rsp, 8
  call 3f
  dec ecx
  jnz 1b
  jmp finish
3:
  ret
`;
  const options = { blockInstructions: 1024, checkpointInstructions: 1024 };
  const { trace } = await record({
    machine: { memoryBytes: 4 << 20, seed: 'calls', harness: false },
    image: { name: 'calls', bytes: guestImage(program) },
    ...options,
  });
  const { checkpoints } = await openTrace(trace ?? new Uint8Array(0));
  expect(checkpoints.length).toBeGreaterThan(4);
  for (const from of checkpoints)
    expect(await replay(trace ?? new Uint8Array(0), { to: from + 100n })).toMatchObject({ identical: true, from });
});
