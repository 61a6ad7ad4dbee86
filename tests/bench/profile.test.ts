import { expect, it } from 'vitest';
import { selfTimes } from '../../bench/profile.ts';

it('adds up what was found running, generated code as one', () => {
  const node = (id: number, functionName: string, url: string, lineNumber = 0) => ({ id, callFrame: { functionName, url, lineNumber } });
  const times = selfTimes({
    nodes: [
      node(1, '(idle)', ''),
      node(2, 'run', 'wasm://wasm/1234'),
      node(3, 'wasm-function[7]', 'wasm://wasm/5678'),
      node(4, 'load', 'file:///home/me/project/src/machine/memory/mmu.ts', 41),
      node(5, '', 'file:///home/me/project/src/cli/main.ts', 0),
      node(6, 'walk', 'file:///home/me/src/project/.cache/bundle/0123456789abcdef/machine-BVLbTQQB.js', 999),
    ],
    samples: [1, 2, 3, 4, 2, 5, 6],
    timeDeltas: [9000, 1000, 500, 2500, 1500, 250, 125],
  });
  expect(times).toEqual([
    { name: 'generated code', milliseconds: 3 },
    { name: 'load src/machine/memory/mmu.ts:42', milliseconds: 2.5 },
    { name: '(module) src/cli/main.ts:1', milliseconds: 0.25 },
    { name: 'walk bundle/machine-BVLbTQQB.js:1000', milliseconds: 0.125 },
  ]);
});
