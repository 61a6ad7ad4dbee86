/** Draws cases by seed, runs them on every judged evaluator, and tells the differences from the silicon in words that reproduce them. */
import { ReferenceEvaluator, type Undefined } from '../../../src/machine/cpu/reference.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import { explain } from '../../../src/machine/isa/explain.ts';
import type { Mode } from '../../../src/machine/isa/operands.ts';
import { type Case, compareOutcomes, ENTRY, entryOf, type Judged, type Mask, type Outcome } from './cases.ts';
import { FlatCpu, runReference } from './flat-cpu.ts';
import { Generator, triedIn } from './generate.ts';
import { Sequences } from './sequence.ts';
import { Silicon } from './silicon.ts';

export interface Difference {
  readonly judged: string;
  readonly what: string;
  readonly text: string;
}

export interface Verdict {
  /** Instructions executed: singles, and those of sequences. */
  readonly instructions: number;
  readonly differences: readonly Difference[];
}

interface Batch {
  readonly cases: Case[];
  readonly outcomes: Outcome[];
  readonly masks: Mask[];
  instructions: number;
}

/** Which cases: single instructions, sequences, or both in turn. */
export type Kind = 'single' | 'sequence';

export class Judge {
  private readonly silicon = new Silicon();
  private readonly others: readonly Judged[];
  private readonly evaluator = new ReferenceEvaluator();
  private readonly cpu = new FlatCpu();

  /** `others`: evaluators to be judged beside the reference. */
  constructor(others: readonly Judged[] = []) {
    this.others = others;
  }

  /** About `instructions` of one kind, as `seed` says. */
  run(seed: string, kind: Kind, mode: Mode, instructions: number): Verdict {
    const batch: Batch = { cases: [], outcomes: [], masks: [], instructions: 0 };
    const g = new Generator(seed);
    if (kind === 'single') this.singles(g, mode, instructions, batch);
    else if (mode !== 16) this.sequences(g, mode, instructions, batch);
    else throw new Error('there are no sequences in 16-bit mode');
    const found = this.silicon.run(batch.cases);
    const differences = this.compare('reference', batch, found, batch.outcomes);
    for (const other of this.others)
      if ((other.modes ?? [32, 64]).includes(mode)) differences.push(...this.compare(other.name, batch, found, other.run(batch.cases)));
    return {
      instructions: batch.instructions,
      differences: differences.map((d) => ({ ...d, text: `seed ${seed} ${kind} ${mode}: ${d.text}` })),
    };
  }

  private singles(g: Generator, mode: Mode, count: number, batch: Batch): void {
    const list = triedIn(mode);
    // Every encoding in turn, so that none is left out.
    for (let i = 0; batch.cases.length < count; i++) {
      const c = g.single(list[i % list.length] ?? g.pick(list), mode);
      if (c === null) continue;
      const unsure: Undefined = { flags: 0, defined: 0, value: false };
      const outcome = runReference(this.evaluator, this.cpu, c, unsure);
      if (landsInStub(c, outcome)) continue;
      batch.outcomes.push(outcome);
      batch.cases.push(c);
      batch.masks.push({ flags: ~BigInt(unsure.flags), skip: unsure.value });
      batch.instructions++;
    }
  }

  private sequences(g: Generator, mode: 32 | 64, count: number, batch: Batch): void {
    const sequences = new Sequences(g, this.evaluator);
    while (batch.instructions < count) {
      const s = sequences.make(mode);
      batch.cases.push(s.case);
      batch.outcomes.push(s.outcome);
      batch.masks.push({ flags: ~BigInt(s.undefinedFlags), skip: false });
      batch.instructions += s.instructions;
    }
  }

  private compare(judged: string, batch: Batch, silicon: readonly Outcome[], outcomes: readonly Outcome[]): Difference[] {
    const differences: Difference[] = [];
    for (const [i, c] of batch.cases.entries()) {
      const a = silicon[i];
      const b = outcomes[i];
      const mask = batch.masks[i];
      if (a === undefined || b === undefined || mask === undefined) throw new Error(`${judged} gave no outcome for case ${i}`);
      const what = compareOutcomes(a, b, mask, c.mode);
      if (what !== null) differences.push({ judged, what, text: `case ${i}, silicon against ${judged}: ${what}\n${describe(c)}` });
    }
    return differences;
  }
}

const hex = (v: bigint | undefined) => (v ?? 0n).toString(16);

/** The code and the state in which it starts. */
export function describe(c: Case): string {
  const lines = [
    `  rflags ${hex(c.rflags)} mxcsr ${c.mxcsr.toString(16)} memory ${c.memorySeed ?? '-'}`,
    `  gpr ${c.gpr.map(hex).join(' ')}`,
  ];
  if (c.xmm !== null) lines.push(`  xmm ${c.xmm.map(hex).join(' ')}`);
  if (c.pokes.length > 0) lines.push(`  pokes ${c.pokes.map((p) => `${p.offset}=${hex(p.value)}`).join(' ')}`);
  for (let at = 0; at < c.code.length; ) {
    const d = decode(c.code, at, c.mode, c.code.length - at);
    const length = typeof d === 'string' ? 1 : d.length;
    const bytes = [...c.code.slice(at, at + length)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    if (bytes !== 'cc')
      lines.push(`  ${hex(ENTRY + BigInt(at))}  ${bytes.padEnd(44)} ${typeof d === 'string' ? d : explain(d, ENTRY + BigInt(at))}`);
    at += length;
  }
  return lines.join('\n');
}

/** Bytes that the harness puts behind a case, by which it leaves it. */
const STUB_BYTES = 8n;

/** Whether a branch of a 16-bit case leads into the harness's own way out behind it: in 64 KiB it happens, and is nobody's result. */
function landsInStub({ mode, code }: Case, { rip }: Outcome): boolean {
  const end = entryOf(mode) + BigInt(code.length);
  return mode === 16 && rip > end && rip < end + STUB_BYTES;
}
