/** What this CPU can do (CPUID), and switching its protections on. */
import { addressOf, asm, rdmsr, readCr, store64, symbol, writeCr, wrmsr } from 'palindrome/intrinsics';

const EFER: u32 = 0xc000_0080;
const EFER_SCE: u64 = 0x001n;
const EFER_NXE: u64 = 0x800n;
const CR0_MP: u64 = 0x2n;
const CR0_EM: u64 = 0x4n;
const CR0_TS: u64 = 0x8n;
const CR0_NE: u64 = 0x20n;
const CR0_WP: u64 = 0x1_0000n;
const CR0_AM: u64 = 0x4_0000n;
const CR4_PGE: u64 = 0x80n;
const CR4_OSFXSR: u64 = 0x200n;
const CR4_OSXMMEXCPT: u64 = 0x400n;
const CR4_UMIP: u64 = 0x800n;
const CR4_PCIDE: u64 = 0x2_0000n;
const CR4_SMEP: u64 = 0x10_0000n;
const CR4_SMAP: u64 = 0x20_0000n;
const SPEC_CTRL: u32 = 0x48;
const PRED_CMD: u32 = 0x49;
const IBRS_STIBP: u64 = 3n;

class Features {
  smep: boolean = false;
  smap: boolean = false;
  umip: boolean = false;
  pcid: boolean = false;
  invpcid: boolean = false;
  /** IBRS and IBPB, STIBP (CPUID.7:EDX). */
  branchControl: boolean = false;
  rdrand: boolean = false;
}

export const features = new Features();

function cpuidEax(leaf: u32): u64 {
  return asm('xor ecx, ecx\npush rbx\ncpuid\npop rbx', { rax: leaf }, 'rax') & 0xffff_ffffn;
}
function cpuidEbx(leaf: u32): u64 {
  return asm('xor ecx, ecx\npush rbx\ncpuid\nmov eax, ebx\npop rbx', { rax: leaf }, 'rax') & 0xffff_ffffn;
}
function cpuidEcx(leaf: u32): u64 {
  return asm('xor ecx, ecx\npush rbx\ncpuid\npop rbx', { rax: leaf }, 'rcx') & 0xffff_ffffn;
}
function cpuidEdx(leaf: u32): u64 {
  return asm('xor ecx, ecx\npush rbx\ncpuid\npop rbx', { rax: leaf }, 'rdx') & 0xffff_ffffn;
}

function bit(word: u64, n: u64): boolean {
  return ((word >> n) & 1n) === 1n;
}

/** Finds the features and sets CR0, EFER and CR4. SMAP and SMEP come last: the early identity map is gone by then (kernel-space.ts). */
export function enableProtections(): void {
  if (cpuidEax(0) >= 7n) {
    const ebx = cpuidEbx(7);
    features.smep = bit(ebx, 7n);
    features.invpcid = bit(ebx, 10n);
    features.smap = bit(ebx, 20n);
    features.umip = bit(cpuidEcx(7), 2n);
    const edx = cpuidEdx(7);
    features.branchControl = bit(edx, 26n) && bit(edx, 27n);
  }
  features.pcid = bit(cpuidEcx(1), 17n);
  features.rdrand = bit(cpuidEcx(1), 30n);

  writeCr(0, (readCr(0) & wrapping.not(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP | CR0_AM);
  wrmsr(EFER, rdmsr(EFER) | EFER_NXE | EFER_SCE);
  let cr4 = readCr(4) | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
  if (features.umip) cr4 |= CR4_UMIP;
  if (features.smep) cr4 |= CR4_SMEP;
  if (features.smap) cr4 |= CR4_SMAP;
  if (features.pcid) cr4 |= CR4_PCIDE;
  writeCr(4, cr4);
  if (features.smap) store64(symbol('smap_enabled'), 1n);
  if (features.branchControl) wrmsr(SPEC_CTRL, IBRS_STIBP);
}

/** IBPB: indirect branches of the next address space are not predicted from the last one's. */
export function branchBarrier(): void {
  if (features.branchControl) wrmsr(PRED_CMD, 1n);
}

const randomWord = new BigUint64Array(1);

/** A random 64-bit number of the hardware's; null where there is none. */
export function hardwareRandom(): u64 | null {
  if (!features.rdrand) return null;
  for (let attempt = 0; attempt < 10; attempt++) {
    const isValid = asm('rdrand rdx\nmov qword ptr [rdi], rdx\nsetc al\nmovzx eax, al', { rdi: addressOf(randomWord) }, 'rax');
    if (isValid === 1n) return randomWord[0];
  }
  return null;
}

/** The time stamp counter: nanoseconds since power-on, on our machine (one count an instruction) as in QEMU (1 GHz). */
export function timeNs(): u64 {
  return asm('rdtsc\nshl rdx, 32\nor rax, rdx', {}, 'rax');
}
