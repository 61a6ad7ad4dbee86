/** v86, the other PC in JavaScript and WebAssembly: the 32-bit build by multiboot, without a BIOS, in a process of its own. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BenchError } from '../error.ts';
import { runTimed } from '../process.ts';
import type { Peer } from './peer.ts';

const DRIVER = join(import.meta.dirname, 'v86-machine.ts');

export function v86Peer(): Peer {
  return {
    name: 'v86',
    tool: 'v86',
    version: installedVersion(),
    isInFullOnly: true,
    canRun: ({ elf32 }) => elf32 !== null,
    run: ({ elf32 }) => {
      if (elf32 === null) throw new BenchError('there is no 32-bit build');
      const { cpuSeconds, stdout } = runTimed(process.execPath, [DRIVER, elf32], [0]);
      return { cpuSeconds, console: stdout };
    },
  };
}

function installedVersion(): string | null {
  try {
    const path = createRequire(import.meta.url).resolve('v86/package.json');
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}
