/**
 * Options, as words of the kernel's command line and, for a single run of the harness, of the file /etc/options: `quantum=N` (ticks of a turn at CPL 3),
 * `fuel=N` (ticks that a run may take), `fail-frame=N` (the Nth frame that is asked for in the run is not given). A tick is a nanosecond of virtual time.
 */
import { files, Lookup, lookUp, ROOT } from '../fs/tree.ts';
import { frames } from '../ostd/frames.ts';
import { startInfo } from '../ostd/start-info.ts';
import { fuel } from '../task/fuel.ts';
import { scheduler } from '../task/scheduler.ts';

const SPACE = 32;
const NEWLINE = 10;
const SHORTEST_QUANTUM: u64 = 1000n;
const LONGEST_QUANTUM: u64 = 100_000_000n;
const MOST_DIGITS = 15;

const text = new Uint8Array(256);

export function readCommandLine(): void {
  readWords(startInfo.commandLine.subarray(0, startInfo.commandLineLength));
}

/** What a run of its own says about itself goes before the command line. */
export function readRunOptions(): void {
  frames.asked = 0n;
  frames.failing = 0n;
  readCommandLine();
  const found = new Lookup();
  if (lookUp(bytesOf('/etc/options'), ROOT, found) !== 0 || found.file < 0 || files[found.file].isDirectory) return;
  readWords(text.subarray(0, files[found.file].read(0n, text)));
}

function readWords(line: Uint8Array): void {
  let at = 0;
  while (at < line.length) {
    const from = at;
    while (at < line.length && line[at] !== SPACE && line[at] !== NEWLINE) at++;
    readWord(line.subarray(from, at));
    at++;
  }
}

function readWord(word: Uint8Array): void {
  const quantum = numberAfter(word, 'quantum=');
  if (quantum >= SHORTEST_QUANTUM && quantum <= LONGEST_QUANTUM) scheduler.quantum = quantum;
  const limit = numberAfter(word, 'fuel=');
  if (limit > 0n) fuel.limit = limit;
  const failing = numberAfter(word, 'fail-frame=');
  if (failing > 0n) frames.failing = failing;
}

/** The number behind `key`; 0 where the word is another, or no number. */
function numberAfter(word: Uint8Array, key: string): u64 {
  const digits = word.length - key.length;
  if (digits < 1 || digits > MOST_DIGITS) return 0n;
  for (let at = 0; at < key.length; at++) {
    if (word[at] !== key.charCodeAt(at)) return 0n;
  }
  let value: u64 = 0n;
  for (let at = key.length; at < word.length; at++) {
    if (word[at] < 48 || word[at] > 57) return 0n;
    value = value * 10n + u64(word[at] - 48);
  }
  return value;
}
