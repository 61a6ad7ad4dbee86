/**
 * Who wrote this? The last write to bytes of memory before a position, and the chain of copies behind it.
 *
 *     const who = await Who.open(trace, { path: 'run.mpk' });
 *     const bytes = who.resolve('keel:scheduler+8', { length: 4, at: who.end, process: null });
 *     const [link] = who.lastWrite(bytes, who.end);            // { at, instruction, process, before, after, … }
 *     const chain = who.chain(bytes, who.end);                 // … and `sources`: what it was copied from, and so on
 *
 * It goes by the physical bytes: a page that was another process's before, or that was moved, is followed to whoever wrote to it. It has a machine of its own.
 */
import { UserError } from '../../machine/isa/bug.ts';
import { openIndex } from '../index-file/index.ts';
import type { TouchIndex } from '../index-file/touch-index.ts';
import type { PlayerOptions } from '../player.ts';
import type { Trace } from '../trace/reader.ts';
import { CHAIN_LIMITS, type ChainLimits, ChainMaker } from './chain.ts';
import type { Link } from './link.ts';
import { Stage } from './stage.ts';

export interface WhoOptions extends PlayerOptions {
  /** Where the trace lies: its index is beside it. Null: the index is built for this once. */
  readonly path: string | null;
  /** The trace's index, where it is at hand; then `path` is not asked. */
  readonly index?: TouchIndex;
  /** Told while the index is built. */
  readonly progress?: (instructions: bigint) => void;
}

/** Bytes in one piece of physical memory for each page. */
export interface Bytes {
  readonly pieces: readonly { readonly physical: bigint; readonly length: number }[];
}

export interface Where {
  readonly length: number;
  /** The position at which the address is looked up in the page tables. */
  readonly at: bigint;
  /** A process by its number or program: whose page tables; null: those that are in use. */
  readonly process: string | null;
}

const MOST_BYTES = 4096;
/** So much of the code at an address tells which program it is of. */
const MOST_CODE = 15;

export class Who {
  readonly #stage: Stage;
  readonly #index: TouchIndex;

  private constructor(stage: Stage, index: TouchIndex) {
    this.#stage = stage;
    this.#index = index;
  }

  /** Opens (or builds) the index. UserError where the trace cannot be played. */
  static async open(trace: Trace, { path, index, progress, ...options }: WhoOptions): Promise<Who> {
    const stage = await Stage.open(trace, options);
    if (index !== undefined) return new Who(stage, index);
    const opened = await openIndex(trace, path, { ...options, ...(progress && { progress }), player: stage.player });
    return new Who(stage, opened.index);
  }

  get end(): bigint {
    return this.#stage.player.end;
  }

  /**
   * What `text` names: `phys:0x…`, a linear address, or a symbol (`keel:scheduler+8`, `name+0x10`). UserError where nothing is there, or where it lies in no RAM.
   */
  resolve(text: string, where: Where): Bytes {
    const { length } = where;
    if (!Number.isSafeInteger(length) || length < 1 || length > MOST_BYTES)
      throw new UserError(`${length} bytes: give a length from 1 to ${MOST_BYTES}`);
    if (text.startsWith('phys:')) {
      const physical = numberOf(text.slice(5));
      if (physical === null) throw new UserError(`${text}: give a physical address as phys:0x1000`);
      return { pieces: [this.#inRam(physical, length)] };
    }
    const [, name = text, sign = '', offset = '0'] = /^(.+?)(?:([+-])(0x[0-9a-f]+|\d+))?$/i.exec(text) ?? [];
    const base = numberOf(name) ?? this.#stage.symbols.addressOf(name).address;
    const address = BigInt.asUintN(64, base + (sign === '-' ? -1n : 1n) * BigInt(offset));
    return this.linear(address, where);
  }

  /**
   * Where an instruction begins: what `resolve` takes; or `FILE:LINE`, and then all places where code of this line begins, of the programs that are mapped.
   * UserError where nothing is there.
   */
  code(text: string, { at, process }: Omit<Where, 'length'>): Bytes {
    const [, file = '', line = ''] = /^(?!phys:)(.+):(\d{1,7})$/.exec(text) ?? [];
    if (file === '') return this.resolve(text, { length: 1, at, process });
    const { machine } = this.#stage.player;
    const root = this.#goTo(at, process);
    const pieces = this.#stage.symbols.ofLine(file, Number(line)).flatMap(({ address, image }) => {
      const physical = machine.translate(address, root)?.physical;
      if (physical === undefined || physical >= BigInt(machine.config.memoryBytes)) return [];
      // another program may be mapped there
      const code = machine.readPhysical(physical, 4096 - Number(physical & 0xfffn)).subarray(0, MOST_CODE);
      return this.#stage.symbols.isOf(image, address, code) ? [{ physical, length: 1 }] : [];
    });
    if (pieces.length === 0)
      throw new UserError(
        `no code of ${text} is mapped at position ${at}${process === null ? '' : ` in process ${process}`}: give another position or process`,
      );
    return { pieces };
  }

  /** Bytes by linear address. UserError where one of them is not mapped, or lies in no RAM. */
  linear(address: bigint, { length, at, process }: Where): Bytes {
    const stage = this.#stage;
    const { machine } = stage.player;
    const root = this.#goTo(at, process);
    const pieces: { physical: bigint; length: number }[] = [];
    for (let from = 0; from < length; ) {
      const linear = BigInt.asUintN(64, address + BigInt(from));
      const piece = Math.min(length - from, 4096 - Number(linear & 0xfffn));
      const found = machine.translate(linear, root);
      if (found === null)
        throw new UserError(
          `nothing is mapped at 0x${linear.toString(16)} at position ${stage.player.position}${process === null ? '' : ` in process ${process}`}: give another position or process, or a physical address (phys:0x…)`,
        );
      pieces.push(this.#inRam(found.physical, piece));
      from += piece;
    }
    return { pieces };
  }

  /** Goes to where an address is to be looked up; gives the page tables that are meant, undefined: those in use. */
  #goTo(at: bigint, process: string | null): bigint | undefined {
    this.#stage.seek(at);
    return process === null ? undefined : this.#rootOf(process);
  }

  #inRam(physical: bigint, length: number): { readonly physical: bigint; readonly length: number } {
    const { memoryBytes } = this.#stage.player.machine.config;
    if (physical < 0n || physical + BigInt(length) > BigInt(memoryBytes))
      throw new UserError(`physical address 0x${physical.toString(16)} lies in no RAM (there are ${memoryBytes} bytes)`);
    return { physical, length };
  }

  #rootOf(process: string): bigint {
    const { keel, player } = this.#stage;
    if (keel === null)
      throw new UserError('the processes of this kernel are not known: leave the process out, and choose a position at which it runs');
    if (process === 'kernel' && keel.kernelRoot !== null) return keel.kernelRoot;
    const all = keel.processes().filter(({ root }) => root !== null);
    const found = all.filter(({ pid, program }) => String(pid) === process || program === process);
    const [only] = found;
    if (only?.root == null || found.length > 1) {
      const names = all.map(({ pid, program }) => `${pid}${program === null ? '' : ` ${program}`}`).join(', ') || 'none';
      throw new UserError(
        `${found.length > 1 ? 'several processes are' : 'no process is'} called ${process} at position ${player.position}: there are ${names}; give its number`,
      );
    }
    return only.root;
  }

  /** The last writes before a position, one for all bytes that the same instruction wrote; the latest first. Their `sources` are not looked for. */
  lastWrite(bytes: Bytes, before: bigint): Link[] {
    return this.chain(bytes, before, { links: 0 }).map((link) => ({ ...link, sources: [] }));
  }

  /** The same with what is behind them. */
  chain({ pieces }: Bytes, before: bigint, limits: Partial<ChainLimits> = {}): Link[] {
    const maker = new ChainMaker(this.#stage, this.#index, { ...CHAIN_LIMITS, ...limits });
    const bound = { at: before < this.end ? before : this.end, isDelivered: false };
    const links = pieces.flatMap(({ physical, length }) => maker.memory(physical, length, bound));
    return links.sort((a, b) => Number((b.at ?? -1n) - (a.at ?? -1n)));
  }
}

function numberOf(text: string): bigint | null {
  return /^(0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : null;
}
