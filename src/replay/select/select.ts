/**
 * Selects events and instructions of a trace, in the order in which they happened.
 *
 *     await select(trace, new Selection(['kind=page-fault process=hello', 'symbol=memcpy']), {}, (row) => (print(row), true));
 *
 * Rows are given as they are found, and none is kept. Events come out of the trace alone; for processes the trace is played along, and instructions are found
 * by a walk along its path.
 */

import { switchText } from '../describe.ts';
import { type TraceEvent, tagsOfKinds } from '../events.ts';
import { OpenCalls } from '../inspect.ts';
import { Player, type PlayerOptions, symbolsOf } from '../player.ts';
import { Processes, type SwitchNames } from '../processes.ts';
import { type InstructionView, viewOf } from '../step.ts';
import type { Place, Symbols } from '../symbols.ts';
import type { Trace } from '../trace/reader.ts';
import type { CodeBlock } from '../walk/code-block.ts';
import { isBefore, Walker } from '../walk/walker.ts';
import type { Subject } from './keys.ts';
import type { Selection } from './selection.ts';

/** What was selected. `process`: null where the selection does not ask for processes, or it is not known. */
export type SelectedRow =
  | {
      readonly at: bigint;
      readonly process: string | null;
      readonly event: TraceEvent;
      readonly text: string;
      readonly names: SwitchNames | null;
    }
  | { readonly at: bigint; readonly process: string | null; readonly instruction: InstructionView };

/** Takes a row; false: no more are wanted. */
export type TakeRow = (row: SelectedRow) => boolean;

export async function select(trace: Trace, selection: Selection, options: PlayerOptions, take: TakeRow): Promise<void> {
  if (trace.runs === 0) return;
  const { from, to } = selection;
  const wantsSwitches = (selection.tags & SWITCHES) !== 0n || selection.asks('process');
  const processes = wantsSwitches ? await Processes.open(trace, options) : null;
  // Only a branch may begin in user mode.
  const isUser = trace.header.branch !== null && (await Player.open(trace, options)).machine.cpl === 3;
  const teller = new Teller(trace, selection, { processes, symbols: symbolsOf(trace, options), isUser }, take);
  if (!selection.wantsInstructions) {
    for (let run = trace.runAt(from); run < trace.runs && trace.firstOf(run) < to && !teller.isDone; run++) {
      teller.begin(run);
      teller.advance(null);
      await breath();
    }
    return;
  }
  const walker = await Walker.open<null>(
    trace,
    {
      ownerOf: () => null,
      sink: {
        block: (block, count, _isTaken, at) => {
          teller.instructions(block, count, at);
          if (teller.isDone) walker.stop();
        },
      },
    },
    options,
  );
  let run = trace.runAt(from);
  teller.begin(run);
  for (const position of walker.blockwise(from, to)) {
    teller.advance(null);
    if (teller.isDone) return;
    await breath();
    run++;
    if (run < trace.runs && position < to) teller.begin(run);
  }
}

/** Lets those have a turn who write the rows, or want to end this. */
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const SWITCHES = tagsOfKinds(['context-switch']);
const MODES = tagsOfKinds(['enter-user', 'enter-kernel']);
const CALLS = tagsOfKinds(['syscall', 'sysret']);
const CALL_STATE = tagsOfKinds(['syscall', 'sysret', 'control-register']);
/** Fields that hold addresses. */
const ADDRESSES = ['rip', 'cr2', 'linear', 'target', 'address'] as const;

/** What the events alone do not say. */
interface Knowledge {
  readonly processes: Processes | null;
  readonly symbols: Symbols;
  /** Whether the trace begins in user mode. */
  readonly isUser: boolean;
}

/** Goes along the events of a block, knows who runs, and gives rows. */
class Teller {
  isDone = false;
  readonly #trace: Trace;
  readonly #selection: Selection;
  readonly #processes: Processes | null;
  readonly #symbols: Symbols;
  readonly #beganUser: boolean;
  readonly #take: TakeRow;
  readonly #tags: bigint;
  readonly #asksProcess: boolean;
  readonly #calls = new OpenCalls();
  /** Of each block, for each alternative, which of its instructions it may want; null: none of them. */
  readonly #wanted = new WeakMap<CodeBlock<null>, readonly (Uint8Array | null)[] | 'none'>();
  readonly #views = new WeakMap<CodeBlock<null>, InstructionView[]>();
  #events: readonly TraceEvent[] = [];
  #next = 0;
  #isUser: boolean | null = null;
  #process: string | null = null;
  /** The process is to be named again when it is in user mode: execve may give it another name behind the switch. */
  #isSwitched = true;

  constructor(trace: Trace, selection: Selection, { processes, symbols, isUser }: Knowledge, take: TakeRow) {
    this.#trace = trace;
    this.#selection = selection;
    this.#processes = processes;
    this.#symbols = symbols;
    this.#beganUser = isUser;
    this.#take = take;
    this.#asksProcess = selection.asks('process');
    let tags = selection.tags;
    if (this.#asksProcess) tags |= SWITCHES | MODES;
    if (selection.asks('mode') || selection.wantsInstructions) tags |= MODES;
    if ((tags & CALLS) !== 0n) tags |= CALL_STATE;
    this.#tags = tags;
  }

  begin(run: number): void {
    if (this.#isUser === null) {
      this.#isUser = (this.#tags & MODES) !== 0n && this.#wasUser(run);
      if (this.#asksProcess) this.#process = this.#processes?.at(this.#trace.firstOf(run)) ?? null;
    }
    this.#events = this.#tags === 0n ? [] : this.#trace.events(run, this.#tags);
    this.#next = 0;
  }

  /** Whether the CPU is at CPL 3 where a block begins: as the last event before it says. */
  #wasUser(run: number): boolean {
    for (let before = run - 1; before >= 0; before--) {
      if ((this.#trace.tagsOf(before) & MODES) === 0n) continue;
      const last = this.#trace.events(before, MODES).at(-1);
      if (last !== undefined) return last.kind === 'enter-user';
    }
    return this.#beganUser;
  }

  /** Tells of the events in front of an instruction; null: of all that the block has. */
  advance(at: bigint | null): void {
    for (; !this.isDone; this.#next++) {
      const event = this.#events[this.#next];
      if (event === undefined || (at !== null && (event.at > at || (event.at === at && !isBefore(event))))) return;
      this.#event(event);
    }
  }

  #event(event: TraceEvent): void {
    const view = this.#calls.tell(event);
    let { text, names } = view;
    if (event.kind === 'enter-kernel') this.#isUser = false;
    if (event.kind === 'context-switch' && this.#processes !== null) {
      names = this.#processes.around(event);
      text = switchText(event, names);
    }
    const subject: Subject = {
      at: event.at,
      event,
      mnemonic: null,
      addresses: addressesOf(event),
      places: () => this.#places(event),
      process: this.#process,
      isUser: this.#isUser === true,
      call: event.kind === 'syscall' ? callName(text) : view.call,
    };
    if (this.#isWanted(subject)) this.#give({ at: event.at, process: this.#process, event, text, names });
    this.#follow(event, names);
  }

  /** What holds from the next instruction on. */
  #follow(event: TraceEvent, names: SwitchNames | null): void {
    if (event.kind === 'enter-user') this.#isUser = true;
    if (!this.#asksProcess) return;
    if (event.kind === 'context-switch') {
      this.#process = names?.to ?? null;
      this.#isSwitched = true;
    }
    if (event.kind !== 'enter-user') return;
    if (this.#isSwitched) this.#process = this.#processes?.at(event.at + 1n) ?? null;
    this.#isSwitched = false;
  }

  #isWanted(subject: Subject): boolean {
    return this.#selection.alternatives.some((each) => each.kinds.length > 0 && each.mayMatch(subject) && each.matches(subject));
  }

  #places(event: TraceEvent): readonly Place[] {
    const [address] = addressesOf(event);
    return address === undefined ? [] : this.#symbols.allAt(address);
  }

  #give(row: SelectedRow): void {
    if (!this.isDone && !this.#take(row)) this.isDone = true;
  }

  /** Tells of the first instructions of a block of code (of a repeated one: of so many iterations), from position `at` on. */
  instructions(block: CodeBlock<null>, count: number, at: number): void {
    const wanted = this.#wanted.get(block) ?? this.#judge(block);
    if (wanted === 'none' || this.isDone) return;
    this.advance(BigInt(at));
    for (let i = 0; i < count && !this.isDone; i++) {
      const index = block.isRepeated ? 0 : i;
      const position = BigInt(at + i);
      let subject: Subject | null = null;
      for (const [number, mask] of wanted.entries()) {
        if (mask === null || mask[index] === 0) continue;
        subject ??= this.#subject(block, index, position);
        if (this.#selection.alternatives[number]?.matches(subject) !== true) continue;
        this.advance(position);
        const view = this.#view(block, index);
        this.#give({ at: position, process: this.#process, instruction: { ...view, at: position, cpl: this.#isUser === true ? 3 : 0 } });
        break;
      }
    }
  }

  #subject(block: CodeBlock<null>, index: number, at: bigint): Subject {
    return {
      at,
      event: null,
      mnemonic: block.mnemonics()[index] ?? null,
      addresses: [block.ripOf(index)],
      places: () => [this.#view(block, index).place].filter((place) => place !== null),
      process: this.#process,
      isUser: this.#isUser === true,
      call: null,
    };
  }

  /** Which instructions of a block each alternative may want. */
  #judge(block: CodeBlock<null>): readonly (Uint8Array | null)[] | 'none' {
    const masks = this.#selection.alternatives.map((each) => {
      if (!each.wantsInstructions) return null;
      const mask = Uint8Array.from({ length: block.count }, (_, index) => (each.mayMatch(this.#subject(block, index, 0n)) ? 1 : 0));
      return mask.includes(1) ? mask : null;
    });
    const wanted = masks.every((mask) => mask === null) ? 'none' : masks;
    this.#wanted.set(block, wanted);
    return wanted;
  }

  /** As it is seen when it is executed; position and CPL are another's. */
  #view(block: CodeBlock<null>, index: number): InstructionView {
    let views = this.#views.get(block);
    if (views === undefined) this.#views.set(block, (views = []));
    const code = { bytes: block.bytesOf(index), mode: block.mode };
    return (views[index] ??= viewOf({ at: 0n, rip: block.ripOf(index), cpl: 0, code }, this.#symbols));
  }
}

/** `write` of `syscall write(…) at …`. */
function callName(text: string): string {
  return /^syscall (\w+)/.exec(text)?.[1] ?? '';
}

function addressesOf(event: TraceEvent): bigint[] {
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  return ADDRESSES.map((name) => fields[name]).filter((value) => typeof value === 'bigint');
}
