/**
 * The testbed: keel booted once on the machine up to the harness's `ready`, then programs run from that snapshot, each costing what it dirties.
 *
 *     const testbed = await Testbed.create({ kernel, memoryBytes: 64 << 20, seed: 'seed' });
 *     const outcome = testbed.run(packPrograms(files, [['/bin/hello']]), { limit: 100_000_000n });
 *     outcome.reason, outcome.status, outcome.output
 *
 * *Run*: from the snapshot until all programs have ended, the kernel panicked, or the limit of instructions was reached. The seed of a
 * testbed, the archive and the limit decide a run alone: it does not matter which runs went before.
 */
import {
  type Host, Machine, type MachineConfig, type Observer, type SharedCode, type Snapshot, type SnapshotParts, type Stop, stopText, UserError,
} from '../machine/index.ts'; // biome-ignore format: one list

export interface TestbedOptions {
  /** keel's ELF64 image (or any kernel that speaks the harness protocol). */
  readonly kernel: Uint8Array;
  readonly memoryBytes: number;
  readonly seed: string;
  /** Unpacked at boot, before the snapshot: files that every run finds. */
  readonly initrd?: Uint8Array;
  /** The kernel's command line. */
  readonly append?: string;
  readonly watch?: MachineConfig['watch'];
  readonly tier?: MachineConfig['tier'];
  /** How many instructions the kernel may take to boot. */
  readonly bootLimit?: bigint;
  /** What a testbed of another thread with the same options gave: this one neither boots nor compiles what that one has. */
  readonly ready?: ReadyTestbed;
}

/** A testbed as it stands before every run, to be sent to other threads (a structured clone). */
export interface ReadyTestbed {
  readonly code: SharedCode;
  readonly snapshot: SnapshotParts;
}

/** `exit` and `signal` speak of the first program; `status` is its exit code, or the signal's number. After a panic: the kernel's code. */
export type Reason = 'exit' | 'signal' | 'limit' | 'panic';

export interface Outcome {
  readonly reason: Reason;
  readonly status: number;
  /** What the console showed during the run, read as UTF-8. */
  readonly output: string;
  /** Retired instructions of the run (boot not included). */
  readonly instructions: bigint;
  readonly hash: string;
}

const BOOT_LIMIT = 2_000_000_000n;

export class Testbed {
  readonly machine: Machine;
  readonly #host: HarnessHost;
  readonly #ready: Snapshot;

  private constructor(machine: Machine, host: HarnessHost) {
    this.machine = machine;
    this.#host = host;
    this.#ready = machine.snapshot();
  }

  /** Boots the kernel up to `ready`. Throws UserError where it does not get there: the message ends with what the console showed last. */
  static async create(options: TestbedOptions): Promise<Testbed> {
    const { kernel, memoryBytes, seed, initrd, append, watch, tier, bootLimit = BOOT_LIMIT, ready } = options;
    const host = new HarnessHost();
    const machine = await Machine.create(
      { memoryBytes, seed, harness: true, ...(watch && { watch }), ...(tier !== undefined && { tier }) },
      host,
      ready?.code,
    );
    if (ready !== undefined) {
      machine.restoreFrom(ready.snapshot);
      return new Testbed(machine, host);
    }
    machine.load({ image: kernel, ...(initrd && { initrd }), ...(append !== undefined && { append }) });
    const stop = machine.run(bootLimit);
    if (stop.reason !== 'ready') {
      const console = host.bootText.trimEnd().split('\n').slice(-5).join(' | ');
      throw new UserError(
        `the kernel does not get ready: it ended with ${stopText(stop)} after ${machine.count} instructions; console: ${console || 'nothing'}`,
      );
    }
    return new Testbed(machine, host);
  }

  /** For testbeds of other threads. */
  share(): ReadyTestbed {
    return { code: this.machine.shareCode(), snapshot: { state: this.#ready.state, ...this.#ready.pages(null) } };
  }

  /** Console output of the boot, if this testbed has booted. */
  get bootOutput(): string {
    return this.#host.bootText;
  }

  /**
   * Runs the archive's programs from the snapshot. `limit`: instructions of this run. `observer` is attached for its length. `ready` is called where the
   * machine stands at the snapshot.
   */
  run(archive: Uint8Array, options: { limit: bigint; observer?: Observer; ready?: () => void }): Outcome {
    const { machine } = this;
    machine.restore(this.#ready);
    this.#host.begin(archive);
    options.ready?.();
    machine.observer = options.observer ?? null;
    try {
      const start = machine.count;
      const stop = machine.run(start + options.limit);
      return { ...verdict(stop), output: this.#host.text, instructions: machine.count - start, hash: machine.hash() };
    } finally {
      machine.observer = null;
    }
  }
}

/** What a stop says of the first program. */
export function verdict(stop: Stop): { reason: Reason; status: number } {
  switch (stop.reason) {
    case 'finished':
      return (stop.status & 0x7f) === 0
        ? { reason: 'exit', status: (stop.status >> 8) & 0xff }
        : { reason: 'signal', status: stop.status & 0x7f };
    case 'panic':
      return { reason: 'panic', status: stop.status };
    case 'limit':
    case 'observer':
      return { reason: 'limit', status: 0 };
    case 'debug-exit':
      return { reason: 'panic', status: stop.code };
    case 'halt':
    case 'triple-fault':
    case 'stuck':
    case 'init':
    case 'unsupported':
    case 'ready':
    case 'fetch-empty':
      return { reason: 'panic', status: -1 };
  }
}

/** A host that hands out one archive a run and keeps the console: what it showed before the archive was fetched, and after. */
export class HarnessHost implements Host {
  readonly #boot = new ConsoleBytes();
  readonly #run = new ConsoleBytes();
  #archive: Uint8Array | null = null;
  #isRunning = false;

  /** The next run: its archive, its console. */
  begin(archive: Uint8Array): void {
    this.#archive = archive;
    this.#run.clear();
    this.#isRunning = false;
  }

  serialInput(): null {
    return null;
  }

  program(): Uint8Array | null {
    const archive = this.#archive;
    this.#archive = null;
    this.#isRunning = true;
    return archive;
  }

  serialOutput(byte: number): void {
    (this.#isRunning ? this.#run : this.#boot).push(byte);
  }

  get bootText(): string {
    return this.#boot.text;
  }

  /** What the console showed since the archive was fetched. */
  get bytes(): Uint8Array {
    return this.#run.bytes.slice();
  }

  /** The same, read as UTF-8. */
  get text(): string {
    return this.#run.text;
  }
}

/** Bytes one after the other. */
class ConsoleBytes {
  #buffer = Buffer.alloc(1024);
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  push(byte: number): void {
    if (this.#length === this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer], 2 * this.#length);
    this.#buffer[this.#length++] = byte;
  }

  /** A view, until the next byte. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  get text(): string {
    return this.#buffer.toString('utf8', 0, this.#length);
  }
}
