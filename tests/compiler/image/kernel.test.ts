import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { LinkError, link } from '../../../src/compiler/image/link.ts';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import { toolOrSkip } from '../../tools.ts';

const source = readFileSync(join(import.meta.dirname, 'kernel.s'), 'utf8');
const kernel = () => link([assemble(source, { name: 'kernel.s' })], { target: 'keel-kernel' });
const offset = 0xffffffff80000000n;

describe('a kernel image', () => {
  test('boots by PVH in QEMU, enters long mode and the higher half', (context) => {
    const qemu = toolOrSkip(context, 'qemu-system-x86_64');
    const folder = mkdtempSync(join(tmpdir(), 'kernel-'));
    try {
      const path = join(folder, 'kernel.elf');
      writeFileSync(path, kernel().bytes);
      const devices = [
        '-nic',
        'none',
        '-display',
        'none',
        '-serial',
        'stdio',
        '-device',
        'isa-debug-exit,iobase=0xf4,iosize=4',
        '-no-reboot',
      ];
      const run = spawnSync(qemu, ['-accel', 'tcg', '-m', '64', '-kernel', path, ...devices], { encoding: 'utf8', timeout: 30_000 });
      expect(run.stdout).toBe('Hello from the higher half\nHello');
      expect(run.status).toBe((0x10 << 1) | 1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('has page-aligned segments, of which none is writable and executable', () => {
    const { segments } = readElf(kernel().bytes, 'kernel');
    const loaded = segments.filter((s) => s.type === 1);
    expect(loaded).toHaveLength(6);
    for (const each of loaded) {
      expect(each.address % 0x1000n).toBe(0n);
      expect(each.fileOffset % 0x1000).toBe(0);
      expect(each.writable && each.executable).toBe(false);
      expect(each.address).toBe(each.physical + (each.address >= offset ? offset : 0n));
    }
    expect(loaded[0]?.physical).toBe(0x100000n);
  });

  test('names its parts', () => {
    const image = readElf(kernel().bytes, 'kernel');
    const at = (name: string) => image.symbol(name)?.address ?? -1n;
    expect(at('__text_start')).toBe(at('__rx_start'));
    expect(at('__ro_start')).toBe(at('__rodata_start'));
    expect(at('__rw_end')).toBe(at('__image_end'));
    expect(at('__physical_end')).toBe(at('__image_end') - offset);
    expect(at('__boot_bss_end') - at('__boot_bss_start')).toBe(5n * 4096n);
    expect(at('__virtual_offset')).toBe(offset);
    expect(image.pvhEntry()).toBe(at('pvh_start'));
    expect(image.symbolAt(at('print') + 3n)).toMatchObject({ symbol: { name: 'print', type: 'function' }, offset: 3n });
    expect(image.lineAt(at('kernel_main'))).toMatchObject({ file: 'kernel.s', line: 1 + source.split('\n').indexOf('kernel_main:') + 1 });
  });

  test('must have its entry in a .boot section', () => {
    const high = assemble('.global pvh_start\npvh_start: hlt', { name: 'high.s' });
    expect(() => link([high], { target: 'keel-kernel' })).toThrow(LinkError);
  });

  test('is the same bytes every time', () => {
    expect(Buffer.from(kernel().bytes).equals(Buffer.from(kernel().bytes))).toBe(true);
  });
});
