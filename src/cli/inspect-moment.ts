/** `inspect --at`, `inspect --instructions`: a moment of a run as the machine has it when it is played up to there. */
import type { Registers } from '../machine/index.ts';
import { inspectInstructions, inspectRegisters, instructionText, type Trace } from '../replay/index.ts';
import type { InspectOptions } from './inspect-options.ts';
import { plain, print } from './report.ts';

export async function showInstructions(trace: Trace, from: bigint, instructions: number, { tier, json }: InspectOptions): Promise<void> {
  const views = await inspectInstructions(trace, from, instructions, { tier });
  const text = views.map((view) => `${String(view.at).padStart(12)}  ${instructionText(view)}\n`).join('');
  print({ instructions: plain(views) }, json, text);
}

/** How many instructions are shown around a moment, unless told otherwise. */
const AROUND = 16;

export async function showMoment(trace: Trace, at: bigint, options: InspectOptions): Promise<void> {
  const { tier } = options;
  const registers = await inspectRegisters(trace, at, { tier });
  const from = at < AROUND / 2 ? 0n : at - BigInt(AROUND / 2);
  const views = await inspectInstructions(trace, from, options.instructions ?? AROUND, { tier });
  const lines = views.map((view) => `${view.at === at ? '→' : ' '}${String(view.at).padStart(12)}  ${instructionText(view)}\n`);
  print(
    { at: Number(at), registers: plain(registers), instructions: plain(views) },
    options.json,
    `${registerText(registers)}\n${lines.join('')}`,
  );
}

const NAMES = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'];

function registerText({ gpr, rip, rflags, cpl, cr0, cr2, cr3, cr4, segments }: Registers): string {
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
