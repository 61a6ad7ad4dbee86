/** Bochs: the same image from a CD with GRUB (multiboot2). Its BIOS and GRUB run first and are part of the time: 30 M instructions. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Image } from '../build.ts';
import { BenchError } from '../error.ts';
import { runTimed, versionOf } from '../process.ts';
import type { Peer, Run } from './peer.ts';

/** Bochs' shutdown port ends it as a panic. */
const SHUTDOWN_STATUS = 1;
/** Runs a command until a file ($1) holds a line ($2), then ends it; status 1 where it ended before. It looks seldom: its own processes are timed as well. */
const UNTIL_LINE = `"\${@:3}" & until grep -qsF "$2" "$1"; do kill -0 $! || exit 1; sleep 0.2; done; kill -KILL $!; wait $!; exit 0`;
const MODULES = 'multiboot2 normal iso9660 biosdisk boot';

const configuration = (iso: string, serial: string, log: string) => `
megs: 256
cpu: ips=1000000
clock: sync=none
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=${iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=${serial}
display_library: term
log: ${log}
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
panic: action=fatal
`;

export function bochsPeer(): Peer {
  const tools = [versionOf('bochs-bin', '--help'), versionOf('grub-mkrescue', '--version'), versionOf('xorriso', '--version')];
  return {
    name: 'Bochs',
    tool: 'Bochs',
    version: tools.includes(null) ? null : bochsVersion(),
    debianPackage: 'bochs bochs-term bochsbios vgabios grub-pc-bin grub-common xorriso mtools',
    isInFullOnly: true,
    canRun: () => true,
    run,
  };
}

/** `bochs --help` begins with a banner. */
function bochsVersion(): string {
  const { stdout, stderr } = runTimed('bochs-bin', ['--help'], [0, 1]);
  return /Bochs x86 Emulator \S+/.exec(`${stdout}${stderr}`)?.[0] ?? 'Bochs';
}

function run(image: Image): Run {
  const file = (ending: string) => `${image.elf64}.bochs${ending}`;
  const tree = file('');
  const serial = file('.serial');
  const log = file('.log');
  mkdirSync(`${tree}/boot/grub`, { recursive: true });
  cpSync(image.elf64, `${tree}/boot/guest.elf`);
  if (image.initrd !== null) cpSync(image.initrd, `${tree}/boot/initrd`);
  const module = image.initrd === null ? '' : 'module2 /boot/initrd\n';
  writeFileSync(`${tree}/boot/grub/grub.cfg`, `multiboot2 /boot/guest.elf\n${module}boot\n`);
  runTimed('grub-mkrescue', ['-o', file('.iso'), tree, `--install-modules=${MODULES}`, '--locales=', '--fonts=', '--themes='], [0]);
  writeFileSync(file('.options'), configuration(file('.iso'), serial, log));
  writeFileSync(file('.commands'), 'c\n'); // Debian's Bochs starts in its debugger
  rmSync(serial, { force: true });
  const options = ['-q', '-rc', file('.commands'), '-f', file('.options')];
  const terminal = { TERM: 'dumb' };
  if (image.lastLine !== null) {
    const watched = ['-c', UNTIL_LINE, 'bash', serial, image.lastLine, 'bochs-bin', ...options];
    const { cpuSeconds } = runTimed('bash', watched, [0], terminal);
    return { cpuSeconds, console: readFileSync(serial, 'latin1') };
  }
  const { cpuSeconds } = runTimed('bochs-bin', options, [SHUTDOWN_STATUS], terminal);
  if (!readFileSync(log, 'utf8').includes('Shutdown port')) throw new BenchError(`did not reach the guest's end; see ${log}`);
  return { cpuSeconds, console: readFileSync(serial, 'latin1') };
}
