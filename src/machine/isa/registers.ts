/** Register names and numbers, in the order in which the SDM encodes them. */
import { bug } from './bug.ts';

export const GPR64 = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;
export const GPR32 = [
  'eax',
  'ecx',
  'edx',
  'ebx',
  'esp',
  'ebp',
  'esi',
  'edi',
  'r8d',
  'r9d',
  'r10d',
  'r11d',
  'r12d',
  'r13d',
  'r14d',
  'r15d',
] as const;
export const GPR16 = [
  'ax',
  'cx',
  'dx',
  'bx',
  'sp',
  'bp',
  'si',
  'di',
  'r8w',
  'r9w',
  'r10w',
  'r11w',
  'r12w',
  'r13w',
  'r14w',
  'r15w',
] as const;
export const GPR8 = [
  'al',
  'cl',
  'dl',
  'bl',
  'spl',
  'bpl',
  'sil',
  'dil',
  'r8b',
  'r9b',
  'r10b',
  'r11b',
  'r12b',
  'r13b',
  'r14b',
  'r15b',
] as const;
/** Bits 15:8 of RAX RCX RDX RBX: without REX, numbers 4–7 of an 8-bit operand. */
export const GPR8_HIGH = ['ah', 'ch', 'dh', 'bh'] as const;

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

/** Segment registers, in the order of the `reg` field of MOV Sw. */
export const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
export type Segment = (typeof SEGMENTS)[number];
/** Index into SEGMENTS. */
export type SegmentIndex = 0 | 1 | 2 | 3 | 4 | 5;
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;

export type RegisterClass = 'gpr' | 'seg' | 'cr' | 'dr' | 'xmm';

/** A register as an operand names it: which bits of which register. */
export interface RegisterName {
  readonly class: RegisterClass;
  /** The register's number; of AH CH DH BH the number of the register that they are a part of (0–3). */
  readonly index: number;
  /** gpr 8 16 32 64 · seg 16 · cr, dr 64 · xmm 128. */
  readonly width: 8 | 16 | 32 | 64 | 128;
  /** AH CH DH BH. */
  readonly high: boolean;
}

function namedRegisters(): ReadonlyMap<string, RegisterName> {
  const all = new Map<string, RegisterName>();
  const add = (names: readonly string[], c: RegisterClass, width: RegisterName['width'], high = false) => {
    for (const [index, name] of names.entries()) all.set(name, { class: c, index, width, high });
  };
  add(GPR64, 'gpr', 64);
  add(GPR32, 'gpr', 32);
  add(GPR16, 'gpr', 16);
  add(GPR8, 'gpr', 8);
  add(GPR8_HIGH, 'gpr', 8, true);
  add(SEGMENTS, 'seg', 16);
  const numbered = (prefix: string) => Array.from({ length: 16 }, (_, i) => `${prefix}${i}`);
  add(numbered('cr'), 'cr', 64);
  add(numbered('dr'), 'dr', 64);
  add(numbered('xmm'), 'xmm', 128);
  return all;
}

/** Lower-case name → register: rax eax ax al ah … cs … cr0 … dr7 … xmm15. */
export const REGISTERS: ReadonlyMap<string, RegisterName> = namedRegisters();

/** The name of a register in Intel syntax. */
export function registerName(r: RegisterName): string {
  const names: readonly string[] =
    r.class === 'gpr'
      ? r.width === 64
        ? GPR64
        : r.width === 32
          ? GPR32
          : r.width === 16
            ? GPR16
            : r.high
              ? GPR8_HIGH
              : GPR8
      : r.class === 'seg'
        ? SEGMENTS
        : [];
  if (names.length === 0) return `${r.class}${r.index}`;
  return names[r.index] ?? bug(`no ${r.class} register with number ${r.index}`);
}
