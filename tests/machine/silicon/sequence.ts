/**
 * Sequences of 20–100 instructions as one case. They are made along with the reference evaluator, which knows the state at each point: an
 * instruction that needs other registers (to meet the page, not to divide by zero) gets MOVs before it, one that would fault or reads an undefined
 * flag is drawn again.
 */

import type { ReferenceEvaluator, Undefined } from '../../../src/machine/cpu/reference.ts';
import type { Decoded } from '../../../src/machine/isa/decode.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import type { Effect } from '../../../src/machine/isa/dsl.ts';
import { FLAG_BIT, STATUS_FLAGS } from '../../../src/machine/isa/flags.ts';
import type { Encoding } from '../../../src/machine/isa/notation.ts';
import { RCX } from '../../../src/machine/isa/registers.ts';
import type { Term } from '../../../src/machine/isa/term.ts';
import { type Case, DATA, ENTRY, type Outcome, PAGE } from './cases.ts';
import { FlatCpu } from './flat-cpu.ts';
import { type Generator, tried } from './generate.ts';
import { noteMakers } from './makers.ts';

/** Not in sequences: they end them, leave the page, or unmask traps. */
const UNFIT =
  /^(RET|JMP|CALL|POPF.?|LDMXCSR|WR[FG]SBASE|UD[012]|CLI|STI|BOUND|ENTER|LEAVE|FLDCW|PUSHF.?|INVD|WBINVD|STAC|CLAC|SYSRETQ?|SWAPGS|HLT|CLTS|LMSW|LGDT|LIDT|LLDT|LTR|INVLPG|INVPCID|RDMSR|WRMSR|ARPL|RCP.S|RSQRT.S)$/;
const ROOM = 1700;

function isFit(e: Encoding): boolean {
  if (e.row.name === 'JMP' || e.row.name === 'CALL') return e.row.flow === 'jump' || e.row.flow === 'call';
  return !UNFIT.test(e.row.name) && !e.operands.some((o) => o.what === 'C' || o.what === 'D');
}

export interface Sequence {
  readonly case: Case;
  readonly outcome: Outcome;
  /** Flags that are undefined at the end. */
  readonly undefinedFlags: number;
  readonly instructions: number;
}

export class Sequences {
  private readonly g: Generator;
  private readonly evaluator: ReferenceEvaluator;
  private readonly cpu = new FlatCpu();
  private readonly fit: Readonly<Record<32 | 64, readonly Encoding[]>>;
  private readonly flagsRead = new WeakMap<Effect, number>();
  private readonly code = new Uint8Array(2048);

  constructor(g: Generator, evaluator: ReferenceEvaluator) {
    this.g = g;
    this.evaluator = evaluator;
    const fit = tried.filter(isFit);
    this.fit = { 32: fit.filter((e) => !e.only64), 64: fit.filter((e) => !e.not64) };
  }

  make(mode: 32 | 64): Sequence {
    const { g, cpu } = this;
    const start = this.start(mode);
    cpu.start(start);
    this.code.fill(0xcc);
    let length = 0;
    let count = 0;
    let unsure = 0;
    const wanted = 20 + g.below(81);
    for (let draws = 0; count < wanted && length < ROOM && draws < 1000; draws++) {
      const link = g.link(g.pick(this.fit[mode]), mode, ENTRY + BigInt(length) + 160n, cpu.gpr);
      if (link === null || link.pokes.length > 0) continue;
      const appended = this.append(link, mode, length, unsure);
      if (appended === null) continue;
      ({ length, unsure } = appended);
      count += appended.count;
    }
    const code = this.code.slice(0, length);
    const c = { ...start, code };
    return { case: c, outcome: cpu.outcome(c, null), undefinedFlags: unsure, instructions: count };
  }

  private start(mode: 32 | 64): Case {
    const { g } = this;
    const gpr = Array.from({ length: 16 }, (_, i) => (i === 4 || g.chance(0.4) ? DATA + 512n + BigInt(g.below(380) * 8) : g.value()));
    return {
      mode,
      code: new Uint8Array(0),
      gpr: mode === 64 ? gpr : gpr.map((v) => v & 0xffffffffn),
      rflags: 0x202n | (g.u64() & 0x8d5n),
      mxcsr: g.chance(0.6) ? 0x1f80 : 0x1f80 | (g.below(4) << 13) | (g.below(2) << 15) | (g.below(2) << 6),
      memorySeed: g.below(0x7fffffff),
      pokes: [],
      xmm: Array.from({ length: 16 }, () => g.vector()),
    };
  }

  /** Puts the MOVs and the instruction at `length` and runs them; null: they do not do, and nothing has changed. */
  private append(link: Case, mode: 32 | 64, length: number, unsure: number): { length: number; unsure: number; count: number } | null {
    const { cpu } = this;
    const saved = { gpr: [...cpu.gpr], xmm: [...cpu.xmm], rflags: cpu.rflags, rip: cpu.rip, specials: new Map(cpu.specials) };
    cpu.journal.length = 0;
    let at = length;
    let count = 0;
    for (const [r, value] of link.gpr.entries()) if (value !== cpu.gpr[r] && (mode === 64 || r < 8)) at = this.move(r, value, mode, at);
    const moves = at;
    // The instruction was made for an address 160 bytes on: a RIP-relative displacement is moved back.
    this.code.set(link.code, at);
    this.rebase(link.code, mode, at, length);
    at += link.code.length;
    const step: Undefined = { flags: 0, defined: 0, value: false };
    let flags = unsure;
    const fail = () => {
      cpu.undoStores();
      cpu.gpr.splice(0, 16, ...saved.gpr);
      cpu.xmm.splice(0, 16, ...saved.xmm);
      cpu.rflags = saved.rflags;
      cpu.rip = saved.rip;
      cpu.specials.clear();
      for (const [name, value] of saved.specials) cpu.specials.set(name, value);
      this.code.fill(0xcc, length, at);
      return null;
    };
    const end = ENTRY + BigInt(at);
    let isFirst = true;
    while (cpu.rip < end) {
      const offset = Number(cpu.rip - ENTRY);
      const decoded = decode(this.code, offset, mode, 15);
      if (typeof decoded === 'string' || (offset >= moves && (flags & this.readsFlags(decoded)) !== 0)) return fail();
      if (decoded.rep !== 'none' && (cpu.readGpr(RCX) & (decoded.addressSize === 64 ? 0xffffffffffffffffn : 0xffffffffn)) > 64n)
        return fail();
      step.flags = step.defined = 0;
      step.value = false;
      const repetitions = cpu.readGpr(RCX);
      const result = this.evaluator.execute(cpu, decoded, step);
      noteMakers(step, decoded, result, repetitions, isFirst);
      isFirst = result !== 'again';
      if (typeof result === 'object' || step.value) return fail();
      flags = (flags & ~step.defined) | step.flags;
      count++;
    }
    if (!this.pointersStayInside()) return fail();
    const target = Number(cpu.rip - ENTRY);
    if (target > ROOM || cpu.rip < ENTRY) return fail();
    return { length: target, unsure: flags, count };
  }

  /** The stack keeps room, so that pushes and pops go on working. */
  private pointersStayInside(): boolean {
    const rsp = this.cpu.readGpr(4);
    return rsp >= DATA + 64n && rsp <= DATA + PAGE - 64n;
  }

  private move(register: number, value: bigint, mode: 32 | 64, at: number): number {
    let i = at;
    if (mode === 64) this.code[i++] = register > 7 ? 0x49 : 0x48;
    this.code[i++] = 0xb8 | (register & 7);
    for (let k = 0n; k < BigInt(mode); k += 8n) this.code[i++] = Number((value >> k) & 0xffn);
    return i;
  }

  private rebase(code: Uint8Array, mode: 32 | 64, at: number, made: number): void {
    if (mode === 32) return;
    const decoded = decode(code, 0, mode, code.length);
    if (typeof decoded === 'string') return;
    const m = decoded.operands.find((o) => o.kind === 'mem');
    if (m?.kind !== 'mem' || !m.ripRelative) return;
    const immediates = decoded.encoding.operands.reduce((n, o) => n + immediateBytes(o.what, o.size, decoded), 0);
    const view = new DataView(this.code.buffer);
    const field = at + decoded.length - immediates - 4;
    view.setInt32(field, view.getInt32(field, true) + (made + 160 - at), true);
  }

  /** RFLAGS bits that an instruction looks at. */
  private readsFlags(decoded: Decoded): number {
    const effect = this.evaluator.effect(decoded);
    const known = this.flagsRead.get(effect);
    if (known !== undefined) return known;
    let mask = 0;
    const seen = new Set<Term>();
    const visit = (t: Term | null) => {
      if (t === null || seen.has(t)) return;
      seen.add(t);
      if (t.source?.kind === 'flag') mask |= 1 << FLAG_BIT[t.source.flag];
      if (t.source?.kind === 'special' && t.source.name === 'rflags') mask |= STATUS_FLAGS;
      for (const a of t.args) visit(a);
    };
    for (const s of effect.steps)
      for (const t of s.kind === 'fault' ? [s.when] : s.kind === 'store' ? [s.offset, s.value] : [s.offset]) visit(t);
    for (const w of effect.writes) for (const t of [w.value, w.when]) visit(t);
    // A flag that keeps its value because the manual leaves it undefined is not read.
    for (const f of Object.values(effect.flags.values)) if (f.undefinedIf === null || f.undefinedIf.op !== 'const') visit(f.value);
    visit(effect.flags.when);
    if (effect.next.kind === 'branch') visit(effect.next.when);
    this.flagsRead.set(effect, mask);
    return mask;
  }
}

function immediateBytes(what: string, size: string, d: Decoded): number {
  if (what !== 'I' && what !== 'sI') return 0;
  return size === 'b' ? 1 : size === 'w' ? 2 : d.operandSize === 16 ? 2 : 4;
}
