import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packArchive, packPrograms } from '../../../src/compiler/image/cpio.ts';
import { requireTool } from '../../tools.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it('makes directories before the files in them and ends with the trailer', () => {
  const text = new TextDecoder('latin1').decode(packArchive([{ path: '/a/b/c', bytes: bytes('hello') }]));
  const names = ['a\0', 'a/b\0', 'a/b/c\0', 'TRAILER!!!\0'].map((name) => text.indexOf(name));
  expect(names.every((at, index) => at > (names[index - 1] ?? 0))).toBe(true);
  expect(text.length % 4).toBe(0);
});

it('gives the same bytes for the same files', () => {
  const files = [{ path: '/bin/x', bytes: bytes('x') }];
  expect(packPrograms(files, [['/bin/x', 'one']])).toEqual(packPrograms(files, [['/bin/x', 'one']]));
});

it('is unpacked by cpio itself', (context) => {
  const cpio = requireTool('cpio') ?? context.skip('cpio is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-cpio-'));
  try {
    const archive = packPrograms([{ path: '/bin/odd', bytes: bytes('seven b') }], [['/bin/odd', 'a', 'b']]);
    const result = spawnSync(cpio, ['-id', '--quiet'], { cwd: folder, input: archive });
    expect(result.stderr.toString()).toBe('');
    expect(readFileSync(join(folder, 'bin/odd'), 'utf8')).toBe('seven b');
    expect(readFileSync(join(folder, 'etc/programs'), 'utf8')).toBe('/bin/odd a b\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
