/**
 * The PC behind machine.ts: memory, CPU, devices and buses wired together, and the loop that runs instructions up to the next event and
 * delivers it at its exact count.
 *
 * Order at an instruction boundary, as the SDM's table 6-2 has it: the trap of a single step, then NMI, then external interrupts. A boundary at
 * which run() ends belongs to the next run(): so cutting a run changes nothing.
 */
import { Breakpoints } from './breakpoints.ts';
import type { FinalStop, MachineConfig, Stop } from './config.ts';
import { ADDRESS_LOG_BYTES } from './cpu/address-log.ts';
import { eventCode } from './cpu/event-code.ts';
import { Delivery } from './cpu/faults.ts';
import { recordHelper } from './cpu/helpers/accesses.ts';
import { Cpu, type Run } from './cpu/helpers/cpu.ts';
import { DR6_FIXED, DR7_FIXED } from './cpu/helpers/debug.ts';
import { makeHelpers } from './cpu/helpers/helpers.ts';
import { PAT_RESET } from './cpu/helpers/msr.ts';
import { tellSystemCall } from './cpu/helpers/syscall.ts';
import { Interpreter } from './cpu/interpreter.ts';
import { inShadow, mayInterrupt } from './cpu/interrupts.ts';
import type { Ports } from './cpu/ports.ts';
import {
  CpuState, DELIVERED_AT, DELIVERIES, DR, FAULT_VECTOR, FCW, INTERRUPT_PENDING, layoutMemory, MSR_SLOT, MXCSR, NMI_MATTERS, OBSERVED, OBSERVED_BY, RFLAGS_REST, RIP, STEP_DONE, STOP_REQUEST,
} from './cpu/state.ts'; // biome-ignore format: one list
import { TraceLog } from './cpu/trace-log.ts';
import { MAX_DELIVERIES, SOURCE } from './cpu/transfer-code.ts';
import { DebugExit } from './devices/debug-exit.ts';
import { Harness } from './devices/harness.ts';
import { Lapic } from './devices/lapic.ts';
import { PicPair } from './devices/pic.ts';
import { PortBus } from './devices/port-bus.ts';
import { Rtc } from './devices/rtc.ts';
import { Uart } from './devices/uart.ts';
import type { Host } from './host.ts';
import { bug } from './isa/bug.ts';
import { RFLAGS } from './isa/flags.ts';
import { HELPER_NAMES } from './isa/helpers.ts';
import { FRAME } from './memory/frames.ts';
import { Mmu } from './memory/mmu.ts';
import { PhysicalMemory } from './memory/physical.ts';
import { observeEvents } from './observe-events.ts';
import { observeMemory } from './observe-memory.ts';
import type { Observer } from './observer.ts';
import { LAPIC_BYTES } from './platform/memory-map.ts';
import { HARNESS, UART_IRQ } from './platform/ports.ts';
import { VECTOR } from './platform/vectors.ts';
import type { Probes } from './probes.ts';
import type { RunState } from './snapshot/machine-state.ts';
import type { FormLibrary } from './translator/form-library.ts';
import { missingAt } from './unsupported.ts';

/** Budget of one call of the interpreter where no event is due: any number far beyond a run's length. */
const NO_EVENT = Number.MAX_SAFE_INTEGER;

export class Pc {
  readonly memory: WebAssembly.Memory;
  readonly state: CpuState;
  readonly physical: PhysicalMemory;
  readonly mmu: Mmu;
  readonly cpu: Cpu;
  /** Events, and the targets of the path, as generated code writes them down. */
  readonly log: TraceLog;
  readonly interpreter: Interpreter;
  readonly uart: Uart;
  readonly pics: PicPair;
  readonly lapic: Lapic;
  readonly rtc: Rtc;
  readonly harness: Harness | null;
  readonly run: Run & RunState;
  /** Why nothing more is executed. */
  final: FinalStop = null;
  probes: Probes | null = null;
  readonly #breakpoints: Breakpoints;
  observer: Observer | null = null;

  readonly #delivery: Delivery;
  readonly #bus = new PortBus();
  #stop: Stop | null = null;
  #pathFrom = 0n;

  /** `random(n)` is the n-th value of the run's random sequence. */
  constructor(config: MachineConfig, host: Host, library: FormLibrary, random: (n: bigint) => bigint) {
    const layout = layoutMemory(config.memoryBytes, undefined, library.hasAddresses ? ADDRESS_LOG_BYTES : 0);
    const pages = Math.ceil(layout.totalBytes / 65536);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.state = new CpuState(this.memory, layout.cpuBase);
    this.state.clear();
    this.physical = new PhysicalMemory(this.memory, layout.ramBase, config.memoryBytes);
    this.log = new TraceLog(this.memory, layout.logBase, library.log);
    const events = eventCode(
      library.events,
      this.state,
      this.log,
      observeEvents(() => this.cpu),
    );
    this.mmu = new Mmu(this.state, this.physical, events);
    this.mmu.watchSupervisor = config.watch?.supervisorUserAccess === true;

    const pc = this;
    const clock = {
      get now() {
        return pc.cpu.now;
      },
      get tscOffset() {
        return pc.cpu.tscOffset;
      },
    };
    this.lapic = new Lapic(
      clock,
      config.memoryBytes,
      () => this.#scheduleChanged(),
      () => {
        this.final = { reason: 'init' };
        this.requestStop(this.final);
      },
    );
    this.pics = new PicPair(() => this.#scheduleChanged());
    this.lapic.connect(this.pics);
    this.uart = new Uart(
      {
        receive: () => {
          const byte = host.serialInput();
          if (byte !== null) this.observer?.input?.(this.cpu.at, 'serial', Uint8Array.of(byte));
          return byte;
        },
        send: (byte) => {
          host.serialOutput(byte);
          this.observer?.output?.(this.cpu.at, byte);
        },
      },
      (level) => this.pics.setLine(UART_IRQ, level),
    );
    this.rtc = new Rtc(clock, config.startTime ?? 0n);
    this.harness = config.harness ? this.#makeHarness(host) : null;
    const exit = new DebugExit((code) => this.requestStop({ reason: 'debug-exit', code }));
    const devices = [this.uart, this.pics.master, this.pics.slave, this.rtc, exit];
    for (const device of this.harness === null ? devices : [...devices, this.harness]) this.#bus.add(device);
    this.#bus.watcher = {
      portIn: (port, size, value) => this.observer?.portIn?.(this.cpu.at, port, size, value),
      portOut: (port, size, value) => this.observer?.portOut?.(this.cpu.at, port, size, value),
    };
    this.physical.bus = {
      read: (address, size) => this.#readMmio(address, size),
      write: (address, size, value) => this.#writeMmio(address, size, value),
    };

    const { state } = this;
    this.run = {
      skipped: 0,
      halted: false,
      nmiBlocked: false,
      get deliveries() {
        return state.get32(DELIVERIES);
      },
      set deliveries(value) {
        state.set32(DELIVERIES, value);
      },
      get deliveredAt() {
        return state.number64(DELIVERED_AT);
      },
      set deliveredAt(value) {
        state.setNumber64(DELIVERED_AT, value);
      },
      randomCount: 0n,
      random() {
        return random(this.randomCount++);
      },
    };
    this.cpu = new Cpu(this.state, this.mmu, this.#bus, this.lapic, this.run, events);
    this.#breakpoints = new Breakpoints(this.cpu);
    this.#delivery = new Delivery(this.cpu, library.transfer, () => this.#died());
    this.interpreter = new Interpreter({
      memory: this.memory,
      layout,
      state: this.state,
      ports: this.#ports(),
      log: this.log,
      library,
      tier: config.tier ?? 'auto',
    });
    this.mmu.codeWritten = (frame, offset, length) => {
      if (this.interpreter.codeCache.stored(frame, offset, length)) return;
      this.physical.flags[frame] = (this.physical.flags[frame] ?? 0) & ~FRAME.code;
    };
    this.interpreter.atBreakpoint = () => {
      this.#breakpoints.tell();
      return this.#stop !== null;
    };
    this.#resetCpu();
  }

  /** Ends run() after the instruction that runs now. The first reason wins; that of an observer never hides what the guest did. */
  requestStop(stop: Stop): void {
    if (this.#stop === null || this.#stop.reason === 'observer') this.#stop = stop;
    this.state.set32(STOP_REQUEST, 1);
    this.state.shortenBudget(1);
  }

  /** Who is told what happens, from now on. */
  observe(observer: Observer | null): void {
    this.observer = observer;
    this.cpu.observer = observer;
    this.state.set32(OBSERVED, observer === null ? 0 : observer.isLogging === true ? OBSERVED_BY.logged : OBSERVED_BY.told);
    this.mmu.events = observer === null ? null : observeMemory(this.cpu, observer);
  }

  /** What is told to the observer's `breakpoint` and `access`, from now on. */
  probe(probes: Probes | null): void {
    this.probes = probes;
    this.#breakpoints.set(probes?.breakpoints ?? []);
    this.interpreter.codeCache.setBreakpoints(this.#breakpoints.addresses);
    // The last: with it the software TLB forgets what code and data it had.
    this.mmu.watch(probes?.watchpoints ?? [], (access) => this.observer?.access?.(this.cpu.at, access));
  }

  /** Runs until `until` instructions have retired or something stops it earlier. */
  runUntil(until: number): Stop {
    const { cpu, state, lapic, run } = this;
    for (;;) {
      const stopped = this.final ?? this.#takeStop();
      if (stopped !== null) return stopped;
      const count = cpu.count;
      if (count >= until) return { reason: 'limit' };
      lapic.advance(cpu.now);
      if (this.#interrupt()) continue;
      if (run.halted) {
        if (!this.#wait()) return { reason: 'halt' };
        continue;
      }
      const isStepping = (cpu.low(RFLAGS_REST) & RFLAGS.tf) !== 0;
      const isPending = lapic.pending() >= 0;
      state.set32(INTERRUPT_PENDING, isPending ? 1 : 0);
      state.set32(NMI_MATTERS, lapic.nmiPending || run.nmiBlocked ? 1 : 0);
      const isHeldOff = isPending && inShadow(state);
      const budget = isStepping || isHeldOff ? 1 : Math.min(until - count, lapic.nextEvent() - cpu.now, NO_EVENT);
      state.set32(STEP_DONE, 0);
      const reason = this.interpreter.run(budget);
      if (reason === 'path-full') this.drainPath();
      else if (reason === 'fault') this.#deliverFault();
      if (isStepping && reason !== 'fault' && cpu.count > count && state.get32(STEP_DONE) === 0) this.#trapStep();
    }
  }

  /** Hands over the path recorded so far. */
  drainPath(): void {
    const to = this.state.count;
    const from = this.#pathFrom;
    this.#pathFrom = to;
    const drained = this.interpreter.drainPath();
    this.observer?.path?.({ from, to, ...drained });
  }

  /** What is written down from now on can be read without what was before; a path that was not drained is lost. */
  beginBlock(): void {
    this.#forgetLog();
    this.state.clearReturnStack();
  }

  #forgetLog(): void {
    this.interpreter.drainPath();
    this.log.begin(this.state.retired);
    this.interpreter.addresses?.begin();
    this.#pathFrom = this.state.count;
  }

  /** After load or restore: everything derived is made anew. */
  renew(): void {
    this.#stop = null;
    this.#breakpoints.forget();
    this.state.set32(STOP_REQUEST, 0);
    this.#forgetLog();
    this.lapic.reload();
    this.mmu.forgetTables();
    this.cpu.controlChanged();
  }

  // ---- Events ---------------------------------------------------------------------------------------------------------------------------

  /** Delivers an NMI or an external interrupt if one may come in now. */
  #interrupt(): boolean {
    const { lapic, run, state } = this;
    if (lapic.nmiPending && !run.nmiBlocked && !inShadow(state)) {
      lapic.takeNmi();
      run.nmiBlocked = true;
      this.#deliver(VECTOR.NMI, SOURCE.external);
      return true;
    }
    if (lapic.pending() < 0 || !mayInterrupt(state)) return false;
    this.#deliver(lapic.acknowledge(), SOURCE.external);
    return true;
  }

  /** HLT: lets virtual time pass to the next event. False: nothing can wake the CPU. */
  #wait(): boolean {
    const { lapic, cpu, run } = this;
    if ((cpu.low(RFLAGS_REST) & RFLAGS.if) === 0) return false;
    if (this.uart.waitsForInput) {
      this.uart.poll();
      if (lapic.pending() >= 0) return true;
    }
    if (lapic.preemption === null) return false;
    const now = cpu.now;
    const next = lapic.nextEvent();
    run.skipped += next - now;
    this.observer?.halt?.(cpu.at, BigInt(next - now));
    lapic.advance(next);
    // The timer fired into a priority that the guest has closed: it will again, and again.
    return lapic.pending() >= 0;
  }

  #deliverFault(): void {
    this.run.halted = false;
    this.#delivery.code.deliverFault();
  }

  /** The trap after a single step: DR6.BS, #DB. */
  #trapStep(): void {
    this.state.set64(DR + 48, this.state.get64(DR + 48) | (1n << 14n));
    this.#deliver(VECTOR.DB, SOURCE.exception);
  }

  #deliver(vector: number, source: number): void {
    this.run.halted = false;
    if (!this.#delivery.event(vector, source)) this.#died();
  }

  /** A delivery has come to nothing. */
  #died(): void {
    const missing = missingAt(this.state.get32(FAULT_VECTOR));
    if (missing !== null) this.final = { reason: 'unsupported', what: missing };
    else this.final = { reason: this.run.deliveries === MAX_DELIVERIES ? 'stuck' : 'triple-fault' };
  }

  #takeStop(): Stop | null {
    const stop = this.#stop;
    if (stop === null) return null;
    this.#stop = null;
    this.state.set32(STOP_REQUEST, 0);
    return stop;
  }

  /** What is pending, or the next event by time, has changed: the running loop must not run past it. */
  #scheduleChanged(): void {
    const { lapic, state } = this;
    const isPending = lapic.pending() >= 0;
    state.set32(INTERRUPT_PENDING, isPending ? 1 : 0);
    if (isPending) {
      if ((state.get32(RFLAGS_REST) & RFLAGS.if) !== 0) state.shortenBudget(1);
    }
    if (lapic.nmiPending) {
      state.set32(NMI_MATTERS, 1);
      state.shortenBudget(1);
    }
    const due = lapic.nextEvent();
    if (due !== Number.POSITIVE_INFINITY) {
      const left = due - this.cpu.now;
      if (left < 2 ** 31) state.shortenBudget(Math.max(1, left));
    }
  }

  // ---- Wiring -----------------------------------------------------------------------------------------------------------------------------

  #ports(): Ports {
    const { mmu, cpu } = this;
    const named = makeHelpers(this.#delivery);
    const helpers = HELPER_NAMES.map((name) => named[name]);
    return {
      load: mmu.code.load,
      store: mmu.code.store,
      probe: mmu.code.probe,
      refill: mmu.code.refill,
      stored: mmu.code.stored,
      fetch: (low, high) => mmu.fetch(low, high),
      watchCode: (physicalPage) => {
        if (physicalPage < this.physical.frames) mmu.watchFrame(physicalPage, FRAME.code);
      },
      dropCode: (physicalPage) => mmu.dropCode(physicalPage),
      faulted: this.#delivery.code.faulted,
      iret: this.#delivery.code.iret,
      writeCr3: mmu.code.writeCr3,
      attend: () => cpu.flagsChanged(),
      tell: (what) => tellSystemCall(cpu, what),
      helper: (number, decoded) => {
        const helper = helpers[number] ?? bug(`no helper ${number}`);
        const { addresses } = this.interpreter;
        return addresses === null ? helper(cpu, decoded) : recordHelper(cpu, HELPER_NAMES[number] ?? 'HLT', helper, decoded, addresses);
      },
    };
  }

  #makeHarness(host: Host): Harness {
    return new Harness({
      program: () => {
        const archive = host.program();
        if (archive !== null) this.observer?.input?.(this.cpu.at, 'program', archive);
        return archive;
      },
      writeMemory: (address, bytes) => {
        if (address + bytes.length <= this.physical.bytes) this.mmu.watchpoints.written(address, bytes.length);
        return this.physical.writeBytes(address, bytes);
      },
      command: (command, value, isEmpty) => {
        this.observer?.harness?.(this.cpu.at, command, value);
        if (command === HARNESS.ready) this.requestStop({ reason: 'ready' });
        else if (command === HARNESS.finished) this.requestStop({ reason: 'finished', status: value });
        else if (command === HARNESS.panic) this.requestStop({ reason: 'panic', status: value });
        else if (isEmpty) this.requestStop({ reason: 'fetch-empty' });
      },
    });
  }

  #readMmio(address: number, size: number): number {
    const offset = address - this.lapic.page;
    if (offset < 0 || offset >= LAPIC_BYTES) return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
    const value = this.lapic.readMemory(offset, size) >>> 0;
    this.observer?.mmio?.(this.cpu.at, 'lapic', offset, size, false, BigInt(value));
    return value;
  }

  #writeMmio(address: number, size: number, value: number): void {
    const offset = address - this.lapic.page;
    if (offset < 0 || offset >= LAPIC_BYTES) return;
    this.observer?.mmio?.(this.cpu.at, 'lapic', offset, size, true, BigInt(value >>> 0));
    this.lapic.writeMemory(offset, size, value >>> 0);
  }

  /** What reset leaves in registers that are not zero. */
  #resetCpu(): void {
    const { state } = this;
    state.set32(MXCSR, 0x1f80);
    state.set32(FCW, 0x37f);
    state.set64(MSR_SLOT.PAT, PAT_RESET);
    state.set64(DR + 48, DR6_FIXED);
    state.set64(DR + 56, DR7_FIXED);
    state.set64(RIP, 0n);
  }
}
