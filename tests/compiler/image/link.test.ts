import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { LinkError, link } from '../../../src/compiler/image/link.ts';
import type { ObjectFile } from '../../../src/compiler/image/object.ts';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import { toolOrSkip } from '../../tools.ts';
import { layouts, program } from './program.ts';

function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'link-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const run = (tool: string, args: readonly string[]) => spawnSync(tool, args, { encoding: 'utf8', timeout: 30_000 });

describe('a program', () => {
  test('runs', () => {
    withFolder((folder) => {
      const path = join(folder, 'program');
      writeFileSync(path, program('hello.ts').bytes, { mode: 0o755 });
      expect(run(path, [])).toMatchObject({ stdout: 'hi\n', status: 0 });
    });
  });

  test('is accepted by readelf and objdump without a warning', (context) => {
    const [readelf, objdump] = [toolOrSkip(context, 'readelf'), toolOrSkip(context, 'objdump')];
    withFolder((folder) => {
      const path = join(folder, 'program');
      writeFileSync(path, program('hello.ts').bytes);
      const read = run(readelf, ['-a', '-w', path]);
      expect([read.status, read.stderr]).toEqual([0, '']);
      expect(read.stdout).not.toMatch(/warning|error/i);
      expect(read.stdout).toContain('DW_CFA_def_cfa: r6 (rbp) ofs 16');
      const dump = run(objdump, ['-d', '-l', path]);
      expect([dump.status, dump.stderr]).toEqual([0, '']);
      expect(dump.stdout).toContain('hello.ts:25');
    });
  });

  test('is known to gdb: breakpoints by name, source lines, backtraces', (context) => {
    const gdb = toolOrSkip(context, 'gdb');
    withFolder((folder) => {
      const source = join(folder, 'hello.ts');
      writeFileSync(source, Array.from({ length: 30 }, (_, k) => `// the text of line ${k + 1}\n`).join(''));
      const path = join(folder, 'program');
      writeFileSync(path, program(source).bytes, { mode: 0o755 });
      const commands = ['break Console.show', 'run', 'bt', 'list', 'finish'].flatMap((command) => ['-ex', command]);
      const { stdout } = run(gdb, ['-batch', '-nx', ...commands, path]);
      expect(stdout).toContain(`#0  Console.show () at ${source}:4`);
      expect(stdout).toMatch(/#1 +0x[0-9a-f]+ in _start \(\) at .*hello\.ts:11/);
      expect(stdout).toContain('// the text of line 9');
      expect(stdout).toMatch(/^_start \(\) at .*:12$/m);
    });
  });

  test('is read back: symbols, lines, traps, layouts', () => {
    const { bytes, symbols, entry } = program('src/hello.ts');
    const image = readElf(bytes, 'program');
    expect(image.entry).toBe(entry);
    for (const { name, address, size, type } of symbols) expect(image.symbol(name)).toMatchObject({ address, size: BigInt(size), type });
    const show = image.symbol('show')?.address ?? 0n;
    expect(image.symbolAt(show + 33n)).toMatchObject({ symbol: { name: 'show' }, offset: 33n });
    expect(image.lineAt(show + 4n)).toEqual({ file: 'src/hello.ts', line: 3, column: 3 });
    expect(image.lineAt(show + 11n)).toEqual({ file: 'src/hello.ts', line: 5, column: 9 });
    expect(image.lineAt(show + 33n)).toEqual({ file: 'src/hello.ts', line: 2, column: 3 });
    expect(image.lineAt(show + 34n)).toBeNull();
    expect(image.addressesOf('hello.ts', 25)).toEqual([show + 27n]);
    expect(image.trapAt(show + 32n)).toEqual({ address: show + 32n, kind: 'overflow', file: 'src/hello.ts', line: 4, column: 9 });
    expect(image.trapAt(show + 31n)).toBeNull();
    expect([...image.codeBytesByFile()]).toEqual([['src/hello.ts', 18 + 34]]);
    expect(image.layouts()).toEqual(layouts);
    expect(image.pvhEntry()).toBeNull();
    const table = image.sections.find((s) => s.name === '.data')?.bytes ?? new Uint8Array(16);
    const view = new DataView(table.buffer, table.byteOffset);
    expect([view.getBigUint64(0, true), view.getBigUint64(8, true)]).toEqual([show, 10_000n]);
  });

  test('has a stack that is not executable, and no segment that is writable and executable', () => {
    const { segments } = readElf(program('a.ts').bytes, 'program');
    expect(segments.find((s) => s.type === 0x6474e551)).toMatchObject({ writable: true, executable: false });
    expect(segments.filter((s) => s.writable && s.executable)).toEqual([]);
  });
});

describe('the linker refuses', () => {
  const object = (text: string, name = 'a.s'): ObjectFile => assemble(text, { name });
  const start = '.global _start\n_start: ret\n';
  const problems = (...objects: ObjectFile[]) => {
    try {
      link(objects, { target: 'linux-program' });
    } catch (error) {
      if (error instanceof LinkError) return error.problems;
      throw error;
    }
    return [];
  };
  test.each<readonly [string, ObjectFile[], string]>([
    ['an undefined symbol', [object(`${start}.quad nowhere`)], 'undefined symbol nowhere, used in a.s: _start+0x1'],
    ['a symbol defined twice', [object(start), object(start, 'b.s')], 'symbol _start is defined in a.s and again in b.s'],
    ['a program without its entry', [object('nop')], 'undefined symbol _start, the entry'],
    ['an address that does not fit', [object(`${start}.short _start`)], '_start does not fit a field abs16 in a.s: _start+0x1'],
    [
      'a section of two kinds',
      [object(`${start}.section .odd, "ax"\nnop`), object('.section .odd, "aw"\n.long 1', 'b.s')],
      'section .odd is code at first and data in b.s',
    ],
  ])('%s', (_name, objects, message) => {
    expect(problems(...objects)).toEqual([message]);
  });

  test('nothing of local symbols that share a name', () => {
    expect(problems(object(`${start}here: .quad here`), object('here: .quad here', 'b.s'))).toEqual([]);
  });
});
