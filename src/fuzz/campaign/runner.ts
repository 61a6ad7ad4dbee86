/**
 * Runs hostile programs one after the other on one testbed, each judged: source → ELF → keel beside the victim → verdict. What a run gives is a
 * function of the kernel, the seed and the program alone.
 */

import { packPrograms } from '../../compiler/image/cpio.ts';
import { compile, formatDiagnostic } from '../../compiler/index.ts';
import { Bug, type Observer, type Tier, UserError } from '../../machine/index.ts';
import { USUAL_INPUT } from '../grammar/act.ts';
import { INVARIANTS } from '../invariants/all.ts';
import { type Failure, Judge, mergeObservers } from '../invariants/judge.ts';
import { keelView } from '../invariants/keel-view.ts';
import type { KernelView } from '../invariants/kernel-view.ts';
import { SecretSet } from '../invariants/secret-set.ts';
import { type Outcome, type ReadyTestbed, Testbed } from '../testbed.ts';
import { type AskedFrames, type Circumstances, kernelWordsOf, USUAL } from './circumstances.ts';
import { type CoverageWatcher, watchCoverage } from './coverage.ts';
import { type PastEvent, watchHistory } from './history.ts';
import { secretsOf, VICTIM_PATH, victimSource } from './victim.ts';

export interface RunnerOptions {
  /** keel's ELF64, as built: its symbols and layouts are what the judges read. */
  readonly kernel: Uint8Array;
  /** Feeds the machine's random numbers and the victim's secrets. */
  readonly seed: string;
  /** How the machine executes. Default: 0, since each program brings new code for some ten thousand instructions, which earns no region. */
  readonly tier?: Tier | undefined;
  /** Of the testbed of a runner in another thread with the same kernel and seed: this one is made without booting. */
  readonly ready?: ReadyTestbed;
}

/** Memory of the machine that programs are judged on: little, so that it is soon exhausted. */
export const MEMORY_BYTES = 16 << 20;
/**
 * The kernel's command line: short turns, so that programs are interrupted often; and a bound in virtual time, after which it ends all processes, so that
 * a run comes to its end by itself.
 */
export const COMMAND_LINE = 'quantum=4000 fuel=1500000';
/** Instructions that a run may take: it ends long before, if the kernel keeps to its bound. */
export const RUN_LIMIT = 20_000_000n;
/** Where the hostile program lies in the archive. */
export const ATTACKER_PATH = '/bin/attacker';

/** Where keel looks for the options of a run. */
const OPTIONS_PATH = '/etc/options';

export interface JudgedRun {
  readonly outcome: Outcome;
  readonly failures: readonly Failure[];
  /** How often each invariant was judged, by id. */
  readonly judged: ReadonlyMap<string, number>;
  /** Frames of memory that the kernel was asked for since it had read the run's options. */
  readonly frames: AskedFrames;
  /** What the run reached, until the next run: results of system calls and exceptions, as numbers for `describeReached` (coverage.ts). */
  readonly coverage: ReadonlySet<number>;
}

export class Runner {
  readonly testbed: Testbed;
  readonly #kernel: KernelView;
  readonly #judge: Judge;
  readonly #coverage: CoverageWatcher;
  readonly #observer: Observer;
  /** Frames asked for when user mode was first entered in the run: its programs have been started. */
  #startFrames = 0;

  private constructor(testbed: Testbed, kernel: KernelView, secrets: readonly bigint[]) {
    this.testbed = testbed;
    this.#kernel = kernel;
    this.#judge = new Judge(testbed.machine, kernel, INVARIANTS, new SecretSet(secrets));
    this.#coverage = watchCoverage(testbed.machine, kernel.currentPid);
    const start: Observer = {
      enterUser: () => {
        if (this.#startFrames === 0) this.#startFrames = kernel.askedFrames();
      },
    };
    this.#observer = mergeObservers([...this.#judge.observers, this.#coverage.observer, start]);
  }

  static async create({ kernel, seed, tier = 0, ready }: RunnerOptions): Promise<Runner> {
    const testbed = await Testbed.create({
      kernel,
      memoryBytes: MEMORY_BYTES,
      seed,
      ...(ready === undefined ? { initrd: victimArchive(seed), append: COMMAND_LINE } : { ready }),
      watch: { supervisorUserAccess: true },
      tier,
    });
    return new Runner(testbed, keelView(testbed.machine, kernel), secretsOf(victimSeed(seed)));
  }

  /** The last events of a program's run up to an instruction: of its failure. */
  history(program: Uint8Array, until: bigint, circumstances = USUAL): readonly PastEvent[] {
    const history = watchHistory(this.testbed.machine, this.#kernel.currentPid);
    this.testbed.run(programArchive(program, circumstances), { limit: RUN_LIMIT, observer: history.observer });
    return history.events(until);
  }

  /** Runs a compiled program. */
  run(program: Uint8Array, circumstances = USUAL): JudgedRun {
    const ready = () => {
      this.#startFrames = 0;
      this.#judge.begin();
      this.#coverage.begin();
    };
    const outcome = this.testbed.run(programArchive(program, circumstances), { limit: RUN_LIMIT, observer: this.#observer, ready });
    return {
      outcome,
      frames: { start: this.#startFrames, all: this.#kernel.askedFrames() },
      coverage: this.#coverage.reached,
      ...this.#judge.end(outcome),
    };
  }
}

/** What is there before every run: the victim, started. It is first, so that the run's status is its own. */
export const victimArchive = (seed: string): Uint8Array =>
  packPrograms([{ path: VICTIM_PATH, bytes: compileHostile(victimText(seed)) }], [[VICTIM_PATH]]);

/** The victim's source. */
export const victimText = (seed: string): string => victimSource(victimSeed(seed));

/** What the harness hands out for a run: the program with its input, started beside the victim. */
export function programArchive(program: Uint8Array, circumstances: Circumstances): Uint8Array {
  const words = kernelWordsOf(circumstances);
  const options = words === '' ? [] : [{ path: OPTIONS_PATH, bytes: new TextEncoder().encode(words) }];
  return packPrograms([{ path: ATTACKER_PATH, bytes: withInput(program, circumstances.input) }, ...options], [[ATTACKER_PATH]]);
}

const USUAL_INPUT_BYTES = new Uint8Array(BigUint64Array.of(USUAL_INPUT).buffer);

const inputAt = (program: Uint8Array): number => Buffer.from(program.buffer, program.byteOffset, program.length).indexOf(USUAL_INPUT_BYTES);

/** Whether a program looks at its input: to one that does not, all are the same. */
export const takesInput = (program: Uint8Array): boolean => inputAt(program) >= 0;

/** A copy of the program in which another input stands for the usual one. */
export function withInput(program: Uint8Array, input: bigint | null): Uint8Array {
  if (input === null) return program;
  const at = inputAt(program);
  if (at < 0) return program;
  const changed = program.slice();
  new DataView(changed.buffer).setBigUint64(at, input, true);
  return changed;
}

/** Compiles a program of the grammar: inline assembly and raw memory are allowed, as an attacker has them. A program that does not compile is our bug. */
export function compileHostile(source: string): Uint8Array {
  const { image, diagnostics } = compileProgram(source);
  if (image === null) throw new Bug(`a generated program does not compile:\n${diagnostics}\n${source}`);
  return image;
}

/** As {@link compileHostile}, with what debuggers know (DWARF): all that is loaded is the same. `path`: the source file's name in it. */
export function compileForDebuggers(path: string, source: string): Uint8Array {
  const { image, diagnostics } = compileProgram(source, { path, debug: true });
  if (image === null) throw new Bug(`${path} does not compile again:\n${diagnostics}`);
  return image;
}

/** As {@link compileHostile}, for a program that people wrote: UserError where it does not compile. */
export function compileCase(path: string, source: string): Uint8Array {
  const { image, diagnostics } = compileProgram(source);
  if (image === null) throw new UserError(`${path} does not compile: ${diagnostics}`);
  return image;
}

function compileProgram(
  source: string,
  { path, debug } = { path: 'program.ts', debug: false },
): { image: Uint8Array | null; diagnostics: string } {
  const { image, diagnostics } = compile({ entry: path, trusted: () => true, debug, optimise: 0 }, new Map([[path, source]]));
  return { image, diagnostics: diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n') };
}

/** FNV-1a of the seed's UTF-8 bytes. */
function victimSeed(seed: string): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of new TextEncoder().encode(seed)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n);
  return hash;
}
