/** Boots the same image in QEMU (TCG) and gives what it printed on the serial port. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface QemuRun {
  readonly output: string;
  /** What the guest wrote to isa-debug-exit. */
  readonly code: number;
}

export function runInQemu(qemu: string, image: Uint8Array): QemuRun {
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-qemu-'));
  try {
    const kernel = join(folder, 'kernel.elf');
    const serial = join(folder, 'serial');
    writeFileSync(kernel, image);
    // prettier-ignore
    const args = [
      '-kernel',
      kernel,
      '-m',
      '64',
      '-cpu',
      'max',
      '-accel',
      'tcg',
      '-display',
      'none',
      '-no-reboot',
      '-serial',
      `file:${serial}`,
      '-monitor',
      'none',
      '-device',
      'isa-debug-exit,iobase=0xf4,iosize=4',
      '-vga',
      'none',
      '-net',
      'none',
    ];
    const { status } = spawnSync(qemu, args, { timeout: 60_000 });
    if (status === null || (status & 1) === 0) throw new Error(`QEMU ended with ${status}: ${readFileSync(serial, 'latin1')}`);
    return { output: readFileSync(serial, 'latin1'), code: status >> 1 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
