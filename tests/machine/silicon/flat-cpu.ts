/** The reference evaluator on the memory and registers of a case: one page of data in ring 3, as Linux on this host has it. */

import { type Fault, type ReferenceCpu, ReferenceEvaluator, type Undefined } from '../../../src/machine/cpu/reference.ts';
import type { Decoded } from '../../../src/machine/isa/decode.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import type { HelperName } from '../../../src/machine/isa/helpers.ts';
import { RCX, type SegmentIndex } from '../../../src/machine/isa/registers.ts';
import type { Special } from '../../../src/machine/isa/term.ts';
import { type Case, CODE_PAGE, DATA, entryOf, FS_BASE, fillPage, GS_BASE, hashPage, type Judged, type Outcome, PAGE } from './cases.ts';
import { noteMakers } from './makers.ts';

const SPECIALS: Readonly<Record<Exclude<Special, 'rflags' | 'fsBase' | 'gsBase'>, bigint>> = {
  cr0: 0x80050033n,
  cr2: 0n,
  cr3: 0n,
  cr4: 0x350ef0n,
  cpl: 3n,
  mxcsr: 0x1f80n,
  fcw: 0x37fn,
  fsw: 0n,
  ftw: 0n,
  es: 0n,
  cs: 0x33n,
  ss: 0x2bn,
  ds: 0n,
  fs: 0n,
  gs: 0n,
  ldtr: 0n,
  tr: 0x40n,
  stackMask: 0xffffffffn,
  rflagsRest: 0n,
  lstar: 0n,
  fmask: 0n,
};

const USER = 4;
const WRITE = 2;

export class FlatCpu implements ReferenceCpu {
  rflags = 2n;
  rip = entryOf(64);
  readonly gpr: bigint[] = new Array<bigint>(16).fill(0n);
  readonly xmm: bigint[] = new Array<bigint>(16).fill(0n);
  readonly memory = new Uint8Array(Number(PAGE));
  readonly specials = new Map<Special, bigint>();
  private bases: readonly bigint[] = [];
  private limit = 0xffffffffn;
  /** Undo log of stores, newest last. */
  readonly journal: { offset: number; bytes: Uint8Array }[] = [];

  /** Takes the state in which a case starts. */
  start(c: Case): void {
    this.rflags = c.rflags;
    this.rip = entryOf(c.mode);
    for (let i = 0; i < 16; i++) {
      this.gpr[i] = BigInt.asUintN(64, c.gpr[i] ?? 0n);
      this.xmm[i] = c.xmm?.[i] ?? 0n;
    }
    this.specials.clear();
    this.specials.set('mxcsr', BigInt(c.mxcsr));
    if (c.mode === 32) for (const s of ['ds', 'es', 'ss'] as const) this.specials.set(s, 0x2bn);
    if (c.mode === 32) this.specials.set('cs', 0x23n);
    if (c.mode === 16) for (const s of ['ds', 'es', 'ss'] as const) this.specials.set(s, 0xfn);
    if (c.mode === 16) this.specials.set('cs', 7n).set('stackMask', 0xffffn);
    this.limit = c.mode === 16 ? 0xffffn : 0xffffffffn;
    this.bases = c.mode === 16 ? [DATA, CODE_PAGE, DATA, DATA, 0n, 0n] : [0n, 0n, 0n, 0n, FS_BASE, GS_BASE];
    this.journal.length = 0;
    if (c.memorySeed !== null) fillPage(this.memory, c.memorySeed);
    const view = new DataView(this.memory.buffer);
    for (const p of c.pokes) view.setBigUint64(p.offset, BigInt.asUintN(64, p.value), true);
  }

  readGpr(i: number): bigint {
    return this.gpr[i] ?? 0n;
  }
  writeGpr(i: number, value: bigint): void {
    this.gpr[i] = value;
  }
  readXmm(i: number): bigint {
    return this.xmm[i] ?? 0n;
  }
  writeXmm(i: number, value: bigint): void {
    this.xmm[i] = value;
  }
  readSpecial(name: Special): bigint {
    if (name === 'rflags') return this.rflags | 0x202n;
    return this.specials.get(name) ?? SPECIALS[name as keyof typeof SPECIALS] ?? 0n;
  }
  writeSpecial(name: Special, value: bigint): void {
    if (name === 'fsBase') this.bases = [...this.bases.slice(0, 4), value, this.bases[5] ?? 0n];
    else if (name === 'gsBase') this.bases = [...this.bases.slice(0, 5), value];
    else this.specials.set(name, value);
  }
  segmentBase(segment: SegmentIndex): bigint {
    return this.bases[segment] ?? 0n;
  }
  /** An access may not run over the segment's end. */
  checkSegment(segment: SegmentIndex, offset: bigint, bytes: number, _write: boolean): Fault | null {
    return offset + BigInt(bytes - 1) <= this.limit ? null : { vector: segment === 2 ? 12 : 13, code: 0 };
  }

  private check(linear: bigint, bytes: number, write: boolean): Fault | null {
    const offset = linear - DATA;
    const end = offset + BigInt(bytes);
    if (offset >= 0n && end <= PAGE) return null;
    // The first byte that is not mapped.
    const cr2 = offset >= 0n && offset < PAGE ? DATA + PAGE : linear;
    return { vector: 14, code: USER | (write ? WRITE : 0), cr2 };
  }
  load(linear: bigint, bytes: number, write: boolean): bigint | Fault {
    const fault = this.check(linear, bytes, write);
    if (fault !== null) return fault;
    let value = 0n;
    const at = Number(linear - DATA);
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.memory[at + i] ?? 0);
    return value;
  }
  probe(linear: bigint, bytes: number): Fault | null {
    return this.check(linear, bytes, true);
  }
  store(linear: bigint, bytes: number, value: bigint): void {
    const at = Number(linear - DATA);
    this.journal.push({ offset: at, bytes: this.memory.slice(at, at + bytes) });
    for (let i = 0, v = value; i < bytes; i++, v >>= 8n) this.memory[at + i] = Number(v & 0xffn);
  }
  undoStores(): void {
    for (const entry of this.journal.splice(0).reverse()) this.memory.set(entry.bytes, entry.offset);
  }
  helper(name: HelperName, _decoded: Decoded, _nextRip: bigint): Fault | null {
    throw new Error(`the flat processor has no helper ${name}`);
  }

  outcome(c: Case, fault: Fault | null): Outcome {
    return {
      gpr: [...this.gpr],
      rflags: this.rflags,
      rip: this.rip,
      mxcsr: Number(this.readSpecial('mxcsr')),
      xmm: c.xmm === null ? null : [...this.xmm],
      memoryHash: c.memorySeed === null ? 0 : hashPage(this.memory),
      fault: fault === null ? null : { vector: fault.vector, code: fault.code ?? 0, cr2: fault.cr2 ?? 0n },
    };
  }
}

/** ARPL asks for write rights only if it writes; a row cannot say that. */
const PARTIAL: ReadonlySet<string> = new Set(['ENTER', 'PUSHA', 'PUSHAD', 'ARPL']);

/** Runs a case to its end: the first fault, or control outside the code. `unsure` gathers what the manual leaves open. */
export function runReference(evaluator: ReferenceEvaluator, cpu: FlatCpu, c: Case, unsure: Undefined): Outcome {
  cpu.start(c);
  const entry = entryOf(c.mode);
  const end = entry + BigInt(c.code.length);
  const step: Undefined = { flags: 0, defined: 0, value: false };
  let isFirst = true;
  while (cpu.rip >= entry && cpu.rip < end) {
    const offset = Number(cpu.rip - entry);
    const decoded = decode(c.code, offset, c.mode, c.code.length - offset);
    if (decoded === 'too-long') return cpu.outcome(c, { vector: 13, code: 0 });
    if (typeof decoded === 'string') return cpu.outcome(c, { vector: 6, code: null });
    step.flags = 0;
    step.defined = 0;
    step.value = false;
    const count = cpu.readGpr(RCX);
    const result = evaluator.execute(cpu, decoded, step);
    noteMakers(step, decoded, result, count, isFirst);
    isFirst = result !== 'again';
    unsure.flags = (unsure.flags & ~step.defined) | step.flags;
    unsure.value ||= step.value;
    if (typeof result === 'object') {
      // The silicon may have pushed some of several words before a later one faulted.
      if (PARTIAL.has(decoded.row.name)) unsure.value = true;
      return cpu.outcome(c, result);
    }
  }
  return cpu.outcome(c, null);
}

export class Reference implements Judged {
  readonly name = 'reference';
  readonly modes = [16, 32, 64] as const;
  private readonly evaluator = new ReferenceEvaluator();
  private readonly cpu = new FlatCpu();

  run(cases: readonly Case[]): readonly Outcome[] {
    return cases.map((c) => runReference(this.evaluator, this.cpu, c, { flags: 0, defined: 0, value: false }));
  }
}
