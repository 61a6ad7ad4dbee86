/** Pages whose code changes again and again: what they execute is what their bytes are, and what that costs is bounded. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { FlatMachine } from '../translator/flat-machine.ts';
import { Random } from './interpreter-judge.ts';

/** Finds are what decoding asks a library for. */
class Counting extends FormLibrary {
  found = 0;
  override find(...args: Parameters<FormLibrary['find']>): ReturnType<FormLibrary['find']> {
    this.found++;
    return super.find(...args);
  }
}

function machine(text: string, tier: 0 | 1 = 0, codeBytes = 8 << 20): { readonly m: FlatMachine; readonly library: Counting } {
  const library = new Counting({ hasPath: false });
  const m = new FlatMachine({ library, tier, codeBytes });
  m.ram.set(assembleInline(text).bytes, 0x3000);
  m.state.rip = 0x3000n;
  m.state.gpr[4] = 0x9000n;
  return { m, library };
}

const STORES = 400;
const PATCHES_LENGTHS = `mov ecx, ${STORES}\nagain: mov edx, ecx\nand edx, 1\nneg edx\nand edx, 0x0050FF20\nmov [0x3800], ecx\nxor edx, 0x909001B0\nmov [rip + next], edx\nnext: nop\nnop\nnop\nnop\nadd eax, ecx\ndec ecx\njnz again\nhlt`;
const GUESTS = {
  'stores to data beside its code': `mov ebx, 0x3800\nmov ecx, ${STORES}\nagain: add [rbx], ecx\ndec ecx\njnz again\nmov eax, [rbx]\nhlt`,
  'patches its next instruction': `mov ebx, 0x3800\nmov ecx, ${STORES}\nagain: mov [rip + next + 1], ecx\nnext: mov edx, 0x11223344\nadd eax, edx\ndec ecx\njnz again\nhlt`,
  'patches instructions by others of other lengths': PATCHES_LENGTHS,
  'writes a function to the next place and calls it': `mov edi, 0x3100\nmov ecx, ${STORES}\nagain: mov byte ptr [rdi], 0x05\nmov [rdi + 1], ecx\nmov byte ptr [rdi + 5], 0xC3\ncall rdi\nadd edi, 7\ncmp edi, 0x3F00\njb 1f\nmov edi, 0x3101\n1: dec ecx\njnz again\nhlt`,
};

describe.each(Object.entries(GUESTS))('a loop that %s', (_name, text) => {
  test.each([0, 1] as const)('decodes a bounded number of instructions for each store (tier %d)', (tier) => {
    const { m, library } = machine(text, tier);
    expect(m.interpreter.run(1_000_000)).toBe('stop');
    const { m: other } = machine(text);
    while (other.interpreter.run(1) !== 'stop') other.interpreter.codeCache.flush();
    expect([m.state.count, [...m.state.gpr]]).toEqual([other.state.count, [...other.state.gpr]]);
    expect(library.found).toBeLessThan(6 * STORES);
  });
});

/** Instructions of one to five bytes in any order: from wherever one begins, all are valid, and none goes anywhere but to the next. */
const HARMLESS = [0x90, 0xf8, 0xf9, 0xf5, 0x98, 0xb0, 0x04, 0x14, 0x05, 0x15, 0x48] as const;
const SLED = 24;

/** A sled over the border of two pages; each round stores up to eight bytes somewhere into it and goes through it from somewhere. */
function sled(seed: number, isFlushed: boolean): string {
  const { m } = machine('again: mov [rsi], rdx\ncall rdi\nhlt');
  const r = new Random(seed);
  const harmless = () => HARMLESS[r.below(HARMLESS.length)] ?? 0x90;
  const begin = 0x6000 - r.below(SLED);
  for (let i = 0; i < SLED; i++) m.ram[begin + i] = harmless();
  m.ram.set([...new Array<number>(12).fill(0x90), 0xc3], begin + SLED);
  const told: string[] = [];
  for (let round = 0; round < 100; round++) {
    let bytes = 0n;
    for (let i = 0; i < 8; i++) bytes = (bytes << 8n) | BigInt(harmless());
    m.state.gpr[2] = bytes;
    m.state.gpr[6] = BigInt(begin + r.below(SLED - 7));
    m.state.gpr[7] = BigInt(begin + r.below(SLED));
    m.state.rip = 0x3000n;
    for (let left = 300; left > 0; left--) {
      if (isFlushed) m.interpreter.codeCache.flush();
      const why = m.interpreter.run(isFlushed ? 1 : 1000);
      if (why !== 'budget') break;
    }
    told.push(`${m.state.count} ${m.state.rip} ${m.state.gpr[0]} ${m.state.rflags}`);
  }
  return told.join('\n');
}

test('stores anywhere into a sled are met by what goes through it, also over the border of pages', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), (seed) => {
      expect(sled(seed, false)).toBe(sled(seed, true));
    }),
    { numRuns: 8 },
  );
});

test('code that is written for ever stays within an arena of a few pages, and is not forgotten with everything else', () => {
  const { m } = machine(PATCHES_LENGTHS.replace(`${STORES}`, '9000000'), 0, 48 * 16384);
  expect(m.interpreter.run(3_000_000)).toBe('budget');
  expect(m.interpreter.codeCache.flushes).toBe(0);
});

test('a page to which nothing is stored for a while gets a content, and regions, again', () => {
  const { m } = machine('mov ebx, 0x3800\nmov ecx, 100\n1: add [rbx], ecx\ndec ecx\njnz 1b\nmov ecx, 2000000\n2: dec ecx\njnz 2b\nhlt', 1);
  m.interpreter.run(1000);
  expect(m.interpreter.codeCache.pageAt(0x3000, 0, 0)?.stale).toBeInstanceOf(Map);
  m.interpreter.run(3_000_000);
  expect(m.interpreter.codeCache.pageAt(0x3000, 0, 0)).toMatchObject({ stale: null, regions: [expect.any(Number)] });
});
