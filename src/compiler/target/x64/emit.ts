/**
 * From machine code with places to bytes: frame, block order, jumps, trap stubs, tables.
 *
 * The frame, from RBP down: callee-saved registers, the function's own slots, spilled values; at RSP the arguments of calls. RSP is a
 * multiple of 16 at calls. A trap is a jump to a UD2 behind the function's code, one for each code and location.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { InlineCode } from '../../assembler/index.ts';
import type { DebugScope } from '../../image/debug-info.ts';
import type { DwarfRegisterName, FrameRow, LineRow, Relocation, TrapRow } from '../../image/object.ts';
import { rbpFrame } from '../../image/object.ts';
import { type InlinedCall, type Location, originalOf } from '../../ir/function.ts';
import type { TrapCode } from '../../ir/trap-codes.ts';
import type { Allocation } from './allocate.ts';
import type { CodeBuffer, Mark } from './code-buffer.ts';
import { B, IMMEDIATE, M, type MachineBlock, type MachineFunction, MachineInstruction, type MachineOp, MEMORY } from './machine.ts';
import { CALLEE_SAVED, NONE, name64, RAX, RBP, RCX, RDI, RSI, RSP } from './registers.ts';
import { rotateLoops } from './rotate-loops.ts';
import { type Places, settle } from './spill.ts';
import { type TrapSite, VariableTracker } from './variables.ts';

export interface EmittedFunction {
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
  readonly lines: readonly LineRow[];
  readonly traps: readonly TrapRow[];
  readonly frames: readonly FrameRow[];
  /** Jump tables: 8 bytes for each offset in the function. */
  readonly tables: readonly { readonly symbol: string; readonly offsets: readonly number[] }[];
  /** Bytes below the saved RBP. */
  readonly frameBytes: number;
  /** Where its variables are; null: not asked for. */
  readonly scope: DebugScope | null;
}

/** What functions share while a module is emitted. */
export interface EmitContext {
  readonly buffer: CodeBuffer;
  /** Rows of lines and frames are wanted. */
  readonly debug: boolean;
  assemble(text: string, location: Location | null): InlineCode;
}

export function emit(fn: MachineFunction, allocation: Allocation, context: EmitContext): EmittedFunction {
  return new Emitter(fn, allocation, context).run();
}

/** From so many saved registers on, all returns but one jump to the one epilogue. */
const SHARED_EXIT = 2;

interface Stub {
  readonly code: TrapCode;
  readonly mark: Mark;
  site: TrapSite | null;
}

interface Line {
  readonly mark: Mark;
  readonly location: Location;
  readonly kind: 'usual' | 'prologue end' | 'call';
}

interface Prologue {
  readonly afterPush: Mark;
  readonly afterMove: Mark;
  readonly end: Mark;
}

class Emitter {
  private readonly fn: MachineFunction;
  private readonly buffer: CodeBuffer;
  private readonly context: EmitContext;
  private readonly places: Places;
  private readonly saved: readonly number[];
  private readonly frameBytes: number;
  private readonly marks: Mark[];
  private readonly lines: Line[] = [];
  private lastLocation: Location | null = null;
  private readonly seenCalls = new Set<InlinedCall>();
  private readonly traps: { readonly mark: Mark; readonly code: TrapCode; readonly location: Location | null }[] = [];
  private readonly stubs = new Map<Location | null, Stub[]>();
  private readonly returns: { readonly ret: Mark; readonly after: Mark }[] = [];
  private readonly tables: { readonly symbol: string; readonly targets: readonly MachineBlock[] }[] = [];
  /** By position: what `forward` has found. */
  private readonly forwards: (MachineBlock | undefined)[] = [];
  private skip: Mark | null = null;
  private variables: VariableTracker | null = null;
  /** Of the first epilogue. */
  private exit: Mark | null = null;
  private readonly put = (i: MachineInstruction): void => this.buffer.instruction(i);

  constructor(fn: MachineFunction, allocation: Allocation, context: EmitContext) {
    this.fn = fn;
    this.context = context;
    this.buffer = context.buffer;
    this.saved = CALLEE_SAVED.filter((register) => (allocation.saved & (1 << register)) !== 0);
    // Slots may be aligned to 16: what is above them is, too.
    const savedBytes = 16 * Math.ceil(this.saved.length / 2);
    const slotBytes = 8 * Math.ceil(fn.slotBytes / 8);
    this.places = { places: allocation.places, isFloat: fn.isFloat, frame: -savedBytes, spillBase: -savedBytes - slotBytes - 8 };
    const bytes = savedBytes + slotBytes + 8 * allocation.slotCount + fn.argumentBytes;
    this.frameBytes = 16 * Math.ceil(bytes / 16);
    this.marks = fn.blocks.map(() => ({ raw: 0, jumps: 0 }));
  }

  run(): EmittedFunction {
    const { buffer, fn } = this;
    // A function that was given up may have left something.
    buffer.clear();
    const rotated = rotateLoops(fn);
    if (fn.origin !== null && this.context.debug) this.variables = this.tracker(rotated);
    const prologue = this.prologue();
    const blocks = fn.blocks.filter((block) => block === fn.blocks[0] || this.forward(block) === block);
    for (let at = 0; at < blocks.length; at++) {
      const block = blocks[at] ?? bug('a hole in blocks');
      buffer.place(this.markOf(block));
      if (at > 0) this.variables?.enter(block, buffer.mark());
      this.block(block, blocks[at + 1] ?? null);
    }
    for (const [location, list] of this.stubs) {
      for (const { code, mark, site } of list) {
        buffer.place(mark);
        this.line(location);
        if (site !== null) this.variables?.atTrap(site, buffer.mark());
        this.trap(code, location);
      }
    }
    const end = buffer.mark();
    const finished = buffer.finish();
    const at = (mark: Mark): number => finished.offsetOf(mark);
    return {
      bytes: finished.bytes,
      relocations: finished.relocations,
      lines: lineRows(this.lines, at),
      traps: this.traps.map(({ mark, code, location }) => ({ offset: at(mark), kind: code, ...(location ?? NOWHERE) })),
      frames: this.context.debug ? this.frameRows(prologue, at) : [],
      tables: this.tables.map(({ symbol, targets }) => ({
        symbol,
        offsets: targets.map((target) => at(this.markOf(this.forward(target)))),
      })),
      frameBytes: this.frameBytes,
      scope: this.variables?.finish(end, at) ?? null,
    };
  }

  private tracker(rotated: ReturnType<typeof rotateLoops>): VariableTracker {
    const { fn } = this;
    const { places, frame, spillBase } = this.places;
    const offsets = { frame: frame - cfaOverRbp, spillBase: spillBase - cfaOverRbp, slotOffsets: fn.slotOffsets };
    return new VariableTracker(fn, places, offsets, (i) => this.isNothing(i), rotated);
  }

  // Frame

  private prologue(): Prologue {
    const [entry] = this.fn.blocks;
    const location = entry?.instructions[0]?.location ?? null;
    this.line(location);
    if (this.variables !== null && entry !== undefined) {
      this.variables.enter(entry, this.buffer.mark());
      this.variables.at(location, this.buffer.mark());
    }
    this.plain(M.push, RBP, NONE);
    const afterPush = this.buffer.mark();
    this.plain(M.mov, RBP, RSP);
    const afterMove = this.buffer.mark();
    if (this.frameBytes > 0) this.plain(M.sub, RSP, IMMEDIATE, this.frameBytes);
    for (let k = 0; k < this.saved.length; k++) this.put(this.savedAt(k, MEMORY, this.saved[k] ?? bug('a hole')));
    const end = this.buffer.mark();
    this.lastLocation = null;
    this.line(location, true);
    return { afterPush, afterMove, end };
  }

  private frameRows(prologue: Prologue, at: (mark: Mark) => number): FrameRow[] {
    return rbpFrame(
      at(prologue.afterPush),
      at(prologue.afterMove),
      this.saved.map((register, k): [DwarfRegisterName, number] => [name64(register), -8 - 8 * k]),
      at(prologue.end),
      this.returns.map(({ ret, after }) => ({ ret: at(ret), after: at(after) })),
    );
  }

  private epilogue(): void {
    if (this.exit !== null && this.saved.length >= SHARED_EXIT) {
      this.buffer.jump(-1, this.exit);
      return;
    }
    this.exit = this.buffer.mark();
    for (let k = 0; k < this.saved.length; k++) this.put(this.savedAt(k, this.saved[k] ?? bug('a hole'), MEMORY));
    if (this.frameBytes === 0) this.plain(M.pop, RBP, NONE);
    else this.plain(M.leave, NONE, NONE);
    const ret = this.buffer.mark();
    this.plain(M.ret, NONE, NONE);
    this.returns.push({ ret, after: this.buffer.mark() });
  }

  /** The move between callee-saved register `k` and its slot. */
  private savedAt(k: number, a: number, b: number): MachineInstruction {
    const i = new MachineInstruction(M.mov, 64, a, b, null);
    i.base = RBP;
    i.disp = -8 - 8 * k;
    return i;
  }

  private plain(op: MachineOp, a: number, b: number, imm = 0): void {
    const i = new MachineInstruction(op, 64, a, b, null);
    i.imm = imm;
    this.put(i);
  }

  // Blocks

  private markOf(block: MachineBlock): Mark {
    return this.marks[block.position] ?? bug('a block without a position');
  }

  /** Where a jump to `block` ends up: past blocks that do nothing but jump. */
  private forward(block: MachineBlock): MachineBlock {
    return (this.forwards[block.position] ??= this.follow(block));
  }

  private follow(block: MachineBlock): MachineBlock {
    let at = block;
    for (let steps = 0; steps < 100; steps++) {
      const next = this.onlyJump(at);
      if (next === null) return at;
      at = next;
    }
    // A loop that does nothing.
    return block;
  }

  private onlyJump(block: MachineBlock): MachineBlock | null {
    const { instructions } = block;
    const last = instructions.length - 1;
    for (let n = 0; n < last; n++) {
      const i = instructions[n];
      if (i === undefined || !this.isNothing(i)) return null;
    }
    return instructions[last]?.op === M.jmp ? (instructions[last]?.target ?? null) : null;
  }

  /** A copy to itself. */
  private isNothing(i: MachineInstruction): boolean {
    if (i.a < 0 || i.b < 0) return false;
    const { places } = this.places;
    if (i.op === M.mov || i.op === M.movsd) return places[i.a] === places[i.b];
    return i.op === M.movclear && (places[i.a] ?? -1) >= 0 && places[i.a] === places[i.b];
  }

  private block(block: MachineBlock, next: MachineBlock | null): void {
    const { instructions } = block;
    for (let n = 0; n < instructions.length; n++) {
      const i = instructions[n] ?? bug('a hole in the block');
      this.variables?.reach(i);
      if (this.isNothing(i)) {
        this.variables?.executed(i, i.a, this.buffer.mark(), false);
        continue;
      }
      const { skip } = this;
      // Before places stand in its stead.
      const written = i.a;
      this.line(i.location);
      this.variables?.at(i.location, this.buffer.mark());
      if (i.op === M.jcc) {
        const target = this.forward(i.target ?? bug('jcc without a target'));
        const after = instructions[n + 1];
        const otherwise = after?.op === M.jmp ? this.forward(after.target ?? bug('jmp without a target')) : null;
        if (target === next && otherwise !== null) {
          if (otherwise !== next) this.buffer.jump(i.condition ^ 1, this.markOf(otherwise));
          n++;
        } else if (target !== otherwise) this.buffer.jump(i.condition, this.markOf(target));
      } else if (i.op === M.jmp) {
        const target = this.forward(i.target ?? bug('jmp without a target'));
        if (target !== next) this.buffer.jump(-1, this.markOf(target));
      } else this.instruction(i);
      this.variables?.executed(i, written, this.buffer.mark(), i.op === M.call || i.op === M.callind);
      if (skip !== null) {
        this.buffer.place(skip);
        this.skip = null;
      }
    }
  }

  private instruction(i: MachineInstruction): void {
    switch (i.op) {
      case M.ret:
        return this.epilogue();
      case M.ud2:
        return this.trap(i.trap ?? 'unreachable', i.location);
      case M.trapif:
        return this.buffer.jump(i.condition, this.stub(i.trap ?? bug('trapif without a trap'), i.location));
      case M.skip:
        this.skip = { raw: 0, jumps: 0 };
        return this.buffer.jump(i.condition, this.skip);
      case M.call:
        return this.buffer.call(i.symbol ?? bug('call without a symbol'));
      case M.jmptable:
        return this.jumpTable(i);
      case M.memmove:
        return this.memmove();
      case M.asm: {
        const code = this.context.assemble(i.extra?.assembly ?? bug('asm without text'), i.location);
        return this.buffer.raw(code.bytes, code.relocations);
      }
      default:
        settle(i, this.places, this.put);
    }
  }

  private jumpTable(i: MachineInstruction): void {
    const symbol = `${this.fn.symbol}.table${this.tables.length}`;
    this.tables.push({ symbol, targets: i.extra?.table ?? bug('jmptable without a table') });
    const jump = new MachineInstruction(M.jmptable, 64, MEMORY, NONE, i.location);
    jump.index = i.a;
    jump.scale = 8;
    jump.symbol = symbol;
    settle(jump, this.places, this.put);
  }

  /** Backwards if the target begins within the source; else by eights, which read no byte after it was written, and then the rest. */
  private memmove(): void {
    const backwards: Mark = { raw: 0, jumps: 0 };
    const done: Mark = { raw: 0, jumps: 0 };
    this.plain(M.mov, RAX, RDI);
    this.plain(M.sub, RAX, RSI);
    this.plain(M.cmp, RAX, RCX);
    this.buffer.jump(B, backwards);
    this.plain(M.mov, RAX, RCX);
    this.plain(M.shr, RCX, IMMEDIATE, 3);
    this.plain(M.repmovsq, NONE, NONE);
    this.plain(M.mov, RCX, RAX);
    this.plain(M.and, RCX, IMMEDIATE, 7);
    this.plain(M.repmovsb, NONE, NONE);
    this.buffer.jump(-1, done);
    this.buffer.place(backwards);
    for (const register of [RDI, RSI]) {
      const last = new MachineInstruction(M.lea, 64, register, MEMORY, null);
      last.base = register;
      last.index = RCX;
      last.disp = -1;
      this.put(last);
    }
    this.plain(M.std, NONE, NONE);
    this.plain(M.repmovsb, NONE, NONE);
    this.plain(M.cld, NONE, NONE);
    this.buffer.place(done);
  }

  // Traps and lines

  private trap(code: TrapCode, location: Location | null): void {
    this.traps.push({ mark: this.buffer.mark(), code, location });
    this.plain(M.ud2, NONE, NONE);
  }

  private stub(code: TrapCode, at: Location | null): Mark {
    const location = at === null ? null : originalOf(at);
    let list = this.stubs.get(location);
    if (list === undefined) {
      list = [];
      this.stubs.set(location, list);
    }
    const known = list.find((stub) => stub.code === code);
    if (known !== undefined) {
      if (this.variables !== null) known.site = this.variables.trapSite(known.site);
      return known.mark;
    }
    const mark = { raw: 0, jumps: 0 };
    list.push({ code, mark, site: this.variables?.trapSite(null) ?? null });
    return mark;
  }

  /** Where the code of an inlined call begins there is a row for the call, too: `break` finds its line. */
  private callLines(inlined: InlinedCall | null): boolean {
    if (inlined === null || this.seenCalls.has(inlined)) return false;
    this.seenCalls.add(inlined);
    this.callLines(inlined.call.environment?.inlined ?? null);
    this.lines.push({ mark: this.buffer.mark(), location: originalOf(inlined.call), kind: 'call' });
    return true;
  }

  private line(at: Location | null, prologueEnd = false): void {
    const location = at === null ? null : originalOf(at);
    if (!this.context.debug || at === null || location === null) return;
    const hasCalls = this.callLines(at.environment?.inlined ?? null);
    if (location === this.lastLocation && !hasCalls) return;
    this.lastLocation = location;
    this.lines.push({ mark: this.buffer.mark(), location, kind: prologueEnd ? 'prologue end' : 'usual' });
  }
}

/** The canonical frame address lies so far above RBP. */
const cfaOverRbp = 16;
const NOWHERE: Location = { file: '', line: 0, column: 0 };

/** Of several rows at one offset the last one counts, and those of calls; a row that says what the one before says is left out. */
function lineRows(lines: readonly Line[], at: (mark: Mark) => number): LineRow[] {
  const rows: LineRow[] = [];
  for (const { mark, location, kind } of lines) {
    const { file, line, column } = location;
    const offset = at(mark);
    const last = rows[rows.length - 1];
    const isHere = last?.offset === offset && last.isCall !== true;
    const isSame = last?.file === file && last.line === line && last.column === column;
    if (kind === 'call') {
      if (!isSame) rows.push({ offset, file, line, column, isCall: true });
      continue;
    }
    const isEnd = kind === 'prologue end' || (isHere && last.prologueEnd === true);
    if (isHere) rows.pop();
    else if (!isEnd && isSame) continue;
    rows.push(isEnd ? { offset, file, line, column, prologueEnd: true } : { offset, file, line, column });
  }
  return rows;
}
