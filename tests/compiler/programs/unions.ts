/** Unions of literals as constants. */
import { print, printLine, printNumber } from 'palindrome/program';

type Kind = 'file' | 'pipe' | 'device';
type Level = 0 | 1 | 2 | 3;

function label(kind: Kind): string {
  if (kind === 'file') return 'F';
  return kind === 'pipe' ? 'P' : 'D';
}
function next(level: Level): Level {
  return level === 3 ? 0 : level === 0 ? 1 : level === 1 ? 2 : 3;
}

class Entry {
  kind: Kind = 'file';
  level: Level = 0;
}

const entries = array(3, () => new Entry());
entries[1].kind = 'pipe';
entries[2].kind = 'device';
entries[2].level = 3;
for (const e of entries) {
  print(label(e.kind));
  e.level = next(e.level);
  printNumber(e.level);
}
printLine('');
