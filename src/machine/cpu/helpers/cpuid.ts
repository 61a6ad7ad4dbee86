/**
 * CPUID: says exactly what is there (SDM Vol. 2, CPUID). What FEATURES does not list is not there, and its instructions raise #UD.
 */
import { CR4 } from '../../platform/bits.ts';
import { PHYSICAL_BITS } from '../../platform/memory-map.ts';
import { HELPER } from '../ports.ts';
import { CR4 as CR4_SLOT, GPR } from '../state.ts';
import type { Cpu, Helper } from './cpu.ts';

const VENDOR = 'Palindrome  ';
const BRAND = 'Palindrome deterministic x86-64';
/** Family 6, model 0, stepping 0. */
const SIGNATURE = 0x600;

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';

/** Every feature that is there: its name in the manual (as rows of the instruction table call it), the leaf, the register and the bit. */
// biome-ignore format: one feature a line
export const FEATURES: readonly { readonly name: string; readonly leaf: number; readonly register: Register; readonly bit: number }[] = [
  { name: 'FPU',        leaf: 1,          register: 'edx', bit: 0 }, // control words and FXSAVE
  { name: 'DE',         leaf: 1,          register: 'edx', bit: 2 },
  { name: 'PSE',        leaf: 1,          register: 'edx', bit: 3 },
  { name: 'TSC',        leaf: 1,          register: 'edx', bit: 4 },
  { name: 'MSR',        leaf: 1,          register: 'edx', bit: 5 },
  { name: 'PAE',        leaf: 1,          register: 'edx', bit: 6 },
  { name: 'CX8',        leaf: 1,          register: 'edx', bit: 8 },
  { name: 'APIC',       leaf: 1,          register: 'edx', bit: 9 },
  { name: 'PGE',        leaf: 1,          register: 'edx', bit: 13 },
  { name: 'CMOV',       leaf: 1,          register: 'edx', bit: 15 },
  { name: 'PAT',        leaf: 1,          register: 'edx', bit: 16 },
  { name: 'CLFSH',      leaf: 1,          register: 'edx', bit: 19 },
  { name: 'FXSR',       leaf: 1,          register: 'edx', bit: 24 },
  { name: 'SSE',        leaf: 1,          register: 'edx', bit: 25 },
  { name: 'SSE2',       leaf: 1,          register: 'edx', bit: 26 },
  { name: 'CX16',       leaf: 1,          register: 'ecx', bit: 13 },
  { name: 'PCID',       leaf: 1,          register: 'ecx', bit: 17 },
  { name: 'X2APIC',     leaf: 1,          register: 'ecx', bit: 21 },
  { name: 'MOVBE',      leaf: 1,          register: 'ecx', bit: 22 },
  { name: 'POPCNT',     leaf: 1,          register: 'ecx', bit: 23 },
  { name: 'TSC-DEADLINE', leaf: 1,        register: 'ecx', bit: 24 },
  { name: 'RDRAND',     leaf: 1,          register: 'ecx', bit: 30 },
  { name: 'FSGSBASE',   leaf: 7,          register: 'ebx', bit: 0 },
  { name: 'BMI1',       leaf: 7,          register: 'ebx', bit: 3 },
  { name: 'SMEP',       leaf: 7,          register: 'ebx', bit: 7 },
  { name: 'BMI2',       leaf: 7,          register: 'ebx', bit: 8 },
  { name: 'ERMS',       leaf: 7,          register: 'ebx', bit: 9 },
  { name: 'INVPCID',    leaf: 7,          register: 'ebx', bit: 10 },
  { name: 'RDSEED',     leaf: 7,          register: 'ebx', bit: 18 },
  { name: 'ADX',        leaf: 7,          register: 'ebx', bit: 19 },
  { name: 'SMAP',       leaf: 7,          register: 'ebx', bit: 20 },
  { name: 'UMIP',       leaf: 7,          register: 'ecx', bit: 2 },
  { name: 'IBRS',       leaf: 7,          register: 'edx', bit: 26 }, // and IBPB: the registers are there, nothing is speculated
  { name: 'STIBP',      leaf: 7,          register: 'edx', bit: 27 },
  { name: 'SYSCALL',    leaf: 0x80000001, register: 'edx', bit: 11 },
  { name: 'NX',         leaf: 0x80000001, register: 'edx', bit: 20 },
  { name: 'PAGE1GB',    leaf: 0x80000001, register: 'edx', bit: 26 },
  { name: 'RDTSCP',     leaf: 0x80000001, register: 'edx', bit: 27 },
  { name: 'LM',         leaf: 0x80000001, register: 'edx', bit: 29 },
  { name: 'LAHF',       leaf: 0x80000001, register: 'ecx', bit: 0 },
  { name: 'LZCNT',      leaf: 0x80000001, register: 'ecx', bit: 5 },
  { name: 'PREFETCHW',  leaf: 0x80000001, register: 'ecx', bit: 8 },
  { name: 'INVARIANT-TSC', leaf: 0x80000007, register: 'edx', bit: 8 },
];

/** The feature word of a leaf's register. */
function features(leaf: number, register: Register): number {
  return FEATURES.reduce((word, f) => (f.leaf === leaf && f.register === register ? (word | (1 << f.bit)) >>> 0 : word), 0);
}

const MAX_BASIC = 7;
const MAX_EXTENDED = 0x80000008;

/** EAX EBX ECX EDX of a leaf. Leaves that are not there give zeros. */
export function cpuidLeaf(leaf: number, subleaf: number, apicId: number): readonly [number, number, number, number] {
  switch (leaf) {
    case 0:
      return [MAX_BASIC, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case 1:
      // CLFLUSH line of 64 bytes, one logical processor.
      return [SIGNATURE, (apicId << 24) | (1 << 16) | (8 << 8), features(1, 'ecx'), features(1, 'edx')];
    case 7:
      return subleaf === 0 ? [0, features(7, 'ebx'), features(7, 'ecx'), features(7, 'edx')] : [0, 0, 0, 0];
    case 0x80000000:
      return [MAX_EXTENDED, 0, 0, 0];
    case 0x80000001:
      return [0, 0, features(leaf, 'ecx'), features(leaf, 'edx')];
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const at = 16 * (leaf - 0x80000002);
      return [word(BRAND, at), word(BRAND, at + 4), word(BRAND, at + 8), word(BRAND, at + 12)];
    }
    case 0x80000007:
      return [0, 0, 0, features(leaf, 'edx')];
    case 0x80000008:
      return [PHYSICAL_BITS | (48 << 8), 0, 0, 0];
    default:
      return [0, 0, 0, 0];
  }
}

/** Four characters as a little-endian word; zero bytes past the end. */
function word(text: string, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value |= (at + i < text.length ? text.charCodeAt(at + i) : 0) << (8 * i);
  return value;
}

export const cpuid: Helper = (cpu: Cpu) => {
  const leaf = cpu.low(GPR) >>> 0;
  let [eax, ebx, ecx, edx] = cpuidLeaf(leaf, cpu.low(GPR + 8) >>> 0, 0);
  // OSXSAVE would mirror CR4; there is no XSAVE.
  if (leaf === 1 && (cpu.low(CR4_SLOT) & CR4.OSXSAVE) !== 0) ecx |= 1 << 27;
  if (leaf === 1 && !cpu.interrupts.isEnabled) edx &= ~(1 << 9);
  cpu.set(GPR, eax, 0);
  cpu.set(GPR + 24, ebx, 0);
  cpu.set(GPR + 8, ecx, 0);
  cpu.set(GPR + 16, edx, 0);
  return HELPER.next;
};
