/**
 * The canonical path of a block, and the walk along it.
 *
 * As in Intel PT the path holds only what code does not say itself, in two columns, each in the order in which instructions retire:
 * - *bits*: one for each conditional branch (1: taken), one for each retired iteration of a repeated string instruction (1: it goes on), one for each
 *   near return (1: it went where its call said, 0: a target follows);
 * - *targets*, each guessed from those before it (machine/cpu/trace-log.ts) or written down: the new RIP of each near jump or call through a register or memory, of each near return whose bit is 0, and of each transfer by
 *   gate or far pointer (IRET, SYSCALL, SYSRET, INT n, far jumps …). Direct jumps and calls leave nothing.
 *
 * Returns match calls by a stack of 32 return addresses (the oldest is lost), emptied at the start of a block, at each interrupt and exception and at
 * each transfer by gate or far pointer. Interrupts and exceptions are events and say their handler's address themselves.
 *
 * With the code bytes of the moment that gives every instruction: `walkPath`.
 */
import { HISTORIES, nextHistory } from '../machine/index.ts';
import { type Decoded, decode } from '../machine/isa/decode.ts';
import type { TraceEvent } from './events.ts';
import type { Mode, PackedPath, RunBlock } from './schema.ts';
import { Malformed } from './trace/malformed.ts';

/** An instruction of the path. */
export interface PathStep {
  readonly at: bigint;
  readonly rip: bigint;
  readonly decoded: Decoded;
}

/** All targets of a path, guessed or not: u64 each. */
export function targetsOf(path: PackedPath): BigUint64Array {
  const reader = new PathReader(path);
  return BigUint64Array.from({ length: path.targetCount }, () => reader.target());
}

/** The bytes of code at `rip` when instruction `at` runs (up to 15, fewer in front of a page that is not mapped), and the CPU's mode there. */
export type CodeAt = (at: bigint, rip: bigint) => { readonly bytes: Uint8Array; readonly mode: Mode };

const RETURN_SLOTS = 32;

/** Return addresses as the recording keeps them. */
class ReturnStack {
  readonly #addresses: bigint[] = [];

  push(address: bigint): void {
    this.#addresses.push(address);
    if (this.#addresses.length > RETURN_SLOTS) this.#addresses.shift();
  }

  pop(): bigint | null {
    return this.#addresses.pop() ?? null;
  }

  clear(): void {
    this.#addresses.length = 0;
  }
}

/** Reads the columns of a path. Throws `Malformed` where one is used up. */
export class PathReader {
  readonly #path: PackedPath;
  readonly #targets: DataView;
  /** What followed each history last time. */
  readonly #predictions: BigUint64Array;
  #history = 0;
  #bit = 0;
  #target = 0;
  #miss = 0;

  constructor(path: PackedPath) {
    this.#path = path;
    this.#targets = new DataView(path.targets.buffer, path.targets.byteOffset, path.targets.length);
    this.#predictions = new BigUint64Array(path.guesses === null ? 0 : HISTORIES);
  }

  bit(): boolean {
    if (this.#bit >= this.#path.bitCount) throw new Malformed(`the path has no bit ${this.#bit}`);
    const index = this.#bit++;
    return (((this.#path.bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  }

  target(): bigint {
    const index = this.#target++;
    if (index >= this.#path.targetCount) throw new Malformed(`the path has no target ${index}`);
    const { guesses } = this.#path;
    if (guesses === null) return this.#next();
    const isRight = (((guesses[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
    const target = isRight ? (this.#predictions[this.#history] ?? 0n) : this.#next();
    this.#predictions[this.#history] = target;
    this.#history = nextHistory(this.#history, Number(BigInt.asIntN(32, target)));
    return target;
  }

  /** The next target that was not guessed: there are as many as `guesses` says (schema.ts). */
  #next(): bigint {
    return this.#targets.getBigUint64(8 * this.#miss++, true);
  }

  /** Whether every bit and target was read. */
  get isDone(): boolean {
    return this.#bit === this.#path.bitCount && this.#target === this.#path.targetCount;
  }
}

/**
 * Every instruction of a block, in order. `events` are those of the block. Throws `Malformed` where path and code do not fit: code that cannot be
 * decoded, a column that is used up, or one that is not. With `known`, code is looked at once for each address, and taken not to change in the block.
 */
export function* walkPath(
  run: RunBlock,
  events: readonly TraceEvent[],
  code: CodeAt,
  known: Map<bigint, Decoded> | null = null,
): Generator<PathStep> {
  if (run.path === null) throw new Malformed('the block has no path');
  const path = new PathReader(run.path);
  const returns = new ReturnStack();
  let rip = run.rip;
  let next = 0;
  for (let i = 0; i < run.count; i++) {
    const at = run.first + BigInt(i);
    let interrupts = 0;
    for (let event = events[next]; event !== undefined && event.at <= at; event = events[++next]) {
      if (event.kind === 'software-interrupt') interrupts++;
      if (event.kind !== 'irq' && event.kind !== 'exception') continue;
      rip = event.target;
      returns.clear();
    }
    const decoded = known?.get(rip) ?? decodeAt(code, at, rip);
    known?.set(rip, decoded);
    yield { at, rip, decoded };
    rip = follow(decoded, rip, path, returns, interrupts > 0);
  }
  if (!path.isDone) throw new Malformed('the path says more than the instructions of the block take');
}

function decodeAt(code: CodeAt, at: bigint, rip: bigint): Decoded {
  const { bytes, mode } = code(at, rip);
  const decoded = decode(bytes, 0, mode, bytes.length);
  if (typeof decoded === 'string')
    throw new Malformed(`the code of instruction ${at} at 0x${rip.toString(16)} cannot be decoded: ${decoded}`);
  return decoded;
}

/** Where control goes after an instruction. */
function follow(decoded: Decoded, rip: bigint, path: PathReader, returns: ReturnStack, isInterrupt: boolean): bigint {
  const after = wrapRip(rip + BigInt(decoded.length), decoded);
  if (decoded.rep !== 'none') return path.bit() ? rip : after;
  switch (decoded.row.flow ?? 'next') {
    case 'next':
      return after;
    case 'branch':
      return path.bit() ? directTarget(decoded, after) : after;
    case 'jump':
      return directTarget(decoded, after);
    case 'call':
      returns.push(after);
      return directTarget(decoded, after);
    case 'indirect-call':
      returns.push(after);
      return path.target();
    case 'indirect':
      return path.target();
    case 'ret': {
      const address = returns.pop();
      if (!path.bit()) return path.target();
      if (address === null) throw new Malformed(`a return at 0x${rip.toString(16)} matches a call that is not there`);
      return address;
    }
    case 'event':
      // INTO goes on where OF = 0
      if (decoded.row.name === 'INTO' && !isInterrupt) return after;
      returns.clear();
      return path.target();
  }
}

/** Where a direct jump, branch or call goes; `after`: the address behind it. */
export function directTarget(decoded: Decoded, after: bigint): bigint {
  const operand = decoded.operands.find(({ kind }) => kind === 'rel');
  if (operand?.kind !== 'rel') throw new Malformed(`${decoded.row.name} has no target`);
  return wrapRip(after + operand.value, decoded);
}

/** RIP is as wide as the mode; near branches with a 16-bit operand size cut it to 16 bits. */
export function wrapRip(rip: bigint, { mode, operandSize, row }: Decoded): bigint {
  if (mode === 64) return BigInt.asUintN(64, rip);
  const isBranch = row.flow === 'branch' || row.flow === 'jump' || row.flow === 'call';
  return BigInt.asUintN(mode === 16 || (isBranch && operandSize === 16) ? 16 : 32, rip);
}
