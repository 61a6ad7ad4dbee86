/** QEMU's TCG: as it comes, counting instructions, recording and replaying. The same image, by PVH. */
import { statSync } from 'node:fs';
import type { Image } from '../build.ts';
import { runTimed, versionOf } from '../process.ts';
import type { Peer, Run } from './peer.ts';

export const QEMU = 'QEMU';
export const QEMU_RECORD = 'rr=record';

const COMMAND = 'qemu-system-x86_64';
// biome-ignore format: an option a word
const MACHINE = [
  '-accel', 'tcg', '-cpu', 'max', '-m', '128', '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot', '-nic', 'none',
  '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
];
/** isa-debug-exit gives (code << 1) | 1: the guests write 16, keel 0. */
const STATUSES = [33, 1];

function run(image: Image, ...options: string[]): Run {
  const initrd = image.initrd === null ? [] : ['-initrd', image.initrd];
  const { cpuSeconds, stdout } = runTimed(COMMAND, [...MACHINE, '-kernel', image.elf64, ...initrd, ...options], STATUSES);
  return { cpuSeconds, console: stdout };
}

export function qemuPeers(): Peer[] {
  const version = versionOf(COMMAND, '--version');
  const column = (name: string, act: (image: Image) => Run): Peer => ({
    name,
    tool: 'QEMU',
    version,
    debianPackage: 'qemu-system-x86',
    isInFullOnly: name !== QEMU,
    canRun: () => true,
    run: act,
  });
  const log = (image: Image) => `${image.elf64}.rr`;
  return [
    column(QEMU, (image) => run(image)),
    column('-icount', (image) => run(image, '-icount', 'shift=0,sleep=off')),
    column(QEMU_RECORD, (image) => ({
      ...run(image, '-icount', `shift=0,rr=record,rrfile=${log(image)}`),
      traceBytes: statSync(log(image)).size,
    })),
    column('rr=replay', (image) => run(image, '-icount', `shift=0,rr=replay,rrfile=${log(image)}`)),
  ];
}
