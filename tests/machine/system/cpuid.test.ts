import { expect, test } from 'vitest';
import { FEATURES } from '../../../src/machine/cpu/helpers/cpuid.ts';
import { instructions } from '../../../src/machine/isa/table.ts';
import { run } from './guest.ts';

/** Features that rows name and CPUID does not offer, with the reason. */
const ABSENT: Readonly<Record<string, string>> = { MMX: 'EMMS alone is there, which compilers and libraries call to leave MMX state' };

test('CPUID offers what the instruction table has', () => {
  const offered = new Set(FEATURES.map((feature) => feature.name));
  const missing = instructions.filter((row) => row.feature !== undefined && !offered.has(row.feature) && ABSENT[row.feature] === undefined);
  expect(missing.map((row) => `${row.name}: ${row.feature}`)).toEqual([]);
});

test('the guest reads it', async () => {
  const text = await run(`
  xor eax, eax
  cpuid
  call puthex
  mov eax, ebx
  call puthex
  mov eax, 7
  xor ecx, ecx
  cpuid
  mov eax, ebx
  call puthex
  mov eax, 0x80000008
  cpuid
  call puthex
`);
  expect(text).toBe('7 696c6150 1c0789 3028 ');
});
