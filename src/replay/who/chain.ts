/**
 * The chain of copies behind a value: from the write that put it there, through the register or the memory from which that took it, to the write of those bytes,
 * and so on. Each byte is followed by itself; bytes that go the same way are one link.
 */
import type { Registers } from '../../machine/index.ts';
import { GPR64 } from '../../machine/isa/registers.ts';
import { describeEvent } from '../describe.ts';
import type { TraceEvent } from '../events.ts';
import type { TouchIndex } from '../index-file/touch-index.ts';
import { EventFinder } from '../timeline/event-finder.ts';
import { bootContents } from './boot-contents.ts';
import type { Computation, Origin, RegisterId } from './dataflow.ts';
import { type Definition, definitions } from './definitions.ts';
import { type Bound, type LastWrite, lastWrites, linearOf } from './last-write.ts';
import type { Link, Place, Source, Writer } from './link.ts';
import type { Moment, Stage, Write } from './stage.ts';

export interface ChainLimits {
  /** Links in all. */
  readonly links: number;
  /** How many computations are gone through, one behind the other; at the next the chain ends. */
  readonly computations: number;
  /** How many instructions back the write of a register is looked for. */
  readonly instructions: bigint;
}

export const CHAIN_LIMITS: ChainLimits = { links: 64, computations: 0, instructions: 1n << 18n };
/** A chain that is this long is no longer followed, however many links it may have. */
const MOST_DEPTH = 256;
/** The 16550's data port of COM1. */
const SERIAL_DATA = 0x3f8;

export class ChainMaker {
  readonly #stage: Stage;
  readonly #index: TouchIndex;
  readonly #limits: ChainLimits;
  readonly #inputs: EventFinder;
  #links = 0;

  constructor(stage: Stage, index: TouchIndex, limits: ChainLimits) {
    this.#stage = stage;
    this.#index = index;
    this.#limits = limits;
    this.#inputs = new EventFinder(stage.trace);
  }

  /** Who wrote the physical bytes before `bound`, and what is behind it: a link for each write. */
  memory(physical: bigint, length: number, bound: Bound, depth = 0, computations = this.#limits.computations): Link[] {
    const ram = BigInt(this.#stage.player.machine.config.memoryBytes);
    if (physical + BigInt(length) > ram) return [this.#device(physical, length)];
    return lastWrites(this.#stage, this.#index, physical, length, bound).map((found) => this.#written(found, bound, depth, computations));
  }

  #device(physical: bigint, length: number): Link {
    const place: Place = { kind: 'memory', physical, linear: null, length, name: null };
    return { ...unwritten(place, 'device', new Uint8Array(length)), end: `a device, at physical address 0x${physical.toString(16)}` };
  }

  #written({ physical, length, write, moment }: LastWrite, bound: Bound, depth: number, computations: number): Link {
    this.#links++;
    const stage = this.#stage;
    if (write === null) {
      const place: Place = { kind: 'memory', physical, linear: null, length, name: null };
      return { ...unwritten(place, 'boot', stage.bytesAt(0n, physical, length)), end: bootContents(stage, physical) };
    }
    const linear = write.linear === null ? null : linearOf(write, physical);
    const program = moment?.process?.split(' ')[2] ?? null;
    const name = linear === null ? null : stage.symbols.nameOf(linear, program);
    const link = {
      place: { kind: 'memory', physical, linear, length, name } as const,
      at: write.at,
      process: moment?.process ?? null,
      before: stage.bytesAt(write.at, physical, length),
      after: stage.bytesAt(write.at + 1n < bound.at ? write.at + 1n : bound.at, physical, length),
    };
    if (write.implicit || moment === null || moment.flow === null)
      return { ...link, instruction: moment?.view ?? null, sources: [], ...this.#implicit(write, physical, moment) };
    const { flow } = moment;
    const origins = Array.from({ length }, (_, i) => flow.stored(linearOf(write, physical + BigInt(i))));
    return { ...link, by: 'instruction', instruction: moment.view, ...this.#behind(origins, moment, depth, computations) };
  }

  /** What the CPU wrote by itself, or a device. */
  #implicit({ at, linear }: Write, physical: bigint, moment: Moment | null): { readonly by: Writer; readonly end: string } {
    const events = this.#events(at);
    const input = events.find((event) => event.kind === 'input' && event.source === 'program');
    if (linear === null && input?.kind === 'input') {
      let first = physical;
      const length = this.#stage.player.machine.config.memoryBytes;
      this.#stage.writes({ from: at, to: at + 1n }, 0n, length, (write) => {
        if (write.linear === null && write.physical < first && first - write.physical < BigInt(input.data.length)) first = write.physical;
      });
      return {
        by: 'input',
        end: `input: byte ${physical - first} of the ${input.data.length} of program ${input.call}, which the harness fetched`,
      };
    }
    if (linear === null) return { by: 'page-walk', end: 'the page walk, which notes that an entry was used (A) or written through (D)' };
    const event = events.find(({ kind }) => kind === 'irq' || kind === 'exception' || kind === 'software-interrupt');
    if (event !== undefined) return { by: 'delivery', end: `the CPU, delivering ${describeEvent(event)}` };
    return { by: 'cpu', end: `the CPU, for ${moment?.view.text ?? 'an instruction'} (descriptors or task state)` };
  }

  /** What happened at a position: some of it may stand at the end of the block before. */
  #events(at: bigint): TraceEvent[] {
    const { trace } = this.#stage;
    const run = trace.runAt(at);
    return [run - 1, run].flatMap((each) => (each < 0 ? [] : trace.events(each).filter((event) => event.at === at)));
  }

  /** What a port gave to the instruction; null: it read none. */
  #portText(at: bigint): string | null {
    const read = this.#events(at).find((event) => event.kind === 'port-in');
    if (read?.kind !== 'port-in') return null;
    const last = this.#inputs.previous(
      { kinds: ['input'], matches: (event) => event.kind === 'input' && event.source === 'serial' },
      at + 1n,
    );
    // The port gives the byte that came last, until another has come.
    if (read.port === SERIAL_DATA && last?.kind === 'input' && last.data[0] === read.value)
      return `input: byte ${last.call} of the serial port, 0x${read.value.toString(16)}, which came at ${last.at}`;
    return `a device: port 0x${read.port.toString(16)} gave 0x${read.value.toString(16)}`;
  }

  // ---- Behind an instruction --------------------------------------------------------------------------------------------------------------

  #behind(
    origins: readonly (Origin | null)[],
    moment: Moment,
    depth: number,
    computations: number,
  ): { readonly end: string | null; readonly sources: readonly Source[] } {
    const ends: string[] = [];
    const sources: Source[] = [];
    for (const { origin, low, length } of groups(origins)) {
      if (origin.kind === 'register' || origin.kind === 'memory') {
        const links =
          origin.kind === 'register'
            ? this.#register(origin, origin.byte, length, moment, depth + 1, computations)
            : this.#loaded(origin.linear, length, moment, depth + 1, computations);
        sources.push(...placed(links, 'copied', low));
        continue;
      }
      ends.push(this.#endText(origin, moment, low, length));
      if (origin.kind === 'computed' && computations > 0)
        sources.push(...this.#computed(origin.from, moment, low, length, depth, computations - 1));
    }
    return { end: ends.length === 0 ? null : [...new Set(ends)].join('; '), sources };
  }

  #computed(
    { registers, memory }: Computation,
    moment: Moment,
    low: number,
    length: number,
    depth: number,
    computations: number,
  ): Source[] {
    const links = [
      ...registers.flatMap((each) => this.#register(each, each.low, each.length, moment, depth + 1, computations)),
      ...memory.flatMap((each) => this.#loaded(each.linear, each.length, moment, depth + 1, computations)),
    ];
    return links.map((link) => ({ how: 'computed', low, length, link }));
  }

  #register(id: RegisterId, low: number, length: number, moment: Moment, depth: number, computations: number): Link[] {
    const value = registerBytes(moment.registers, id);
    if (this.#isOver(depth))
      return [this.#beyond(registerPlace(id, low, length), value.slice(low, low + length), 'the chain has as many links as it may')];
    const bits = ((1 << length) - 1) << low;
    return definitions(this.#stage, id, bits, moment, this.#limits.instructions).map((definition) =>
      this.#defined(id, definition, value.slice(definition.low, definition.low + definition.length), depth, computations),
    );
  }

  #defined(
    id: RegisterId,
    { low, length, moment, since, isDelivery }: Definition,
    after: Uint8Array,
    depth: number,
    computations: number,
  ): Link {
    const place = registerPlace(id, low, length);
    if (moment === null) {
      if (since > this.#stage.trace.start)
        return this.#beyond(place, after, `not written since instruction ${since}: it is not looked for further back`);
      this.#links++;
      return { ...unwritten(place, 'boot', after), end: 'the register is as the machine (or the branch) began' };
    }
    this.#links++;
    const link = { place, at: moment.at, process: moment.process, before: null, after, instruction: moment.view };
    if (isDelivery) {
      const event = this.#events(moment.at).find(({ kind }) => kind === 'irq' || kind === 'exception' || kind === 'software-interrupt');
      return {
        ...link,
        by: 'delivery',
        end: `the CPU, delivering ${event === undefined ? 'an event' : describeEvent(event)}`,
        sources: [],
      };
    }
    const origins = Array.from({ length }, (_, i) => moment.flow?.written(id, low + i) ?? null);
    return { ...link, by: 'instruction', ...this.#behind(origins, moment, depth, computations) };
  }

  #loaded(linear: bigint, length: number, moment: Moment, depth: number, computations: number): Link[] {
    const links: Link[] = [];
    for (let from = 0; from < length; ) {
      const at = linear + BigInt(from);
      const piece = Math.min(length - from, 4096 - Number(at & 0xfffn));
      const physical = moment.physical(at);
      if (physical === null) {
        const place: Place = { kind: 'memory', physical: 0n, linear: at, length: piece, name: null };
        links.push(this.#beyond(place, new Uint8Array(piece), 'the load was not seen'));
      } else if (this.#isOver(depth)) {
        const place: Place = { kind: 'memory', physical, linear: at, length: piece, name: null };
        links.push(this.#beyond(place, new Uint8Array(0), 'the chain has as many links as it may'));
      } else links.push(...this.memory(physical, piece, { at: moment.at, isDelivered: moment.isDelivered }, depth, computations));
      from += piece;
    }
    return links;
  }

  #isOver(depth: number): boolean {
    return this.#links >= this.#limits.links || depth > MOST_DEPTH;
  }

  #beyond(place: Place, after: Uint8Array, end: string): Link {
    this.#links++;
    return { ...unwritten(place, 'beyond', after), end };
  }

  /** Where a value begins. */
  #endText(origin: Exclude<Origin, { kind: 'register' | 'memory' }>, moment: Moment, low: number, length: number): string {
    switch (origin.kind) {
      case 'constant':
        return origin.what;
      case 'system':
        return this.#portText(moment.at) ?? origin.what;
      case 'computed':
        return `computed${low === 0 && length > 0 ? '' : ` (bytes from ${low} on)`} from ${computationText(origin.from, moment)}`;
    }
  }
}

/** `rax = 0x5, 8 bytes at 0x1000, 7`. */
function computationText({ registers, memory, system, immediates }: Computation, moment: Moment): string {
  const parts = [
    ...registers.map(({ low, length, ...id }) => {
      const bytes = registerBytes(moment.registers, id).slice(low, low + length);
      return `${placeName(registerPlace(id, low, length))} = 0x${hexOf(bytes)}`;
    }),
    ...memory.map(({ linear, length }) => `the ${length} bytes at 0x${linear.toString(16)}`),
    ...system,
    ...immediates.map((value) => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`)),
  ];
  return parts.length === 0 ? 'nothing but the instruction' : parts.join(', ');
}

interface Group {
  readonly origin: Origin;
  readonly low: number;
  readonly length: number;
}

/** Bytes side by side that come from bytes side by side. */
function groups(origins: readonly (Origin | null)[]): Group[] {
  const found: Group[] = [];
  for (const [low, origin] of origins.entries()) {
    if (origin === null) continue;
    const last = found.at(-1);
    if (last !== undefined && last.low + last.length === low && follows(last.origin, last.length, origin))
      found[found.length - 1] = { ...last, length: last.length + 1 };
    else found.push({ origin, low, length: 1 });
  }
  return found;
}

function follows(first: Origin, length: number, next: Origin): boolean {
  if (first.kind === 'register')
    return next.kind === 'register' && next.file === first.file && next.index === first.index && next.byte === first.byte + length;
  if (first.kind === 'memory') return next.kind === 'memory' && next.linear === first.linear + BigInt(length);
  if (first.kind === 'constant') return next.kind === 'constant' && next.what === first.what;
  if (first.kind === 'system') return next.kind === 'system' && next.what === first.what;
  return next === first;
}

/** Links of bytes that follow each other in the value, from `low` on. */
function placed(links: readonly Link[], how: Source['how'], low: number): Source[] {
  let at = low;
  return links.map((link) => {
    const { length } = link.place;
    const source = { how, low: at, length, link };
    at += length;
    return source;
  });
}

function unwritten(place: Place, by: Writer, after: Uint8Array): Omit<Link, 'end'> {
  return { place, by, at: null, instruction: null, process: null, before: null, after, sources: [] };
}

function registerPlace({ file, index }: RegisterId, low: number, length: number): Place {
  return { kind: 'register', name: file === 'gpr' ? (GPR64[index] ?? `r${index}`) : `xmm${index}`, low, length };
}

/** `rax`, or `rax[0..3]` where it is a part. */
export function placeName(place: Place): string {
  if (place.kind === 'memory') return place.linear === null ? `phys:0x${place.physical.toString(16)}` : `0x${place.linear.toString(16)}`;
  const size = place.name.startsWith('xmm') ? 16 : 8;
  return place.length === size ? place.name : `${place.name}[${place.low}${place.length === 1 ? '' : `..${place.low + place.length - 1}`}]`;
}

function registerBytes({ gpr, xmm }: Registers, { file, index }: RegisterId): Uint8Array {
  if (file === 'xmm') return xmm.slice(16 * index, 16 * index + 16);
  return Uint8Array.from({ length: 8 }, (_, i) => Number(((gpr[index] ?? 0n) >> BigInt(8 * i)) & 0xffn));
}

/** Bytes as the number that they are, little-endian. */
export function hexOf(bytes: Uint8Array): string {
  return [...bytes]
    .reverse()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
