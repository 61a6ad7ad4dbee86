/**
 * A machine that is put at one moment of a trace after the other: looks at single instructions, and at all writes to some bytes within a range.
 */
import type { Observer, ProbedAccess, Registers } from '../../machine/index.ts';
import { decode } from '../../machine/isa/decode.ts';
import type { Range } from '../index-file/touch-index.ts';
import { Keel } from '../keel.ts';
import { bootOf, Player, type PlayerOptions } from '../player.ts';
import type { NamedFile } from '../record.ts';
import { type Code, codeAt, type InstructionView, viewOf } from '../step.ts';
import type { Symbols } from '../symbols.ts';
import { Traveller } from '../timeline/traveller.ts';
import type { Trace } from '../trace/reader.ts';
import { CpuView } from './cpu-view.ts';
import { Dataflow } from './dataflow.ts';

/** An instruction, with the CPU as it was when it began: behind what was delivered at its position. */
export interface Moment {
  readonly at: bigint;
  readonly view: InstructionView;
  readonly registers: Registers;
  /** Who ran: `kernel`, `pid 17 hello`, or null where that is not known. */
  readonly process: string | null;
  /** The handler's first instruction, after an interrupt or a fault that was delivered at the same position. */
  readonly isDelivered: boolean;
  /** Null for bytes that are no instruction (they cannot have been executed). */
  readonly flow: Dataflow | null;
  /** Physical addresses of its loads by linear address, each within a page, as they were translated. */
  physical(linear: bigint): bigint | null;
}

/** A write to watched bytes. */
export interface Write extends Pick<ProbedAccess, 'linear' | 'physical' | 'size' | 'implicit'> {
  readonly at: bigint;
}

/** What is seen of an instruction just before it executes. */
interface Glimpse {
  readonly code: Code;
  readonly registers: Registers;
  readonly cpl: number;
  readonly process: string | null;
  readonly flow: Dataflow | null;
}

export class Stage {
  readonly player: Player;
  readonly keel: Keel | null;
  /** The image that was booted. */
  readonly image: NamedFile;
  readonly #traveller: Traveller;

  private constructor(player: Player, image: NamedFile) {
    this.player = player;
    this.image = image;
    this.keel = Keel.of(player.machine, image.bytes);
    this.#traveller = new Traveller(player);
  }

  static async open(trace: Trace, options: PlayerOptions): Promise<Stage> {
    const player = await Player.open(trace, options);
    const name = trace.header.artefacts.find(({ role }) => role === 'image')?.name ?? 'the image';
    return new Stage(player, { name, bytes: bootOf(trace, options).image });
  }

  get trace(): Trace {
    return this.player.trace;
  }

  get symbols(): Symbols {
    return this.player.symbols;
  }

  /** Goes to a position. */
  seek(to: bigint): void {
    const way = this.#traveller.go(to, false);
    while (way.next(false).done !== true);
  }

  /** Where a way to a position would begin, if that is at most `most` before it; else the position. */
  restartNear(position: bigint, most: bigint): bigint {
    return this.#traveller.restartNear(position, most);
  }

  /** Who runs now, as people name it. */
  get process(): string | null {
    const { machine } = this.player;
    const root = BigInt(machine.rootFrame) << 12n;
    return this.keel?.nameOf(root) ?? null;
  }

  /** Copies of bytes of RAM at a position. */
  bytesAt(position: bigint, physical: bigint, length: number): Uint8Array {
    this.seek(position);
    return this.player.machine.readPhysical(physical, length);
  }

  /** All writes to physical bytes by what happens at positions `from` ≤ n < `to`, in order. */
  writes({ from, to }: Range, physical: bigint, length: number, found: (write: Write) => void): void {
    const { machine } = this.player;
    this.seek(from);
    machine.probes = { breakpoints: [], watchpoints: [{ space: 'physical', address: physical, length, access: 'write' }] };
    this.#observed(
      {
        access: (at, access) =>
          found({ at, linear: access.linear, physical: access.physical, size: access.size, implicit: access.implicit }),
      },
      to,
    );
  }

  /** The instruction at a position; null where none retires there. */
  moment(at: bigint): Moment | null {
    const { player } = this;
    const { machine } = player;
    this.seek(at);
    if (player.position !== at || at >= player.end) return null;
    const handlers: bigint[] = [];
    this.#observed(
      {
        irq: (_at, _vector, handler) => handlers.push(handler),
        exception: (_at, _vector, _code, _cr2, _rip, handler) => handlers.push(handler),
      },
      at + 1n,
    );
    const isRetired = machine.count > at;
    this.seek(at);
    const handler = handlers.at(-1);
    const glimpse = !isRetired ? null : handler === undefined ? this.#glimpse() : this.#glimpseOf(handler, at);
    if (glimpse === null) return null;
    const { code, registers, cpl, process, flow } = glimpse;
    const pages = this.#pagesRead(flow, at);
    const view = viewOf({ at, rip: registers.rip, cpl, code }, this.symbols);
    return {
      at,
      view,
      registers,
      process,
      isDelivered: handler !== undefined,
      flow,
      physical: (linear) => {
        const page = pages.get(linear >> 12n);
        return page === undefined ? null : page + (linear & 0xfffn);
      },
    };
  }

  /** Of the handler that something is delivered to at `at`. */
  #glimpseOf(handler: bigint, at: bigint): Glimpse | null {
    const { machine } = this.player;
    const found: Glimpse[] = [];
    this.seek(at);
    machine.probes = { breakpoints: [{ address: handler }], watchpoints: [] };
    this.#observed({ breakpoint: () => found.push(this.#glimpse()) }, at + 1n);
    return found.at(-1) ?? null;
  }

  /** Of the instruction at RIP, as the CPU is now. */
  #glimpse(): Glimpse {
    const { machine } = this.player;
    const registers = machine.registers();
    const code = codeAt(machine, registers.rip);
    const cpu = new CpuView(registers, code.mode, (linear, length) => machine.readLinear(linear, length));
    const decoded = decode(code.bytes, 0, code.mode, code.bytes.length);
    const flow = typeof decoded === 'string' ? null : new Dataflow(decoded, cpu);
    return { code, registers, cpl: registers.cpl, process: this.process, flow };
  }

  /** By linear page, the physical one from which the instruction at `at` loads: as it is told, for what the tables say may be newer than what was used. */
  #pagesRead(flow: Dataflow | null, at: bigint): ReadonlyMap<bigint, bigint> {
    const pages = new Map<bigint, bigint>();
    const watchpoints = [...(flow?.loads.values() ?? [])].map(({ linear, length }) => {
      return { space: 'linear', address: linear, length, access: 'read' } as const;
    });
    const operand = flow?.helper === 'FXRSTOR' ? flow.written({ file: 'xmm', index: 0 }, 0) : null;
    if (operand?.kind === 'memory') watchpoints.push({ space: 'linear', address: operand.linear, length: 256, access: 'read' });
    if (watchpoints.length === 0) return pages;
    this.seek(at);
    this.player.machine.probes = { breakpoints: [], watchpoints };
    this.#observed(
      {
        access: (_at, { linear, physical }) => {
          if (linear !== null) pages.set(linear >> 12n, physical & ~0xfffn);
        },
      },
      at + 1n,
    );
    return pages;
  }

  #observed(observer: Observer, to: bigint): void {
    const { machine } = this.player;
    machine.observer = observer;
    try {
      this.player.run(to);
    } finally {
      machine.observer = null;
      machine.probes = null;
    }
  }
}
