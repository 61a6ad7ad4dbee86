/** Looks into a trace: its events as lines, any range of instructions, registers and memory at a position. */
import type { Registers } from '../machine/index.ts';
import { describeEvent, resultText, switchText, syscallName } from './describe.ts';
import type { EventKind, TraceEvent } from './events.ts';
import { Player, type PlayerOptions } from './player.ts';
import type { Processes, SwitchNames } from './processes.ts';
import type { InstructionView } from './step.ts';
import type { Trace } from './trace/reader.ts';

export interface EventQuery {
  /** First position; default 0. */
  readonly from?: bigint;
  /** First position that is left out; default: the end. */
  readonly to?: bigint;
  /** Only these kinds. */
  readonly kinds?: ReadonlySet<EventKind>;
  /** Only calls of this name (`write`), and what they returned. */
  readonly syscall?: string;
}

/** An event, and a line for people without its position. */
export interface EventView {
  readonly event: TraceEvent;
  readonly text: string;
  /** Of a `sysret` that ends a system call: the call's name. */
  readonly call: string | null;
  /** Of a `context-switch`: who has the address spaces, where that is known. */
  readonly names: SwitchNames | null;
}

/**
 * The system calls that have begun and not ended, by the address space (CR3) that made them. So a return to user mode is told as the result of its
 * call, and one after an interrupt as that. Calls that began before the first event looked at are not known.
 */
export class OpenCalls {
  readonly #names = new Map<bigint, string>();
  #cr3 = 0n;

  /** The line for an event, given those before it. */
  tell(event: TraceEvent): EventView {
    const view = { event, text: describeEvent(event), call: null, names: null };
    if (event.kind === 'control-register' && event.register === 3) this.#cr3 = event.after;
    if (event.kind === 'syscall') this.#names.set(this.#cr3, syscallName(event.number) ?? `syscall ${event.number}`);
    if (event.kind !== 'sysret') return view;
    const call = this.#names.get(this.#cr3) ?? null;
    this.#names.delete(this.#cr3);
    return { ...view, text: call === null ? `${event.how} to user mode` : `${event.how} ${call} → ${resultText(event.result)}`, call };
  }
}

/**
 * The events of a trace in order, read block by block; with `processes` context switches say between whom, which takes playing the trace up to them.
 * Throws `TraceDamage` where a block is damaged.
 */
export function* inspectEvents(trace: Trace, query: EventQuery = {}, processes: Processes | null = null): Generator<EventView> {
  const { from = 0n, to = trace.instructions + 1n, kinds, syscall } = query;
  const calls = new OpenCalls();
  if (trace.runs === 0) return;
  for (let run = trace.runAt(from); run < trace.runs && trace.firstOf(run) < to; run++) {
    for (const event of trace.events(run)) {
      const view = calls.tell(event);
      if (event.at < from || event.at >= to) continue;
      if (kinds !== undefined && !kinds.has(event.kind)) continue;
      if (syscall !== undefined && nameOf(view) !== syscall) continue;
      if (event.kind !== 'context-switch' || processes === null) {
        yield view;
        continue;
      }
      const names = processes.around(event);
      yield { ...view, text: switchText(event, names), names };
    }
  }
}

/** The events of run block `run` alone, in order: calls that began before it are not known. */
export function* inspectBlock(trace: Trace, run: number): Generator<EventView> {
  const calls = new OpenCalls();
  for (const event of trace.events(run)) yield calls.tell(event);
}

/** The system call that an event begins or ends. */
function nameOf({ event, call }: EventView): string | null {
  return event.kind === 'syscall' ? syscallName(event.number) : call;
}

/**
 * The instructions `from` … `from + count - 1` (fewer where the run ends), each as it was executed: address, bytes, disassembly, symbol and source
 * line. They are found by playing the trace from the nearest checkpoint.
 */
export async function inspectInstructions(
  trace: Trace,
  from: bigint,
  count: number,
  options: PlayerOptions = {},
): Promise<InstructionView[]> {
  const player = await Player.open(trace, options);
  player.seek(from);
  const views: InstructionView[] = [];
  while (views.length < count) {
    const view = player.step();
    if (view === null) break;
    views.push(view);
  }
  return views;
}

/** The registers when `at` instructions have retired. */
export async function inspectRegisters(trace: Trace, at: bigint, options: PlayerOptions = {}): Promise<Registers> {
  const player = await Player.open(trace, options);
  player.seek(at);
  return player.machine.registers();
}
