/** `npm run generate`: prints docs/generated, and keel's dispatch, from the tables. With `--check` it writes nothing and fails where a file is not what the tables say. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DIAGNOSTICS } from '../src/compiler/diagnostics.ts';
import { INVARIANTS } from '../src/fuzz/invariants/all.ts';
import { dispatchText } from '../src/kernel/abi/dispatch-printer.ts';
import { type Argument, SYSCALLS } from '../src/kernel/abi/syscalls.ts';
import { manualMarkdown } from '../src/machine/isa/manual.ts';
import { traceFormatMarkdown } from '../src/replay/index.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))].map((row) => `| ${row.join(' | ')} |`).join('\n');

const argument = ({ name, kind }: Argument): string => `${name}: ${kind}`;

const files: Record<string, string> = {
  'trace-format.md': traceFormatMarkdown(),
  'syscalls.md': `# System calls of keel\n\nLinux numbers, structures and errors on x86-64; any other number gives ENOSYS.\n\n${table(
    ['number', 'name', 'arguments', 'result', 'errors', 'meaning'],
    SYSCALLS.map((call) => [
      `${call.number}`,
      call.name,
      call.arguments.map(argument).join(', '),
      call.result,
      call.errors.join(' '),
      call.meaning,
    ]),
  )}\n`,
  'diagnostics.md': `# Diagnostics of the compiler\n\n{0}, {1} … stand for what is at hand.\n\n${table(
    ['code', 'message', 'help'],
    Object.entries(DIAGNOSTICS).map(([code, [message, help]]) => [code, message, help]),
  )}\n`,
  'invariants.md': `# Isolation invariants that are judged\n\n${table(
    ['id', 'holds always', 'because'],
    INVARIANTS.map(({ id, title, because }) => [id, title, because]),
  )}\n`,
  'instructions.md': manualMarkdown(),
};

const NOTE = '<!-- Printed by "npm run generate"; edit the table, not this file. -->\n\n';
const targets = new Map(Object.entries(files).map(([name, text]) => [`docs/generated/${name}`, NOTE + text]));
targets.set('src/kernel/syscalls/dispatch.ts', dispatchText());

const isCheck = process.argv.includes('--check');
for (const [path, content] of targets) {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path) && readFileSync(path, 'utf8') === content) continue;
  if (isCheck) {
    process.stdout.write(`${path} is not what the tables say; run "npm run generate"\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, content);
    process.stdout.write(`${path}\n`);
  }
}
