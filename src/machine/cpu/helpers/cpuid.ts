/**
 * CPUID: says exactly what is there (SDM Vol. 2, CPUID). Each bit of a feature word stands in one line with its name; what has no line is
 * not there, and its instructions raise #UD.
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

const bits = (...numbers: readonly number[]): number => numbers.reduce((word, bit) => (word | (1 << bit)) >>> 0, 0);

// biome-ignore format: one feature a line
const FEATURES_1_EDX = bits(
  0,   // FPU: control words and FXSAVE; arithmetic instructions raise #UD
  2,   // DE
  3,   // PSE
  4,   // TSC
  5,   // MSR
  6,   // PAE
  8,   // CX8
  9,   // APIC
  13,  // PGE
  15,  // CMOV
  16,  // PAT
  19,  // CLFSH
  24,  // FXSR
  25,  // SSE
  26,  // SSE2
);
// biome-ignore format: one feature a line
const FEATURES_1_ECX = bits(
  13,  // CMPXCHG16B
  17,  // PCID
  21,  // x2APIC
  22,  // MOVBE
  23,  // POPCNT
  24,  // TSC-Deadline
  30,  // RDRAND
);
// biome-ignore format: one feature a line
const FEATURES_7_EBX = bits(
  0,   // FSGSBASE
  3,   // BMI1
  7,   // SMEP
  8,   // BMI2
  9,   // ERMS
  10,  // INVPCID
  18,  // RDSEED
  19,  // ADX
  20,  // SMAP
);
const FEATURES_7_ECX = bits(2); // UMIP
const FEATURES_7_EDX = bits(26, 27); // IBRS and IBPB, STIBP: the registers are there
const FEATURES_81_EDX = bits(11, 20, 26, 27, 29); // SYSCALL, NX, 1 GiB pages, RDTSCP, long mode
const FEATURES_81_ECX = bits(0, 5); // LAHF in 64-bit mode, LZCNT

const MAX_BASIC = 7;
const MAX_EXTENDED = 0x80000008;

/** EAX EBX ECX EDX of a leaf. Leaves that are not there give zeros. */
export function cpuidLeaf(leaf: number, subleaf: number, apicId: number): readonly [number, number, number, number] {
  switch (leaf) {
    case 0:
      return [MAX_BASIC, word(VENDOR, 0), word(VENDOR, 8), word(VENDOR, 4)];
    case 1:
      // CLFLUSH line of 64 bytes, one logical processor.
      return [SIGNATURE, (apicId << 24) | (1 << 16) | (8 << 8), FEATURES_1_ECX, FEATURES_1_EDX];
    case 7:
      return subleaf === 0 ? [0, FEATURES_7_EBX, FEATURES_7_ECX, FEATURES_7_EDX] : [0, 0, 0, 0];
    case 0x80000000:
      return [MAX_EXTENDED, 0, 0, 0];
    case 0x80000001:
      return [0, 0, FEATURES_81_ECX, FEATURES_81_EDX];
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const at = 16 * (leaf - 0x80000002);
      return [word(BRAND, at), word(BRAND, at + 4), word(BRAND, at + 8), word(BRAND, at + 12)];
    }
    case 0x80000007:
      return [0, 0, 0, bits(8)]; // the TSC never stops or changes pace
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
