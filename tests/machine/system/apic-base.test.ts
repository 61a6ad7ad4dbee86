/** The local APIC's registers lie where IA32_APIC_BASE says. */
import { expect, test } from 'vitest';
import { QuietHost } from '../../../src/machine/index.ts';
import { boot, run } from './guest.ts';

const move = (page: string) => `  mov ecx, 0x1B\n  rdmsr\n  and eax, 0xFFF\n  or eax, ${page}\n  wrmsr\n`;
/** The version register, by way of the GiB page at 3 GiB; what is no device reads as ones. */
const version = (page: string) => `  mov edx, ${page}\n  mov eax, dword ptr [rdx + 0x30]\n  call puthex\n`;

test('after a move at the new place, and no longer at the old one', async () => {
  const text = await run(`
${version('0xFEE00000')}${version('0xFED00000')}
${move('0xFED00000')}
${version('0xFEE00000')}${version('0xFED00000')}
  mov ecx, 0x1B
  rdmsr
  call puthex
  mov edx, 0xFED00000
  mov dword ptr [rdx + 0xF0], 0x1FF
  mov dword ptr [rdx + 0x300], 0x40020
  sti
  nop
  nop
  mov rax, qword ptr [ticks]
  call puthex
`);
  const [here, nothing, ...after] = text.trim().split(' ');
  expect(nothing).toBe('ffffffff');
  expect(after).toEqual(['ffffffff', here, 'fed00900', '1']);
});

test('over RAM it is not built, and says so', async () => {
  const { machine } = await boot(move('0x00100000'), {}, new QuietHost());
  expect(() => machine.run(1_000_000n)).toThrow('the local APIC at 100000, where RAM may be or beyond 4 GiB, is not built');
});
