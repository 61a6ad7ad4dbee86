/** Makes run blocks out of what the machine tells: the observer of both record and replay, so that what one writes is what the other compares. */
import type {
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
import { type EventColumns, EventLog } from './trace/columns.ts';

/** How often each kind of event was seen. */
export type EventCounts = Partial<Record<EventKind, number>>;

/** A block is cut short where it has this many events: a few more may follow before the machine stops. */
const FULL = MAX_BLOCK_EVENTS - 4096;

export class BlockMaker implements Required<Omit<Observer, 'input'>> {
  readonly #log = new EventLog();
  readonly #path = new PathLog();
  readonly #full: () => void;
  #first = 0n;
  #firstNumber = 0;
  #rip = 0n;
  #mode: Mode = 64;

  /** `full` is called when the block should end before its time. */
  constructor(full: () => void) {
    this.#full = full;
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
  take(end: bigint, recorded: { readonly path: boolean; readonly addresses: boolean }, hash: string): RunBlock {
    return {
      first: this.#first,
      count: Number(end - this.#first),
      rip: this.#rip,
      mode: this.#mode,
      path: recorded.path ? this.#path.pack() : null,
      addresses: recorded.addresses ? this.#path.packAddresses() : null,
      events: this.#log.pack(),
      hash,
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

  /** What the host gave. It is told by the host's wrapper (inputs.ts), which alone knows the number of the call; so there is no `input` of the observer here. */
  hostInput(at: bigint, source: Door, call: bigint, data: Uint8Array): void {
    const columns = this.#begin('input', at);
    columns.source.pushName(source);
    columns.call.push(call);
    columns.data.pushBytes(data);
  }

  irq(at: bigint, vector: number, target: bigint): void {
    const columns = this.#begin('irq', at);
    columns.vector.push(vector);
    columns.target.push(target);
  }

  exception(at: bigint, vector: number, code: number | null, cr2: bigint | null, rip: bigint, target: bigint): void {
    const columns = this.#begin('exception', at);
    columns.vector.push(vector);
    columns.code.push(code ?? 0);
    columns.cr2.push(cr2 ?? 0n);
    columns.rip.push(rip);
    columns.target.push(target);
  }

  softwareInterrupt(at: bigint, vector: number, rip: bigint, target: bigint): void {
    const columns = this.#begin('software-interrupt', at);
    columns.vector.push(vector);
    columns.rip.push(rip);
    columns.target.push(target);
  }

  syscall(at: bigint, number: bigint, args: readonly bigint[], rip: bigint): void {
    const columns = this.#begin('syscall', at);
    columns.number.push(number);
    columns.args.pushAll(args);
    columns.rip.push(rip);
  }

  sysret(at: bigint, result: bigint, how: UserEntry): void {
    const columns = this.#begin('sysret', at);
    columns.result.push(result);
    columns.how.pushName(how);
  }

  enterUser(at: bigint, how: UserEntry): void {
    this.#begin('enter-user', at).how.pushName(how);
  }

  enterKernel(at: bigint, cause: KernelEntry): void {
    this.#begin('enter-kernel', at).cause.pushName(cause);
  }

  controlRegister(at: bigint, register: number, before: bigint, after: bigint): void {
    const columns = this.#begin('control-register', at);
    columns.register.push(register);
    columns.before.push(before);
    columns.after.push(after);
  }

  msr(at: bigint, index: number, before: bigint, after: bigint): void {
    const columns = this.#begin('msr', at);
    columns.index.push(index);
    columns.before.push(before);
    columns.after.push(after);
  }

  debugRegister(at: bigint, register: number, before: bigint, after: bigint): void {
    const columns = this.#begin('debug-register', at);
    columns.register.push(register);
    columns.before.push(before);
    columns.after.push(after);
  }

  descriptorTable(at: bigint, table: 'gdt' | 'idt' | 'ldt' | 'tr', base: bigint, limit: number): void {
    const columns = this.#begin('descriptor-table', at);
    columns.table.pushName(table);
    columns.base.push(base);
    columns.limit.push(limit);
  }

  tlbFlush(at: bigint, flush: TlbFlushKind, pcid: number, linear: bigint | null): void {
    const columns = this.#begin('tlb-flush', at);
    columns.flush.pushName(flush);
    columns.pcid.push(pcid);
    columns.linear.push(linear ?? 0n);
  }

  stale(at: bigint, use: StaleUse): void {
    const columns = this.#begin('stale', at);
    columns.linear.push(use.linear);
    columns.access.pushName(use.access);
    columns.cpl.push(use.cpl);
    columns.rip.push(use.rip);
    columns.usedFrame.push(BigInt(use.used.frame));
    columns.usedRights.push(rightsOf(use.used));
    columns.nowFrame.push(use.now === null ? 0n : BigInt(use.now.frame));
    columns.nowRights.push(use.now === null ? 0 : rightsOf(use.now));
  }

  supervisorUserAccess(at: bigint, access: SupervisorUserAccess): void {
    const columns = this.#begin('supervisor-user-access', at);
    columns.rip.push(access.rip);
    columns.linear.push(access.linear);
    columns.size.push(access.size);
    columns.write.pushFlag(access.write);
    columns.execute.pushFlag(access.execute);
    columns.user.pushFlag(access.user);
    columns.implicit.pushFlag(access.implicit);
    columns.ac.pushFlag(access.ac);
    columns.writable.pushFlag(access.writable);
    columns.faulted.pushFlag(access.faulted);
  }

  pageTableWrite(at: bigint, address: bigint, before: bigint, after: bigint): void {
    const columns = this.#begin('page-table-write', at);
    columns.address.push(address);
    columns.before.push(before);
    columns.after.push(after);
  }

  portIn(at: bigint, port: number, size: number, value: number): void {
    const columns = this.#begin('port-in', at);
    columns.port.push(port);
    columns.size.push(size);
    columns.value.push(value);
  }

  portOut(at: bigint, port: number, size: number, value: number): void {
    const columns = this.#begin('port-out', at);
    columns.port.push(port);
    columns.size.push(size);
    columns.value.push(value);
  }

  mmio(at: bigint, device: string, offset: number, size: number, write: boolean, value: bigint): void {
    const columns = this.#begin('mmio', at);
    columns.device.pushText(device);
    columns.offset.push(offset);
    columns.size.push(size);
    columns.write.pushFlag(write);
    columns.value.push(value);
  }

  output(at: bigint, byte: number): void {
    this.#begin('output', at).byte.push(byte);
  }

  harness(at: bigint, command: number, value: number): void {
    const columns = this.#begin('harness', at);
    columns.command.push(command);
    columns.value.push(value);
  }

  halt(at: bigint, ticks: bigint): void {
    this.#begin('halt', at).ticks.push(ticks);
  }

  path(block: PathBlock): void {
    this.#path.append(block);
  }

  #begin<Kind extends EventKind>(kind: Kind, at: bigint): EventColumns<Kind> {
    if (this.#log.length === FULL) this.#full();
    return this.#log.begin(kind, Number(at) - this.#firstNumber);
  }
}

function rightsOf(view: TranslationView): number {
  return (view.writable ? RIGHTS.writable : 0) | (view.user ? RIGHTS.user : 0) | (view.executable ? RIGHTS.executable : 0) | RIGHTS.mapped;
}
