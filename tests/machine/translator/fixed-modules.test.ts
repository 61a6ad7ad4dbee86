import { expect, test } from 'vitest';
import { FIXED_MODULES, fixedBytes, inlinedKeys } from '../../../src/machine/translator/fixed-modules.ts';

test('fixed modules follow from the sources alone: the same bytes each time', () => {
  for (const name of FIXED_MODULES) {
    const bytes = fixedBytes(name);
    expect(WebAssembly.validate(bytes), name).toBe(true);
    expect(fixedBytes(name), name).toEqual(bytes);
  }
  expect(new Set(inlinedKeys()).size).toBe(inlinedKeys().length);
});
