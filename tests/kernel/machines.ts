/** Runs keel with initial programs on the machines that the tests compare: QEMU and ours. And builds C programs for it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Machine, QuietHost } from '../../src/machine/index.ts';
import { runTool } from '../tools.ts';

export interface Boot {
  readonly console: string;
  /** What the kernel wrote to isa-debug-exit; null: it did not. */
  readonly code: number | null;
}

export interface BootOptions {
  readonly append?: string;
  readonly memoryMiB?: number;
  readonly timeoutMs?: number;
}

/** CPU with all that TCG can do, and the debug-exit device where ours has it. */
export function bootInQemu(qemu: string, image: Uint8Array, initrd: Uint8Array, options: BootOptions = {}): Boot {
  const folder = mkdtempSync(join(tmpdir(), 'keel-qemu-'));
  try {
    writeFileSync(join(folder, 'keel.elf'), image);
    writeFileSync(join(folder, 'initrd'), initrd);
    const result = spawnSync(
      qemu,
      // biome-ignore format: an option and its value side by side
      ['-kernel', join(folder, 'keel.elf'), '-initrd', join(folder, 'initrd'), '-append', options.append ?? '',
       '-m', `${options.memoryMiB ?? 64}M`, '-cpu', 'max', '-accel', 'tcg', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
       '-display', 'none', '-serial', 'stdio', '-no-reboot', '-nodefaults', '-monitor', 'none'],
      { encoding: 'latin1', timeout: options.timeoutMs ?? 60_000, input: '', maxBuffer: 1 << 26 },
    );
    const status = result.status ?? 0;
    return { console: result.stdout, code: (status & 1) === 1 ? status >> 1 : null };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same on our machine, to the end of the run or the limit of instructions. */
export async function bootOnMachine(image: Uint8Array, initrd: Uint8Array, options: BootOptions & { limit?: bigint } = {}): Promise<Boot> {
  const host = new QuietHost();
  const machine = await Machine.create({ memoryBytes: (options.memoryMiB ?? 64) << 20, seed: 'keel', harness: false }, host);
  machine.load({ image, initrd, append: options.append ?? '' });
  const stop = machine.run(options.limit ?? 3_000_000_000n);
  return { console: host.text, code: stop.reason === 'debug-exit' ? stop.code : null };
}

const programs = join(import.meta.dirname, 'programs');

/** A static program from tests/kernel/programs, by the C library's compiler; kept between runs by the hash of its source. */
export function buildC(compiler: string, name: string): Uint8Array {
  const source = join(programs, `${name}.c`);
  const key = createHash('sha256').update(compiler).update(readFileSync(source)).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), 'palindrome-test-programs');
  const out = join(folder, `${name}-${key}`);
  if (!existsSync(out)) {
    mkdirSync(folder, { recursive: true });
    const partial = `${out}.${process.pid}`;
    runTool(compiler, ['-O1', '-w', '-static', '-mno-red-zone', '-o', partial, source]);
    runTool('/bin/mv', [partial, out]);
  }
  return new Uint8Array(readFileSync(out));
}
