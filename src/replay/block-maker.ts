/** Makes run blocks out of what the machine tells: the observer of both record and replay, so that what one writes is what the other compares. */
import type {
  AddressSpace,
  KernelEntry,
  Observer,
  PathBlock,
  StaleUse,
  SupervisorUserAccess,
  TlbFlushKind,
  TranslationView,
  UserEntry,
} from '../machine/index.ts';
import { type EventKind, RIGHTS } from './events.ts';
import type { Door } from './inputs.ts';
import { PathLog } from './path-log.ts';
import { MAX_BLOCK_EVENTS, type Mode, type RunBlock } from './schema.ts';
import { EventLog, type EventValues } from './trace/columns.ts';

/** How often each kind of event was seen. */
export type EventCounts = Partial<Record<EventKind, number>>;

/** A block is cut short where it has this many events: a few more may follow before the machine stops. */
const FULL = MAX_BLOCK_EVENTS - 4096;

export class BlockMaker implements Required<Omit<Observer, 'input'>> {
  readonly #log: EventLog;
  readonly #path = new PathLog();
  readonly #full: () => void;
  #first = 0n;
  #firstNumber = 0;
  #rip = 0n;
  #mode: Mode = 64;

  /** `full` is called when the block should end before its time. Blocks have the events of format `version`. */
  constructor(full: () => void, version: number) {
    this.#full = full;
    this.#log = new EventLog(version);
  }

  /** Begins a block at `first`, where the CPU stands at `rip`. */
  begin(first: bigint, rip: bigint, mode: Mode): void {
    this.#rip = rip;
    this.#mode = mode;
    this.#first = first;
    this.#firstNumber = Number(first);
    this.#log.reset();
    this.#path.reset();
  }

  /** The block up to `end`. It lives until the next `begin`. */
  take(end: bigint, recorded: { readonly path: boolean; readonly addresses: boolean }, state: Pick<RunBlock, 'hash' | 'ram'>): RunBlock {
    return {
      first: this.#first,
      count: Number(end - this.#first),
      rip: this.#rip,
      mode: this.#mode,
      path: recorded.path ? this.#path.pack() : null,
      addresses: recorded.addresses ? this.#path.packAddresses() : null,
      events: this.#log.pack(),
      ...state,
    };
  }

  get events(): number {
    return this.#log.length;
  }

  /** Bits of the path so far, as the machine has drained them. */
  get pathBits(): number {
    return this.#path.bitCount;
  }

  get pathTargets(): number {
    return this.#path.targetCount;
  }

  // ---- Events: one method of the observer, one row of the table ----------------------------------------------------------------------------

  /** What the host gave. It is told by the host's wrapper (inputs.ts), which alone knows the number of the call; so there is no `input` of the observer here. */
  hostInput(at: bigint, source: Door, call: bigint, data: Uint8Array): void {
    this.#add('input', at, { source, call, data });
  }

  irq(at: bigint, vector: number, target: bigint): void {
    this.#add('irq', at, { vector, target });
  }

  exception(at: bigint, vector: number, code: number | null, cr2: bigint | null, rip: bigint, target: bigint): void {
    this.#add('exception', at, { vector, code: code ?? 0, cr2: cr2 ?? 0n, rip, target });
  }

  softwareInterrupt(at: bigint, vector: number, rip: bigint, target: bigint): void {
    this.#add('software-interrupt', at, { vector, rip, target });
  }

  syscall(at: bigint, number: bigint, args: readonly bigint[], rip: bigint): void {
    this.#add('syscall', at, { number, args, rip });
  }

  sysret(at: bigint, result: bigint, how: UserEntry): void {
    this.#add('sysret', at, { result, how });
  }

  enterUser(at: bigint, how: UserEntry): void {
    this.#add('enter-user', at, { how });
  }

  enterKernel(at: bigint, cause: KernelEntry): void {
    this.#add('enter-kernel', at, { cause });
  }

  controlRegister(at: bigint, register: number, before: bigint, after: bigint): void {
    this.#add('control-register', at, { register, before, after });
  }

  contextSwitch(at: bigint, from: AddressSpace, to: AddressSpace): void {
    this.#add('context-switch', at, { from: from.root, fromPcid: from.pcid, to: to.root, toPcid: to.pcid });
  }

  msr(at: bigint, index: number, before: bigint, after: bigint): void {
    this.#add('msr', at, { index, before, after });
  }

  debugRegister(at: bigint, register: number, before: bigint, after: bigint): void {
    this.#add('debug-register', at, { register, before, after });
  }

  descriptorTable(at: bigint, table: 'gdt' | 'idt' | 'ldt' | 'tr', base: bigint, limit: number): void {
    this.#add('descriptor-table', at, { table, base, limit });
  }

  tlbFlush(at: bigint, flush: TlbFlushKind, pcid: number, linear: bigint | null): void {
    this.#add('tlb-flush', at, { flush, pcid, linear: linear ?? 0n });
  }

  stale(at: bigint, { used, now, ...use }: StaleUse): void {
    const [usedFrame, usedRights] = translation(used);
    const [nowFrame, nowRights] = translation(now);
    this.#add('stale', at, { ...use, usedFrame, usedRights, nowFrame, nowRights });
  }

  supervisorUserAccess(at: bigint, access: SupervisorUserAccess): void {
    this.#add('supervisor-user-access', at, access);
  }

  pageTableWrite(at: bigint, address: bigint, before: bigint, after: bigint): void {
    this.#add('page-table-write', at, { address, before, after });
  }

  portIn(at: bigint, port: number, size: number, value: number): void {
    this.#add('port-in', at, { port, size, value });
  }

  portOut(at: bigint, port: number, size: number, value: number): void {
    this.#add('port-out', at, { port, size, value });
  }

  mmio(at: bigint, device: string, offset: number, size: number, write: boolean, value: bigint): void {
    this.#add('mmio', at, { device, offset, size, write, value });
  }

  output(at: bigint, byte: number): void {
    this.#add('output', at, { byte });
  }

  harness(at: bigint, command: number, value: number): void {
    this.#add('harness', at, { command, value });
  }

  halt(at: bigint, ticks: bigint): void {
    this.#add('halt', at, { ticks });
  }

  path(block: PathBlock): void {
    this.#path.append(block);
  }

  #add<Kind extends EventKind>(kind: Kind, at: bigint, values: EventValues<Kind>): void {
    if (this.#log.length === FULL) this.#full();
    this.#log.add(kind, Number(at) - this.#firstNumber, values);
  }
}

/** Frame and rights of a translation as the trace has them. */
function translation(view: TranslationView | null): [frame: bigint, rights: number] {
  if (view === null) return [0n, 0];
  const rights = (view.writable ? RIGHTS.writable : 0) | (view.user ? RIGHTS.user : 0) | (view.executable ? RIGHTS.executable : 0);
  return [BigInt(view.frame), rights | RIGHTS.mapped];
}
