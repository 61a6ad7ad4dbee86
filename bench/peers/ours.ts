/** Our machine: untraced, in each tier that can be chosen, recording, and replaying. The command line is the one that people use. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from '../build.ts';
import { lastLine, runTimed } from '../process.ts';
import type { Peer, Run } from './peer.ts';

/** The column of the machine as it runs without options, which the others are compared with. */
export const OURS = 'ours';
export const PATH = '+ path';
export const ADDRESSES = '+ addresses';
export const REPLAY = 'replay';

/** What `+ path` records. */
export const traceOf = ({ elf64 }: Image): string => `${elf64}.mpk`;

export const PALINDROME = join(import.meta.dirname, '../../bin/palindrome');

export function palindrome(...args: string[]) {
  const { cpuSeconds, stdout } = runTimed(process.execPath, [PALINDROME, ...args, '--json'], [0]);
  return { cpuSeconds, result: JSON.parse(lastLine(stdout)) };
}

interface Booted {
  readonly console: string;
  readonly instructions: number;
  readonly hash: string;
}

const initrd = (image: Image) => (image.initrd === null ? [] : ['--initrd', image.initrd]);

function boot(image: Image, ...options: string[]): Run {
  const { cpuSeconds, result } = palindrome('boot', image.elf64, ...initrd(image), ...options);
  const { console, instructions, hash }: Booted = result;
  return { cpuSeconds, console, instructions, hash };
}

function record(image: Image, trace: string, ...options: string[]): Run {
  const run = boot(image, '--trace', trace, ...options);
  return { ...run, traceBytes: statSync(trace).size };
}

/** `version`: the project's. `replay` replays what `+ path` recorded, so the columns run in this order. */
export function ourPeers(version: string): Peer[] {
  const options = spawnSync(process.execPath, [PALINDROME, 'boot', '--help'], { encoding: 'utf8' }).stdout;
  const column = (name: string, run: (image: Image) => Run): Peer => ({ name, tool: 'palindrome', version, canRun: () => true, run });
  return [
    column(OURS, (image) => boot(image)),
    ...(options.includes('--tier') ? ['0', '1'].map((tier) => column(`tier ${tier}`, (image) => boot(image, '--tier', tier))) : []),
    column(PATH, (image) => record(image, traceOf(image))),
    ...(options.includes('--addresses')
      ? [column(ADDRESSES, (image) => record(image, `${image.elf64}.addresses.mpk`, '--addresses'))]
      : []),
    column(REPLAY, (image) => {
      const { cpuSeconds, result } = palindrome('replay', traceOf(image));
      const { instructions, hash }: Booted = result;
      return { cpuSeconds, console: null, instructions, hash };
    }),
  ];
}
