import { expect, test } from 'vitest';
import { toolOrSkip } from '../../tools.ts';
import { expectFault, guestImage, run } from './guest.ts';
import { runInQemu } from './qemu.ts';

const GUEST = `
  fninit
  mov rax, 0x1122334455667788
  movq xmm3, rax
  mov dword ptr [page_b], 0x1fbf
  ldmxcsr [page_b]
  fxsave64 [page_a + 0xe00]
  mov rax, qword ptr [page_a + 0xe00]
  call puthex
  mov rax, qword ptr [page_a + 0xe18]
  call puthex
  mov rax, qword ptr [page_a + 0xe00 + 160 + 48]
  call puthex
  pxor xmm3, xmm3
  mov dword ptr [page_b], 0x1f80
  ldmxcsr [page_b]
  mov rsi, offset page_a + 0xe00
  mov rdi, offset page_a + 0xf10
  mov rcx, 64
  rep movsq
  fxrstor64 [page_a + 0xf10]
  movq rax, xmm3
  call puthex
  stmxcsr [page_b]
  mov eax, dword ptr [page_b]
  call puthex
  call newline
${expectFault('unaligned', 'fxsave64 [page_a + 8]')}
${expectFault('reserved MXCSR bits', 'mov dword ptr [page_a + 24], 0x80000000\n fxrstor64 [page_a]')}
`;

test('FXSAVE and FXRSTOR keep control, status, MXCSR and XMM, also across a page border', async () => {
  const [state, ...rest] = (await run(GUEST)).split('\n');
  expect(state).toBe('37f ffff00001fbf 1122334455667788 1122334455667788 1fbf ');
  expect(rest).toEqual(['unaligned: #d 0 @8 ', 'reserved MXCSR bits: #d 0 @8 ', '']);
});

test('as in QEMU, but for reserved bits of MXCSR', async (context) => {
  const qemu = toolOrSkip(context, 'qemu-system-x86_64');
  const there = runInQemu(qemu, guestImage(GUEST)).output.split('\n');
  expect((await run(GUEST)).split('\n').slice(0, 2)).toEqual(there.slice(0, 2));
});
