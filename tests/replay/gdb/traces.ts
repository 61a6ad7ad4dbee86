/** The recordings that the sessions debug, each made once and kept in memory. */
import { readFileSync } from 'node:fs';
import { buildKeel, compile, formatDiagnostic, type KeelOptions, packPrograms } from '../../../src/compiler/index.ts';
import { loadSaboteur } from '../../../src/fuzz/index.ts';
import { openTrace, type RecordOptions, record, type Trace } from '../../../src/replay/index.ts';
import { guestRecording, guestText } from '../guest.ts';
import { ODD_SOURCE, oddGuest, spinGuest } from './odd-guest.ts';

export interface Recorded {
  readonly trace: Trace;
  /** What gdb does not find in the checkout, by the names that line tables have for it. */
  readonly sources: Readonly<Record<string, string>>;
}

interface Recipe {
  readonly options: RecordOptions;
  readonly sources?: Recorded['sources'];
}

const GUEST = { rounds: 24, timer: 700 };

const RECORDINGS = {
  /** Timer interrupts, system calls, faults, two address spaces: tests/replay/guest.ts. */
  guest: (): Recipe => ({ options: guestRecording(GUEST), sources: { 'guest.s': guestText(GUEST) } }),
  /** Self-modified code, and page tables that are changed behind the TLB's back: odd-guest.ts. */
  odd: (): Recipe => ({
    options: {
      machine: { memoryBytes: 4 << 20, seed: 'odd', harness: false },
      image: oddGuest(),
      blockInstructions: 64,
      checkpointInstructions: 128,
      limit: 10_000n,
    },
    sources: { 'odd.s': ODD_SOURCE },
  }),
  /** An instruction that jumps to itself, for ever. */
  spin: (): Recipe => ({
    options: { machine: { memoryBytes: 4 << 20, seed: 'spin', harness: false }, image: spinGuest(), limit: 20_000_000n },
  }),
  /** keel with two programs of programs/, both linked at one address. */
  keel: (): Recipe => keelWith(['parent', 'crash'], {}),
  /** keel with two processes that the timer takes turns with. */
  turns: (): Recipe => keelWith(['turns'], {}),
  /** keel with the planted bug that a changed page-table entry is not invalidated (src/fuzz/saboteurs/no-invalidation.json), and who notices. */
  planted: (): Recipe => keelWith(['unmapped'], { edits: loadSaboteur('no-invalidation').edits }),
} as const;

function keelWith(names: readonly string[], options: KeelOptions): Recipe {
  const programs = names.map((name) => ({ path: `/bin/${name}`, bytes: program(name) }));
  const starts = programs.map(({ path }) => [path]);
  return {
    options: {
      machine: { memoryBytes: 16 << 20, seed: 'keel', harness: false },
      image: { name: 'keel.elf', bytes: buildKeel(options).image },
      initrd: { name: 'initrd', bytes: packPrograms(programs, starts) },
      blockInstructions: 65_536,
      checkpointInstructions: 131_072,
      limit: 100_000_000n,
    },
  };
}

export type TraceName = keyof typeof RECORDINGS;

const made = new Map<TraceName, Promise<Recorded>>();

export function isTraceName(name: string): name is TraceName {
  return name in RECORDINGS;
}

export function recordingOf(name: TraceName): Promise<Recorded> {
  const recorded = made.get(name) ?? recordedBy(RECORDINGS[name]());
  made.set(name, recorded);
  return recorded;
}

async function recordedBy({ options, sources = {} }: Recipe): Promise<Recorded> {
  const { trace } = await record(options);
  if (trace === null) throw new Error('the recording went to a file');
  return { trace: await openTrace(trace), sources };
}

/** A program of programs/, compiled. */
function program(name: string): Uint8Array {
  const file = `${name}.ts`;
  const source = readFileSync(new URL(`programs/${file}`, import.meta.url), 'utf8');
  const { image, diagnostics } = compile({ entry: file, optimise: 2, trusted: () => true }, new Map([[file, source]]));
  if (image === null) throw new Error(diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n'));
  return image;
}
