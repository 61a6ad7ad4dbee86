/**
 * One conversation with a gdb: the answer to each packet. It knows nothing of sockets, and what it is asked may be anything: a request that makes no sense
 * is answered with an error, and none makes it throw.
 */
import { UserError } from '../../machine/index.ts';
import type { Debuggee, Halt, Motion, Thread } from './debuggee.ts';
import { KERNEL_THREAD } from './debuggee.ts';
import { HostFiles, librariesText, quoted } from './files.ts';
import { bigOf, hexOf, hexOfText, smallOf, textOfHex } from './hexadecimal.ts';
import { Monitor } from './monitor.ts';
import { PACKET_BYTES } from './packets.ts';
import { packed, REGISTERS } from './registers.ts';
import { TARGET_DESCRIPTION } from './target-description.ts';

const ERROR = { arguments: 'E01', memory: 'E0e', limit: 'E0c' } as const;
const SUPPORTED = [
  `PacketSize=${PACKET_BYTES.toString(16)}`,
  'QStartNoAckMode+',
  'ReverseStep+',
  'ReverseContinue+',
  'swbreak+',
  'hwbreak+',
  'vContSupported+',
  'qXfer:features:read+',
  'qXfer:exec-file:read+',
  'qXfer:libraries:read+',
  'qXfer:threads:read+',
].join(';');
const ALIVE_MS = 500;
const SIGNAL = { none: '00', interrupt: '02', trap: '05' } as const;
const WATCHED = { write: 'watch', read: 'rwatch', access: 'awatch' } as const;
const WATCHPOINTS = { 2: 'write', 3: 'read', 4: 'access' } as const;

/** What a session may do beside answering. */
export interface Wire {
  /** Sends a packet that answers nothing: console output while something runs. */
  send(data: string): void;
  /** The other side has said that it goes. */
  end(): void;
}

export class Session {
  readonly #debuggee: Debuggee;
  readonly #wire: Wire;
  readonly #files: HostFiles;
  readonly #monitor: Monitor;
  /** The thread whose registers and memory are asked for. */
  #selected: Thread;
  /** The thread that `bs` and the like step; null: the one that runs. */
  #stepped: Thread | null = null;
  /** Whether breakpoints are hardware's, as gdb was told to set them: a stop names the kind. */
  readonly #hardware = new Set<bigint>();
  /** What gdb is to be told after it has looked at the libraries. */
  #pending: Halt | null = null;
  #last: Halt = { why: 'stepped' };
  /** No packets with checksums are acknowledged any more. */
  isTrusting = false;

  constructor(debuggee: Debuggee, wire: Wire) {
    this.#debuggee = debuggee;
    this.#wire = wire;
    this.#files = new HostFiles(debuggee.images);
    this.#monitor = new Monitor(debuggee);
    this.#selected = debuggee.current;
    debuggee.images.told = debuggee.images.libraries(debuggee.program);
  }

  /** The answer to a packet; null: none. An empty one says that the request is not known. */
  async answer(data: string): Promise<string | null> {
    const rest = data.slice(1);
    switch (data[0]) {
      case '?':
        return this.#haltText(this.#last);
      case '!':
        return '';
      case 'g':
        return this.#registers();
      case 'p':
        return this.#register(rest);
      case 'G':
      case 'P':
        return this.#refusal('registers');
      case 'm':
        return this.#memory(rest);
      case 'M':
      case 'X':
        return this.#refusal('memory');
      case 'H':
        return this.#select(rest);
      case 'T':
        return this.#debuggee.isAlive(threadOf(rest) ?? 0) ? 'OK' : ERROR.arguments;
      case 'Z':
      case 'z':
        return this.#point(data[0] === 'Z', rest);
      case 'c':
      case 'C':
        return await this.#resume({ kind: 'continue', isBack: false });
      case 's':
      case 'S':
        return await this.#resume({ kind: 'step', isBack: false, thread: this.#stepped });
      case 'b':
        return await this.#reverse(rest);
      case 'v':
        return await this.#verbose(rest);
      case 'q':
        return await this.#query(rest);
      case 'Q':
        if (rest !== 'StartNoAckMode') return '';
        this.isTrusting = true;
        return 'OK';
      case 'D':
        this.#wire.end();
        return 'OK';
      case 'k':
        this.#wire.end();
        return null;
      default:
        return '';
    }
  }

  // ---- Registers and memory -----------------------------------------------------------------------------------------------------------------

  #registers(): string {
    const context = this.#debuggee.context(this.#selected);
    return REGISTERS.map((row) => packed(row, context)).join('');
  }

  #register(text: string): string {
    const row = REGISTERS[smallOf(text) ?? -1];
    return row === undefined ? ERROR.arguments : packed(row, this.#debuggee.context(this.#selected));
  }

  #memory(text: string): string {
    const [address, length] = [bigOf(text.split(',')[0]), smallOf(text.split(',')[1])];
    if (address === null || length === null) return ERROR.arguments;
    const bytes = this.#debuggee.read(this.#selected, address, Math.min(length, PACKET_BYTES / 2));
    return bytes === null ? ERROR.memory : hexOf(bytes);
  }

  #refusal(what: string): string {
    return `E.this is a recording, its ${what} cannot be changed; "palindrome branch" goes on from a position with others`;
  }

  // ---- Threads ------------------------------------------------------------------------------------------------------------------------------

  /** `Hg thread` and `Hc thread`; -1 and 0: any. */
  #select(text: string): string {
    const any = text.slice(1) === '-1' || text.slice(1) === '0';
    const thread = any ? null : threadOf(text.slice(1));
    if (!any && (thread === null || !this.#debuggee.isAlive(thread))) return ERROR.arguments;
    if (text[0] === 'g') this.#selected = thread ?? this.#debuggee.current;
    else if (text[0] === 'c') this.#stepped = thread;
    else return ERROR.arguments;
    return 'OK';
  }

  #threadsText(): string {
    const { current } = this.#debuggee;
    const list = this.#debuggee.threads().map((thread) => {
      const state = thread === current ? 'runs' : (this.#debuggee.processOf(thread)?.state ?? 'idle');
      return `<thread id="${thread.toString(16)}" core="0" name="${quoted(this.#debuggee.nameOf(thread))}">${state}</thread>`;
    });
    return `<?xml version="1.0"?><threads>${list.join('')}</threads>`;
  }

  // ---- Breakpoints ----------------------------------------------------------------------------------------------------------------------------

  /** `type,address,kind`: 0 and 1 breakpoints, 2 … 4 watchpoints on writes, reads, both. */
  #point(isSet: boolean, text: string): string {
    const [kind, where, size] = text.split(';')[0]?.split(',') ?? [];
    const [type, address, length] = [smallOf(kind), bigOf(where), smallOf(size)];
    if (type === null || address === null || length === null) return ERROR.arguments;
    const debuggee = this.#debuggee;
    if (type <= 1) {
      this.#hardware[type === 1 && isSet ? 'add' : 'delete'](address);
      if (isSet) return debuggee.addBreakpoint(address) ? 'OK' : ERROR.limit;
      debuggee.removeBreakpoint(address);
      return 'OK';
    }
    const access = WATCHPOINTS[type as keyof typeof WATCHPOINTS];
    if (access === undefined) return '';
    if (isSet) return debuggee.addWatchpoint(access, address, length) ? 'OK' : ERROR.limit;
    debuggee.removeWatchpoint(access, address, length);
    return 'OK';
  }

  // ---- Moving -----------------------------------------------------------------------------------------------------------------------------------

  async #resume(motion: Motion): Promise<string> {
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null) return this.#stopped(pending);
    const halt = await this.#move(motion);
    return motion.kind === 'continue' && halt.why === 'arrived' && this.#hasOtherLibraries()
      ? this.#librariesFirst(halt)
      : this.#stopped(halt);
  }

  async #move(motion: Motion): Promise<Halt> {
    const debuggee = this.#debuggee;
    const from = debuggee.timeline.position;
    const halt = await debuggee.move(motion);
    for (const line of debuggee.printed(from)) this.#print(`${line}\n`);
    if (halt.why === 'end') this.#print(`The run ends here: ${debuggee.ending}.\n`);
    return halt;
  }

  #stopped(halt: Halt): string {
    this.#last = halt;
    this.#selected = this.#debuggee.stopped;
    return this.#haltText(halt);
  }

  /** Whether other programs' symbols are the right ones now than those that gdb has. */
  #hasOtherLibraries(): boolean {
    const { images, program } = this.#debuggee;
    return images.libraries(program).some((image) => !images.told.includes(image));
  }

  /**
   * gdb looks at the libraries, and goes on by itself to be told of the stop. Only where somebody went elsewhere: libraries that change while it steps or hits
   * a breakpoint confuse it (13.1 ends by an assertion of its own).
   */
  #librariesFirst(halt: Halt): string {
    this.#pending = halt;
    return `T${SIGNAL.trap}library:;thread:${this.#debuggee.current.toString(16)};`;
  }

  #haltText(halt: Halt): string {
    const thread = `thread:${this.#debuggee.stopped.toString(16)};`;
    switch (halt.why) {
      case 'stepped':
        return `T${SIGNAL.trap}${thread}`;
      case 'arrived':
        return `T${SIGNAL.none}${thread}`;
      case 'interrupted':
        return `T${SIGNAL.interrupt}${thread}`;
      case 'breakpoint': {
        const kind = this.#hardware.has(this.#debuggee.timeline.machine.rip) ? 'hwbreak' : 'swbreak';
        return `T${SIGNAL.trap}${kind}:;${thread}`;
      }
      case 'watchpoint':
        return `T${SIGNAL.trap}${WATCHED[halt.access]}:${halt.address.toString(16)};${thread}`;
      case 'start':
        return `T${SIGNAL.trap}replaylog:begin;${thread}`;
      case 'end':
        return `T${SIGNAL.trap}replaylog:end;${thread}`;
    }
  }

  async #reverse(kind: string): Promise<string> {
    if (kind === 'c') return await this.#resume({ kind: 'continue', isBack: true });
    if (kind === 's') return await this.#resume({ kind: 'step', isBack: true, thread: this.#stepped });
    return '';
  }

  // ---- Longer requests ----------------------------------------------------------------------------------------------------------------------------

  async #verbose(text: string): Promise<string> {
    if (text === 'Cont?') return 'vCont;c;C;s;S;r';
    if (text.startsWith('Cont;')) return await this.#continue(text.slice(5).split(';'));
    if (text.startsWith('File:')) {
      const [operation = '', args = ''] = text.slice(5).split(/:(.*)/s);
      return this.#files.answer(operation, args.split(',')) ?? '';
    }
    if (text.startsWith('Kill')) {
      this.#wire.end();
      return 'OK';
    }
    return '';
  }

  /** `vCont;action[:thread]…`: the first action that steps is done, else all go on. There is one CPU. */
  async #continue(actions: readonly string[]): Promise<string> {
    for (const action of actions) {
      const [what = '', who] = action.split(':');
      const thread = who === undefined || who === '-1' || who === '0' ? null : threadOf(who);
      if (/^(s|S[0-9a-f]{2})$/.test(what)) return await this.#resume({ kind: 'step', isBack: false, thread });
      const range = /^r([0-9a-f]{1,16}),([0-9a-f]{1,16})$/.exec(what);
      const [from, to] = [bigOf(range?.[1]), bigOf(range?.[2])];
      if (from !== null && to !== null) return await this.#resume({ kind: 'range', from, to, thread });
      if (!/^(c|C[0-9a-f]{2})$/.test(what)) return ERROR.arguments;
    }
    return await this.#resume({ kind: 'continue', isBack: false });
  }

  async #query(text: string): Promise<string> {
    if (text.startsWith('Supported')) return SUPPORTED;
    if (text.startsWith('Xfer:')) return this.#transfer(text.slice(5));
    if (text.startsWith('Rcmd,')) return await this.#command(textOfHex(text.slice(5)));
    if (text.startsWith('ThreadExtraInfo,')) return hexOfText(this.#debuggee.nameOf(threadOf(text.slice(16)) ?? KERNEL_THREAD));
    if (text.startsWith('Symbol')) return 'OK';
    if (text.startsWith('Attached')) return '1';
    switch (text) {
      case 'C':
        return `QC${this.#debuggee.current.toString(16)}`;
      case 'fThreadInfo':
        return `m${this.#debuggee
          .threads()
          .map((thread) => thread.toString(16))
          .join(',')}`;
      case 'sThreadInfo':
        return 'l';
      default:
        return '';
    }
  }

  /** `object:read:annex:offset,length`. */
  #transfer(text: string): string {
    const match = /^([a-z-]+):read:([^:]*):([0-9a-f]+),([0-9a-f]+)$/.exec(text);
    const [offset, length] = [smallOf(match?.[3]), smallOf(match?.[4])];
    const whole = this.#object(match?.[1] ?? '', match?.[2] ?? '');
    if (whole === null) return '';
    if (offset === null || length === null) return ERROR.arguments;
    const piece = whole.slice(offset, offset + Math.min(length, PACKET_BYTES / 2 - 16));
    return `${offset + piece.length >= whole.length ? 'l' : 'm'}${piece}`;
  }

  #object(name: string, annex: string): string | null {
    const { images, program } = this.#debuggee;
    switch (name) {
      case 'features':
        return annex === 'target.xml' ? TARGET_DESCRIPTION : null;
      case 'exec-file':
        return images.kernel?.path ?? null;
      case 'libraries':
        images.told = images.libraries(program);
        return librariesText(images.told);
      case 'threads':
        return this.#threadsText();
      default:
        return null;
    }
  }

  async #command(line: string | null): Promise<string> {
    if (line === null) return ERROR.arguments;
    // gdb waits two seconds for an answer; an empty text says that it comes.
    const alive = setInterval(() => this.#wire.send('O'), ALIVE_MS);
    try {
      this.#print(await this.#monitor.run(line, this.#selected));
      return 'OK';
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#print(`${error.message}\n`);
      return ERROR.arguments;
    } finally {
      clearInterval(alive);
    }
  }

  /** Shows a text, in pieces that fit a packet: two digits a byte, and `O` before them. */
  #print(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    const most = PACKET_BYTES / 2 - 1;
    for (let at = 0; at < bytes.length; at += most) this.#wire.send(`O${hexOf(bytes.subarray(at, at + most))}`);
  }
}

/** A thread's number as gdb writes it; null: none. */
function threadOf(text: string): Thread | null {
  return smallOf(text);
}
