/**
 * Straight-line code: the instructions from one address on up to the first that may go elsewhere, or to the end of the page or of their owner (a function,
 * say). A walk along the path goes from block to block, and decodes each once.
 */
import { type Decoded, decode } from '../../machine/isa/decode.ts';
import type { Flow } from '../../machine/isa/dsl.ts';
import { directTarget, wrapRip } from '../path.ts';
import type { Mode } from '../schema.ts';
import { Malformed } from '../trace/malformed.ts';

const RSP = 4;
const RBP = 5;
const GS = 5;

/** What belongs to the code of a block, as the walk's caller says; a block has one. */
export type OwnerOf<Owner> = (rip: bigint, bytes: Uint8Array) => Owner;

/** A page of code, by the linear address from which it was executed. */
export class CodePage<Owner> {
  readonly number: bigint;
  readonly frame: number;
  readonly mode: Mode;
  /** Of CS, outside of 64-bit mode. */
  readonly base: bigint;
  bytes: Uint8Array;
  /** By the offset of their first instruction. */
  readonly blocks = new Map<number, CodeBlock<Owner>>();
  /** The last window of the walk (walker.ts) in which it was entered. */
  usedIn = -1;

  constructor(number: bigint, frame: number, mode: Mode, base: bigint, bytes: Uint8Array) {
    this.number = number;
    this.frame = frame;
    this.mode = mode;
    this.base = base;
    this.bytes = bytes;
  }
}

export class CodeBlock<Owner> {
  readonly rip: bigint;
  readonly mode: Mode;
  readonly owner: Owner;
  readonly page: CodePage<Owner>;
  /** The page on which its only instruction ends, where that crosses the end of `page`. */
  readonly second: CodePage<Owner> | null;
  readonly bytes: Uint8Array;
  /** Where each instruction begins in `bytes`. */
  readonly offsets: readonly number[];
  readonly count: number;
  /** The last instruction. */
  readonly last: Decoded;
  readonly flow: Flow;
  /** The only instruction repeats itself: each iteration counts. */
  readonly isRepeated: boolean;
  /** The only instruction gives RSP a value that has nothing to do with the old one. */
  readonly switchesStack: boolean;
  /** The address behind it. */
  readonly after: bigint;
  /** Where the last instruction goes if it is a direct jump, branch or call. */
  readonly target: bigint | null;

  /** How often all of it was executed, and the branch at its end was taken. Of a repeated instruction: iterations, and those after which it went on. */
  executed = 0;
  taken = 0;
  /** How often its first n instructions alone were executed; null: never. */
  partly: number[] | null = null;

  /** The blocks behind it and at its target, as long as the walk's links are of this age. */
  afterLink: CodeBlock<Owner> | null = null;
  afterAge = -1;
  targetLink: CodeBlock<Owner> | null = null;
  targetAge = -1;

  constructor(parts: {
    readonly rip: bigint;
    readonly owner: Owner;
    readonly page: CodePage<Owner>;
    readonly second: CodePage<Owner> | null;
    readonly bytes: Uint8Array;
    readonly offsets: readonly number[];
    readonly last: Decoded;
  }) {
    const { last } = parts;
    this.rip = parts.rip;
    this.owner = parts.owner;
    this.page = parts.page;
    this.second = parts.second;
    this.bytes = parts.bytes;
    this.offsets = parts.offsets;
    this.count = parts.offsets.length;
    this.last = last;
    this.mode = last.mode;
    this.isRepeated = last.rep !== 'none';
    this.switchesStack = switchesStack(last);
    this.flow = last.row.flow ?? 'next';
    this.after = wrapRip(parts.rip + BigInt(parts.bytes.length), last);
    this.target = this.flow === 'branch' || this.flow === 'jump' || this.flow === 'call' ? directTarget(last, this.after) : null;
  }

  /** The address of an instruction, or of what follows the last. */
  ripOf(index: number): bigint {
    return index >= this.count ? this.after : wrapRip(this.rip + BigInt(this.offsets[index] ?? 0), this.last);
  }

  /** The bytes of one instruction. */
  bytesOf(index: number): Uint8Array {
    return this.bytes.subarray(this.offsets[index], this.offsets[index + 1]);
  }

  /** The manual's name of each instruction. */
  mnemonics(): string[] {
    return this.offsets.map((offset) => {
      const decoded = decode(this.bytes, offset, this.mode, this.bytes.length - offset);
      return typeof decoded === 'string' ? decoded : decoded.row.name;
    });
  }

  /** How often each instruction was executed. */
  counts(): number[] {
    const counts = new Array<number>(this.count);
    let times = this.executed;
    for (let index = this.count - 1; index >= 0; index--) {
      times += this.partly?.[index + 1] ?? 0;
      counts[index] = times;
    }
    return counts;
  }

  /** Counts an execution of its first instructions (of a repeated one: so many iterations). */
  add(count: number, isTaken: boolean): void {
    if (this.isRepeated) {
      this.executed += count;
      this.taken += isTaken ? count : count - 1;
    } else if (count === this.count) {
      this.executed++;
      if (isTaken) this.taken++;
    } else {
      this.partly ??= [];
      this.partly[count] = (this.partly[count] ?? 0) + 1;
    }
  }
}

/** `code`: from `rip` on to the end of the page, and further where the first instruction crosses that end (`second`). */
export function makeBlock<Owner>(
  rip: bigint,
  mode: Mode,
  code: Uint8Array,
  page: CodePage<Owner>,
  second: CodePage<Owner> | null,
  ownerOf: OwnerOf<Owner>,
): CodeBlock<Owner> | 'need-more' {
  const offsets: number[] = [];
  let owner: Owner | null = null;
  let last: Decoded | null = null;
  let end = 0;
  while (last === null || (last.row.flow === undefined && second === null && end < code.length)) {
    const decoded = decode(code, end, mode, code.length - end);
    if (typeof decoded === 'string') {
      if (last !== null) break;
      if (decoded === 'need-more') return decoded;
      throw new Malformed(`the code at 0x${rip.toString(16)} cannot be decoded: ${decoded}`);
    }
    if (last !== null && (decoded.rep !== 'none' || switchesStack(decoded))) break;
    const itsOwner = ownerOf(wrapRip(rip + BigInt(end), decoded), code.subarray(end, end + decoded.length));
    if (last !== null && itsOwner !== owner) break;
    owner = itsOwner;
    last = decoded;
    offsets.push(end);
    end += decoded.length;
    if (decoded.rep !== 'none' || switchesStack(decoded)) break;
  }
  return new CodeBlock({ rip, owner: owner as Owner, page, second, bytes: code.slice(0, end), offsets, last });
}

/**
 * Whether an instruction puts another stack in the place of RSP's. Not where a function gives its frame back (from RBP), nor on the way into a kernel (from
 * GS) and out of it (from the frame on the stack): those are told by events.
 */
function switchesStack({ row, operands }: Decoded): boolean {
  if (row.name !== 'MOV' && row.name !== 'XCHG' && row.name !== 'POP') return false;
  const [dst, src] = operands;
  if (dst?.kind !== 'reg' || dst.class !== 'gpr' || dst.width !== 64) return false;
  if (row.name === 'POP') return dst.index === RSP;
  if (row.name === 'XCHG') return dst.index === RSP || (src?.kind === 'reg' && src.index === RSP);
  if (dst.index !== RSP) return false;
  if (src?.kind === 'reg') return src.index !== RBP;
  return src?.kind === 'mem' && src.segment !== GS && src.base !== RSP;
}
