/**
 * Runs guest code: tier 0, the generated interpreter (translator/tier0.ts) over decoded entries (code-cache.ts), and from it, where code is
 * run often, tier 1: compiled regions (regions.ts).
 *
 *     const interpreter = new Interpreter({ memory, layout, state, ports, log, library });
 *     state.rip = …;
 *     interpreter.run(1000)       // 'budget' after exactly 1000 retired instructions, or earlier:
 *                                 // 'fault' (pending in the state: deliver it), 'stop' (a helper asked), 'path-full' (drain the path)
 *
 * `run` is exact: RIP, flags, registers, memory and `state.count` are those of an instruction boundary, and an instruction that faults
 * has changed nothing. Interrupts, traps after single steps and their like are the caller's business, between calls.
 */
import { bug } from '../isa/bug.ts';
import { STATUS } from '../translator/entry.ts';
import type { FormLibrary } from '../translator/form-library.ts';
import { SERVICE_LINEAR } from '../translator/services.ts';
import { EXIT } from '../translator/tier0.ts';
import { ADDRESS_SLICE, AddressLog, type PackedAddresses } from './address-log.ts';
import { CodeCache } from './code-cache.ts';
import { updateMode } from './mode.ts';
import { FAULTED, HELPER, type Ports } from './ports.ts';
import { passesUntilHot, Regions, type Tier } from './regions.ts';
import { linearAddress } from './segment-access.ts';
import { floatService, integerService } from './services.ts';
import {
  type CpuState, HOT_HEAD, type MemoryLayout, PASS_BREAKPOINT, PATH_BIT_COUNT, PATH_BITS, PATH_BLOCK, PATH_TARGET_COUNT, PATH_TARGETS, RUN_END, SLICE,
} from './state.ts'; // biome-ignore format: one list
import type { FoldedTargets, TraceLog } from './trace-log.ts';

export type StopReason = 'budget' | 'fault' | 'stop' | 'path-full';

export interface InterpreterOptions {
  readonly memory: WebAssembly.Memory;
  readonly layout: MemoryLayout;
  readonly state: CpuState;
  readonly ports: Ports;
  /** Events, and the targets of the path, as generated code writes them down. */
  readonly log: TraceLog;
  /** Compiled forms, to be shared by the machines of a process; it says what is recorded. */
  readonly library: FormLibrary;
  /** Default: 0. */
  readonly tier?: Tier;
}

/** As SLICE while regions wait to be compiled. */
const SLICE_WAITING = 1 << 16;
/** Less room than this for the path is not worth a run of its own. */
const LEAST_ROOM = 8192;

/** A piece of the path: views, which the next run changes. */
export interface DrainedPath extends FoldedTargets {
  /** Bit i is bit i & 7 of byte i >> 3; the bits after the last are 0. */
  readonly bits: Uint8Array;
  readonly bitCount: number;
  /** Null: they are not recorded. */
  readonly addresses: PackedAddresses | null;
}

export class Interpreter {
  readonly codeCache: CodeCache;
  readonly #log: TraceLog;
  /** Addresses of memory operands; null: they are not recorded. */
  readonly addresses: AddressLog | null;
  readonly #state: CpuState;
  readonly #ports: Ports;
  readonly #library: FormLibrary;
  readonly #layout: MemoryLayout;
  readonly #memory: WebAssembly.Memory;
  readonly #table: WebAssembly.Table;
  /** A breakpoint stands at RIP, where it may have been told before. True: the run ends before its instruction. */
  atBreakpoint: () => boolean = () => bug('nobody asked for a breakpoint');
  readonly #imports: Record<string, Record<string, unknown>>;
  readonly #body: (base: number) => number;
  readonly #regions: Regions;
  #linked = 0;
  /** Of the library, when the modules were linked. */
  #generation = 0;

  constructor({ memory, layout, state, ports, log, library, tier = 0 }: InterpreterOptions) {
    this.#state = state;
    this.#ports = ports;
    this.#library = library;
    this.#layout = layout;
    this.#memory = memory;
    this.#generation = library.generation;
    this.codeCache = new CodeCache(memory, layout, state, ports, library, passesUntilHot(tier));
    this.#log = log;
    this.addresses = library.addresses === null ? null : new AddressLog(memory, layout.addressBase, state, library.addresses);
    this.#regions = new Regions(this.codeCache, state, library, tier);
    this.#table = new WebAssembly.Table({ element: 'anyfunc', initial: 64 });
    this.#imports = {
      env: {
        memory,
        table: this.#table,
        regions: this.#regions.table,
        refill: ports.refill,
        stored: ports.stored,
        load: ports.load,
        store: ports.store,
        probe: ports.probe,
        faulted: ports.faulted,
        segment: (segment: number, access: number) => this.#segment(segment, access),
        float: (operation: number, mxcsr: number) => floatService(state, operation, mxcsr),
        integer: (operation: number, width: number) => integerService(state, operation, width),
        ...this.#log.exports,
        ...this.#systemCode(),
        ...this.addresses?.exports,
      },
    };
    this.#regions.imports = this.#imports;
    this.#body = new WebAssembly.Instance(library.body, this.#imports).exports['run'] as (base: number) => number;
    state.set32(PATH_BITS, layout.pathBitsBase);
    state.set32(PATH_TARGETS, layout.pathTargetsBase);
  }

  /** Runs at most `budget` instructions. */
  run(budget: number): StopReason {
    const state = this.#state;
    updateMode(state);
    if (this.codeCache.isOutdated) this.codeCache.flush();
    state.setNumber64(RUN_END, state.retired + budget);
    let isPassing = false;
    for (;;) {
      const count = state.retired;
      const left = state.number64(RUN_END) - count;
      if (left <= 0) return this.#end('budget');
      const slice = Math.min(left, this.#regions.isWaiting ? SLICE_WAITING : SLICE, this.#pathRoom());
      if (slice < LEAST_ROOM && slice < left) return this.#end('path-full');
      // One instruction: one that repeats itself comes back to its breakpoint.
      state.setCount(count, isPassing ? 1 : slice);
      state.set32(PASS_BREAKPOINT, isPassing ? 1 : 0);
      isPassing = false;
      this.codeCache.settle();
      this.#regions.compileIfDue();
      for (;;) {
        const exit = this.#body(state.base);
        if (exit === EXIT.budget) break;
        if (exit === EXIT.fault) return this.#end('fault');
        if (exit === EXIT.miss && this.codeCache.resolve() === 'fault') {
          state.set32(PASS_BREAKPOINT, 0);
          const next = this.#ports.faulted();
          if (next !== FAULTED.goOn) return this.#end(next === FAULTED.look ? 'stop' : 'fault');
          continue;
        }
        if (exit === EXIT.stop) return this.#end('stop');
        if (exit === EXIT.hot) {
          this.#regions.hot(state.get32(HOT_HEAD));
          // The slice ends: it was planned before anything waited.
          break;
        }
        if (exit === EXIT.breakpoint) {
          if (this.atBreakpoint()) return this.#end('stop');
          isPassing = true;
          break;
        }
        if (exit === EXIT.headless) {
          this.codeCache.addHead();
          continue;
        }
        this.#link();
      }
    }
  }

  /** The path since the last call: see translator/path-recorder.ts, and of its targets trace-log.ts. */
  drainPath(): DrainedPath {
    const state = this.#state;
    this.#log.fold(state.base);
    this.addresses?.fold();
    const bitCount = state.get32(PATH_BIT_COUNT);
    const bits = new Uint8Array(this.#memory.buffer, this.#layout.pathBitsBase, (bitCount + 7) >> 3);
    const last = bits.length - 1;
    if ((bitCount & 7) !== 0) bits[last] = (bits[last] ?? 0) & ((1 << (bitCount & 7)) - 1);
    state.set32(PATH_BIT_COUNT, 0);
    return { bits, bitCount, ...this.#log.takeTargets(), addresses: this.addresses?.take() ?? null };
  }

  /** Instructions for which there is room in what is recorded. */
  #pathRoom(): number {
    this.addresses?.fold();
    const most = this.addresses === null ? SLICE : this.addresses.hasRoom ? ADDRESS_SLICE : 0;
    if (!this.#library.hasPath) return most;
    this.#log.fold(this.#state.base);
    return Math.min(most, PATH_BLOCK - Math.max(this.#state.get32(PATH_BIT_COUNT), this.#log.targetCount));
  }

  /** Makes the count stand by itself: nothing is planned any more. */
  #end(reason: StopReason): StopReason {
    this.#state.setCount(this.#state.retired);
    return reason;
  }

  /** Links the modules with functions that this machine lacks. */
  #link(): void {
    const { moduleCount: count, generation } = this.#library;
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#linked = 0;
      // Code of before must not be kept alive.
      for (let i = 0; i < this.#table.length; i++) this.#table.set(i, null);
    }
    if (this.#linked === count) return;
    const missing = this.#library.tableSize - this.#table.length;
    if (missing > 0) this.#table.grow(Math.max(missing, this.#table.length));
    for (const module of this.#library.modulesFrom(this.#linked)) new WebAssembly.Instance(module, this.#imports);
    this.#linked = count;
  }

  #segment(segment: number, access: number): number {
    const linear = linearAddress(this.#state, segment, this.#state.get64(SERVICE_LINEAR), access);
    if (linear === null) return 1;
    this.#state.set64(SERVICE_LINEAR, linear);
    return 0;
  }

  #helper(number: number, entry: number): number {
    const status = this.#ports.helper(number, this.codeCache.decodedAt(entry));
    if (status === HELPER.fault) return STATUS.fault;
    updateMode(this.#state);
    if (status === HELPER.jump) this.#recordJump();
    return status;
  }

  /** A helper has jumped: see the rules in translator/path-recorder.ts. */
  #recordJump(): void {
    const state = this.#state;
    state.clearReturnStack();
    if (!this.#library.hasPath) return;
    const count = state.get32(PATH_TARGET_COUNT);
    new DataView(this.#memory.buffer).setBigUint64(this.#layout.pathTargetsBase + 8 * count, state.rip, true);
    state.set32(PATH_TARGET_COUNT, count + 1);
  }

  /** What stands between the interpreter's code and TypeScript: `helper` and `writeRflags`. */
  #systemCode(): Record<string, unknown> {
    const ports = this.#ports;
    const env = {
      memory: this.#memory,
      base: this.#state.base,
      helper: (number: number, entry: number) => this.#helper(number, entry),
      iret: ports.iret,
      writeCr3: ports.writeCr3,
      attend: () => ports.attend(),
      tell: (what: number) => ports.tell(what),
      ...this.#log.exports,
    };
    return new WebAssembly.Instance(this.#library.system, { env }).exports;
  }
}
