import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generate, shrink } from '../../src/fuzz/campaign/generate.ts';
import { compileHostile } from '../../src/fuzz/campaign/runner.ts';
import { victimSource } from '../../src/fuzz/campaign/victim.ts';
import { type ActArbitrary, render } from '../../src/fuzz/grammar/act.ts';
import { endingCall, oddNumber, tableCall } from '../../src/fuzz/grammars/calls.ts';
import { deadly } from '../../src/fuzz/grammars/instructions.ts';
import { accesses, mappings } from '../../src/fuzz/grammars/memory.ts';
import { processes, signalling } from '../../src/fuzz/grammars/processes.ts';
import { registers } from '../../src/fuzz/grammars/registers.ts';
import { signalFrames } from '../../src/fuzz/grammars/signals.ts';

const families: Record<string, ActArbitrary> = {
  tableCall,
  endingCall,
  oddNumber,
  deadly,
  accesses,
  mappings,
  processes,
  signalling,
  registers,
  signalFrames,
};

describe('the grammar', () => {
  it.each(Object.entries(families))('%s: every act compiles', (_name, family) => {
    fc.assert(
      fc.property(fc.array(family, { minLength: 10, maxLength: 10 }), (acts) => compileHostile(render(acts)).length > 0),
      { numRuns: 12 },
    );
  });

  it('gives the same program for the same seed and number, and others for others', () => {
    expect(render(generate('a', 7))).toBe(render(generate('a', 7)));
    const texts = new Set(Array.from({ length: 50 }, (_, index) => render(generate('a', index))));
    expect(texts.size).toBeGreaterThan(45);
    expect(render(generate('b', 7))).not.toBe(render(generate('a', 7)));
  });

  it('shrinks to the acts that matter, the same way each time', async () => {
    const index = Array.from({ length: 4000 }, (_, n) => n).find(
      (n) => generate('s', n).length > 4 && render(generate('s', n)).includes('sched_yield'),
    );
    expect(index).toBeDefined();
    const find = () => shrink('s', index ?? 0, (source) => source.includes('sched_yield'));
    const { acts } = await find();
    expect(acts.map(({ tries }) => tries)).toEqual(['sched_yield']);
    expect(await find()).toEqual(await find());
  });

  it('shrinks no longer once it is interrupted, and lets that be told meanwhile', async () => {
    const abort = new AbortController();
    const all = generate('s', 3);
    let trials = 0;
    const slowly = () => {
      trials++;
      for (const end = performance.now() + 30; performance.now() < end; );
      return true;
    };
    // Whoever is told by the event loop, as a handler of signals is.
    setTimeout(() => abort.abort(), 1);
    const { acts } = await shrink('s', 3, slowly, abort.signal);
    expect(trials).toBeLessThan(6);
    expect(acts.length).toBeLessThanOrEqual(all.length);
  });

  it('compiles the victim for any seed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), (seed) => compileHostile(victimSource(seed)).length > 0),
      { numRuns: 5 },
    );
  });
});
