/**
 * Random cases, one instruction each: every encoding of the table with random prefixes, registers, immediates and values, memory operands that
 * mostly lie in the page. A case is a function of the seed alone.
 */
import seedrandom from 'seedrandom';
import type { Encoding, OperandCode } from '../../../src/machine/isa/notation.ts';
import type { Mode } from '../../../src/machine/isa/operands.ts';
import { encodings } from '../../../src/machine/isa/table.ts';
import { type Case, CODE_PAGE, DATA, ENTRY, PAGE } from './cases.ts';

/** Names of rows that a process cannot try here, with the reason. */
export const EXCLUDED: ReadonlyMap<string, string> = new Map([
  ...['CPUID', 'RDTSC', 'RDTSCP', 'RDRAND', 'RDSEED', 'RDPMC'].map((n) => [n, 'its result is the machine’s own'] as const),
  ...['SGDT', 'SIDT', 'SLDT', 'STR', 'SMSW'].map((n) => [n, 'Linux emulates it under UMIP'] as const),
  ...[
    'SYSCALL',
    'SYSRET',
    'SYSRETQ',
    'INT',
    'INT3',
    'INT1',
    'INTO',
    'JMPF',
    'CALLF',
    'RETF',
    'RETFQ',
    'RETFW',
    'IRET',
    'IRETD',
    'IRETQ',
  ].map((n) => [n, 'enters the host’s kernel or changes CS'] as const),
  ...['LES', 'LDS', 'LSS', 'LFS', 'LGS', 'LAR', 'LSL', 'VERR', 'VERW'].map((n) => [n, 'depends on the host’s descriptor tables'] as const),
  ...['IN', 'OUT', 'INSB', 'INSW', 'INSD', 'OUTSB', 'OUTSW', 'OUTSD'].map((n) => [n, 'a helper: needs the I/O permission bitmap'] as const),
  ...['FXSAVE', 'FXSAVE64', 'FXRSTOR', 'FXRSTOR64'].map((n) => [n, 'a helper'] as const),
]);

/** Single encodings that differ on this host, with the reason. */
function isExcluded(e: Encoding): string | null {
  const name = EXCLUDED.get(e.row.name);
  if (name !== undefined) return name;
  if (e.row.name === 'MOV' && e.operands[0]?.what === 'S') return 'loads a segment register';
  if ((e.row.name === 'POP' || e.row.name === 'PUSH') && e.operands[0]?.what === 'fixed')
    return 'segment registers: POP loads one, PUSH tells the host’s';
  if (e.row.name === 'MOVSXD' && e.operandSize === 16) return 'AMD: reads four bytes of memory, the SDM says two';
  if (e.map === 1 && e.opcode === 0x0d && e.modrm !== 'mem') return 'AMD: #UD with a register';
  return null;
}

export const tried: readonly Encoding[] = encodings.filter((e) => isExcluded(e) === null);

/** Those of one mode. VEX in a 16-bit segment is #UD here (the decoder takes it for real mode). */
export const triedIn = (mode: Mode): readonly Encoding[] =>
  tried.filter((e) => (mode === 64 ? !e.not64 : !e.only64 && !(e.vex && mode === 16)));

type Random = () => number;

const SPECIAL_FLOATS = [0n, 0x3ff0000000000000n, 0x7ff0000000000000n, 0x7ff8000000000000n, 0x7ff0000000000001n, 0x7fefffffffffffffn, 0x0010000000000000n, 0x000fffffffffffffn, 1n, 0x43e0000000000000n, 0x41e0000000000000n, 0x4330000000000001n, 0x3fe0000000000000n, 0x4000000000000000n, 0x47efffffe0000000n, 0x3810000000000000n, 0x36a0000000000000n]; // biome-ignore format: a list
const SPECIAL_FLOATS32 = [0n, 0x3f800000n, 0x7f800000n, 0x7fc00000n, 0x7f800001n, 0x7f7fffffn, 0x00800000n, 0x007fffffn, 1n, 0x5f000000n, 0x4f000000n, 0x3f000000n, 0x40000000n, 0x4b000001n]; // biome-ignore format: a list

export class Generator {
  readonly random: Random;

  constructor(seed: string) {
    this.random = seedrandom(seed);
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }
  chance(p: number): boolean {
    return this.random() < p;
  }
  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)];
    if (item === undefined) throw new Error('picked from an empty list');
    return item;
  }
  u32(): bigint {
    return BigInt(Math.floor(this.random() * 0x100000000));
  }
  u64(): bigint {
    return (this.u32() << 32n) | this.u32();
  }

  /** Values where carries, signs and limits lie, and plain random ones. */
  value(): bigint {
    const kind = this.below(10);
    if (kind < 3) return this.u64();
    if (kind === 3) return BigInt(this.below(64));
    if (kind === 4) return BigInt.asUintN(64, -BigInt(this.below(64)));
    if (kind === 5) return BigInt.asUintN(64, (1n << BigInt(this.below(64))) + BigInt(this.below(3) - 1));
    if (kind === 6)
      return this.pick([
        0x7fn,
        0x80n,
        0xffn,
        0x7fffn,
        0x8000n,
        0xffffn,
        0x7fffffffn,
        0x80000000n,
        0xffffffffn,
        0x7fffffffffffffffn,
        0x8000000000000000n,
        0xffffffffffffffffn,
      ]);
    if (kind === 7) return this.u32();
    if (kind === 8) return BigInt.asUintN(64, BigInt.asIntN(32, this.u32()));
    return this.u64() & this.u64() & this.u64();
  }

  private double(): bigint {
    const sign = BigInt(this.below(2)) << 63n;
    const kind = this.below(8);
    if (kind < 3) return sign | this.pick(SPECIAL_FLOATS);
    if (kind === 3) return this.u64();
    if (kind === 4) return sign | ((0x3ffn + BigInt(this.below(70) - 3)) << 52n) | (this.u64() >> 12n);
    if (kind === 5) return sign | ((0x3ffn + BigInt(this.below(34) - 2)) << 52n) | ((this.u64() >> 12n) & ~((1n << 30n) - 1n));
    if (kind === 6) return sign | (this.u64() & 0xfffffffffffffn & ((1n << BigInt(this.below(53))) - 1n));
    return sign | ((BigInt(this.below(2046)) + 1n) << 52n) | (this.chance(0.5) ? 0n : this.u64() >> 12n);
  }
  private float(): bigint {
    const sign = BigInt(this.below(2)) << 31n;
    const kind = this.below(7);
    if (kind < 3) return sign | this.pick(SPECIAL_FLOATS32);
    if (kind === 3) return this.u32();
    if (kind === 4) return sign | ((0x7fn + BigInt(this.below(40) - 3)) << 23n) | (this.u32() >> 9n);
    if (kind === 5) return sign | (this.u32() >> 9n);
    return sign | ((BigInt(this.below(254)) + 1n) << 23n) | (this.chance(0.5) ? 0n : this.u32() >> 9n);
  }
  vector(): bigint {
    const kind = this.below(3);
    if (kind === 0) return this.double() | (this.double() << 64n);
    if (kind === 1) return this.float() | (this.float() << 32n) | (this.float() << 64n) | (this.float() << 96n);
    return this.value() | (this.value() << 64n);
  }

  /** An offset in the page for an access of `bytes`: mostly inside, sometimes across an end, aligned or not. */
  place(bytes: number): bigint {
    if (this.chance(0.02)) return PAGE - BigInt(this.below(bytes + 1));
    if (this.chance(0.02)) return -BigInt(this.below(bytes + 1));
    const at = 64n + BigInt(this.below(Number(PAGE) - 128 - 64));
    return this.chance(0.8) ? at & ~15n : at;
  }

  mxcsr(): number {
    const rounding = this.chance(0.5) ? 0 : this.below(4) << 13;
    const modes = this.chance(0.8) ? 0 : (this.below(2) << 15) | (this.below(2) << 6);
    const masks = this.chance(0.9) ? 0x1f80 : this.below(64) << 7;
    return rounding | modes | masks | (this.chance(0.5) ? 0 : this.below(64));
  }

  /** One case for this encoding; null: this draw made no sense. */
  single(e: Encoding, mode: Mode): Case | null {
    return new Draft(this, e, mode, ENTRY, null).finish();
  }

  /** One instruction of a sequence, at address `at`; the case's registers are those that it needs, starting from `registers`. */
  link(e: Encoding, mode: Mode, at: bigint, registers: readonly bigint[]): Case | null {
    return new Draft(this, e, mode, at, registers).finish();
  }
}

/** Can this encoding touch memory at all? If not, the page need not be filled and compared. */
function touchesMemory(e: Encoding): boolean {
  const implied = /^(PUSH|POP|CALL|RET|ENTER|LEAVE|XLATB|MASKMOVDQU|BOUND)/.test(e.row.name);
  return (
    implied || e.operands.some((o) => isStringOperand(o) || o.what === 'O') || (e.hasModrm && e.modrm !== 'reg' && e.row.name !== 'LEA')
  );
}

const isStringOperand = (o: OperandCode) => o.what === 'X' || o.what === 'Y';

/** One instruction being put together: bytes, and the registers that make its addresses meet the page. */
class Draft {
  private readonly g: Generator;
  private readonly e: Encoding;
  private readonly mode: Mode;
  private readonly gpr: bigint[];
  private readonly pokes: { offset: number; value: bigint }[] = [];
  private readonly bytes: number[] = [];
  private rex = 0;
  private has66 = false;
  private has67 = false;
  private repeated = false;
  /** Where the RIP-relative displacement lies, to be filled in at the end. */
  private ripField = -1;
  private target = 0n;
  private failed = false;

  private readonly at: bigint;
  /** The page, and the page of the code, as offsets in their segments. */
  private readonly data: bigint;
  private readonly jumps: bigint;
  private readonly inSequence: boolean;

  constructor(g: Generator, e: Encoding, mode: Mode, at: bigint, registers: readonly bigint[] | null) {
    this.g = g;
    this.e = e;
    this.mode = mode;
    this.at = at;
    this.inSequence = registers !== null;
    this.data = mode === 16 ? 0n : DATA;
    this.jumps = mode === 16 ? 0n : CODE_PAGE;
    this.gpr = registers === null ? Array.from({ length: 16 }, () => g.value()) : [...registers];
    if (registers !== null) return;
    // Pointers that implied accesses use.
    for (const r of [3, 5, 6, 7]) if (g.chance(0.9)) this.gpr[r] = this.data + g.place(16);
    this.gpr[4] = this.data + 512n + BigInt(g.below(256) * 8) + (g.chance(0.1) ? BigInt(g.below(8)) : 0n);
  }

  finish(): Case | null {
    const { g, e, mode } = this;
    if (mode === 64 ? e.not64 : e.only64 || (e.vex && mode === 16)) return null;
    this.special();
    this.prefixes();
    this.opcode();
    this.immediates();
    if (this.failed || this.bytes.length > 15 || this.stackIsElsewhere()) return null;
    if (this.ripField >= 0) this.patch(this.ripField, Number(BigInt.asIntN(32, this.target - this.at - BigInt(this.bytes.length))));
    const usesXmm = e.row.guard === 'sse';
    return {
      mode,
      code: Uint8Array.from(this.bytes),
      gpr: mode === 64 ? this.gpr : this.gpr.map((v) => v & 0xffffffffn),
      rflags: 0x202n | (g.u64() & 0x8d5n) | (g.chance(0.3) ? 0x400n : 0n),
      mxcsr: usesXmm ? g.mxcsr() : 0x1f80,
      memorySeed: touchesMemory(e) ? g.below(0x7fffffff) : null,
      pokes: this.pokes,
      xmm: usesXmm ? Array.from({ length: 16 }, () => g.vector()) : null,
    };
  }

  /** RSP as a base may have been moved: it must not meet anything else that is mapped. */
  private stackIsElsewhere(): boolean {
    const rsp = this.gpr[4] ?? 0n;
    return rsp < this.data - 0x100000n || rsp > this.data + 0x100000n;
  }

  /** Registers and stack words that some rows need to do anything of interest. */
  private special(): void {
    const { g, e, gpr } = this;
    const name = e.row.name;
    const stackWord = (value: bigint) => this.pokes.push({ offset: Number((gpr[4] ?? 0n) - this.data), value });
    if (name === 'DIV' || name === 'IDIV') {
      if (g.chance(0.6)) gpr[2] = g.chance(0.5) ? BigInt(g.below(4)) : BigInt.asUintN(64, BigInt.asIntN(64, gpr[0] ?? 0n) >> 63n);
      if (g.chance(0.5)) gpr[0] = (gpr[0] ?? 0n) & 0xffffffffffff007fn;
    }
    if (name.startsWith('POPF')) {
      // TF would trap on the host, and AC is another test's.
      stackWord(g.u64() & 0x3f7ed5n & ~0x60100n & ~0x4000n);
      gpr[4] = (gpr[4] ?? 0n) & ~7n;
      this.pokes[0] = { offset: Number((gpr[4] ?? 0n) - this.data), value: this.pokes[0]?.value ?? 0n };
    }
    // In a 16-bit segment any value is an address of the code page: not too near the case itself.
    if (name === 'RET') stackWord(g.chance(0.9) || this.mode === 16 ? this.jumps + BigInt(g.below(0x700)) : g.value());
    if (name === 'XLATB') gpr[3] = this.data + g.place(256);
    // Whether a masked byte faults is the processor's choice.
    if (name === 'MASKMOVDQU') gpr[7] = this.data + 512n + BigInt(g.below(1024));
    if (name.startsWith('CMPXCHG') && g.chance(0.5)) gpr[0] = gpr[1] ?? 0n;
    if (e.row.rep !== undefined) gpr[1] = g.chance(0.9) ? BigInt(g.below(20)) | (g.chance(0.1) ? 1n << 33n : 0n) : g.value() & 0xffffn;
  }

  private prefixes(): void {
    const { g, e, mode } = this;
    const { bytes } = this;
    if (e.vex) return;
    const lockable = e.row.lock === true;
    // LOCK MOV CR0 is AMD's MOV CR8.
    const control = e.operands.some((o) => o.what === 'C');
    if (g.chance(lockable ? 0.15 : control ? 0 : 0.01)) bytes.push(0xf0);
    this.has67 = g.chance(0.1);
    // 16-bit addresses cannot reach the page: they are tried by name (JCXZ, LOOP, LEA) alone.
    if (mode === 32 && this.has67) this.has67 = !this.hasMemory() || e.row.name === 'LEA';
    if (e.addressSize !== 0) this.has67 = e.addressSize !== mode;
    if (this.has67) bytes.push(0x67);
    // Near branches: AMD takes 66 as a 16-bit operand in 64-bit mode, the SDM's processors ignore it.
    const branches = e.force64 || e.row.flow !== undefined;
    this.has66 =
      e.mandatory !== '66' &&
      e.mandatory !== 'np' &&
      !branches &&
      (e.operandSize === 0 ? g.chance(0.3) : (e.operandSize === 16) !== (mode === 16));
    if (this.has66 || e.mandatory === '66') bytes.push(0x66);
    if (e.row.rep !== undefined && g.chance(0.6)) {
      bytes.push(g.pick([0xf2, 0xf3]));
      this.repeated = true;
    } else if (e.mandatory === 'f3' || e.mandatory === 'f2') bytes.push(e.mandatory === 'f3' ? 0xf3 : 0xf2);
    const wide = e.w === 1 || e.operandSize === 64 ? !e.default64 : e.w === 0 || e.operandSize !== 0 ? false : g.chance(0.4);
    if (mode === 64) {
      this.rex = wide ? 0x48 : g.chance(0.3) ? 0x40 : 0;
      if (g.chance(0.4)) this.rex |= 0x40 | g.below(8);
      if (e.rexB === 0) this.rex &= ~1;
      if (e.rexB === 1 && g.chance(0.3)) this.rex |= 0x41;
    } else if (wide && (e.w === 1 || e.operandSize === 64)) this.failed = true;
  }

  private hasMemory(): boolean {
    const { e } = this;
    return (
      e.operands.some((o) => isStringOperand(o) || o.what === 'O') ||
      (e.hasModrm && e.modrm !== 'reg') ||
      e.row.name === 'XLATB' ||
      e.row.name === 'MASKMOVDQU'
    );
  }

  private opcode(): void {
    const { g, e, bytes, mode } = this;
    let vexAt = -1;
    if (e.vex) {
      vexAt = bytes.length;
      bytes.push(0xc4, 0, 0);
    } else {
      if (this.rex !== 0 && mode === 64) bytes.push(this.rex);
      if (e.map !== 0) bytes.push(0x0f);
      if (e.map > 1) bytes.push(e.map === 2 ? 0x38 : 0x3a);
    }
    if (e.vex && mode === 64) this.rex = 0x40 | g.below(8) | (g.chance(0.5) ? 8 : 0);
    const plus = e.plusR ? g.below(8) : 0;
    if (e.row.name === 'XCHG' && e.plusR && plus === 0 && (this.rex & 1) === 0) this.failed = true;
    bytes.push(e.opcode + plus);
    if (e.vex) {
      const usesV = e.operands.some((o) => o.what === 'B');
      const v = usesV ? g.below(mode === 64 ? 16 : 8) : 0;
      const pp = { np: 0, '66': 1, f3: 2, f2: 3, any: 0, nfx: 0 }[e.mandatory];
      bytes[vexAt + 1] = ((~this.rex & 7) << 5) | e.map;
      bytes[vexAt + 2] = ((this.rex & 8) << 4) | ((~v & 15) << 3) | pp;
    }
    if (e.fixedModrm >= 0) bytes.push(e.fixedModrm);
    else if (e.hasModrm) this.modrm();
  }

  private modrm(): void {
    const { g, e, bytes } = this;
    const reg = e.digit >= 0 ? e.digit : g.below(8);
    const inMemory = e.modrm === 'mem' || (e.modrm === 'any' && g.chance(0.5));
    this.boundBitOffset(inMemory, reg);
    if (!inMemory) {
      const rm = g.below(8);
      bytes.push(0xc0 | (reg << 3) | rm);
      const indirect = (e.row.flow === 'indirect' || e.row.flow === 'indirect-call') && g.chance(0.9);
      if (indirect && (rm | ((this.rex & 1) << 3)) === 4)
        this.failed = true; // the stack would lie in the code
      else if (indirect) this.gpr[rm | ((this.rex & 1) << 3)] = this.jumps + BigInt(g.below(0x700));
      return;
    }
    // At the end of a 64 KiB segment a misaligned access breaks two rules: which one is told is the processor's choice.
    const drawn = g.place(16);
    const place = e.row.name === 'INVLPG' || (this.mode === 16 && drawn < 0n && e.row.guard === 'sse') ? 64n : drawn;
    this.target = this.data + place;
    if (e.row.flow === 'indirect' || e.row.flow === 'indirect-call') {
      if (place >= 0n && place <= PAGE - 8n) this.pokes.push({ offset: Number(place), value: this.jumps + BigInt(g.below(0x700)) });
    }
    const inside = place >= 0n && place <= PAGE - 8n && !this.inSequence;
    if (e.row.name === 'LDMXCSR' && inside && g.chance(0.9)) this.pokes.push({ offset: Number(place), value: BigInt(g.mxcsr()) });
    this.address(reg);
  }

  /** BT and its like with a register: keep the bit near the operand most of the time. */
  private boundBitOffset(inMemory: boolean, reg: number): void {
    const { g, e } = this;
    if (!inMemory || !/^BT[SRC]?$/.test(e.row.name) || e.digit >= 0 || g.chance(0.1)) return;
    this.gpr[reg | ((this.rex & 4) << 1)] = BigInt.asUintN(64, BigInt(g.below(16000) - 8000));
  }

  private address(reg: number): void {
    const { g, bytes, mode } = this;
    const size = mode === 64 && !this.has67 ? 64 : 32;
    if (mode === 16 ? !this.has67 : mode === 32 && this.has67) {
      this.address16(reg);
      return;
    }
    const wrap = (v: bigint) => BigInt.asUintN(size, v);
    const base = this.segmentBase();
    const goal = this.target - base;
    const rm = g.below(8);
    const kind = g.below(10);
    const disp8 = BigInt(g.below(256) - 128);
    const disp32 = g.chance(0.3) ? BigInt.asIntN(32, g.u32()) : BigInt(g.below(4000) - 2000);
    const mod = g.below(3);
    const disp = mod === 0 ? 0n : mod === 1 ? disp8 : disp32;
    const push32 = (v: bigint) => {
      for (let i = 0n; i < 32n; i += 8n) bytes.push(Number((v >> i) & 0xffn));
    };
    const pushDisp = () => (mod === 1 ? bytes.push(Number(disp & 0xffn)) : mod === 2 ? push32(disp) : undefined);
    if (kind === 0) {
      // No base: RIP-relative in 64-bit mode, absolute elsewhere.
      bytes.push((reg << 3) | 5);
      this.ripField = mode === 64 ? bytes.length : -1;
      this.target = goal;
      push32(goal);
      return;
    }
    if (kind < 6 && rm !== 4 && !(rm === 5 && mod === 0)) {
      bytes.push((mod << 6) | (reg << 3) | rm);
      this.gpr[rm | ((this.rex & 1) << 3)] = wrap(goal - disp);
      pushDisp();
      return;
    }
    const scale = g.below(4);
    const index = g.below(8);
    const indexRegister = index | ((this.rex & 2) << 2);
    const b = g.below(8);
    const baseRegister = b | ((this.rex & 1) << 3);
    if (b === 5 && mod === 0) {
      // Index alone: a small index, the displacement does the rest.
      bytes.push((reg << 3) | 4, (scale << 6) | (index << 3) | 5);
      if (indexRegister !== 4) this.gpr[indexRegister] = BigInt(g.below(0x100000));
      const scaled = indexRegister === 4 ? 0n : (this.gpr[indexRegister] ?? 0n) << BigInt(scale);
      push32(goal - scaled);
      return;
    }
    if (indexRegister === baseRegister && indexRegister !== 4) {
      this.failed = true;
      return;
    }
    bytes.push((mod << 6) | (reg << 3) | 4, (scale << 6) | (index << 3) | b);
    const scaled = indexRegister === 4 ? 0n : (this.gpr[indexRegister] ?? 0n) << BigInt(scale);
    this.gpr[baseRegister] = wrap(goal - disp - scaled);
    pushDisp();
  }

  /** In 32-bit mode of LEA alone: 16 bits do not reach the page. In 16-bit mode the registers are made to meet it. */
  private address16(reg: number): void {
    const { g, bytes, gpr } = this;
    const mod = g.below(3);
    const rm = g.below(8);
    bytes.push((mod << 6) | (reg << 3) | rm);
    const size = mod === 1 ? 1 : mod === 2 || rm === 6 ? 2 : 0;
    const direct = mod === 0 && rm === 6;
    const disp = direct ? this.target : size === 1 ? BigInt(g.below(256) - 128) : size === 2 ? BigInt(g.below(65536)) : 0n;
    for (let i = 0; i < size; i++) bytes.push(Number((disp >> BigInt(8 * i)) & 0xffn));
    if (direct || this.mode === 32) return;
    // BX+SI BX+DI BP+SI BP+DI SI DI BP BX
    const base = [3, 3, 5, 5, 6, 7, 5, 3][rm] ?? 3;
    const index = [6, 7, 6, 7][rm];
    const rest = this.target - disp - (index === undefined ? 0n : (gpr[index] ?? 0n));
    gpr[base] = ((gpr[base] ?? 0n) & ~0xffffn) | BigInt.asUintN(16, rest);
  }

  /** Now and then an FS or GS prefix, put first. The base moves the target. */
  private segmentBase(): bigint {
    const { g, e, bytes } = this;
    if (e.vex || this.mode !== 64 || !g.chance(0.08)) return 0n; // elsewhere the selectors are null
    const gs = g.chance(0.5);
    bytes.unshift(gs ? 0x65 : 0x64);
    return gs ? 0x20000200n : 0x20000100n;
  }

  private patch(at: number, value: number): void {
    for (let i = 0, v = value; i < 4; i++, v >>= 8) this.bytes[at + i] = v & 0xff;
  }

  private immediates(): void {
    const { g, e, bytes, mode } = this;
    const put = (value: bigint, n: number) => {
      for (let i = 0n; i < BigInt(n) * 8n; i += 8n) bytes.push(Number((value >> i) & 0xffn));
    };
    const size = mode === 64 && (this.rex & 8) !== 0 ? 64 : this.has66 === (mode === 16) ? 32 : 16;
    for (const o of e.operands) {
      if (o.what === 'I' || o.what === 'sI') {
        const n = o.size === 'b' ? 1 : o.size === 'w' ? 2 : o.size === 'v' ? size / 8 : size === 16 ? 2 : 4;
        if (e.row.name === 'ENTER') put(o.size === 'w' ? BigInt(g.below(64)) : BigInt(g.chance(0.7) ? g.below(4) : g.below(256)), n);
        else if (e.row.name === 'RET') put(BigInt(g.below(64)), n);
        else put(g.value(), n);
      } else if (o.what === 'J' && this.inSequence) put(BigInt(g.below(30)), o.size === 'b' ? 1 : 4);
      else if (o.what === 'J') {
        if (o.size === 'b') put(BigInt(g.pick([g.below(100) + 10, -g.below(90) - 20])), 1);
        else put(BigInt(g.chance(0.5) ? -g.below(0x600) - 20 : g.below(0x600) + 10), mode === 16 ? 2 : 4);
      } else if (o.what === 'O') {
        const offset = this.data + g.place(16);
        const base = this.segmentBase();
        put(offset - base, mode === 64 && !this.has67 ? 8 : mode === 16 && !this.has67 ? 2 : 4);
      } else if (isStringOperand(o)) {
        const size64 = mode === 64 && !this.has67 ? 64 : 32;
        const register = o.what === 'X' ? 6 : 7;
        // Of two operands only one may lie outside: which is looked at first is the processor's choice.
        const inside = 512n + BigInt(g.below(2048));
        const spread = o !== e.operands[0] ? inside : this.repeated ? g.place(160) : g.place(8);
        this.gpr[register] =
          BigInt.asUintN(size64, this.data + spread) | (size64 === 32 && mode === 64 && g.chance(0.3) ? g.u32() << 32n : 0n);
      }
    }
  }
}
