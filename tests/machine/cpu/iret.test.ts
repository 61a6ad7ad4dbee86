/**
 * IRET of 64-bit code stands twice: as generated code for what kernels do all the time (transfer-code.ts), and in TypeScript (helpers/iret.ts), which does the
 * rest, and frames over two pages. Here both do the same return, from random states over random descriptors.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Delivery } from '../../../src/machine/cpu/faults.ts';
import { SEG } from '../../../src/machine/cpu/helpers/cpu.ts';
import { makeIret } from '../../../src/machine/cpu/helpers/iret.ts';
import { updateMode } from '../../../src/machine/cpu/mode.ts';
import { HELPER } from '../../../src/machine/cpu/ports.ts';
import {
  CPU_STATE_BYTES, CR0, CR3, CR4, EFER, FAULT_CODE, FAULT_CR2, FAULT_HAS_CODE, FAULT_VECTOR, GDTR_BASE, GDTR_LIMIT, GPR, MODE_INDEX, TLB_SET,
} from '../../../src/machine/cpu/state.ts'; // biome-ignore format: one list
import { QuietHost } from '../../../src/machine/index.ts';
import { decode } from '../../../src/machine/isa/decode.ts';
import { RFLAGS } from '../../../src/machine/isa/flags.ts';
import { Pc } from '../../../src/machine/pc.ts';
import { CR0 as CR0_BIT, CR4 as CR4_BIT, EFER as EFER_BIT, PTE } from '../../../src/machine/platform/bits.ts';
import { STATUS } from '../../../src/machine/translator/entry.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';

/** Where things lie in RAM, which is mapped to itself, but for the page that is not there. */
const AT = { pml4: 0x1000, pdpt: 0x2000, pd: 0x3000, pt: 0x4000, gdt: 0x5000, frame: 0x6800, missing: 0x9000 } as const;
const DESCRIPTORS = 6;
const SELECTORS = [0, 3, ...Array.from({ length: DESCRIPTORS + 1 }, (_, n) => 8 * n + 8).flatMap((at) => [at, at + 1, at + 3])];

const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const address = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      0x401000n,
      0x402000n,
      0xffff_8000_0000_1000n,
      0x8000_0000_0000n,
      0xffff_7fff_ffff_ffffn,
      0xffff_ffffn,
      0x1_0000_0000n,
    ),
  },
  word,
);
const descriptor = fc.record({
  type: fc.nat(15),
  dpl: fc.constantFrom(0, 0, 3, 3, 1),
  isSegment: fc.nat(9).map((n) => n > 0),
  isPresent: fc.nat(7).map((n) => n > 0),
  long: fc.boolean(),
  big: fc.nat(3).map((n) => n === 0),
  limit: fc.constantFrom(0xfffff, 0x400, 0),
});
const segment = { isSegment: true, isPresent: true, limit: 0xfffff } as const;
/** What kernels have: of 64-bit and 32-bit code, and data, for CPL 0 and 3. In each state some are another one. */
const USUAL = [0, 3].flatMap((dpl) => [
  { ...segment, type: 0xa, dpl, long: true, big: false },
  { ...segment, type: 0x2, dpl, long: false, big: true },
  { ...segment, type: 0xb, dpl, long: false, big: true },
]);
const descriptors = fc.tuple(
  ...USUAL.map((usual) => fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: descriptor })),
);
/** CS and SS. */
const selectors = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom([0x08, 0x10], [0x08, 0], [0x18, 0x10], [0x23, 0x2b], [0x23, 0x2b], [0x33, 0x2b], [0x23, 0]) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...SELECTORS), fc.constantFrom(...SELECTORS)) },
);
const flags = word.map((bits) => bits & ~BigInt(RFLAGS.tf));
const state = fc.record({
  descriptors,
  cpl: fc.constantFrom(0, 0, 0, 3, 1),
  flags: flags.map((bits) => bits & ~BigInt(RFLAGS.nt)),
  frame: fc.record({ rip: address, selectors, flags, rsp: address, high: word }),
  data: fc.array(fc.constantFrom(0xc93, 0xcf3, 0xc9f, 0xcff, 0x10000), { minLength: 4, maxLength: 4 }),
  isMissing: fc.nat(19).map((n) => n === 0),
});

function makePc(): Pc {
  const pc = new Pc(
    { memoryBytes: 2 << 20, seed: '', harness: false, tier: 0 },
    new QuietHost(),
    new FormLibrary({ hasPath: false }),
    () => 0n,
  );
  const { view } = pc.physical;
  const present = PTE.P | PTE.W | PTE.U;
  view.setUint32(AT.pml4, AT.pdpt | present, true);
  view.setUint32(AT.pdpt, AT.pd | present, true);
  view.setUint32(AT.pd, AT.pt | present, true);
  for (let page = 0; page < 512; page++) if (page * 4096 !== AT.missing) view.setUint32(AT.pt + 8 * page, (page * 4096) | present, true);
  const registers = { cr0: CR0_BIT.PG | CR0_BIT.PE, cr4: CR4_BIT.PAE, efer: EFER_BIT.LME | EFER_BIT.LMA };
  pc.state.set64(CR0, BigInt(registers.cr0 >>> 0));
  pc.state.set64(CR3, BigInt(AT.pml4));
  pc.state.set64(CR4, BigInt(registers.cr4));
  pc.state.set64(EFER, BigInt(registers.efer));
  pc.state.set64(GDTR_BASE, BigInt(AT.gdt));
  pc.state.set32(GDTR_LIMIT, 8 * (DESCRIPTORS + 1) - 1);
  pc.renew();
  return pc;
}

function setUp({ cpu, state: cpuState, physical }: Pc, given: typeof state extends fc.Arbitrary<infer T> ? T : never): void {
  const { view } = physical;
  for (const [n, each] of given.descriptors.entries()) {
    const access = each.type | (each.isSegment ? 0x10 : 0) | (each.dpl << 5) | (each.isPresent ? 0x80 : 0);
    const at = AT.gdt + 8 * (n + 1);
    view.setUint32(at, (each.limit & 0xffff) | 0x12340000, true);
    view.setUint32(
      at + 4,
      0x56 | (access << 8) | (each.limit & 0xf0000) | (each.long ? 1 << 21 : 0) | (each.big ? 1 << 22 : 0) | (1 << 23),
      true,
    );
  }
  const {
    rip,
    selectors: [cs = 0, ss = 0],
    flags: image,
    rsp,
    high,
  } = given.frame;
  const upper = high << 16n;
  for (const [n, value] of [rip, BigInt(cs) | upper, image, rsp, BigInt(ss) | upper].entries())
    view.setBigUint64(AT.frame + 8 * n, BigInt.asUintN(64, value), true);
  cpu.setSegment(SEG.CS, 8 | given.cpl, 0, 0, -1, 0xa9b | (given.cpl << 5));
  for (const [n, segment] of [SEG.ES, SEG.DS, SEG.FS, SEG.GS].entries())
    cpu.setSegment(segment, 0x33 + 8 * n, 5, 0, -1, given.data[n] ?? 0);
  cpu.setCpl(given.cpl);
  cpuState.rflags = Number(BigInt.asUintN(22, given.flags)) | 2;
  cpuState.set64(GPR + 8 * 4, BigInt(given.isMissing ? AT.missing : AT.frame));
  cpuState.clearFault();
  updateMode(cpuState);
  cpu.controlChanged();
}

test('generated code and TypeScript do the same IRET', () => {
  const pc = makePc();
  const { state: cpuState, physical, cpu } = pc;
  const { code } = new Delivery(cpu, new FormLibrary({ hasPath: false }).transfer, () => expect.unreachable());
  const iret = makeIret();
  const decoded = decode(Uint8Array.of(0x48, 0xcf), 0, 64, 2);
  if (typeof decoded === 'string') throw new Error(decoded);
  /** Registers, of a fault what is told, and the descriptors, of which A may be set. */
  const outcome = (status: number) => {
    const bytes = new Uint8Array(cpuState.view.buffer, cpuState.view.byteOffset, CPU_STATE_BYTES).slice();
    const told = [FAULT_VECTOR, FAULT_CODE, FAULT_HAS_CODE].map((slot) => cpuState.get32(slot));
    const fault = status === STATUS.fault ? [...told, told[0] === 14 ? cpuState.get64(FAULT_CR2) : 0n] : [];
    return {
      status,
      fault,
      registers: Buffer.from(bytes.subarray(GPR, 0x90)).toString('hex'),
      rflags: cpuState.rflags,
      segments: Buffer.from(bytes.subarray(0xc0, 0x180)).toString('hex'),
      derived: [cpu.cpl, cpuState.get32(MODE_INDEX), cpuState.get32(TLB_SET)],
      table: Buffer.from(physical.u8.subarray(AT.gdt, AT.gdt + 8 * (DESCRIPTORS + 1))).toString('hex'),
    };
  };
  const seen = { faults: 0, jumps: 0 };
  fc.assert(
    fc.property(state, (given) => {
      setUp(pc, given);
      const generated = outcome(code.iret(64));
      setUp(pc, given);
      const status = iret(cpu, decoded);
      updateMode(cpuState);
      const typed = outcome(status === HELPER.fault ? STATUS.fault : status === HELPER.jump ? STATUS.jump : -2);
      expect(typed).toEqual(generated);
      if (generated.status === STATUS.fault) seen.faults++;
      else seen.jumps++;
    }),
    { numRuns: 4000, seed: 1 },
  );
  expect(seen.faults).toBeGreaterThan(1000);
  expect(seen.jumps).toBeGreaterThan(300);
});
