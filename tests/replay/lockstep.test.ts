/** The lockstep judge: it sees a fault planted into compiled code, and names block and instruction; where there is none it finds nothing. */
import { afterEach, expect, test } from 'vitest';
import { QuietHost, type Tier } from '../../src/machine/index.ts';
import { lockstep } from '../../src/replay/index.ts';
import { guestImage, print } from '../machine/system/guest.ts';

const RealModule = WebAssembly.Module;
afterEach(() => {
  WebAssembly.Module = RealModule;
});

/** A constant that generated code holds as an immediate, where the interpreter reads it out of the decoded instruction; and one of the same length. */
const GOOD = 0x3a5c_1234;
const BAD = 0x3a5c_1235;

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left >>= 7) {
    if (left >> 6 === 0) return [...bytes, left & 0x7f];
    bytes.push((left & 0x7f) | 0x80);
  }
}

/** From now on each compiled region with GOOD in it computes with BAD. */
function plant(): void {
  const [good, bad] = [Buffer.from(leb(GOOD)), Buffer.from(leb(BAD))];
  const spoilt = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
    const copy = Uint8Array.from(bytes);
    const view = Buffer.from(copy.buffer);
    for (let at = view.indexOf(good); at >= 0; at = view.indexOf(good, at)) copy.set(bad, at);
    return copy;
  };
  WebAssembly.Module = class extends RealModule {
    constructor(bytes: Uint8Array<ArrayBuffer>) {
      super(spoilt(bytes));
    }
  };
}

/** A loop whose third block adds the constant when RCX is a multiple of 16, and prints in the end. */
const PROGRAM = `
  mov ecx, 3000
  xor eax, eax
again:
  lea rdx, [rcx + rcx*2]
  test ecx, 15
  jnz others
  xor rdx, rax
  add rax, ${GOOD}
  mov rbx, rax
others:
  add rdx, 7
  mov [page_a], rdx
  dec ecx
  jnz again
${print('end')}
`;

const run = (tiers: readonly [Tier, Tier], path = false, program = PROGRAM, addresses = false) => {
  const host = new QuietHost();
  const machine = { memoryBytes: 4 << 20, seed: 'lockstep', harness: false, record: { path, addresses } };
  return lockstep({ machine, boot: { image: guestImage(program) }, tiers, host, limit: 10_000_000n, stride: () => 3000 });
};

test('the same run in two tiers ends as the same, with or without path and addresses', async () => {
  for (const isRecorded of [false, true]) {
    const report = await run([0, 1], isRecorded, PROGRAM, isRecorded);
    expect(report).toMatchObject({ end: { reason: 'debug-exit', code: 0 }, difference: null });
    expect(report.stops).toBeGreaterThan(5);
    expect(report.instructions).toBeGreaterThan(20_000n);
  }
});

test('a planted fault is found: the block, and the instruction in it', async () => {
  plant();
  const { end, difference } = await run([0, 1]);
  expect(end).toBeNull();
  expect(difference?.instruction?.text).toBe(`add rax, 0x${GOOD.toString(16)}`);
  expect(difference?.registers).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'rax', other: (difference?.registers.find(({ name }) => name === 'rax')?.after ?? 0n) + 1n }),
    ]),
  );
  expect(difference?.lines.join('\n')).toMatch(/^rax: 0x\w+ against 0x\w+$/m);
  expect(difference?.block.length).toBeLessThan(200);
  expect(difference?.fromSnapshot).toBe(true);
});
