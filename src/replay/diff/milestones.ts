/**
 * Two runs side by side by what they did to the world, for runs whose code lies elsewhere: system calls and their results, exceptions of programs, what was
 * printed, commands to the harness. Addresses and positions do not count.
 */
import { type Argument, SYSCALLS } from '../../kernel/abi/syscalls.ts';
import { resultText, syscallName, vectorName } from '../describe.ts';
import { tagsOfKinds } from '../events.ts';
import { OpenCalls } from '../inspect.ts';
import type { Trace } from '../trace/reader.ts';

/** Something that both runs should have done. */
export interface Milestone {
  readonly at: bigint;
  /** What is compared. */
  readonly sign: string;
  /** The same for people, with addresses. */
  readonly text: string;
}

export interface MilestoneDifference {
  /** How many both have in common. */
  readonly common: number;
  /** The last of them, in each run; null: there is none. */
  readonly last: readonly [Milestone, Milestone] | null;
  /** The first that are not the same, and those behind them; empty: the run has no more. */
  readonly next: readonly [readonly Milestone[], readonly Milestone[]];
}

const AFTER = 5;
const LINE_FEED = 10;
const LONGEST_LINE = 1024;
const TAGS = tagsOfKinds(['syscall', 'sysret', 'control-register', 'exception', 'enter-kernel', 'output', 'harness']);
/** What an argument that is not an address says by itself. */
const PLAIN: ReadonlySet<Argument['kind']> = new Set([
  'fd',
  'directory-fd',
  'flags',
  'choice',
  'size',
  'offset',
  'signal',
  'int',
  'mode',
  'count',
]);
const SMALL = 4096n;

/** Null: both did the same. Throws `TraceDamage`. */
export function firstDifferentMilestone(a: Trace, b: Trace): MilestoneDifference | null {
  // a branch begins where it left its parent
  let from = 0n;
  for (const trace of [a, b]) if (trace.runs > 0 && trace.firstOf(0) > from) from = trace.firstOf(0);
  const [left, right] = [milestones(a, from), milestones(b, from)];
  let last: readonly [Milestone, Milestone] | null = null;
  for (let common = 0; ; common++) {
    const [one, other] = [left.next().value, right.next().value];
    if (one === undefined && other === undefined) return null;
    if (one !== undefined && other !== undefined && one.sign === other.sign) {
      last = [one, other];
      continue;
    }
    return { common, last, next: [following(one, left), following(other, right)] };
  }
}

function following(first: Milestone | undefined, rest: Iterator<Milestone, undefined>): Milestone[] {
  const found: Milestone[] = [];
  for (let next = first; next !== undefined && found.length < AFTER; next = found.length < AFTER ? rest.next().value : undefined)
    found.push(next);
  return found;
}

/** Those of a trace from a position on, in order. */
function* milestones(trace: Trace, from: bigint): Generator<Milestone, undefined> {
  const calls = new OpenCalls();
  let line: { readonly at: bigint; text: string } | null = null;
  let exception: Milestone | null = null;
  for (let run = trace.runs === 0 ? 0 : trace.runAt(from); run < trace.runs; run++) {
    if ((trace.tagsOf(run) & TAGS) === 0n) continue;
    for (const event of trace.events(run, TAGS)) {
      const { text, call } = calls.tell(event);
      const { at } = event;
      if (at < from) continue;
      if (event.kind === 'output') {
        line ??= { at, text: '' };
        line.text += String.fromCharCode(event.byte);
        if (event.byte !== LINE_FEED && line.text.length < LONGEST_LINE) continue;
      }
      if (event.kind === 'control-register') continue;
      if (line !== null) yield printed(line);
      line = null;
      if (event.kind === 'exception') {
        exception = { at, sign: `exception ${vectorName(event.vector)}`, text };
      } else if (event.kind === 'enter-kernel') {
        // one that the kernel makes for itself is its own affair
        if (exception !== null && event.cause === 'exception' && exception.at === at) yield exception;
      } else if (event.kind === 'syscall') yield { at, sign: signOfCall(event.number, event.args), text };
      else if (event.kind === 'sysret' && call !== null) yield { at, sign: `${call} → ${signOfResult(event.result)}`, text };
      else if (event.kind === 'harness') yield { at, sign: `harness ${event.command}`, text };
      if (event.kind !== 'exception') exception = null;
    }
  }
  if (line !== null) yield printed(line);
  return undefined;
}

function printed({ at, text }: { readonly at: bigint; readonly text: string }): Milestone {
  const told = `printed ${JSON.stringify(text)}`;
  return { at, sign: told, text: told };
}

function signOfCall(number: bigint, args: readonly bigint[]): string {
  const row = SYSCALLS.find((each) => BigInt(each.number) === number);
  if (row === undefined) return `syscall ${number}`;
  const plain = row.arguments.map((argument, i) => (PLAIN.has(argument.kind) ? `${args[i]}` : '·'));
  return `${syscallName(number)}(${plain.join(', ')})`;
}

/** An error or a small number says something; a large one is an address. */
function signOfResult(result: bigint): string {
  const signed = BigInt.asIntN(64, result);
  return signed < SMALL && signed > -SMALL ? resultText(result) : 'address';
}
