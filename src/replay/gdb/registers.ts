/**
 * The registers that gdb sees: one row each, in the order of its `g` packet, from which the target description is printed and values are packed.
 * A value is absent where it is not known, of a process that does not run: gdb shows it as unavailable.
 */
import type { Registers, SegmentName } from '../../machine/index.ts';
import { hexOf, littleEndian } from './hexadecimal.ts';

/** What is known of a context: of the CPU all, of a process that does not run what keel saved. */
export type Context = ReadonlyMap<string, bigint | Uint8Array>;

export interface RegisterRow {
  readonly name: string;
  readonly bits: number;
  /** A type of gdb's, or one that the feature declares. */
  readonly type: string;
  readonly group?: 'float';
}

/** Registers that gdb knows together by the name of their feature. */
export interface Feature {
  readonly name: string;
  /** Declarations of types, as the description holds them. */
  readonly types: string;
  readonly registers: readonly RegisterRow[];
}

/** The names of the general registers by the SDM's numbers. */
const GENERAL = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
/** The order in which gdb knows them. */
const IN_ORDER = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;
const SEGMENTS: readonly SegmentName[] = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'];
const FLOAT = ['fctrl', 'fstat', 'ftag', 'fiseg', 'fioff', 'foseg', 'fooff', 'fop'] as const;
const ST = Array.from({ length: 8 }, (_, i) => `st${i}`);
const XMM = Array.from({ length: 16 }, (_, i) => `xmm${i}`);

const flags = (id: string, bytes: number, bits: Readonly<Record<string, number | readonly [number, number]>>): string =>
  `<flags id="${id}" size="${bytes}">${Object.entries(bits)
    .map(([name, at]) => {
      const [start, end] = typeof at === 'number' ? [at, at] : at;
      return `<field name="${name}" start="${start}" end="${end}"/>`;
    })
    .join('')}</flags>`;

// biome-ignore format: a register a line
const EFLAGS = flags('i386_eflags', 4, {
  CF: 0, '': 1, PF: 2, AF: 4, ZF: 6, SF: 7, TF: 8, IF: 9, DF: 10, OF: 11, IOPL: [12, 13], NT: 14, RF: 16, VM: 17, AC: 18, VIF: 19, VIP: 20, ID: 21,
});
// biome-ignore format: a register a line
const MXCSR_FLAGS = flags('i386_mxcsr', 4, {
  IE: 0, DE: 1, ZE: 2, OE: 3, UE: 4, PE: 5, DAZ: 6, IM: 7, DM: 8, ZM: 9, OM: 10, UM: 11, PM: 12, RC: [13, 14], FZ: 15,
});
// biome-ignore format: a register a line
const CONTROL_FLAGS = [
  flags('cr0', 8, { PE: 0, MP: 1, EM: 2, TS: 3, ET: 4, NE: 5, WP: 16, AM: 18, NW: 29, CD: 30, PG: 31 }),
  flags('cr3', 8, { PCID: [0, 11], PDBR: [12, 63] }),
  flags('cr4', 8, {
    VME: 0, PVI: 1, TSD: 2, DE: 3, PSE: 4, PAE: 5, MCE: 6, PGE: 7, PCE: 8, OSFXSR: 9, OSXMMEXCPT: 10, UMIP: 11, LA57: 12, VMXE: 13, SMXE: 14,
    FSGSBASE: 16, PCIDE: 17, OSXSAVE: 18, SMEP: 20, SMAP: 21, PKE: 22, CET: 23, PKS: 24,
  }),
  flags('efer', 8, { SCE: 0, LME: 8, LMA: 10, NXE: 11, SVME: 12, LMSLE: 13, FFXSR: 14, TCE: 15 }),
].join('');
const VECTOR = [
  '<vector id="v4f" type="ieee_single" count="4"/>',
  '<vector id="v2d" type="ieee_double" count="2"/>',
  '<vector id="v16i8" type="int8" count="16"/>',
  '<vector id="v8i16" type="int16" count="8"/>',
  '<vector id="v4i32" type="int32" count="4"/>',
  '<vector id="v2i64" type="int64" count="2"/>',
  '<union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/><field name="v16_int8" type="v16i8"/>',
  '<field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/>',
  '<field name="uint128" type="uint128"/></union>',
].join('');

export const FEATURES: readonly Feature[] = [
  {
    name: 'org.gnu.gdb.i386.core',
    types: EFLAGS,
    registers: [
      ...IN_ORDER.map((name) => ({ name, bits: 64, type: name === 'rsp' || name === 'rbp' ? 'data_ptr' : 'int64' })),
      { name: 'rip', bits: 64, type: 'code_ptr' },
      { name: 'eflags', bits: 32, type: 'i386_eflags' },
      ...SEGMENTS.map((name) => ({ name, bits: 32, type: 'int32' })),
      ...ST.map((name) => ({ name, bits: 80, type: 'i387_ext' })),
      ...FLOAT.map((name) => ({ name, bits: 32, type: 'int', group: 'float' as const })),
    ],
  },
  {
    name: 'org.gnu.gdb.i386.sse',
    types: VECTOR + MXCSR_FLAGS,
    registers: [...XMM.map((name) => ({ name, bits: 128, type: 'vec128' })), { name: 'mxcsr', bits: 32, type: 'i386_mxcsr' }],
  },
  {
    name: 'org.gnu.gdb.i386.segments',
    types: '',
    registers: ['fs_base', 'gs_base'].map((name) => ({ name, bits: 64, type: 'int' })),
  },
  {
    name: 'org.palindrome.x86-64.system',
    types: CONTROL_FLAGS,
    registers: [
      { name: 'k_gs_base', bits: 64, type: 'int64' },
      { name: 'cr0', bits: 64, type: 'cr0' },
      { name: 'cr2', bits: 64, type: 'int64' },
      { name: 'cr3', bits: 64, type: 'cr3' },
      { name: 'cr4', bits: 64, type: 'cr4' },
      { name: 'cr8', bits: 64, type: 'int64' },
      { name: 'efer', bits: 64, type: 'efer' },
    ],
  },
];

/** All registers by gdb's number. */
export const REGISTERS: readonly RegisterRow[] = FEATURES.flatMap(({ registers }) => registers);

/** One register of a `g` or `p` packet. */
export function packed({ name, bits }: RegisterRow, context: Context): string {
  const value = context.get(name);
  if (value === undefined) return 'xx'.repeat(bits / 8);
  return hexOf(typeof value === 'bigint' ? littleEndian(value, bits / 8) : value);
}

/** The registers of the CPU. */
export function contextOf(registers: Registers): Context {
  const { gpr, rip, rflags, segments, mxcsr, cr0, cr2, cr3, cr4, cr8, efer, msr } = registers;
  const context = new Map<string, bigint | Uint8Array>();
  for (const [index, name] of GENERAL.entries()) context.set(name, gpr[index] ?? 0n);
  context.set('rip', rip).set('eflags', rflags);
  for (const name of SEGMENTS) context.set(name, BigInt(segments[name].selector));
  addFloat(context, registers);
  for (const [index, name] of XMM.entries()) context.set(name, registers.xmm.subarray(16 * index, 16 * index + 16));
  context.set('mxcsr', BigInt(mxcsr)).set('fs_base', segments.fs.base).set('gs_base', segments.gs.base);
  context.set('k_gs_base', msr['IA32_KERNEL_GS_BASE'] ?? 0n);
  for (const [name, value] of Object.entries({ cr0, cr2, cr3, cr4, cr8, efer })) context.set(name, value);
  return context;
}

function addFloat(context: Map<string, bigint | Uint8Array>, { x87, x87Control }: Pick<Registers, 'x87' | 'x87Control'>): void {
  const [control = 0, status = 0, abridged = 0] = x87Control;
  const view = new DataView(x87.buffer, x87.byteOffset, x87.byteLength);
  for (const [index, name] of ST.entries()) context.set(name, x87.subarray(32 + 16 * index, 42 + 16 * index));
  const values = [
    control,
    status,
    fullTags(x87, status, abridged),
    view.getUint16(12, true),
    view.getUint32(8, true),
    view.getUint16(20, true),
    view.getUint32(16, true),
    view.getUint16(6, true) & 0x7ff,
  ];
  for (const [index, name] of FLOAT.entries()) context.set(name, BigInt(values[index] ?? 0));
}

const TAG = { valid: 0, zero: 1, special: 2, empty: 3 } as const;

/** The tag word of FSAVE, two bits a register, from FXSAVE's one bit and the registers themselves (SDM Vol. 1, 10.5.1.1). */
function fullTags(x87: Uint8Array, status: number, abridged: number): number {
  const top = (status >> 11) & 7;
  const view = new DataView(x87.buffer, x87.byteOffset, x87.byteLength);
  let tags = 0;
  for (let register = 0; register < 8; register++) {
    const at = 32 + 16 * ((register - top) & 7);
    tags |=
      (((abridged >> register) & 1) === 0 ? TAG.empty : tagOf(view.getBigUint64(at, true), view.getUint16(at + 8, true))) << (2 * register);
  }
  return tags;
}

function tagOf(fraction: bigint, signAndExponent: number): number {
  const exponent = signAndExponent & 0x7fff;
  if (exponent === 0 && fraction === 0n) return TAG.zero;
  return exponent === 0 || exponent === 0x7fff || fraction >> 63n === 0n ? TAG.special : TAG.valid;
}

/** A context from its parts: general registers and others by gdb's names, and an FXSAVE image where one was saved. */
export function savedContext(values: Readonly<Record<string, bigint>>, fxsave: Uint8Array | null): Context {
  const context = new Map<string, bigint | Uint8Array>(Object.entries(values));
  if (fxsave === null) return context;
  const view = new DataView(fxsave.buffer, fxsave.byteOffset, fxsave.byteLength);
  addFloat(context, { x87: fxsave, x87Control: [view.getUint16(0, true), view.getUint16(2, true), view.getUint8(4)] });
  for (const [index, name] of XMM.entries()) context.set(name, fxsave.subarray(160 + 16 * index, 176 + 16 * index));
  return context.set('mxcsr', BigInt(view.getUint32(24, true)));
}
