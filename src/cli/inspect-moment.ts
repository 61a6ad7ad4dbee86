/** `inspect --at`, `inspect --instructions`: a moment of a run as the machine has it when it is played up to there. */
import { inspectInstructions, inspectRegisters, instructionText, type Trace } from '../replay/index.ts';
import type { InspectOptions } from './inspect-options.ts';
import { registerText } from './register-text.ts';
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
