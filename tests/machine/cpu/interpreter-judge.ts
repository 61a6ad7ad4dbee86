/**
 * Judges tier 0 by the reference evaluator: one instruction on one random state, executed by both, everything compared. Cases are a
 * function of the seed. Instructions that are helpers are left out: their meaning is one implementation, called by both.
 */
import { type Fault, type ReferenceCpu, ReferenceEvaluator } from '../../../src/machine/cpu/reference.ts';
import { linearAddress } from '../../../src/machine/cpu/segment-access.ts';
import {
  ACCESS, CPL, type CpuState, CR0, CR4, FAULT_CODE, FAULT_CR2, FAULT_HAS_CODE, FAULT_VECTOR, FCW, FSW, FTW, MXCSR, SEGMENT_ATTRIBUTES, SEGMENT_BASE, SEGMENT_SELECTOR,
} from '../../../src/machine/cpu/state.ts'; // biome-ignore format: one list
import { type Decoded, decode } from '../../../src/machine/isa/decode.ts';
import type { Special } from '../../../src/machine/isa/term.ts';
import type { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { FlatMachine } from '../translator/flat-machine.ts';

const RAM = 1 << 16;
const CODE = 0x8000;

/** xorshift64*, good enough to choose test cases. */
export class Random {
  #state: bigint;

  constructor(seed: number) {
    this.#state = BigInt(seed) * 0x9e37_79b9_7f4a_7c15n + 1n;
  }

  bits64(): bigint {
    let x = BigInt.asUintN(64, this.#state);
    x ^= x >> 12n;
    x = BigInt.asUintN(64, x ^ (x << 25n));
    x ^= x >> 27n;
    this.#state = x;
    return BigInt.asUintN(64, x * 0x2545_f491_4f6c_dd1dn);
  }

  below(n: number): number {
    return Number(this.bits64() >> 16n) % n;
  }

  /** Numbers at which arithmetic likes to go wrong, and any. */
  operand(): bigint {
    const choice = this.below(8);
    if (choice === 0) return BigInt(this.below(80));
    if (choice === 1) return BigInt.asUintN(64, -BigInt(this.below(80)));
    if (choice === 2) return 1n << BigInt(this.below(64));
    if (choice === 3) return BigInt.asUintN(64, (1n << BigInt(this.below(64))) - BigInt(this.below(3)));
    if (choice === 4) return this.bits64() & 0xffff_ffffn;
    return this.bits64();
  }

  /** Bits of an f64, or of two f32, often ordinary, sometimes at the edge. */
  float(): bigint {
    const f64 = new Float64Array(1);
    const f32 = new Float32Array(2);
    const ordinary = () => (this.below(2) === 0 ? this.below(4000) - 2000 : (this.below(1 << 30) - (1 << 29)) / (1 + this.below(1 << 20)));
    const choice = this.below(6);
    if (choice === 0) return this.bits64();
    if (choice === 1)
      return (
        [0n, 1n << 63n, 0x7ffn << 52n, 0xfffn << 52n, 0x7ff8n << 48n, 0x7ff4n << 48n, 1n, 0x7f80_0000_ff80_0001n, 0x8000_0001_0080_0000n][
          this.below(9)
        ] ?? 0n
      );
    if (choice < 4) {
      f64[0] = ordinary();
      return new BigUint64Array(f64.buffer)[0] ?? 0n;
    }
    f32[0] = ordinary();
    f32[1] = ordinary();
    return new BigUint64Array(f32.buffer)[0] ?? 0n;
  }
}

/** Bytes of a random instruction: prefixes, an opcode of any map, random rest. */
export function randomInstruction(r: Random, mode: 16 | 32 | 64): Uint8Array {
  const bytes: number[] = [];
  const push = (b: number) => bytes.push(b);
  if (r.below(4) === 0) push(0x66);
  if (r.below(16) === 0) push([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x67][r.below(7)] ?? 0x67);
  if (r.below(5) === 0) push(r.below(2) === 0 ? 0xf2 : 0xf3);
  if (r.below(40) === 0) push(0xf0);
  if (mode === 64 && r.below(2) === 0) push(0x40 | r.below(16));
  const map = r.below(20);
  if (map >= 8 && map < 18) push(0x0f);
  if (map < 16) push(r.below(256));
  else if (map < 18) bytes.push(0x38, 0xf0 + r.below(16));
  else bytes.push(0xc4, 0xe0 | r.below(4), r.below(256), 0xf0 + r.below(9));
  const rest = r.bits64();
  for (let i = 0n; bytes.length < 15; i++) push(Number((rest >> (8n * (i % 8n))) & 0xffn));
  // Displacements and immediates often small.
  const zeros = r.below(2) === 0 ? r.below(64) : 0;
  for (let i = 0; i < 6; i++) if (((zeros >> i) & 1) === 1) bytes[9 + i] = 0;
  return Uint8Array.from(bytes);
}

interface Outcome {
  readonly fault: Fault | null;
  readonly gpr: readonly bigint[];
  readonly xmm: readonly bigint[];
  readonly rflags: bigint;
  readonly rip: bigint;
  readonly specials: readonly bigint[];
}

const SPECIAL_SLOTS: Readonly<Record<string, number>> = { mxcsr: MXCSR, fcw: FCW, fsw: FSW, ftw: FTW };
const SELECTORS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr'];

/** The reference's processor: a copy of the CPU's state, stores kept beside RAM. */
class ShadowCpu implements ReferenceCpu {
  rflags: bigint;
  rip: bigint;
  readonly gpr: bigint[];
  readonly xmm: bigint[];
  readonly specials = new Map<string, bigint>();
  readonly stored = new Map<number, number>();
  /** Where the instruction has accessed memory; what is read to be written counts once. */
  accesses: bigint[] = [];
  #toBeWritten: string[] = [];
  readonly #m: FlatMachine;

  constructor(m: FlatMachine) {
    const { state } = m;
    this.#m = m;
    this.rflags = state.readRflags();
    this.rip = state.rip;
    this.gpr = [...state.gpr];
    this.xmm = Array.from({ length: 16 }, (_, i) => state.xmm(i));
    for (const [name, slot] of Object.entries(SPECIAL_SLOTS)) this.specials.set(name, BigInt(state.get32(slot)));
  }

  readGpr(index: number): bigint {
    return this.gpr[index] ?? 0n;
  }
  writeGpr(index: number, value: bigint): void {
    this.gpr[index] = value;
  }
  readXmm(index: number): bigint {
    return this.xmm[index] ?? 0n;
  }
  writeXmm(index: number, value: bigint): void {
    this.xmm[index] = value;
  }
  readSpecial(name: Special): bigint {
    const { state } = this.#m;
    const known = this.specials.get(name);
    if (known !== undefined) return known;
    if (name === 'rflags') return this.rflags;
    if (name === 'cr0') return state.get64(CR0);
    if (name === 'cr4') return state.get64(CR4);
    if (name === 'cpl') return BigInt(state.get32(CPL));
    if (name === 'fsBase') return state.get64(SEGMENT_BASE + 32);
    if (name === 'gsBase') return state.get64(SEGMENT_BASE + 40);
    if (name === 'stackMask') return (state.get32(SEGMENT_ATTRIBUTES + 8) & 0x400) !== 0 ? 0xffff_ffffn : 0xffffn;
    return BigInt(state.get32(SEGMENT_SELECTOR + 4 * SELECTORS.indexOf(name)));
  }
  writeSpecial(name: Special, value: bigint): void {
    this.specials.set(name, value);
  }
  segmentBase(segment: number): bigint {
    return this.#m.state.get64(SEGMENT_BASE + 8 * segment);
  }
  checkSegment(segment: number, offset: bigint, bytes: number, write: boolean): Fault | null {
    const { state } = this.#m;
    if (linearAddress(state, segment, offset, bytes | (write ? ACCESS.modify : 0)) !== null) return null;
    return takeFault(state);
  }
  load(linear: bigint, bytes: number, write: boolean): bigint | Fault {
    const fault = this.#access(linear, bytes, write);
    if (fault !== null) return fault;
    this.accesses.push(linear);
    if (write) this.#toBeWritten.push(`${linear}:${bytes}`);
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.byte(Number(linear) + i));
    return value;
  }
  /** RAM as the stores so far have left it. */
  byte(at: number): number {
    return this.stored.get(at) ?? this.#m.ram[at] ?? 0;
  }
  probe(linear: bigint, bytes: number): Fault | null {
    const read = this.#toBeWritten.indexOf(`${linear}:${bytes}`);
    if (read >= 0) this.#toBeWritten.splice(read, 1);
    else this.accesses.push(linear);
    return this.#access(linear, bytes, true);
  }
  store(linear: bigint, bytes: number, value: bigint): void {
    for (let i = 0; i < bytes; i++) this.stored.set(Number(linear) + i, Number((value >> BigInt(8 * i)) & 0xffn));
  }
  helper(): Fault | null {
    throw new Error('helpers are not judged here');
  }

  outcome(fault: Fault | null): Outcome {
    const specials = Object.keys(SPECIAL_SLOTS).map((name) => this.specials.get(name) ?? 0n);
    return { fault, gpr: this.gpr, xmm: this.xmm, rflags: (this.rflags & 0x3f_7fd7n) | 2n, rip: this.rip, specials };
  }

  #access(linear: bigint, bytes: number, write: boolean): Fault | null {
    const low = Number(linear & 0xffff_ffffn) | 0;
    const high = Number(linear >> 32n) | 0;
    if (this.#m.check(low, high, bytes, write)) return null;
    return takeFault(this.#m.state);
  }
}

function takeFault(state: CpuState): Fault {
  const vector = state.get32(FAULT_VECTOR);
  const code = state.get32(FAULT_HAS_CODE) === 0 ? null : state.get32(FAULT_CODE);
  state.clearFault();
  return vector === 14 ? { vector, code, cr2: state.get64(FAULT_CR2) } : { vector, code };
}

export class Judge {
  readonly #machine: FlatMachine;
  readonly #reference = new ReferenceEvaluator();
  readonly #mode: 16 | 32 | 64;
  readonly #initial = new Uint8Array(RAM);
  readonly rows = new Set<string>();
  readonly faults = new Map<number, number>();
  cases = 0;
  /** Addresses that were compared. */
  accesses = 0;

  constructor(library: FormLibrary, mode: 16 | 32 | 64, hasTlb = true) {
    this.#machine = new FlatMachine({ library, ramBytes: RAM, hasTlb });
    this.#mode = mode;
    this.#machine.setMode(mode);
  }

  /** Fills RAM at random. */
  scramble(r: Random): void {
    for (let i = 0; i < RAM; i += 8) new DataView(this.#initial.buffer).setBigUint64(i, r.below(2) === 0 ? r.float() : r.operand(), true);
    this.#machine.ram.set(this.#initial);
    this.#machine.interpreter.codeCache.flush();
  }

  /** One case; a description of the difference, or null. Not every case is one: bytes that do not decode are skipped. */
  try(r: Random): string | null {
    const bytes = randomInstruction(r, this.#mode);
    const decoded = decode(bytes, 0, this.#mode, 15);
    if (typeof decoded === 'string' || this.#reference.effect(decoded).helper !== null) return null;
    this.cases++;
    this.rows.add(decoded.row.name);
    const { state, ram, interpreter } = this.#machine;
    const at = CODE + r.below(4080);
    ram.set(bytes.subarray(0, decoded.length), at);
    this.#initial.set(bytes.subarray(0, decoded.length), at);
    interpreter.codeCache.written(CODE >> 12);
    if (at + decoded.length > CODE + 4096) interpreter.codeCache.written((CODE >> 12) + 1);
    this.#randomState(r, decoded, BigInt(at));
    const before = snapshot(state, null);
    const shadow = new ShadowCpu(this.#machine);
    const done = this.#reference.execute(shadow, decoded);
    const expected = shadow.outcome(typeof done === 'string' ? null : done);
    const count = state.count;
    const reason = interpreter.run(1);
    const fault = reason === 'fault' ? takeFault(state) : null;
    if (fault !== null) this.faults.set(fault.vector, (this.faults.get(fault.vector) ?? 0) + 1);
    const difference =
      compare(snapshot(state, fault), expected) ??
      this.#compareMemory(shadow) ??
      (state.count - count !== (fault === null ? 1n : 0n) ? 'count' : null) ??
      this.#compareAccesses(fault === null ? shadow.accesses : []);
    if (difference === null) return null;
    return `${decoded.row.name} (${hex(bytes.subarray(0, decoded.length))}) mode ${this.#mode}: ${difference}\nbefore: ${describe(before)}`;
  }

  /**
   * A run of up to `length` random instructions, executed by the interpreter in one call. It ends early at a fault, a helper, or where no instruction is.
   * Stores into the code itself are part of the game.
   */
  trySequence(r: Random, length: number): string | null {
    const { state, ram, interpreter } = this.#machine;
    const at = CODE + 0x800 + r.below(64);
    const text: string[] = [];
    let first: Decoded | null = null;
    let end = at;
    for (let n = 0; n < length; n++) {
      const bytes = randomInstruction(r, this.#mode);
      const decoded = decode(bytes, 0, this.#mode, 15);
      if (typeof decoded === 'string' || this.#reference.effect(decoded).helper !== null) continue;
      first ??= decoded;
      ram.set(bytes.subarray(0, decoded.length), end);
      this.#initial.set(bytes.subarray(0, decoded.length), end);
      end += decoded.length;
      text.push(`${decoded.row.name} (${hex(bytes.subarray(0, decoded.length))})`);
    }
    if (first === null) return null;
    for (let page = CODE >> 12; page < 16; page++) interpreter.codeCache.written(page);
    this.#randomState(r, first, BigInt(at));
    for (let i = 0; i < 16; i++) if (i !== 1 && i !== 4 && r.below(6) > 0) state.gpr[i] = BigInt(r.below(RAM / 2));
    const shadow = new ShadowCpu(this.#machine);
    let retired = 0;
    let fault: Fault | null = null;
    while (retired < length && fault === null) {
      const from = Number(BigInt.asUintN(32, shadow.rip));
      if (shadow.rip > BigInt(RAM - 16)) break;
      const decoded = decode(
        Uint8Array.from({ length: 15 }, (_, i) => shadow.byte(from + i)),
        0,
        this.#mode,
        15,
      );
      if (typeof decoded === 'string' || this.#reference.effect(decoded).helper !== null) break;
      const done = this.#reference.execute(shadow, decoded);
      if (typeof done === 'string') retired++;
      else fault = done;
    }
    if (retired === 0) return null;
    this.cases += retired;
    const count = state.count;
    const reason = interpreter.run(retired + (fault === null ? 0 : 1));
    const got = reason === 'fault' ? takeFault(state) : null;
    const difference =
      compare(snapshot(state, got), shadow.outcome(fault)) ??
      this.#compareMemory(shadow) ??
      (state.count - count !== BigInt(retired) ? 'count' : null);
    if (difference === null) return null;
    return `mode ${this.#mode}, ${retired} instructions from ${at.toString(16)}: ${difference}\n${text.join('\n')}`;
  }

  /** An instruction that faults has none, an ENTER that makes more than eight has the first of them. */
  #compareAccesses(expected: readonly bigint[]): string | null {
    const { addresses } = this.#machine.interpreter;
    if (addresses === null) return null;
    this.accesses += expected.length;
    const [got, wanted] = [addresses.last.join(), expected.slice(0, 8).join()];
    return got === wanted ? null : `accessed ${got}, not ${wanted}`;
  }

  drainPath(): void {
    this.#machine.interpreter.drainPath();
  }

  #randomState(r: Random, decoded: Decoded, rip: bigint): void {
    const { state } = this.#machine;
    const narrow = this.#mode !== 64;
    for (let i = 0; i < 16; i++) state.gpr[i] = narrow ? r.operand() & 0xffff_ffffn : r.operand();
    for (let i = 0; i < 16; i++) state.setXmm(i, r.float() | (r.float() << 64n));
    state.gpr[4] = BigInt(0x2000 + r.below(0x4000));
    state.writeRflags((r.bits64() & 0xcd5n) | 2n);
    state.set32(MXCSR, r.below(3) > 0 ? 0x1f80 | (r.below(2) << 5) : r.below(0x10000));
    state.set64(CR0, r.below(30) === 0 ? 0x1dn : 0x11n);
    state.set32(CPL, r.below(4) === 0 ? 3 : 0);
    state.set64(SEGMENT_BASE + 32, BigInt(r.below(0x1000)));
    state.set64(SEGMENT_BASE + 40, BigInt(r.below(0x1000)));
    state.rip = rip;
    // Memory operands mostly inside of RAM, sometimes across its end or where they fall.
    for (const operand of decoded.operands) {
      if (operand.kind !== 'mem' || operand.base < 0 || r.below(30) === 0) continue;
      const wanted = r.below(20) === 0 ? RAM - r.below(16) : r.below(RAM / 2) & (r.below(2) === 0 ? ~15 : -1);
      const index = operand.index < 0 || operand.index === operand.base ? 0n : (state.gpr[operand.index] ?? 0n) * BigInt(operand.scale);
      const base = BigInt(wanted) - operand.disp - index;
      state.gpr[operand.base] = BigInt.asUintN(narrow ? 32 : 64, base);
    }
    if (decoded.rep !== 'none') state.gpr[1] = BigInt(r.below(4));
  }

  /** RAM must be what the reference stored, and nothing else; then it is set back. */
  #compareMemory(shadow: ShadowCpu): string | null {
    const { ram, interpreter } = this.#machine;
    let difference: string | null = null;
    const saved = [...shadow.stored.keys()].map((at) => [at, this.#initial[at] ?? 0] as const);
    for (const [at, byte] of shadow.stored) this.#initial[at] = byte;
    if (Buffer.compare(ram, this.#initial) !== 0) {
      const at = ram.findIndex((byte, i) => byte !== this.#initial[i]);
      difference = `memory at ${at.toString(16)}: ${ram[at]?.toString(16)}, not ${this.#initial[at]?.toString(16)}`;
    }
    for (const [at, byte] of saved) {
      this.#initial[at] = byte;
      ram[at] = byte;
    }
    for (const page of new Set(saved.map(([at]) => at >> 12))) interpreter.codeCache.written(page);
    if (difference !== null) ram.set(this.#initial);
    return difference;
  }
}

function snapshot(state: CpuState, fault: Fault | null): Outcome {
  return {
    fault,
    gpr: [...state.gpr],
    xmm: Array.from({ length: 16 }, (_, i) => state.xmm(i)),
    rflags: state.readRflags(),
    rip: state.rip,
    specials: Object.values(SPECIAL_SLOTS).map((slot) => BigInt(state.get32(slot))),
  };
}

const hex = (bytes: Uint8Array) => [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');

const describe = (o: Outcome) => JSON.stringify(o, (_, v) => (typeof v === 'bigint' ? v.toString(16) : v));

function compare(got: Outcome, expected: Outcome): string | null {
  const faults = JSON.stringify([got.fault, expected.fault], (_, v) => (typeof v === 'bigint' ? v.toString(16) : v));
  if ((got.fault === null) !== (expected.fault === null)) return `fault ${faults}`;
  if (
    got.fault !== null &&
    (got.fault.vector !== expected.fault?.vector || got.fault.code !== expected.fault.code || got.fault.cr2 !== expected.fault.cr2)
  )
    return `fault ${faults}`;
  for (const what of ['rip', 'rflags'] as const) {
    if (got[what] !== expected[what]) return `${what} ${got[what].toString(16)}, not ${expected[what].toString(16)} ${faults}`;
  }
  for (const what of ['gpr', 'xmm', 'specials'] as const) {
    for (const [i, value] of expected[what].entries()) {
      if (got[what][i] !== value) return `${what}[${i}] ${got[what][i]?.toString(16)}, not ${value.toString(16)} ${faults}`;
    }
  }
  return null;
}
