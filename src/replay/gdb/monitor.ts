/** `monitor …`: what gdb's own commands cannot ask of a recording. One row a command, of which `monitor help` prints the list. */
import { type ProbedAccess, type Registers, UserError } from '../../machine/index.ts';
import { describeEvent } from '../describe.ts';
import { instructionText } from '../divergence.ts';
import { EVENTS, type EventKind, type TraceEvent } from '../events.ts';
import { processName } from '../keel.ts';
import type { Trace } from '../trace/reader.ts';
import { type Debuggee, PHYSICAL_WINDOW, type Thread, watchpointAt } from './debuggee.ts';

interface Command {
  readonly name: string;
  readonly usage: string;
  readonly help: string;
  run(words: readonly string[], thread: Thread): string | Promise<string>;
}

const MOST_EVENTS = 1000;
const MOST_WORDS = 64;

export class Monitor {
  readonly #debuggee: Debuggee;
  readonly #commands: readonly Command[];

  constructor(debuggee: Debuggee) {
    this.#debuggee = debuggee;
    // biome-ignore format: a command a row
    this.#commands = [
      { name: 'help', usage: 'help', help: 'this list', run: () => this.#help() },
      { name: 'when', usage: 'when', help: 'the position: how many instructions have retired', run: () => this.#when() },
      { name: 'seek', usage: 'seek POSITION', help: 'where the next continue leads: 123, +1, end, MARK, next:irq, previous:syscall:write …', run: (words) => this.#seek(words) },
      { name: 'mark', usage: 'mark [NAME]', help: 'gives this position a name; without one, lists them', run: (words) => this.#mark(words) },
      { name: 'events', usage: 'events [KIND,…] [COUNT]', help: 'the next events (the last ones, where COUNT is negative), of these kinds', run: (words) => this.#events(words) },
      { name: 'process', usage: 'process [PID]', help: 'the processes of keel; of one of them, its registers in user mode', run: (words) => this.#process(words) },
      { name: 'context', usage: 'context user|kernel', help: 'which registers threads have that do not run', run: (words) => this.#context(words) },
      { name: 'kernel', usage: 'kernel into|past', help: 'whether single steps of user mode go into the kernel, or past it (at first)', run: (words) => this.#kernel(words) },
      { name: 'program', usage: 'program [NAME|auto]', help: 'which one gdb means, of programs that lie at the same addresses', run: (words) => this.#program(words) },
      { name: 'last-write', usage: 'last-write ADDRESS[:LENGTH]', help: 'who wrote this memory last before now', run: (words, thread) => this.#lastWrite(words, thread) },
      { name: 'translate', usage: 'translate ADDRESS', help: 'the page tables’ way to a linear address', run: (words, thread) => this.#translate(words, thread) },
      { name: 'registers', usage: 'registers', help: 'all of the CPU’s registers, those that gdb does not know among them', run: () => registersText(this.#debuggee.registers) },
    ];
  }

  /** What a command prints. UserError where that cannot be. */
  async run(line: string, thread: Thread): Promise<string> {
    const [name = '', ...words] = line.trim().split(/\s+/);
    if (words.length > MOST_WORDS) throw new UserError('more words than any command has');
    const found = this.#commands.filter((command) => command.name === name || (name.length > 1 && command.name.startsWith(name)));
    const command = found.find((each) => each.name === name) ?? (found.length === 1 ? found[0] : undefined);
    if (command === undefined) throw new UserError(`there is no monitor command "${name}"; "monitor help" lists them`);
    return await command.run(words, thread);
  }

  #help(): string {
    const rows = this.#commands.map(({ usage, help }) => `monitor ${usage.padEnd(38)} ${help}\n`);
    return `${rows.join('')}Physical memory lies at 0x${PHYSICAL_WINDOW.toString(16).padStart(16, '0')}: x/gx, watch and the like reach it there.\n`;
  }

  // ---- Where and when -------------------------------------------------------------------------------------------------------------------------

  #when(): string {
    const { timeline, current } = this.#debuggee;
    const { position, start, end } = timeline;
    const next = timeline.next();
    return [
      `Position ${position} of ${start} … ${end}, in ${this.#debuggee.nameOf(current)}`,
      next === null ? `the end: ${this.#debuggee.ending}` : instructionText(next),
      '',
    ].join('\n');
  }

  #seek([to = '']: readonly string[]): string {
    return this.#goTo(this.#debuggee.timeline.resolve(to));
  }

  #goTo(position: bigint): string {
    this.#debuggee.destination = position;
    return `The next continue leads to position ${position}.\n`;
  }

  #mark([name]: readonly string[]): string {
    const { marks, position } = this.#debuggee.timeline;
    if (name === undefined) return marks.all.map(([each, at]) => eventLine(at, each)).join('') || 'no marks\n';
    marks.set(name, position);
    return `${name} is position ${position}\n`;
  }

  // ---- Events ---------------------------------------------------------------------------------------------------------------------------------

  #events(words: readonly string[]): string {
    const numbers = words.filter((word) => /^-?\d{1,6}$/.test(word));
    const count = Math.max(-MOST_EVENTS, Math.min(Number(numbers[0] ?? 10), MOST_EVENTS));
    const kinds = kindsOf(words.filter((word) => !numbers.includes(word)));
    const { trace, position } = this.#debuggee.timeline;
    const lines: string[] = [];
    for (const event of eventsFrom(trace, position, count < 0)) {
      if (lines.length >= Math.abs(count)) break;
      if (kinds.includes(event.kind)) lines.push(eventLine(event.at, describeEvent(event)));
    }
    if (count < 0) lines.reverse();
    return lines.join('') || 'no such event\n';
  }

  // ---- Processes --------------------------------------------------------------------------------------------------------------------------------

  #process([pid]: readonly string[]): string {
    const debuggee = this.#debuggee;
    const processes = debuggee.processes();
    if (pid === undefined) {
      const rows = processes.map(({ slot, state, root, ...process }) => {
        const place = root === null ? '' : `  CR3 0x${root.toString(16)}`;
        return `${slot + 1 === debuggee.current ? '*' : ' '} thread ${String(slot + 1).padEnd(3)} ${processName(process).padEnd(24)} ${state}${place}\n`;
      });
      return rows.join('') || 'keel has no processes now\n';
    }
    const process = processes.find((each) => String(each.pid) === pid);
    if (process === undefined) throw new UserError(`there is no process ${pid} now; "monitor process" lists those that there are`);
    const context = debuggee.userContext(process);
    if (context === null)
      return `${processName(process)} (thread ${process.slot + 1}) has not entered the kernel: its registers are the CPU's\n`;
    const cells = USER_REGISTERS.map((name) => {
      const value = context.get(name);
      return `${name.padEnd(6)} 0x${(typeof value === 'bigint' ? value : 0n).toString(16).padStart(16, '0')}`;
    });
    return `${processName(process)} (thread ${process.slot + 1}), ${process.state}; as it entered the kernel:\n${inRows(cells)}`;
  }

  #context([side]: readonly string[]): string {
    if (side !== 'user' && side !== 'kernel') throw new UserError('user or kernel: with which registers a thread goes on there');
    this.#debuggee.side = side;
    return `Threads that do not run have the registers with which they go on in ${side === 'user' ? 'user mode' : 'the kernel'}; gdb asks for them at its next stop.\n`;
  }

  #kernel([how]: readonly string[]): string {
    if (how !== undefined && how !== 'into' && how !== 'past')
      throw new UserError('into or past: what single steps of user mode do with the kernel');
    if (how !== undefined) this.#debuggee.kernel = how;
    return `stepi, reverse-stepi, reverse-step and reverse-next in user mode go ${this.#debuggee.kernel} the kernel.\n`;
  }

  #program([name]: readonly string[]): string {
    const { images } = this.#debuggee;
    if (name !== undefined) {
      const chosen = name === 'auto' ? null : images.program(name);
      if (chosen === null && name !== 'auto') throw new UserError(`the trace has no program ${name}; "monitor program" lists them`);
      images.chosen = chosen;
    }
    const known = images.libraries(this.#debuggee.program);
    const list = images.programs.map((image) => `${known.includes(image) ? '*' : ' '} ${image.path}\n`).join('');
    if (list === '') return 'the trace has no programs\n';
    return name === undefined ? list : `${list}"sharedlibrary" makes gdb read its symbols.\n`;
  }

  // ---- Memory -----------------------------------------------------------------------------------------------------------------------------------

  async #lastWrite([where = '']: readonly string[], thread: Thread): Promise<string> {
    const [address, length] = placeOf(where);
    const { timeline } = this.#debuggee;
    // Whoever writes there by another address, or another process, is found as well: watched is the memory behind it.
    const physical = this.#physical(address, thread);
    const watchpoint = watchpointAt('write', physical, length);
    const here = timeline.position;
    const stopped = await timeline.travel('back', { watchpoints: [watchpoint] });
    try {
      if (stopped.why === 'interrupted') return 'interrupted\n';
      if (stopped.hit?.kind !== 'watchpoint') return 'Nobody has written there since the start.\n';
      const { at, access } = stopped.hit;
      const before = timeline.machine.readPhysical(watchpoint.address, length);
      const writer = this.#debuggee.nameOf(this.#debuggee.current);
      const instruction = timeline.next();
      timeline.seek(at + 1n);
      const after = timeline.machine.readPhysical(watchpoint.address, length);
      return [
        `Position ${at}, in ${writer}${access.implicit ? ', by the CPU itself or a device' : ''}${whereText(access)}:`,
        instruction === null ? '' : instructionText(instruction),
        `${hexadecimal(before)} became ${hexadecimal(after)}`,
        '',
      ].join('\n');
    } finally {
      timeline.seek(here);
    }
  }

  #physical(address: bigint, thread: Thread): bigint {
    if (address >> 56n === PHYSICAL_WINDOW >> 56n) return address;
    const translation = this.#debuggee.timeline.machine.translate(address, this.#debuggee.rootOf(thread));
    if (translation === null) throw new UserError(`nothing is mapped at 0x${address.toString(16)} now`);
    return PHYSICAL_WINDOW + translation.physical;
  }

  #translate([where = '']: readonly string[], thread: Thread): string {
    const [address] = placeOf(where);
    const { machine } = this.#debuggee.timeline;
    const root = this.#debuggee.rootOf(thread);
    const translation = machine.translate(address, root);
    if (translation === null) return `${this.#missing(address, root ?? machine.cr3)}nothing is mapped at 0x${address.toString(16)}\n`;
    const { levels, physical, writable, user, executable, global, size } = translation;
    const rows = levels.map(({ level, address: at, entry }) => levelText(level, at, entry));
    const rights = `${user ? 'user' : 'kernel'} r${writable ? 'w' : '-'}${executable ? 'x' : '-'}${global ? ' global' : ''}`;
    return `${rows.join('')}physical 0x${physical.toString(16)}, ${rights}, page of ${size / 1024} KiB\n`;
  }

  /** The entries of page tables up to the one that is not present. */
  #missing(address: bigint, cr3: bigint): string {
    const { machine } = this.#debuggee.timeline;
    const rows: string[] = [];
    let table = cr3 & TABLE_ADDRESS;
    for (let level = 4; level >= 1; level--) {
      const at = table + 8n * ((address >> BigInt(3 + 9 * level)) & 511n);
      if (at + 8n > BigInt(machine.ram.byteLength)) break;
      const entry = machine.ram.getBigUint64(Number(at), true);
      rows.push(levelText(level, at, entry));
      if ((entry & PRESENT) === 0n) break;
      table = entry & TABLE_ADDRESS;
    }
    return rows.join('');
  }
}

const PRESENT = 1n;
const TABLE_ADDRESS = 0x000f_ffff_ffff_f000n;

function levelText(level: number, at: bigint, entry: bigint): string {
  return `level ${level}: entry 0x${entry.toString(16).padStart(16, '0')} at ${physicalText(at)}\n`;
}

/** A physical address as gdb reaches it. */
function physicalText(address: bigint): string {
  return `0x${(PHYSICAL_WINDOW + address).toString(16).padStart(16, '0')}`;
}

const KINDS: readonly EventKind[] = EVENTS.map(({ kind }) => kind);
const USER_REGISTERS = 'rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip eflags cs ss fs_base gs_base'.split(' ');

function kindsOf(words: readonly string[]): readonly EventKind[] {
  if (words.length === 0) return KINDS;
  return words
    .flatMap((word) => word.split(','))
    .map((word) => {
      const kind = KINDS.find((each) => each === word);
      if (kind === undefined) throw new UserError(`there is no event "${word}"; kinds: ${KINDS.join(' ')}`);
      return kind;
    });
}

/** The events from a position on, or backwards from those before it. */
function* eventsFrom(trace: Trace, position: bigint, isBack: boolean): Generator<TraceEvent> {
  if (trace.runs === 0) return;
  // An event may stand at the end of a block, which is the position at which the next begins.
  const first = isBack ? trace.runAt(position) : Math.max(0, trace.runAt(position) - 1);
  for (let run = first; run >= 0 && run < trace.runs; run += isBack ? -1 : 1) {
    const events = trace.events(run).filter(({ at }) => (isBack ? at < position : at >= position));
    yield* isBack ? events.reverse() : events;
  }
}

function eventLine(at: bigint, text: string): string {
  return `${String(at).padStart(12)}  ${text}\n`;
}

/** `ADDRESS` or `ADDRESS:LENGTH`; 8 bytes unless it says otherwise. */
function placeOf(text: string): readonly [bigint, number] {
  const match = /^(0x[0-9a-f]{1,16}|\d{1,20})(?::(\d{1,4}))?$/i.exec(text);
  const address = BigInt(match?.[1] ?? 0);
  const length = Number(match?.[2] ?? 8);
  if (match === null || address >> 64n !== 0n || length < 1 || length > 4096)
    throw new UserError(`"${text}" is no address: 0x… or a number, and :LENGTH up to 4096 where it is not 8 bytes`);
  return [address, length];
}

function whereText({ linear, physical, size }: ProbedAccess): string {
  return `, ${size} bytes at ${linear === null ? '' : `0x${linear.toString(16)}, `}physical 0x${physical.toString(16)}`;
}

/** Memory as a number where it is one, else byte by byte. */
function hexadecimal(bytes: Uint8Array): string {
  const numbers = bytes.length <= 8 ? [...bytes].reverse() : [...bytes];
  const text = numbers.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes.length <= 8 ? `0x${text}` : text;
}

function inRows(cells: readonly string[]): string {
  const rows: string[] = [];
  for (let at = 0; at < cells.length; at += 3) rows.push(`${cells.slice(at, at + 3).join('  ')}\n`);
  return rows.join('');
}

function registersText(registers: Registers): string {
  const hex = (value: bigint | number) => `0x${value.toString(16).padStart(16, '0')}`;
  const { gdtr, idtr, segments, dr, msr, tsc, cpl } = registers;
  const cells = [
    ['CPL', cpl],
    ['TSC', tsc],
    ...(['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const).map((name) => [name.toUpperCase(), registers[name]] as const),
    ['GDTR', gdtr.base],
    ['IDTR', idtr.base],
    ['TR', segments.tr.base],
    ['LDTR', segments.ldtr.base],
    ...dr.map((value, index) => [`DR${index}`, value] as const).filter((_, index) => index !== 4 && index !== 5),
    ...Object.entries(msr),
  ] as const;
  return inRows(cells.map(([name, value]) => `${name.padEnd(19)} ${hex(value)}`));
}
