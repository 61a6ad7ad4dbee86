/**
 * A finding on disk: one directory with all that is needed to understand it and to see it again.
 *
 *     program.ts     the smallest program found         program.elf   the same, compiled
 *     keel.elf       the kernel that it ran on           trace.mpk     the run, every instruction of it
 *     finding.json   invariant, seed, index, message     report.md     the same for people
 *     victim.ts      what ran beside it
 *
 * The machine runs programs without debug information; the trace has them with it, as its symbols.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readElf } from '../../compiler/image/read-elf.ts';
import { Bug } from '../../machine/index.ts';
import { record, writeWhole } from '../../replay/index.ts';
import { INVARIANTS } from '../invariants/all.ts';
import { hex } from '../invariants/invariant.ts';
import { HarnessHost } from '../testbed.ts';
import type { Finding } from './campaign.ts';
import { wordsOf } from './circumstances.ts';
import {
  ATTACKER_PATH, COMMAND_LINE, compileForDebuggers, MEMORY_BYTES, programArchive, RUN_LIMIT, victimArchive, victimText, withInput,
} from './runner.ts'; // biome-ignore format: one list
import { VICTIM_PATH } from './victim.ts';

/** The trace must also hold the boot. */
const BOOT_LIMIT = 2_000_000_000n;

export interface FindingContext {
  readonly kernel: Uint8Array;
  readonly seed: string;
  /** What was done to keel, where a saboteur was at work. */
  readonly saboteur?: string;
}

/** With those above it. The engine's own way (`recursive`) tries for ever where a file system has no new entries, as /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** Writes the directory `OUT/INV-nn-INDEX` (whole or not at all) and returns its path. What stood there before is replaced. */
export async function saveFinding(finding: Finding, context: FindingContext, out: string): Promise<string> {
  const { invariant, index, circumstances, failure, source, image } = finding;
  const path = join(out, `${invariant}-${index}`);
  const temporary = `${path}.${process.pid}.partial`;
  rmSync(temporary, { recursive: true, force: true });
  makeFolder(resolve(temporary));
  try {
    const host = new HarnessHost();
    host.begin(programArchive(image, circumstances));
    const victim = victimText(context.seed);
    const { trace } = await record({
      machine: { memoryBytes: MEMORY_BYTES, seed: context.seed, harness: true },
      image: { name: 'keel.elf', bytes: context.kernel },
      initrd: { name: 'victim.cpio', bytes: victimArchive(context.seed) },
      append: COMMAND_LINE,
      symbols: [
        { name: basename(ATTACKER_PATH), bytes: withInput(compileForDebuggers('program.ts', source), circumstances.input) },
        { name: basename(VICTIM_PATH), bytes: compileForDebuggers('victim.ts', victim) },
      ],
      host,
      limit: BOOT_LIMIT + RUN_LIMIT,
    });
    if (trace === null) throw new Bug('a recording to memory gives no trace');
    const { at, rip, cpl, message } = failure;
    const facts = {
      invariant,
      message,
      at: Number(at),
      rip: hex(rip),
      cpl,
      seed: context.seed,
      index,
      circumstances: wordsOf(circumstances),
      saboteur: context.saboteur ?? null,
    };
    const files = {
      'trace.mpk': trace,
      'program.ts': source,
      'victim.ts': victim,
      'program.elf': image,
      'keel.elf': context.kernel,
      'finding.json': `${JSON.stringify(facts, null, 2)}\n`,
      'report.md': report(finding, context),
    };
    for (const [name, bytes] of Object.entries(files)) writeWhole(join(temporary, name), bytes);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
  rmSync(path, { recursive: true, force: true });
  renameSync(temporary, path);
  return path;
}

/** Where an address lies in the kernel, for people. */
function place(kernel: Uint8Array, rip: bigint): string {
  const image = readElf(kernel, 'keel.elf');
  const at = image.symbolAt(rip);
  const line = image.lineAt(rip);
  if (!at) return hex(rip);
  return `${hex(rip)} = ${at.symbol.name}+${hex(at.offset)}${line ? ` (${line.file}:${line.line})` : ''}`;
}

function report(
  { invariant, index, programs, circumstances, failure, acts, source, history }: Finding,
  { kernel, seed, saboteur }: FindingContext,
): string {
  const words = wordsOf(circumstances);
  const { title, because } = INVARIANTS.find(({ id }) => id === invariant) ?? { title: '', because: '' };
  return `# ${invariant}: ${title}

It did not hold: **${failure.message}**.

| | |
|---|---|
| why it matters | ${because} |
| seen at | instruction ${failure.at}, CPL ${failure.cpl}, RIP ${place(kernel, failure.rip)} |
| first program | number ${index} of seed \`${seed}\`; ${programs} program${programs === 1 ? '' : 's'} of the campaign showed it |
| circumstances | ${words === '' ? 'the usual ones' : `\`${words}\` (what the program picks operands from; a turn of the scheduler in ticks; the frame that the kernel does not get)`} |
| kernel | keel${saboteur ? ` with the saboteur \`${saboteur}\`` : ''} (\`keel.elf\`) |

What the shortened program does: ${acts.map(({ tries }) => tries).join('; then ')}.

## What happened before

| instruction | process | |
|---|---|---|
${history.map(({ at, pid, what }) => `| ${at} | ${pid} | ${what} |\n`).join('')}
Process 1 is the victim, process 2 the attacker; 18, 34 … descend from it, 17, 33 … from the victim.

## See it again

    palindrome replay trace.mpk                                  # the same run, compared instruction by instruction
    palindrome inspect trace.mpk --at ${failure.at}              # the machine at that moment
    palindrome fuzz --reproduce program.ts --seed ${seed}${saboteur ? ` --saboteur ${saboteur}` : ''}${words === '' ? '' : ` --circumstances '${words}'`}     # judged again, on keel as it is built now

## The program

\`\`\`ts
${source}\`\`\`
`;
}
