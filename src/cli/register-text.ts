/** Registers as people read them. */
import type { Registers } from '../machine/index.ts';

const NAMES = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'];

export function registerText({ gpr, rip, rflags, cpl, cr0, cr2, cr3, cr4, segments }: Registers): string {
  const hex = (value: bigint) => value.toString(16).padStart(16, '0');
  const cells = [
    ...gpr.map((value, index) => [NAMES[index] ?? '', value] as const),
    ['RIP', rip],
    ['FLG', rflags],
    ['CR0', cr0],
    ['CR2', cr2],
    ['CR3', cr3],
    ['CR4', cr4],
    ['FSB', segments.fs.base],
    ['GSB', segments.gs.base],
  ] as const;
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i += 4)
    rows.push(
      cells
        .slice(i, i + 4)
        .map(([name, value]) => `${name.padEnd(3)} ${hex(value)}`)
        .join('  '),
    );
  return `CPL ${cpl}\n${rows.join('\n')}\n`;
}
