import { expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { RegionForms } from '../../../src/machine/translator/region-form.ts';
import { RegionGraph } from '../../../src/machine/translator/region-graph.ts';
import { FlatMachine } from './flat-machine.ts';

const LOOP = 'again: add eax, 1\ncmp eax, 10\njb few\nback: test eax, 1\njnz odd\nadd ebx, 1\nodd: dec ecx\njnz again\nhlt\nfew: jmp back';
const FEW = assembleInline(LOOP).bytes.length - assembleInline('few: jmp few').bytes.length;

function graph(text: string, isCold: (at: number) => boolean): RegionGraph {
  const { bytes } = assembleInline(text);
  const forms = new RegionForms();
  const read = (at: number) => {
    const decoded = decode(bytes, at, 64, Math.min(15, bytes.length - at));
    return typeof decoded === 'string' ? null : { decoded, form: forms.of(decoded), entry: 1 };
  };
  return new RegionGraph(read, 0, [], isCold, () => null);
}

const sorted = ({ blocks }: RegionGraph) => [...blocks.keys()].sort((a, b) => a - b);

test('transfers to what is cold leave the region', () => {
  const all = sorted(graph(LOOP, () => false));
  expect(all).toContain(FEW);
  const part = graph(LOOP, (at) => at === FEW);
  expect(sorted(part)).toEqual(all.filter((at) => at !== FEW));
  expect(part.head.end).toMatchObject({ kind: 'branch', taken: { out: FEW } });
});

test('what follows a branch is not asked for: its head may be passed by, since transfers alone count', () => {
  const fallThrough = sorted(graph(LOOP, () => true));
  expect(fallThrough[0]).toBe(0);
  expect(fallThrough.length).toBeGreaterThan(2);
});

test('of the heads of one loop only the first to be hot gets a region, and code that is hardly run none', () => {
  const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier: 'auto' });
  m.ram.set(assembleInline(LOOP).bytes, 0x1000);
  m.state.rip = 0x1000n;
  m.state.gpr[1] = 1_000_000n;
  expect(m.interpreter.run(20_000_000)).toBe('stop');
  expect(m.state.gpr[3]).toBe(500_000n);
  expect(m.interpreter.codeCache.pageAt(0x1000, 0, 0)?.regions.length).toBe(1);
});

test('a head within a region that tier 0 passes at the end of each slice gets no region of its own', () => {
  const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier: 'auto' });
  m.ram.set(assembleInline(LOOP).bytes, 0x1000);
  m.state.rip = 0x1000n;
  m.state.gpr[1] = 10_000_000n;
  m.interpreter.run(2_000_000);
  for (let slice = 0; slice < 100_000; slice++) m.interpreter.run(97);
  expect(m.interpreter.codeCache.pageAt(0x1000, 0, 0)?.regions.length).toBe(1);
});

test('what has become hot is compiled soon, not when the slice that was planned before ends', () => {
  const m = new FlatMachine({ library: new FormLibrary({ hasPath: false }), tier: 'auto' });
  m.ram.set(assembleInline(LOOP).bytes, 0x1000);
  m.state.rip = 0x1000n;
  m.state.gpr[1] = 10_000_000n;
  m.interpreter.run(900_000);
  expect(m.interpreter.codeCache.pageAt(0x1000, 0, 0)?.regions.length).toBe(1);
});
