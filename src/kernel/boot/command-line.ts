/** Words of the kernel's command line: `quantum=N` (ticks of a turn at CPL 3). */
import { startInfo } from '../ostd/start-info.ts';
import { scheduler } from '../task/scheduler.ts';

const SPACE = 32;
const SHORTEST_QUANTUM: u64 = 1000n;
const LONGEST_QUANTUM: u64 = 100_000_000n;

export function readCommandLine(): void {
  const line = startInfo.commandLine.subarray(0, startInfo.commandLineLength);
  let at = 0;
  while (at < line.length) {
    const from = at;
    while (at < line.length && line[at] !== SPACE) at++;
    readWord(line.subarray(from, at));
    at++;
  }
}

function readWord(word: Uint8Array): void {
  const key = bytesOf('quantum=');
  if (word.length <= key.length || word.length > key.length + 10) return;
  for (let at = 0; at < key.length; at++) {
    if (word[at] !== key[at]) return;
  }
  let value: u64 = 0n;
  for (let at = key.length; at < word.length; at++) {
    if (word[at] < 48 || word[at] > 57) return;
    value = value * 10n + u64(word[at] - 48);
  }
  if (value >= SHORTEST_QUANTUM && value <= LONGEST_QUANTUM) scheduler.quantum = value;
}
