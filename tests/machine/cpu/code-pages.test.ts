import { describe, expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import { NO_BREAKS } from '../../../src/machine/cpu/break-pages.ts';
import { CodePages } from '../../../src/machine/cpu/code-pages.ts';
import { layoutMemory } from '../../../src/machine/cpu/state.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { FlatMachine } from '../translator/flat-machine.ts';

const LONG = 2;
const FLAT = 5;
const PROGRAM = assembleInline('mov ecx, 1000\nagain: add eax, 1\ndec ecx\njnz again\nhlt').bytes;

/** Finds are what decoding asks a library for. */
class Counting extends FormLibrary {
  found = 0;
  override find(...args: Parameters<FormLibrary['find']>): ReturnType<FormLibrary['find']> {
    this.found++;
    return super.find(...args);
  }
}

function pagesOf(codeBytes: number): { readonly pages: CodePages; readonly ram: Uint8Array; readonly forgotten: number[] } {
  const layout = layoutMemory(1 << 20, codeBytes);
  const memory = new WebAssembly.Memory({ initial: layout.totalBytes >> 16 });
  const forgotten: number[] = [];
  const pages = new CodePages(memory, layout, (page) => forgotten.push(page.number));
  return { pages, ram: new Uint8Array(memory.buffer, layout.ramBase, layout.ramBytes), forgotten };
}

describe('a code page', () => {
  test('is the same wherever its content lies, and another for each mode', () => {
    const { pages, ram } = pagesOf(1 << 20);
    for (const page of [3, 7]) ram.fill(0x90, page * 4096, (page + 1) * 4096);
    const there = pages.open(3, LONG, NO_BREAKS);
    expect(pages.open(7, LONG, NO_BREAKS)).toBe(there);
    expect(pages.open(3, FLAT, NO_BREAKS)).not.toBe(there);
    expect(pages.at(7, LONG, NO_BREAKS)).toBe(there);
    expect(pages.at(4, LONG, NO_BREAKS)).toBeNull();
  });

  test('is left by the physical page that changes, and met again with the content', () => {
    const { pages, ram } = pagesOf(1 << 20);
    const zeros = pages.open(3, LONG, NO_BREAKS);
    pages.open(7, LONG, NO_BREAKS);
    ram[3 * 4096 + 4095] = 1;
    expect(pages.leave(3)).toBe(true);
    expect(pages.leave(3)).toBe(false);
    expect([pages.at(3, LONG, NO_BREAKS), pages.at(7, LONG, NO_BREAKS)]).toEqual([null, zeros]);
    expect(pages.open(3, LONG, NO_BREAKS)).not.toBe(zeros);
    pages.leave(3);
    ram[3 * 4096 + 4095] = 0;
    expect(pages.open(3, LONG, NO_BREAKS)).toBe(zeros);
  });

  test('that lies nowhere gives up its blocks when they run out, the one left first before others, and its number is never used again', () => {
    const { pages, ram, forgotten } = pagesOf(16 * 16384 + 64);
    const numbers: number[] = [];
    for (let n = 0; n < 20; n++) {
      ram[n * 4096] = n + 1;
      expect(pages.makeRoom(2)).toBe(true);
      const page = pages.open(n, LONG, NO_BREAKS);
      pages.extend(page);
      numbers.push(page.number);
      pages.leave(n);
      // The first is met again.
      if (n === 0) pages.open(0, LONG, NO_BREAKS);
    }
    expect(new Set(numbers).size).toBe(20);
    expect(forgotten).toEqual(numbers.slice(1, 13));
    expect(pages.byNumber(numbers[0] ?? 0)).not.toBeNull();
    expect(pages.makeRoom(14)).toBe(true);
    expect(pages.makeRoom(15)).toBe(false);
  });
});

test('the numbers of pages begin anew before they run out', () => {
  const { pages } = pagesOf(1 << 20);
  const page = pages.open(3, LONG, NO_BREAKS);
  while (pages.makeRoom(1)) pages.renumber(page);
  expect(page.number).toBe(1 << 22);
  expect(pages.byNumber(page.number)).toBe(page);
  pages.clear();
  expect(pages.makeRoom(1)).toBe(true);
  expect(pages.open(3, LONG, NO_BREAKS).number).toBe(1);
});

describe('code that lies in several physical pages', () => {
  test('is decoded once', () => {
    const library = new Counting({ hasPath: false });
    const m = new FlatMachine({ library });
    const runs: number[] = [];
    for (const at of [0x3000, 0x7000, 0x3000, 0x5000]) {
      m.ram.set(PROGRAM, at);
      m.state.rip = BigInt(at);
      expect(m.interpreter.run(10_000)).toBe('stop');
      runs.push(library.found);
    }
    expect(new Set(runs).size).toBe(1);
    expect(m.state.gpr[0]).toBe(4000n);
  });

  test('of which one changes goes on in the others', () => {
    const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier: 1 });
    const run = (at: number) => {
      m.state.gpr[0] = 0n;
      m.state.rip = BigInt(at);
      expect(m.interpreter.run(10_000)).toBe('stop');
      return m.state.gpr[0];
    };
    for (const at of [0x3000, 0x7000]) m.ram.set(PROGRAM, at);
    expect([run(0x3000), run(0x7000)]).toEqual([1000n, 1000n]);
    // The step of the addition.
    m.ram[0x3007] = 2;
    m.interpreter.codeCache.written(3);
    expect([run(0x3000), run(0x7000)]).toEqual([2000n, 1000n]);
  });
});

test.each([0, 1] as const)('endless new code runs in an arena of a few pages, and costs no flush (tier %d)', (tier) => {
  const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), codeBytes: 24 * 16384, tier });
  for (let n = 0; n < 300; n++) {
    m.ram.set(PROGRAM, 0x3000);
    m.ram[0x3001] = n;
    m.ram[0x3002] = n >> 8;
    m.interpreter.codeCache.written(3);
    m.state.gpr[0] = 0n;
    m.state.rip = 0x3000n;
    if (n === 0) continue;
    expect(m.interpreter.run(10_000)).toBe('stop');
    expect(m.state.gpr[0]).toBe(BigInt(n));
  }
  expect(m.interpreter.codeCache.flushes).toBe(0);
});

test('an instruction goes on in any of several second pages, in turn', () => {
  const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }) });
  const { bytes } = assembleInline('mov eax, 0x11223344\nhlt');
  m.ram.set(bytes.subarray(0, 3), 0x1ffd);
  for (const [page, upper] of [[5, 0x55], [6, 0x66], [7, 0x77]] as const) m.ram.set([bytes[3] ?? 0, upper, 0xf4], page * 4096); // biome-ignore format: pairs
  for (let round = 0; round < 5; round++) {
    for (const page of [5, 6, 7]) {
      m.mapped.set(2, page);
      m.state.flushTlb();
      m.state.rip = 0x1ffdn;
      expect(m.interpreter.run(100)).toBe('stop');
      expect(m.state.gpr[0]).toBe(BigInt(page * 0x1100_0000 + 0x22_3344));
    }
  }
});
