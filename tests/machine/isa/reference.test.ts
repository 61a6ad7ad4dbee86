import { describe, expect, test } from 'vitest';
import { type Fault, ReferenceEvaluator } from '../../../src/machine/cpu/reference.ts';
import { bug } from '../../../src/machine/isa/bug.ts';
import { type Decoded, decode } from '../../../src/machine/isa/decode.ts';
import type { HelperName } from '../../../src/machine/isa/helpers.ts';
import type { Special } from '../../../src/machine/isa/term.ts';
import { type Case, DATA, ENTRY } from '../silicon/cases.ts';
import { FlatCpu } from '../silicon/flat-cpu.ts';

const CPL0 = { cpl: 0n } as const;
const CR0 = 0x80050033n;
const CR4 = 0x350ef0n;

interface Start {
  gpr?: Readonly<Record<number, bigint>>;
  specials?: Partial<Record<Special, bigint>>;
  rflags?: bigint;
}

class Cpu extends FlatCpu {
  helped: { name: HelperName; row: string; nextRip: bigint } | null = null;
  override helper(name: HelperName, decoded: Decoded, nextRip: bigint): Fault | null {
    this.helped = { name, row: decoded.row.name, nextRip };
    this.rip = nextRip;
    return null;
  }
}

function run(code: string, { gpr = {}, specials = {}, rflags = 2n }: Start = {}) {
  const bytes = Uint8Array.from(code.split(' ').map((b) => Number.parseInt(b, 16)));
  const registers = Array.from({ length: 16 }, (_, i) => gpr[i] ?? 0n);
  const start: Case = { mode: 64, code: bytes, gpr: registers, rflags, mxcsr: 0x1f80, memorySeed: 1, pokes: [], xmm: null };
  const cpu = new Cpu();
  cpu.start(start);
  for (const [name, value] of Object.entries(specials)) cpu.specials.set(name as Special, value);
  const decoded = decode(bytes, 0, 64, bytes.length);
  if (typeof decoded === 'string') return bug(`${code} is ${decoded}`);
  const before = JSON.stringify([cpu.gpr.map(String), cpu.rip.toString(), cpu.rflags.toString()]);
  const result = new ReferenceEvaluator().execute(cpu, decoded);
  const unchanged = before === JSON.stringify([cpu.gpr.map(String), cpu.rip.toString(), cpu.rflags.toString()]);
  return { cpu, result, unchanged };
}
const fault = (vector: number, code: number | null = null) => ({ vector, code });

describe('availability and privilege', () => {
  test.each<[string, string, Partial<Record<Special, bigint>>, ReturnType<typeof fault>]>([
    ['SSE with CR0.EM', '0f 28 c1', { cr0: CR0 | 4n }, fault(6)],
    ['SSE without CR4.OSFXSR', '0f 28 c1', { cr4: CR4 & ~0x200n }, fault(6)],
    ['SSE with CR0.TS', '0f 28 c1', { cr0: CR0 | 8n }, fault(7)],
    ['#UD comes before #NM', '0f 28 c1', { cr0: CR0 | 12n }, fault(6)],
    ['an unmasked SSE exception', 'f2 0f 5e c1', { mxcsr: 0n }, fault(19)],
    ['the same without CR4.OSXMMEXCPT', 'f2 0f 5e c1', { mxcsr: 0n, cr4: CR4 & ~0x400n }, fault(6)],
    ['x87 control with CR0.EM', 'd9 3c 24', { cr0: CR0 | 4n }, fault(7)],
    ['WAIT with CR0.TS and MP', '9b', { cr0: CR0 | 10n }, fault(7)],
    ['WAIT with a pending exception', '9b', { fsw: 0x80n }, fault(16)],
    ['RDTSC with CR4.TSD at CPL 3', '0f 31', { cr4: CR4 | 4n }, fault(13, 0)],
    ['SGDT with CR4.UMIP at CPL 3', '0f 01 00', { cr4: CR4 | 0x800n }, fault(13, 0)],
    ['SMSW with CR4.UMIP at CPL 3', '0f 01 e0', { cr4: CR4 | 0x800n }, fault(13, 0)],
    ['RDFSBASE without CR4.FSGSBASE', 'f3 0f ae c0', { cr4: CR4 & ~0x10000n }, fault(6)],
    ['STAC at CPL 3', '0f 01 cb', {}, fault(6)],
    ['HLT at CPL 3', 'f4', {}, fault(13, 0)],
    ['CLI at CPL 3 with IOPL 0', 'fa', {}, fault(13, 0)],
    ['LDMXCSR with a reserved bit', '0f ae 17', {}, fault(13, 0)],
  ])('%s', (_, code, specials, want) => {
    const { result, unchanged } = run(code, { specials, gpr: { 4: DATA + 64n, 7: DATA } });
    expect(result).toEqual(want);
    expect(unchanged).toBe(true);
  });

  test('MXCSR tells the exception although the destination stays', () => {
    const { cpu } = run('f2 0f 5e c1', { specials: { mxcsr: 0n } });
    expect(cpu.specials.get('mxcsr')).toBe(1n);
  });

  test.each([
    ['HLT', 'f4', 'HLT'],
    ['RDMSR', '0f 32', 'RDMSR'],
    ['MOV CR3', '0f 22 d8', 'MOV_TO_CR'],
    ['SWAPGS', '0f 01 f8', 'SWAPGS'],
    ['IRETQ', '48 cf', 'IRET'],
  ] as const)('%s at CPL 0 is its helper', (_, code, name) => {
    const { cpu, result } = run(code, { specials: CPL0 });
    expect(result).toBe('done');
    expect(cpu.helped).toMatchObject({ name, nextRip: ENTRY + BigInt(code.split(' ').length) });
  });

  test('CLI, STAC and POPF at CPL 0', () => {
    expect(run('fa', { specials: CPL0, rflags: 0x202n }).cpu.rflags & 0x200n).toBe(0n);
    expect(run('0f 01 cb', { specials: CPL0 }).cpu.rflags & 0x40000n).toBe(0x40000n);
    // POPF of what PUSH left: IOPL moves at CPL 0 alone.
    const iopl = (cpl: bigint) => {
      const { cpu } = run('9d', { specials: { cpl }, gpr: { 4: DATA + 8n } });
      return cpu.rflags & 0x3000n;
    };
    expect(iopl(3n)).toBe(0n);
  });
});

describe('repetition', () => {
  const copy = { 1: 2n, 6: DATA + 64n, 7: DATA + 128n };
  test('one call is one iteration', () => {
    const { cpu, result } = run('f3 a4', { gpr: copy });
    expect(result).toBe('again');
    expect([cpu.readGpr(1), cpu.readGpr(6) - DATA, cpu.readGpr(7) - DATA, cpu.rip]).toEqual([1n, 65n, 129n, ENTRY]);
  });
  test('the last one goes on', () => {
    const { cpu, result } = run('f3 a4', { gpr: { ...copy, 1: 1n } });
    expect(result).toBe('done');
    expect([cpu.readGpr(1), cpu.rip]).toEqual([0n, ENTRY + 2n]);
  });
  test('a count of zero does nothing', () => {
    const { cpu, result } = run('f3 a4', { gpr: { ...copy, 1: 0n, 6: 0n } });
    expect(result).toBe('done');
    expect([cpu.readGpr(6), cpu.rip]).toEqual([0n, ENTRY + 2n]);
  });
  test('a fault leaves the count at its iteration', () => {
    const { result, unchanged } = run('f3 a4', { gpr: { ...copy, 6: DATA - 1n } });
    expect(result).toEqual({ vector: 14, code: 4, cr2: DATA - 1n });
    expect(unchanged).toBe(true);
  });
  test('CMPS stops where ZF says so', () => {
    expect(run('f3 a6', { gpr: { ...copy, 7: DATA + 64n } }).result).toBe('again');
    expect(run('f2 a6', { gpr: { ...copy, 7: DATA + 64n } }).result).toBe('done');
  });
});

describe('addresses', () => {
  test('a non-canonical one is #GP, on the stack #SS', () => {
    expect(run('48 8b 00', { gpr: { 0: 1n << 47n } }).result).toEqual(fault(13, 0));
    expect(run('48 8b 45 00', { gpr: { 5: 1n << 47n } }).result).toEqual(fault(12, 0));
    expect(run('48 8b 00', { gpr: { 0: (1n << 47n) - 4n } }).result).toEqual(fault(13, 0));
    expect(run('ff e0', { gpr: { 0: 1n << 47n } }).result).toEqual(fault(13, 0));
  });
  test('a read-modify-write faults as a write', () =>
    expect(run('01 00', { gpr: { 0: 0x1000n } }).result).toEqual({ vector: 14, code: 6, cr2: 0x1000n }));
  test('MOVAPS wants 16 bytes, MOVUPS does not', () => {
    expect(run('0f 28 00', { gpr: { 0: DATA + 8n } }).result).toEqual(fault(13, 0));
    expect(run('0f 10 00', { gpr: { 0: DATA + 8n } }).result).toBe('done');
  });
});
