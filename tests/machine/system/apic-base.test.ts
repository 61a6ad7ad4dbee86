/** The local APIC's registers lie where IA32_APIC_BASE says. */
import { expect, test } from 'vitest';
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

test('right behind RAM, and beyond 4 GiB, where a snapshot has it too', async () => {
  const far = `
  mov ecx, 0x1B
  rdmsr
  mov edx, 0x9A
  wrmsr
  mov rax, 0x9AC0000083
  mov qword ptr [pdpt + 8], rax
  mov rax, cr3
  mov cr3, rax
  rdmsr
  call puthex
  xchg eax, edx
  call puthex
  mov eax, dword ptr [0x7EE00030]
  call puthex
`;
  expect(await run(`${move('0x400000')}  mov eax, dword ptr [0x400030]\n  call puthex\n`)).toBe('50014 ');
  const { machine, host } = await boot(far);
  while (machine.run(machine.count + 100n).reason === 'limit') machine.restore(machine.snapshot());
  expect(host.text).toBe('fee00900 9a 50014 ');
});
