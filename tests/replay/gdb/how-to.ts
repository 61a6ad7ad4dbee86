/** The how-to page that shows a session: its code blocks are what gdb says today, from one command to another. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(import.meta.dirname, '../../../docs/how-to/find-a-bug-backwards.md');
const SESSION = join(import.meta.dirname, 'sessions/find-a-bug-backwards.gdb');

/** The page as it is, and as it should be. */
export function howToPage(): { readonly is: string; readonly should: string } {
  const is = readFileSync(PAGE, 'utf8');
  const answers = readFileSync(SESSION, 'utf8')
    .split(/^# -+\n/m)[1]
    ?.split(/^(?=\(gdb\) )/m);
  let next = 0;
  const should = is.replace(/^```\n(\(gdb\) .*?)^```$/gms, (_, block: string) => {
    const count = block.split(/^(?=\(gdb\) )/m).length;
    const first = answers?.findIndex((answer, index) => index >= next && firstLine(answer) === firstLine(block)) ?? -1;
    if (first < 0) throw new Error(`${PAGE}: the session has no "${firstLine(block)}" from command ${next} on`);
    next = first + count;
    return `\`\`\`\n${answers?.slice(first, next).join('').trimEnd()}\n\`\`\``;
  });
  return { is, should };
}

export function blessHowToPage(): void {
  writeFileSync(PAGE, howToPage().should);
}

function firstLine(text: string): string {
  return text.slice(0, text.indexOf('\n'));
}
