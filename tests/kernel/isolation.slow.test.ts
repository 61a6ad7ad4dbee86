/**
 * Isolation as programs see it: programs/isolation.c tries what a program may not do. Each of its checks has a saboteur, a kernel with one defect on
 * which that check must fail: it says BROKEN, or the kernel does not get to its end.
 */
import { describe, expect, it } from 'vitest';
import { packArchive } from '../../src/compiler/image/cpio.ts';
import { buildKeel, type KeelEdit } from '../../src/compiler/keel.ts';
import { toolOrSkip } from '../tools.ts';
import { bootInQemu, bootOnMachine, buildC } from './machines.ts';

const saboteurs: Readonly<Record<string, KeelEdit>> = {
  zero: {
    file: 'ostd/frames.ts',
    text: '  zeroFrame(frame);\n  return new OwnedFrame(frame);',
    replacement: '  return new OwnedFrame(frame);',
  },
  fpu: { file: 'ostd/task.ts', text: "asm('fxrstor64 [rdi]', { rdi: addressOf(this.fpu) });", replacement: '' },
  cow: { file: 'mm/address-space.ts', text: 'return rights & ~MAY_WRITE;', replacement: 'return rights;' },
  pointers: {
    file: 'ostd/user-slice.ts',
    text: 'return address >= USER_FIRST && address < USER_END && length <= USER_END - address;',
    replacement: 'return true;',
  },
  wx: {
    file: 'syscalls/memory.ts',
    text: 'return (protection & (PROT_WRITE | PROT_EXEC)) === (PROT_WRITE | PROT_EXEC);',
    replacement: 'return protection < 0;',
  },
  nx: { file: 'ostd/page-table.ts', text: 'if ((rights & MAY_EXECUTE) === 0) entry |= NO_EXECUTE;', replacement: '' },
  readonly: {
    file: 'ostd/page-table.ts',
    text: 'if ((rights & MAY_WRITE) !== 0) entry |= WRITABLE;',
    replacement: 'if ((rights & MAY_EXECUTE) === 0) entry |= WRITABLE;',
  },
  tlb: {
    file: 'ostd/page-table.ts',
    text: 'if (this.isActive) invlpg(page);\n    else this.isStale = true;',
    replacement: 'if (!this.isActive) invlpg(page);',
  },
  page0: {
    file: 'ostd/virtual-layout.ts',
    text: 'export const USER_FIRST: u64 = 0x1000n;',
    replacement: 'export const USER_FIRST: u64 = 0n;',
  },
  registers: {
    file: 'ostd/trap-entry.ts',
    text: '    mov rcx, qword ptr [rsp + 16]',
    replacement: '    xor ebx, ebx\n    mov rcx, qword ptr [rsp + 16]',
  },
  flags: { file: 'ostd/descriptors.ts', text: 'const MASKED_FLAGS: u64 = 0x25_7700n;', replacement: 'const MASKED_FLAGS: u64 = 0x200n;' },
  preemption: {
    file: 'ostd/lapic.ts',
    text: 'store32(LAPIC_PAGE + LVT_TIMER, TIMER_VECTOR);',
    replacement: 'store32(LAPIC_PAGE + LVT_TIMER, MASKED);',
  },
  privileged: { file: 'ostd/cpu.ts', text: 'if (features.umip) cr4 |= CR4_UMIP;', replacement: '' },
};

function archive(program: Uint8Array, line: string): Uint8Array {
  return packArchive([
    { path: '/bin/isolation', bytes: program },
    { path: '/tmp/.keep', bytes: new Uint8Array() },
    { path: '/etc/programs', bytes: new TextEncoder().encode(`${line}\n`) },
  ]);
}

const kept = `keel: starting\n${Object.keys(saboteurs)
  .map((name) => `${name}: kept\n`)
  .join('')}keel: all programs have ended\n`;

describe('keel', () => {
  it('keeps all of it, on our machine and in QEMU', async (context) => {
    const files = archive(buildC(toolOrSkip(context, 'musl-gcc'), 'isolation'), '/bin/isolation');
    expect(await bootOnMachine(buildKeel().image, files)).toEqual({ console: kept, code: 0 });
    expect(bootInQemu(toolOrSkip(context, 'qemu-system-x86_64'), buildKeel().image, files)).toEqual({ console: kept, code: 0 });
  });

  it('keeps all of it whatever the length of a turn', async (context) => {
    const files = archive(buildC(toolOrSkip(context, 'musl-gcc'), 'isolation'), '/bin/isolation');
    for (const quantum of [3001, 10_007, 1_000_003]) {
      expect(await bootOnMachine(buildKeel().image, files, { append: `quantum=${quantum}` })).toEqual({ console: kept, code: 0 });
    }
  });
});

it.for(Object.entries(saboteurs))('the check "%s" fails on its saboteur', async ([name, edit], context) => {
  const files = archive(buildC(toolOrSkip(context, 'musl-gcc'), 'isolation'), `/bin/isolation ${name}`);
  const { console } = await bootOnMachine(buildKeel({ edits: [edit] }).image, files, { limit: 60_000_000n });
  expect(console).not.toBe(`keel: starting\n${name}: kept\nkeel: all programs have ended\n`);
});
