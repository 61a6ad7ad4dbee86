/** Boots with initial programs: the console is the same in QEMU and on our machine, and the programs print what they print on Linux. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packArchive, packPrograms } from '../../src/compiler/image/cpio.ts';
import { compile, formatDiagnostic } from '../../src/compiler/index.ts';
import { buildKeel } from '../../src/compiler/keel.ts';
import { toolOrSkip } from '../tools.ts';
import { bootInQemu, bootOnMachine } from './machines.ts';

const examples = join(import.meta.dirname, '../../examples');

function compileExample(name: string): Uint8Array {
  const { image, diagnostics } = compile({ entry: name }, (path) => {
    try {
      return readFileSync(join(examples, path), 'utf8');
    } catch {
      return null;
    }
  });
  if (image === null) throw new Error(diagnostics.map(formatDiagnostic).join(''));
  return image;
}

function nativeOutput(image: Uint8Array): { output: string; code: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'keel-example-'));
  try {
    writeFileSync(join(folder, 'program'), image, { mode: 0o755 });
    const { stdout, status } = spawnSync(join(folder, 'program'), [], { encoding: 'latin1', input: '', timeout: 20_000 });
    return { output: stdout, code: status };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it.for(readdirSync(examples).filter((name) => name.endsWith('.ts')))('%s runs on keel as it does on Linux', async (name, context) => {
  const image = compileExample(name);
  const { output, code } = nativeOutput(image);
  const expected = { console: `keel: starting\n${output}keel: all programs have ended\n`, code };
  const archive = packPrograms([{ path: '/bin/program', bytes: image }], [['/bin/program']]);
  expect(await bootOnMachine(buildKeel().image, archive)).toEqual(expected);
  expect(bootInQemu(toolOrSkip(context, 'qemu-system-x86_64'), buildKeel().image, archive)).toEqual(expected);
});

it('boots with any size of memory, and without a RAM disk', async (context) => {
  const qemu = toolOrSkip(context, 'qemu-system-x86_64');
  const empty = { console: 'keel: starting\nkeel: all programs have ended\n', code: 0 };
  for (const memoryMiB of [16, 1500, 3000]) expect(bootInQemu(qemu, buildKeel().image, packArchive([]), { memoryMiB })).toEqual(empty);
  expect(await bootOnMachine(buildKeel().image, packArchive([]), { memoryMiB: 16 })).toEqual(empty);
});

it('says what it cannot start, and that the archive is damaged', async () => {
  const missing = packPrograms([], [['/bin/none', 'x']]);
  expect((await bootOnMachine(buildKeel().image, missing)).console).toBe(
    'keel: starting\nkeel: cannot start /bin/none x: errno 2\nkeel: all programs have ended\n',
  );
  const damaged = await bootOnMachine(buildKeel().image, missing.subarray(0, 200));
  expect(damaged.console).toContain('keel: panic: the initial archive is damaged');
  expect(damaged.code).toBe(0x7f);
});

it('ends a run of programs that would not end: by deadlock, and by fuel', async () => {
  const run = async (source: string, append: string) => {
    const { image } = compile(
      { entry: 'p.ts', trusted: () => true },
      new Map([['p.ts', `import { syscall } from 'palindrome/intrinsics';\n${source}`]]),
    );
    if (image === null) throw new Error('does not compile');
    return bootOnMachine(buildKeel().image, packPrograms([{ path: '/bin/p', bytes: image }], [['/bin/p'], ['/bin/p']]), { append });
  };
  expect(await run('syscall(34n);', '')).toEqual({
    console: 'keel: starting\nkeel: deadlock: 2 processes wait for ever\nkeel: all programs have ended\n',
    code: 137,
  });
  expect(await run('while (true) syscall(39n);', 'fuel=5000000')).toEqual({
    console: 'keel: starting\nkeel: the run has taken all its time\nkeel: all programs have ended\n',
    code: 137,
  });
});

it('a kernel stack that overflows ends in its guard, on a stack that still works', async (context) => {
  const keel = buildKeel({
    edits: [
      {
        file: 'syscalls/process.ts',
        text: 'export function sysGetpid(process: Process): i64 {\n',
        replacement:
          'export function sysGetpid(process: Process): i64 {\n  const deep = new Uint8Array(2000);\n  deep[7] = wrapping.u8(process.pid);\n  if (process.pid > 0) return sysGetpid(process) + i64(deep[7]);\n',
      },
    ],
  });
  const { image } = compile(
    { entry: 'p.ts', trusted: () => true },
    new Map([['p.ts', "import { syscall } from 'palindrome/intrinsics';\nsyscall(39n);"]]),
  );
  const archive = packPrograms([{ path: '/bin/p', bytes: image ?? new Uint8Array() }], [['/bin/p']]);
  const boots = [await bootOnMachine(keel.image, archive), bootInQemu(toolOrSkip(context, 'qemu-system-x86_64'), keel.image, archive)];
  for (const { console, code } of boots) {
    expect(console).toContain('keel: exception 8 ');
    expect(console).toContain('keel: panic: an exception of the kernel itself');
    expect(code).toBe(0x7f);
  }
});
