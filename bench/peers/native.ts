/** The same C as a process of the host. */
import { BenchError } from '../error.ts';
import { runTimed, versionOf } from '../process.ts';
import type { Peer } from './peer.ts';

export function nativePeer(): Peer {
  return {
    name: 'native',
    tool: 'gcc',
    version: versionOf('gcc', '--version'),
    debianPackage: 'gcc libc6-dev',
    canRun: (image) => image.process !== null,
    run: (image) => {
      if (image.process === null) throw new BenchError('there is no process');
      const { cpuSeconds, stdout } = runTimed(image.process, [], [0]);
      return { cpuSeconds, console: stdout };
    },
  };
}
