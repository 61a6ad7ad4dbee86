/** Unmodified static C programs: the same binary on the host's Linux and on keel prints the same. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packArchive } from '../../src/compiler/image/cpio.ts';
import { buildKeel } from '../../src/compiler/keel.ts';
import { toolOrSkip } from '../tools.ts';
import { bootInQemu, bootOnMachine, buildC } from './machines.ts';

const STARTED = 'keel: starting\n';
const ENDED = 'keel: all programs have ended\n';

/** The archive that runs one program, with a /tmp. */
function archiveOf(program: Uint8Array, line: string): Uint8Array {
  return packArchive([
    { path: '/bin/program', bytes: program },
    { path: '/tmp/.keep', bytes: new Uint8Array() },
    { path: '/etc/programs', bytes: new TextEncoder().encode(`${line}\n`) },
  ]);
}

function onLinux(program: Uint8Array, args: readonly string[]): { output: string; code: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'keel-linux-'));
  try {
    const path = join(folder, 'program');
    writeFileSync(path, program, { mode: 0o755 });
    const result = spawnSync(path, args, { encoding: 'latin1', timeout: 60_000, cwd: '/' });
    return { output: result.stdout, code: result.status };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(['gcc', 'musl-gcc'])('a program of %s -static', (compiler) => {
  it('prints its arguments', async (context) => {
    const image = buildC(toolOrSkip(context, compiler), 'arguments');
    const archive = archiveOf(image, '/bin/program one two-and-a-half 3');
    const expected = {
      console: `${STARTED}argv[0] = /bin/program\nargv[1] = one\nargv[2] = two-and-a-half\nargv[3] = 3\n${ENDED}`,
      code: 44,
    };
    expect(bootInQemu(toolOrSkip(context, 'qemu-system-x86_64'), buildKeel().image, archive)).toEqual(expected);
    expect(await bootOnMachine(buildKeel().image, archive)).toEqual(expected);
  });

  it.for(['errors', 'processes', 'faults'])('%s prints on keel what it prints on Linux', async (name, context) => {
    const image = buildC(toolOrSkip(context, compiler), name);
    const linux = onLinux(image, []);
    const expected = { console: `${STARTED}${linux.output}${ENDED}`, code: linux.code };
    const archive = archiveOf(image, '/bin/program');
    expect(await bootOnMachine(buildKeel().image, archive)).toEqual(expected);
  });
});

it('fork bombs and memory hogs end by errors of their own', async (context) => {
  const image = buildC(toolOrSkip(context, 'musl-gcc'), 'limits');
  const { console, code } = await bootOnMachine(buildKeel().image, archiveOf(image, '/bin/program'));
  expect(console).toBe(
    `${STARTED}fork: Resource temporarily unavailable after many\nchildren left: 0\nhog: ended by the limit\nopen: No file descriptors available\nfile: full\n${ENDED}`,
  );
  expect(code).toBe(0);
});

it('keel compiled without optimisation does the same', async (context) => {
  const archive = archiveOf(buildC(toolOrSkip(context, 'musl-gcc'), 'errors'), '/bin/program');
  const plain = await bootOnMachine(buildKeel({ optimise: 0, verify: true }).image, archive);
  expect(plain).toEqual(await bootOnMachine(buildKeel().image, archive));
});

it('faults end processes in QEMU as on Linux, but for #AC, which TCG does not raise', (context) => {
  const image = buildC(toolOrSkip(context, 'musl-gcc'), 'faults');
  const qemu = bootInQemu(toolOrSkip(context, 'qemu-system-x86_64'), buildKeel().image, archiveOf(image, '/bin/program'));
  const expected = `${STARTED}${onLinux(image, []).output}${ENDED}`.replace('misaligned: signal 7', 'misaligned: signal 0');
  expect(qemu).toEqual({ console: expected, code: 0 });
});
