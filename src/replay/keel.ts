/**
 * keel's process table as it is in memory now (src/kernel/task/process.ts, ostd/task.ts, ostd/virtual-layout.ts): who there is, who runs, and the contexts
 * that were saved of those who do not. The kernel is under attack, after all: whatever is not as keel would have it is null, or left out.
 */
import { type ElfImage, readElf } from '../compiler/image/read-elf.ts';
import { type Machine, UserError } from '../machine/index.ts';
import { MemoryView, type Place } from './memory-view.ts';

/** Where keel's stacks lie: a slot of `stride` bytes each, of which the lower `guardBytes` are not mapped (ostd/virtual-layout.ts). */
export const KEEL_STACKS = { from: 0xffff_c000_0000_0000n, to: 0xffff_c000_0040_0000n, stride: 0x1_0000n, guardBytes: 0x8000n } as const;

/** STATE_… of task/process.ts, by number. */
const STATES = ['free', 'ready', 'blocked', 'sleeping', 'zombie'] as const;

export interface KeelProcess {
  /** Its place in the table: also that of its task and its kernel stack. Slot 0, the idle task, is no process. */
  readonly slot: number;
  readonly pid: number;
  /** The program that it executes, without its path; null: unknown. */
  readonly program: string | null;
  readonly state: (typeof STATES)[number];
  /** Its page tables, as CR3 would name them; null: it has none (any more). */
  readonly root: bigint | null;
}

/** Registers by gdb's names, and what FXSAVE stored, where that belongs to them. */
export interface SavedContext {
  readonly registers: Readonly<Record<string, bigint>>;
  readonly fxsave: Uint8Array | null;
}

export class Keel {
  readonly #machine: Machine;
  readonly #view: MemoryView;
  readonly #kernelRoot: Place;
  readonly #running: Place;
  readonly #slots: readonly SlotPlace[];
  readonly #files: Place;

  /** UserError where the image is not keel's. */
  constructor(machine: Machine, image: ElfImage) {
    this.#machine = machine;
    const view = new MemoryView(machine, image, 'kernel');
    this.#view = view;
    this.#kernelRoot = view.field(view.global('kernelSpace'), 'root');
    this.#running = view.field(view.global('scheduler'), 'running');
    this.#files = view.global('files');
    const processes = view.global('processes');
    const slots = processes.type.kind === 'array' ? processes.type.length : 0;
    this.#slots = Array.from({ length: slots }, (_, slot) => {
      const process = view.element(processes, slot);
      return {
        pid: view.field(process, 'pid'),
        state: view.field(process, 'state'),
        space: view.field(process, 'space'),
        program: view.field(process, 'program'),
        task: view.field(process, 'task'),
      };
    });
  }

  /** Null where the image is another kernel's. */
  static of(machine: Machine, image: Uint8Array): Keel | null {
    try {
      return new Keel(machine, readElf(image, 'kernel'));
    } catch (error) {
      if (error instanceof UserError) return null;
      throw error;
    }
  }

  /** Who has the page tables with this root: `kernel`, or a process as `pid 17 hello`; null: nobody that keel knows. */
  nameOf(root: bigint): string | null {
    if (this.kernelRoot === root) return 'kernel';
    for (const places of this.#slots) {
      const own = this.#guarded(() => this.#root(places.space));
      if (own === null || (own & ~0xfffn) !== root) continue;
      const pid = this.#number(places.pid);
      return pid === null ? null : processName({ pid, program: this.#guarded(() => this.#fileName(places.program)) });
    }
    return null;
  }

  /** The page tables of the kernel alone; null before it has any. */
  get kernelRoot(): bigint | null {
    const frame = this.#number(this.#kernelRoot);
    return frame === null || frame === 0 ? null : BigInt(frame) << 12n;
  }

  /** The processes that there are, zombies included, by their slots. */
  processes(): KeelProcess[] {
    const found: KeelProcess[] = [];
    for (let slot = 1; slot < this.#slots.length; slot++) {
      const process = this.process(slot);
      if (process !== null) found.push(process);
    }
    return found;
  }

  /** The process in a slot; null: there is none. */
  process(slot: number): KeelProcess | null {
    const places = this.#slots[slot];
    if (places === undefined || slot === 0) return null;
    const state = STATES[this.#number(places.state) ?? 0];
    const pid = this.#number(places.pid);
    if (state === undefined || state === 'free' || pid === null) return null;
    return {
      slot,
      pid,
      program: this.#guarded(() => this.#fileName(places.program)),
      state,
      root: this.#guarded(() => this.#root(places.space)),
    };
  }

  /**
   * The slot in whose context the CPU is now: at CPL 0 by the stack, which a switch changes last, else by what the scheduler says. 0: the kernel's own, from
   * its first instruction on.
   */
  get current(): number {
    const rsp = this.#machine.register(4);
    const { from, to, stride } = KEEL_STACKS;
    if (this.#machine.cpl === 0 && rsp > from && rsp <= to) return Number((rsp - 1n - from) / stride);
    const running = this.#number(this.#running);
    return running !== null && this.#slots[running] !== undefined ? running : 0;
  }

  /** With which registers the process in a slot goes on in user mode: what the CPU had when it entered the kernel. Null: it has not been there. */
  userContext(slot: number): SavedContext | null {
    const { task } = this.#slots[slot] ?? {};
    const root = this.process(slot)?.root ?? null;
    const frame = this.#words(KEEL_STACKS.from + BigInt(slot + 1) * KEEL_STACKS.stride - BigInt(8 * FRAME.length), FRAME.length);
    if (task === undefined || frame === null) return null;
    const registers: Record<string, bigint> = {};
    for (const [index, name] of FRAME.entries()) if (name !== null) registers[name] = frame[index] ?? 0n;
    if (((registers['cs'] ?? 0n) & 3n) !== 3n) return null;
    return this.#guarded(() => {
      const view = this.#view;
      const selectors = view.word(view.field(task, 'selectors'));
      for (const [index, name] of ['ds', 'es', 'fs', 'gs'].entries()) registers[name] = (selectors >> BigInt(16 * index)) & 0xffffn;
      registers['fs_base'] = view.word(view.field(task, 'fsBase'));
      registers['gs_base'] = view.word(view.field(task, 'gsBase'));
      if (root !== null) registers['cr3'] = root;
      return { registers, fxsave: view.bytes(view.field(task, 'fpu'), 512) };
    });
  }

  /** Where the task of a slot goes on in the kernel when it is switched to. Null: it never was switched from. */
  kernelContext(slot: number): SavedContext | null {
    const { task } = this.#slots[slot] ?? {};
    if (task === undefined) return null;
    const stack = this.#guarded(() => this.#view.word(this.#view.field(task, 'savedStack')));
    const saved = stack === null || stack === 0n ? null : this.#words(stack, SWITCHED.length);
    if (stack === null || saved === null) return null;
    const registers: Record<string, bigint> = { rsp: stack + BigInt(8 * SWITCHED.length) };
    for (const [index, name] of SWITCHED.entries()) registers[name] = saved[index] ?? 0n;
    const root = slot === 0 ? this.kernelRoot : (this.process(slot)?.root ?? null);
    if (root !== null) registers['cr3'] = root;
    return { registers, fxsave: null };
  }

  /** 64-bit words by linear address, by the kernel's page tables. */
  #words(address: bigint, count: number): bigint[] | null {
    const root = this.kernelRoot;
    const bytes = root === null ? null : this.#machine.readLinear(address, 8 * count, root);
    if (bytes === null) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, index) => view.getBigUint64(8 * index, true));
  }

  #root(space: Place): bigint | null {
    const view = this.#view;
    const table = view.target(space);
    if (table === null) return null;
    const frame = view.number(view.field(table, 'table.root'));
    return frame === 0 ? null : (BigInt(frame) << 12n) | (view.word(view.field(table, 'table.pcid')) & 0xfffn);
  }

  #fileName(program: Place): string | null {
    const view = this.#view;
    const index = view.number(program);
    if (index < 0 || this.#files.type.kind !== 'array' || index >= this.#files.type.length) return null;
    const file = view.element(this.#files, index);
    const name = view.field(file, 'name');
    const most = name.type.kind === 'array' ? name.type.length : 0;
    const length = Math.max(0, Math.min(view.number(view.field(file, 'nameLength')), most));
    return Buffer.from(view.bytes(name, length))
      .toString('latin1')
      .replaceAll(/[^!-~]/g, '?');
  }

  #number(place: Place): number | null {
    return this.#guarded(() => this.#view.number(place));
  }

  #guarded<T>(read: () => T | null): T | null {
    try {
      return read();
    } catch (error) {
      if (error instanceof UserError || error instanceof RangeError) return null;
      throw error;
    }
  }
}

/** A process as people read it: `pid 17 hello`. */
export function processName({ pid, program }: Pick<KeelProcess, 'pid' | 'program'>): string {
  return program === null ? `pid ${pid}` : `pid ${pid} ${program}`;
}

interface SlotPlace {
  readonly pid: Place;
  readonly state: Place;
  readonly space: Place;
  readonly program: Place;
  readonly task: Place;
}

/** A TrapFrame (ostd/trap-frame.ts), from its lowest word on; null: vector and error code. */
// biome-ignore format: the order of the stack
const FRAME = [
  'r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi', null, null, 'rip', 'cs', 'eflags', 'rsp', 'ss',
] as const;

/** What switch_context (ostd/trap-entry.ts) leaves on the stack, from its top on. */
const SWITCHED = ['r15', 'r14', 'r13', 'r12', 'rbx', 'rbp', 'rip'] as const;
