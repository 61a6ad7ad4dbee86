/**
 * A trace as Perfetto's interface shows it: who has the CPU, what is printed, and for each process its system calls, faults and interrupts, from the entry to
 * the kernel to the return; one instruction is one nanosecond.
 *
 *     await exportPerfetto(trace, {}, (bytes) => file.write(bytes));
 */
import { describeEvent, resultText, syscallArguments, syscallName, vectorName } from '../describe.ts';
import { type TraceEvent, type TraceEventOf, tagsOfKinds } from '../events.ts';
import type { PlayerOptions } from '../player.ts';
import { Processes } from '../processes.ts';
import type { Trace } from '../trace/reader.ts';
import { type Annotations, TrackEventWriter } from './track-events.ts';

const TAGS = tagsOfKinds([
  'irq',
  'exception',
  'software-interrupt',
  'syscall',
  'sysret',
  'enter-user',
  'enter-kernel',
  'context-switch',
  'stale',
  'halt',
  'output',
  'harness',
]);
/** Tracks that there are always; those of processes follow. */
const TRACK = { cpu: 1, console: 2, kernel: 3, processes: 16 } as const;
const LINE_FEED = 10;
const LONGEST_LINE = 1024;

export async function exportPerfetto(trace: Trace, options: PlayerOptions, write: (bytes: Uint8Array) => void): Promise<void> {
  const exporter = new Exporter(trace, await Processes.open(trace, options), new TrackEventWriter(write));
  for (let run = 0; run < trace.runs; run++) {
    if ((trace.tagsOf(run) & TAGS) !== 0n) for (const event of trace.events(run, TAGS)) exporter.event(event);
    await new Promise((resolve) => setImmediate(resolve));
  }
  exporter.finish(trace.instructions);
}

/** What may enter the kernel. */
type Entry = TraceEventOf<'irq' | 'exception' | 'software-interrupt' | 'syscall'>;

/** A process, or an address space of a kernel that is not known. */
interface Process {
  /** Of its thread, on which its slices are. */
  readonly track: number;
  readonly pid: number;
  name: string;
  /** Slices that were begun and not ended. */
  open: number;
}

class Exporter {
  readonly #processes: Processes | null;
  readonly #out: TrackEventWriter;
  /** By what tells them apart: their pid, or their page tables. */
  readonly #known = new Map<string, Process>();
  readonly #kernel: Process = { track: TRACK.kernel, pid: 0, name: 'kernel', open: 0 };
  #running = this.#kernel;
  /** The name on the CPU's track; null before the first. */
  #onCpu: string | null = null;
  /** The entry to the kernel that an event has announced. */
  #entry: Entry | null = null;
  #result: Annotations = {};
  /** The running process may have become another program since it was named. */
  #isSwitched = false;
  #line: { readonly at: bigint; text: string } | null = null;

  constructor(trace: Trace, processes: Processes | null, out: TrackEventWriter) {
    this.#processes = processes;
    this.#out = out;
    out.track(TRACK.cpu, 'CPU: who runs');
    out.track(TRACK.console, 'Console');
    out.track(TRACK.kernel, 'Kernel');
    this.#run(trace.start, this.#owner(trace.header.branch === null ? null : (processes?.at(trace.start) ?? null)));
  }

  event(event: TraceEvent): void {
    const { at } = event;
    if (event.kind !== 'enter-kernel') this.#endEntry();
    switch (event.kind) {
      case 'irq':
      case 'exception':
      case 'software-interrupt':
      case 'syscall':
        this.#entry = event;
        break;
      case 'enter-kernel':
        this.#enter(at);
        break;
      case 'sysret':
        this.#result = { result: resultText(event.result) };
        break;
      case 'enter-user':
        this.#leave(at);
        break;
      case 'context-switch':
        this.#switch(event);
        break;
      case 'output':
        this.#print(at, event.byte);
        break;
      default:
        this.#out.instant(at, this.#running.track, event.kind, event.kind, { event: describeEvent(event) });
    }
  }

  /** What came while the kernel was running enters nothing, and its end is no event: it is told as a moment. */
  #endEntry(): void {
    const entry = this.#entry;
    this.#entry = null;
    if (entry !== null) this.#out.instant(entry.at, this.#running.track, categoryOf(entry), nameOf(entry), annotationsOf(entry));
  }

  #enter(at: bigint): void {
    const entry = this.#entry;
    this.#entry = null;
    if (entry === null || entry.at !== at) return;
    const process = this.#running;
    this.#out.begin(at, process.track, categoryOf(entry), nameOf(entry), annotationsOf(entry));
    process.open++;
  }

  /** Nothing of a process is left in the kernel when it goes on in user mode. */
  #leave(at: bigint): void {
    if (this.#isSwitched && this.#processes !== null) {
      const name = this.#processes.at(at + 1n);
      if (name !== null) this.#run(at, this.#process(name));
    }
    this.#isSwitched = false;
    const process = this.#running;
    while (process.open > 0) {
      this.#out.end(at, process.track, process.open === 1 ? this.#result : {});
      process.open--;
    }
    this.#result = {};
  }

  #switch(event: TraceEventOf<'context-switch'>): void {
    const name = this.#processes === null ? `space 0x${event.to.toString(16)}` : this.#processes.around(event).to;
    this.#isSwitched = true;
    this.#run(event.at, this.#owner(name));
  }

  /** Of an address space that nobody is known to have, the kernel. */
  #owner(name: string | null): Process {
    return name === null || name === 'kernel' ? this.#kernel : this.#process(name);
  }

  #run(at: bigint, process: Process): void {
    if (this.#onCpu === process.name && process === this.#running) return;
    if (this.#onCpu !== null) this.#out.end(at, TRACK.cpu);
    this.#out.begin(at, TRACK.cpu, 'scheduling', process.name, process.pid === 0 ? {} : { pid: process.pid });
    this.#onCpu = process.name;
    this.#running = process;
  }

  #process(name: string): Process {
    const [word, number] = name.split(' ');
    const isNumbered = word === 'pid' && number !== undefined;
    const key = isNumbered ? number : name;
    let process = this.#known.get(key);
    const isNew = process === undefined;
    if (process === undefined) {
      const place = this.#known.size;
      process = { track: TRACK.processes + 2 * place + 1, pid: isNumbered ? Number(number) : place + 1, name, open: 0 };
      this.#known.set(key, process);
    }
    if (isNew || process.name !== name) {
      process.name = name;
      this.#out.process(process.track - 1, process.pid, name);
      this.#out.thread(process.track, process.track - 1, process.pid, name);
    }
    return process;
  }

  #print(at: bigint, byte: number): void {
    this.#line ??= { at, text: '' };
    if (byte !== LINE_FEED) this.#line.text += String.fromCharCode(byte);
    if (byte === LINE_FEED || this.#line.text.length >= LONGEST_LINE) this.#endLine();
  }

  #endLine(): void {
    if (this.#line !== null) this.#out.instant(this.#line.at, TRACK.console, 'console', this.#line.text.replace(/\r$/, ''));
    this.#line = null;
  }

  /** What is still going on ends with the trace. */
  finish(at: bigint): void {
    this.#endEntry();
    this.#endLine();
    this.#out.end(at, TRACK.cpu);
    for (const process of [this.#kernel, ...this.#known.values()])
      for (; process.open > 0; process.open--) this.#out.end(at, process.track);
    this.#out.flush();
  }
}

function categoryOf({ kind }: Entry): string {
  return kind === 'syscall' ? 'syscall' : kind === 'exception' ? 'fault' : 'interrupt';
}

function nameOf(event: Entry): string {
  if (event.kind === 'syscall') return syscallName(event.number) ?? `syscall ${event.number}`;
  if (event.kind === 'exception') return vectorName(event.vector);
  return `${event.kind === 'irq' ? 'interrupt' : 'int'} ${event.vector}`;
}

function annotationsOf(event: Entry): Annotations {
  switch (event.kind) {
    case 'irq':
      return { vector: event.vector, handler: event.target };
    case 'exception':
      return { rip: event.rip, code: event.code, ...(event.vector === 14 && { address: event.cr2 }) };
    case 'software-interrupt':
      return { vector: event.vector, rip: event.rip };
    case 'syscall':
      return { ...Object.fromEntries(syscallArguments(event.number, event.args)), rip: event.rip };
  }
}
