/** The assembler against GNU as: the same text, the same bytes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import { runTool, toolOrSkip } from '../../tools.ts';

/** Where GNU as chooses another encoding of the same instruction, ours is accepted: [its bytes, ours]. */
const sameMeaning: readonly (readonly [string, string])[] = [
  ['67668b04', '66678b04'], // the order of two prefixes
];
const base = 0x401000;

/** Each line padded to 16 bytes, so that one difference does not move what follows. */
function padded(text: string): string {
  return text.replaceAll('\n', '\n.balign 16, 0xcc\n');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/(?:cc)+$/, '');
}

function byGnu(text: string, tools: { as: string; ld: string; objcopy: string }): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'gnu-as-'));
  try {
    const path = (name: string) => join(folder, name);
    writeFileSync(path('a.s'), `.intel_syntax noprefix\n${text}\n`);
    runTool(tools.as, ['--64', '-o', path('a.o'), path('a.s')]);
    runTool(tools.ld, ['--defsym=external=0x402000', '-Ttext', `0x${base.toString(16)}`, '-o', path('a.elf'), path('a.o')]);
    runTool(tools.objcopy, ['-O', 'binary', '-j', '.text', path('a.elf'), path('a.bin')]);
    return readFileSync(path('a.bin'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Links at the same address as ld is told to. */
function byUs(text: string): Uint8Array {
  const object = assemble(text, { name: 'a.s' });
  const outside = { name: 'outside', atoms: [], absolutes: [{ name: 'external', value: 0x402000n, binding: 'global' }] } as const;
  const image = readElf(link([object, outside], { target: 'linux-program' }).bytes, 'a.elf');
  const section = image.sections.find((s) => s.name === '.text');
  expect(section?.address).toBe(BigInt(base));
  return section?.bytes ?? new Uint8Array(0);
}

test.for(['long-mode.s', 'other-modes.s'])('%s gives the same bytes as GNU as', (file, context) => {
  const tools = { as: toolOrSkip(context, 'as'), ld: toolOrSkip(context, 'ld'), objcopy: toolOrSkip(context, 'objcopy') };
  const source = readFileSync(join(import.meta.dirname, 'gnu', file), 'utf8');
  const text = `.global _start\n_start:\n${padded(source)}`;
  const theirs = byGnu(text, tools);
  const ours = byUs(text);
  expect(ours.length).toBe(theirs.length);
  const lines = source.split('\n');
  const differences: string[] = [];
  for (let at = 0; at < theirs.length; at += 16) {
    const [a, b] = [hex(theirs.subarray(at, at + 16)), hex(ours.subarray(at, at + 16))];
    const isKnown = sameMeaning.some(([x, y]) => a.startsWith(x) && b.startsWith(y));
    if (a !== b && !isKnown) differences.push(`near ${lines[at / 16] ?? ''}: as ${a}, we ${b}`);
  }
  expect(differences).toEqual([]);
});

test('branches are relaxed as GNU as relaxes them', (context) => {
  const tools = { as: toolOrSkip(context, 'as'), ld: toolOrSkip(context, 'ld'), objcopy: toolOrSkip(context, 'objcopy') };
  const blocks = Array.from(
    { length: 40 },
    (_, k) => `l${k}: jmp l${(k * 7) % 40}\njne l${(k * 13) % 40}\n.zero ${(k * 29) % 97}, 0x90\ncall l${(k * 3) % 40}`,
  );
  const text = `.global _start\n_start:\n${blocks.join('\n')}\n`;
  expect(hex(byUs(text))).toBe(hex(byGnu(text, tools)));
});
