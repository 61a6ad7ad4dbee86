/**
 * What gdb debugs: a timeline with breakpoints and watchpoints on it, memory by linear address, and threads: the tasks of keel, or the CPU alone where the
 * kernel is another. It is a recording: it can be moved and looked at, never changed.
 */
import { type Breakpoint, type Registers, stopText, type Watchpoint } from '../../machine/index.ts';
import { type Keel, type KeelProcess, processName } from '../keel.ts';
import type { PlayerOptions } from '../player.ts';
import type { Hit, Stopped } from '../timeline/search.ts';
import type { Timeline } from '../timeline/timeline.ts';
import { Images } from './images.ts';
import { type Context, contextOf, savedContext } from './registers.ts';

/**
 * Physical memory as gdb reaches it: at addresses that are not canonical, so that no program has them. `x/gx 0x0100000000001000` shows the physical address
 * 0x1000, and a watchpoint there sees whoever writes to it.
 */
export const PHYSICAL_WINDOW = 0x0100_0000_0000_0000n;

/** A thread of gdb's: the slot of keel's task, plus 1. The kernel, and another kernel as a whole, is thread 1. */
export type Thread = number;
export const KERNEL_THREAD: Thread = 1;

/** How to go on. `range`: on as long as the next instruction lies in it, past interrupts that come in between. */
export type Motion =
  | { readonly kind: 'continue'; readonly isBack: boolean }
  | { readonly kind: 'step'; readonly isBack: boolean; readonly thread: Thread | null }
  | { readonly kind: 'range'; readonly from: bigint; readonly to: bigint; readonly thread: Thread | null };

/** Why it stands still. `arrived`: elsewhere than a step leads, or in another thread. */
export type Halt =
  | { readonly why: 'stepped' | 'arrived' | 'breakpoint' | 'start' | 'end' | 'interrupted' }
  | { readonly why: 'watchpoint'; readonly access: Watchpoint['access']; readonly address: bigint };

/** Which registers a thread that does not run has: those with which it goes on in user mode, or those with which it goes on in the kernel. */
export type Side = 'user' | 'kernel';

export class Debuggee {
  readonly timeline: Timeline;
  readonly images: Images;
  readonly #breakpoints = new Map<bigint, Breakpoint>();
  readonly #watchpoints = new Map<string, Watchpoint>();
  /** Where breakpoints are or were. gdb takes them away to step over them. */
  readonly #everSet = new Set<bigint>();
  /** A step over a breakpoint: nothing else may stop it. */
  #isAlone = false;
  /** The thread that gdb is told of at a stop: after a step over a breakpoint it takes none but that which it stepped (13.1 ends by an assertion of its own). */
  #told: Thread | null = null;
  side: Side = 'user';
  /**
   * Whether single steps of user mode go into the kernel, where it is entered, or past it. gdb goes back over source lines by single steps that it does not tell
   * from those of `reverse-stepi`: only past the kernel do reverse-step and reverse-next stay in the program.
   */
  kernel: 'into' | 'past' = 'past';
  /** Where the next way leads that is not a step: what gdb knows of registers and threads is of where it stopped, until it stops again. */
  destination: bigint | null = null;
  #isInterrupted = false;
  /** How many ways have been gone. */
  #ways = 0;

  constructor(timeline: Timeline, options: PlayerOptions = {}) {
    this.timeline = timeline;
    this.images = new Images(timeline.trace, options);
  }

  get #keel(): Keel | null {
    return this.timeline.keel;
  }

  // ---- Threads ----------------------------------------------------------------------------------------------------------------------------

  /** The thread whose instruction is the next. */
  get current(): Thread {
    return this.#keel === null ? KERNEL_THREAD : this.#keel.current + 1;
  }

  /** Who runs: a process of keel by its number (its slot may have been another's before), with another kernel an address space. */
  get #runner(): string {
    const { machine } = this.timeline;
    return this.#keel === null ? `root ${machine.cr3}` : `pid ${this.processOf(this.current)?.pid}`;
  }

  /** The thread that a stop is said to be of. */
  get stopped(): Thread {
    return this.#told ?? this.current;
  }

  /** A process that has ended is no longer in keel's table, but its thread may still be on its way to another. */
  threads(): Thread[] {
    const threads = new Set([KERNEL_THREAD, this.current, ...this.processes().map(({ slot }) => slot + 1)]);
    return [...threads].sort((a, b) => a - b);
  }

  isAlive(thread: Thread): boolean {
    return thread === KERNEL_THREAD || thread === this.current || this.processOf(thread) !== null;
  }

  processes(): readonly KeelProcess[] {
    return this.#keel?.processes() ?? [];
  }

  processOf(thread: Thread): KeelProcess | null {
    return this.#keel?.process(thread - 1) ?? null;
  }

  /** `kernel`, `pid 17 hello`, `ended`, or `cpu` where nobody knows the kernel's processes. */
  nameOf(thread: Thread): string {
    if (this.#keel === null) return 'cpu';
    const process = this.processOf(thread);
    if (process !== null) return processName(process);
    return thread === KERNEL_THREAD ? 'kernel' : 'ended';
  }

  /** The registers of a thread, as far as they are known. */
  context(thread: Thread): Context {
    if (thread === this.current || this.#keel === null) return contextOf(this.registers);
    const slot = thread - 1;
    const saved = (this.side === 'user' ? this.#keel.userContext(slot) : null) ?? this.#keel.kernelContext(slot);
    return saved === null ? new Map() : savedContext(saved.registers, saved.fxsave);
  }

  /** What a process had in its registers when it entered the kernel. */
  userContext(process: KeelProcess): Context | null {
    const saved = this.#keel?.userContext(process.slot) ?? null;
    return saved === null ? null : savedContext(saved.registers, saved.fxsave);
  }

  get registers(): Registers {
    return this.timeline.machine.registers();
  }

  /** The program of the process that runs. */
  get program(): string | null {
    return this.processOf(this.current)?.program ?? null;
  }

  /** The lines that the guest began to print from a position up to here. */
  printed(from: bigint): readonly string[] {
    const { console: lines, position } = this.timeline;
    return lines
      .filter(({ at }) => at >= from && at < position)
      .slice(-MOST_LINES)
      .map(({ text }) => text);
  }

  /** How the recorded run ended. */
  get ending(): string {
    const stop = this.timeline.trace.end?.stop;
    return stop === undefined ? 'the recording was cut off' : stopText(stop);
  }

  // ---- Memory -----------------------------------------------------------------------------------------------------------------------------

  /**
   * Bytes as a thread sees them now, up to the first page that is not there; null where not even the first is. What nothing is mapped at is read from the
   * files of kernel and programs, so that breakpoints can be set in code before it is loaded.
   */
  read(thread: Thread, address: bigint, length: number): Uint8Array | null {
    const pieces: Uint8Array[] = [];
    for (let done = 0; done < length; ) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const piece = this.#readPiece(thread, at, Math.min(length - done, 4096 - Number(at & 0xfffn)));
      if (piece === null) break;
      pieces.push(piece);
      done += piece.length;
    }
    return pieces.length === 0 && length > 0 ? null : Buffer.concat(pieces);
  }

  /** Within one page. */
  #readPiece(thread: Thread, address: bigint, length: number): Uint8Array | null {
    const { machine } = this.timeline;
    const physical = physicalOf(address);
    if (physical !== null)
      return physical + BigInt(length) <= BigInt(machine.ram.byteLength) ? machine.readPhysical(physical, length) : null;
    return machine.readLinear(address, length, this.rootOf(thread)) ?? this.images.constants(address, length, this.program);
  }

  /** CR3 of a thread; undefined: what the CPU has now. */
  rootOf(thread: Thread): bigint | undefined {
    if (thread === this.current || this.#keel === null) return undefined;
    return this.processOf(thread)?.root ?? this.#keel.kernelRoot ?? undefined;
  }

  // ---- Breakpoints and watchpoints ------------------------------------------------------------------------------------------------------------

  /** False where there are too many. */
  addBreakpoint(address: bigint): boolean {
    if (this.#breakpoints.size >= MOST_POINTS) return false;
    this.#breakpoints.set(address, { address });
    if (this.#everSet.size < MOST_EVER_SET) this.#everSet.add(address);
    return true;
  }

  removeBreakpoint(address: bigint): void {
    this.#breakpoints.delete(address);
  }

  /** False where there are too many, or it is too long. */
  addWatchpoint(access: Watchpoint['access'], address: bigint, length: number): boolean {
    if (this.#watchpoints.size >= MOST_POINTS || length < 1 || length > MOST_WATCHED_BYTES) return false;
    this.#watchpoints.set(keyOf(access, address, length), watchpointAt(access, address, length));
    return true;
  }

  removeWatchpoint(access: Watchpoint['access'], address: bigint, length: number): void {
    this.#watchpoints.delete(keyOf(access, address, length));
  }

  /** The gdb that set them is gone. */
  forgetPoints(): void {
    this.#breakpoints.clear();
    this.#everSet.clear();
    this.#isInterrupted = false;
    this.#watchpoints.clear();
  }

  // ---- Moving -----------------------------------------------------------------------------------------------------------------------------

  /** Ends a motion soon; where there is none, the next one at once: gdb may have asked while it was being told of a stop that it goes on from. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.timeline.interrupt();
  }

  async move(motion: Motion): Promise<Halt> {
    try {
      return await this.#move(motion);
    } finally {
      this.#isInterrupted = false;
    }
  }

  async #move(motion: Motion): Promise<Halt> {
    this.#told = null;
    if (this.#isInterrupted) return { why: 'interrupted' };
    if (motion.kind === 'continue') {
      if (this.destination !== null) return await this.#arrive(this.destination);
      return haltOf(await this.#travel(motion.isBack ? 'back' : 'forward'));
    }
    const thread = motion.thread ?? this.current;
    if (this.#everSet.has(this.timeline.machine.rip) && thread === this.current) return await this.#stepOver(motion, thread);
    if (motion.kind === 'step' && motion.isBack) return await this.#stepBack();
    const early = await this.#come(thread);
    if (early !== null) return early;
    if (motion.kind === 'range') return await this.#stepWithin(motion.from, motion.to);
    return await this.#stepForward();
  }

  /** One step of a thread, which is said to stand after it, whoever runs then. */
  async #stepOver(motion: Motion, thread: Thread): Promise<Halt> {
    this.#isAlone = true;
    const isBack = motion.kind === 'step' && motion.isBack;
    const halt = await (isBack ? this.#stepBack() : motion.kind === 'range' ? this.#stepInUser() : this.#stepForward());
    this.#isAlone = false;
    if (halt.why === 'end' || halt.why === 'start' || !this.isAlive(thread)) return halt;
    this.#told = thread;
    return halt.why === 'arrived' ? { why: 'stepped' } : halt;
  }

  #stepForward(): Promise<Halt> {
    return this.kernel === 'into' ? this.#step('forward') : this.#stepInUser();
  }

  #stepBack(): Promise<Halt> {
    return this.kernel === 'into' ? this.#step('back') : this.#stepBackInUser();
  }

  async #travel(direction: 'forward' | 'back', until?: bigint, extra: readonly Breakpoint[] = []): Promise<Stopped> {
    const breakpoints = [...(this.#isAlone ? [] : this.#breakpoints.values()), ...extra];
    const search = { breakpoints, watchpoints: [...this.#watchpoints.values()], ...(until !== undefined && { until }) };
    for (;;) {
      // A short way ends without a turn of the event loop, in which an interruption is heard of.
      if (++this.#ways % WAYS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#isInterrupted) return { why: 'interrupted', position: this.timeline.position, hit: null };
      const stopped = await this.timeline.travel(direction, search);
      if (stopped.hit === null || this.#isMeant(stopped.hit)) return stopped;
      if (stopped.position === until) return { ...stopped, why: 'until', hit: null };
    }
  }

  /** Whether a hit is one for gdb, not another program's at the same addresses. */
  #isMeant(hit: Hit): boolean {
    if (hit.kind === 'breakpoint') return this.images.isMeant(hit.breakpoint.address, this.program);
    return hit.watchpoint.space === 'physical' || this.images.isMeant(hit.watchpoint.address, this.program);
  }

  async #arrive(destination: bigint): Promise<Halt> {
    this.destination = null;
    const { why } = await this.timeline.travel('seek', { until: destination });
    return { why: why === 'interrupted' ? why : 'arrived' };
  }

  /** One instruction. What is delivered before it is taken back with it, unless a breakpoint lies behind the delivery. */
  async #step(direction: 'forward' | 'back'): Promise<Halt> {
    const { timeline, current } = this;
    const { position, delivered } = timeline;
    const until = direction === 'forward' ? position + 1n : delivered > 0 ? position : position - 1n;
    const stopped = await this.#travel(direction, until);
    // The step that arrives at an end was one; the next finds the border.
    if (stopped.why !== 'until' && stopped.position !== until) return haltOf(stopped);
    if (stopped.why === 'breakpoint' || stopped.why === 'watchpoint' || stopped.why === 'interrupted') return haltOf(stopped);
    return { why: this.current === current ? 'stepped' : 'arrived' };
  }

  /** Runs until a thread runs; null where it does, else why it did not come to that. */
  async #come(thread: Thread): Promise<Halt | null> {
    while (this.current !== thread) {
      const resumed = this.#keel?.kernelContext(thread - 1)?.registers['rip'];
      if (resumed === undefined) return null;
      const halt = await this.#runTo(resumed, () => this.current === thread);
      if (halt !== null) return halt;
    }
    return null;
  }

  /** Runs until an address is come to with a condition; null where it was, else why not. */
  async #runTo(address: bigint, holds: () => boolean): Promise<Halt | null> {
    for (;;) {
      const stopped = await this.#travel('forward', undefined, [{ address }]);
      if (stopped.hit?.kind !== 'breakpoint' || stopped.hit.breakpoint.address !== address) return haltOf(stopped);
      if (holds()) return null;
      if (!this.#isAlone && this.#breakpoints.has(address)) return haltOf(stopped);
    }
  }

  // ---- Past the kernel --------------------------------------------------------------------------------------------------------------------------

  /** Steps while RIP lies in a range. Where user mode enters the kernel in between, that is run through; so are interrupts of the kernel itself. */
  async #stepWithin(from: bigint, to: bigint): Promise<Halt> {
    for (;;) {
      const halt = await this.#stepInUser();
      if (halt.why !== 'stepped') return halt;
      const { rip } = this.timeline.machine;
      if (rip < from || rip >= to) return halt;
      if (this.#breakpoints.has(rip)) return { why: 'breakpoint' };
    }
  }

  /** One instruction as user mode sees it: what the kernel does before the next one belongs to it. In the kernel, what an interrupt does. */
  async #stepInUser(): Promise<Halt> {
    const { timeline, current } = this;
    const runner = this.#runner;
    const { position, machine, delivered } = timeline;
    const { rip, cpl } = machine;
    const rsp = machine.register(RSP);
    const halt = await this.#step('forward');
    // It was a handler's first instruction: what entered the kernel at this position did so before.
    if (delivered > 0) return halt;
    const isStep = halt.why === 'stepped' || halt.why === 'arrived';
    const isNear = machine.rip >= rip && machine.rip <= rip + MOST_INSTRUCTION_BYTES;
    if (!isStep || machine.cpl === USER || (cpl !== USER && isNear)) return halt;
    const entry = timeline.events.next({ kinds: ENTRIES }, position - 1n);
    if (entry?.at !== position || (cpl !== USER && entry.kind !== 'irq')) return halt;
    // SYSCALL and INT have been executed; what was interrupted has not.
    const isExecuted = entry.kind === 'syscall' || entry.kind === 'software-interrupt';
    const isBack = () => this.#runner === runner && machine.cpl === cpl && machine.register(RSP) === rsp;
    const early = await this.#runTo(isExecuted ? this.#behind(current, rip) : rip, isBack);
    if (early !== null) return early;
    return isExecuted ? { why: 'stepped' } : await this.#stepInUser();
  }

  /** The address behind a SYSCALL, INT n, INT3 or INT1. */
  #behind(thread: Thread, rip: bigint): bigint {
    const opcode = this.read(thread, rip, 1)?.[0];
    return rip + (opcode === INT3 || opcode === INT1 ? 1n : 2n);
  }

  /** One instruction back as user mode sees it. Where its process had not run before, it stays. */
  async #stepBackInUser(): Promise<Halt> {
    const { timeline } = this;
    const runner = this.#runner;
    const { machine, position } = timeline;
    const { cpl, rip } = machine;
    const rsp = machine.register(RSP);
    const halt = await this.#step('back');
    if (cpl !== USER || halt.why !== 'stepped' || machine.cpl === USER) return halt;
    for (let before = timeline.position + 1n; ; before = timeline.position) {
      const entry = timeline.previousEvent({ kinds: ['enter-kernel'] }, before);
      const stopped = await this.#travel('back', entry?.at);
      if (entry === null && stopped.why === 'start') {
        const { why } = await timeline.travel('seek', { until: position });
        return { why: why === 'interrupted' ? why : 'start' };
      }
      if (stopped.why !== 'until' && (stopped.position !== entry?.at || timeline.delivered > 0)) return haltOf(stopped);
      // Where other processes were in between, their ways into the kernel are met first.
      if (this.#runner !== runner) continue;
      const isInterrupt = machine.rip === rip && machine.register(RSP) === rsp;
      return isInterrupt ? await this.#stepBackInUser() : { why: 'stepped' };
    }
  }
}

/** How an instruction of user mode is left for the kernel. */
const ENTRIES = ['irq', 'exception', 'syscall', 'software-interrupt'] as const;
const USER = 3;
const INT3 = 0xcc;
const INT1 = 0xf1;
const MOST_INSTRUCTION_BYTES = 15n;
const RSP = 4;
const WAYS_A_TURN = 64;
const MOST_LINES = 200;
const MOST_POINTS = 1024;
const MOST_EVER_SET = 100_000;
const MOST_WATCHED_BYTES = 1 << 20;

/** The physical address that an address of gdb's means; null: it is a linear one. */
function physicalOf(address: bigint): bigint | null {
  return address >> 56n === PHYSICAL_WINDOW >> 56n ? address - PHYSICAL_WINDOW : null;
}

export function watchpointAt(access: Watchpoint['access'], address: bigint, length: number): Watchpoint {
  const physical = physicalOf(address);
  return { space: physical === null ? 'linear' : 'physical', address: physical ?? address, length, access };
}

function keyOf(access: Watchpoint['access'], address: bigint, length: number): string {
  return `${access} ${address} ${length}`;
}

function haltOf({ why, hit }: Stopped): Halt {
  if (why === 'until') return { why: 'stepped' };
  if (why !== 'watchpoint' || hit?.kind !== 'watchpoint') return { why: why === 'watchpoint' ? 'stepped' : why };
  return { why, access: hit.watchpoint.access, address: addressOf(hit) };
}

/** Where gdb is told that the access was: the first byte of it that is watched. */
function addressOf({ watchpoint: { space, address }, access }: Extract<Hit, { readonly kind: 'watchpoint' }>): bigint {
  const at = space === 'physical' ? access.physical : (access.linear ?? address);
  const first = at < address ? address : at;
  return space === 'physical' ? PHYSICAL_WINDOW + first : first;
}
