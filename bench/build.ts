/**
 * Builds the images of a guest: with gcc from `guests/*.c`, or keel with our own compiler. `node bench/main.ts --build FOLDER` leaves them in a folder:
 * NAME.elf (x86-64: PVH and multiboot2), NAME.32.elf (32 bits: multiboot), NAME (a process of the host); keel.elf with keel.cpio.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packPrograms } from '../src/compiler/image/cpio.ts';
import { buildKeel, compile, formatDiagnostic } from '../src/compiler/index.ts';
import { BenchError } from './error.ts';
import { type Guest, KEEL } from './guests.ts';

/** One guest, built. What a peer needs and is null, the peer cannot run. */
export interface Image {
  readonly name: string;
  /** The guest's file name, without an ending. */
  readonly file: string;
  /** x86-64, by PVH or multiboot2. */
  readonly elf64: string;
  readonly initrd: string | null;
  /** The same C for 32 bits, by multiboot. */
  readonly elf32: string | null;
  /** The same C as a process of the host. */
  readonly process: string | null;
  /** What it prints at its end, where it cannot end Bochs by itself: keel knows no port for that. */
  readonly lastLine: string | null;
}

const SOURCES = join(import.meta.dirname, 'guests');
const EXAMPLES = join(import.meta.dirname, '../examples');

/** Straight code that our machine, QEMU, Bochs and v86 all have; nothing that depends on where gcc comes from. */
// biome-ignore format: options of one kind a line
const FLAGS = [
  '-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror',
  '-ffreestanding', '-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fcf-protection=none',
  '-fno-pic', '-fno-pie', '-mno-red-zone', '-fno-tree-vectorize', '-fno-math-errno',
];
const LINK = ['-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none', '-Wl,-z,noexecstack', '-T', join(SOURCES, 'image.ld')];

/** `percent`: how much of the full work the guest does. */
export function buildGuest(guest: Guest, percent: number, folder: string): Image {
  mkdirSync(join(folder, 'objects'), { recursive: true });
  const registers = guest.hasDoubles ? ['-msse2', '-mfpmath=sse'] : ['-mgeneral-regs-only'];
  const source = join(SOURCES, `${guest.file}.c`);
  const object = (bits: 64 | 32): string => {
    const to = join(folder, 'objects', `${guest.file}.${bits}.o`);
    gcc(`-m${bits}`, ...FLAGS, ...registers, `-DPERCENT=${percent}`, '-c', source, '-o', to);
    return to;
  };
  const image = (bits: 64 | 32, to: string): string => {
    const main = join(folder, 'objects', `main.${bits}.o`);
    gcc(`-m${bits}`, ...FLAGS, '-mgeneral-regs-only', '-c', join(SOURCES, 'main.c'), '-o', main);
    gcc(`-m${bits}`, ...LINK, join(SOURCES, `boot${bits}.S`), main, object(bits), '-o', to);
    return to;
  };
  const path = join(folder, guest.file);
  const elf64 = image(64, `${path}.elf`);
  const elf32 = image(32, `${path}.32.elf`);
  if (!guest.isBare) gcc('-O2', '-no-pie', join(SOURCES, 'native.c'), object(64), '-o', path);
  return { name: guest.name, file: guest.file, elf64, initrd: null, elf32, process: guest.isBare ? null : path, lastLine: null };
}

/** keel, with `guests/every.ts` that runs every example program `times` times in turn. */
export function buildKeelImage(times: number, folder: string): Image {
  const names = readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts'));
  const programs = names.sort().map((name) => ({ path: `/bin/${name.slice(0, -3)}`, bytes: compileProgram(join(EXAMPLES, name)) }));
  const every = { path: '/bin/every', bytes: compileProgram(join(SOURCES, 'every.ts')) };
  const commandLine = [every.path, `${times}`, ...programs.map(({ path }) => path)];
  const elf64 = join(folder, `${KEEL.file}.elf`);
  const initrd = join(folder, `${KEEL.file}.cpio`);
  writeFileSync(elf64, buildKeel().image);
  writeFileSync(initrd, packPrograms([every, ...programs], [commandLine]));
  return { ...KEEL, elf64, initrd, elf32: null, process: null, lastLine: 'keel: all programs have ended' };
}

function compileProgram(path: string): Uint8Array {
  const entry = basename(path);
  const { image, diagnostics } = compile({ entry }, new Map([[entry, readFileSync(path, 'utf8')]]));
  if (image === null) throw new BenchError(diagnostics.map(formatDiagnostic).join(''));
  return image;
}

function gcc(...args: string[]): void {
  const { status, stderr, error } = spawnSync('gcc', args, { encoding: 'utf8' });
  if (error) throw new BenchError('gcc is not installed: the guests are built with it (Debian: gcc)');
  if (status !== 0) throw new BenchError(`gcc ${args.join(' ')}:\n${stderr}`);
}
