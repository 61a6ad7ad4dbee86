/** /etc/programs: one line a program, path and arguments. All start at once, each in a domain of its own; the first line's status is the run's. */
import { files, Lookup, lookUp, ROOT } from '../fs/tree.ts';
import { putBytes, putNumber, putText } from '../ostd/uart.ts';
import { DOMAINS, domains } from '../security/domain.ts';
import { startProgram } from '../task/start.ts';

const NEWLINE = 10;
/** Wait status of a program that could not be started, as a shell gives it. */
const NOT_STARTED = 127 << 8;
const list = new Uint8Array(4096);

/** Starts every line, in the domains from `first` on. Returns how many were started. */
export function startPrograms(first: i32): i32 {
  const found = new Lookup();
  if (lookUp(bytesOf('/etc/programs'), ROOT, found) !== 0 || found.file < 0) return 0;
  if (files[found.file].size > u64(list.length)) putText('keel: /etc/programs is too long; its end is left out\n');
  const length = files[found.file].read(0n, list);
  let count = 0;
  let at = 0;
  while (at < length) {
    const from = at;
    while (at < length && list[at] !== NEWLINE) at++;
    const line = list.subarray(from, at);
    at++;
    if (line.length === 0) continue;
    const domain = first + count;
    if (domain >= DOMAINS) {
      putText('keel: too many programs; left out: ');
      putBytes(line);
      putText('\n');
      continue;
    }
    const error = startProgram(line, domain);
    domains[domain].status = error === 0 ? 0 : NOT_STARTED;
    if (error !== 0) complain(line, error);
    count++;
  }
  return count;
}

function complain(line: Uint8Array, error: i32): void {
  putText('keel: cannot start ');
  putBytes(line);
  putText(': errno ');
  putNumber(u64(error));
  putText('\n');
}
