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

/** EAX, EBX, ECX, EDX of the last CPUID. */
const answer = new Uint32Array(4);

/** CPUID with ECX = 0. */
function cpuid(leaf: u32): void {
  asm(
    'push rbx\nxor ecx, ecx\ncpuid\nmov dword ptr [rdi], eax\nmov dword ptr [rdi + 4], ebx\nmov dword ptr [rdi + 8], ecx\nmov dword ptr [rdi + 12], edx\npop rbx',
    {
      rax: leaf,
      rdi: addressOf(answer),
    },
  );
}

/** Whether bit `n` of EAX (0), EBX (1), ECX (2) or EDX (3) is set. */
function has(register: i32, n: i32): boolean {
  return ((answer[register] >>> n) & 1) === 1;
}

/** Finds the features and sets CR0, EFER and CR4. SMAP and SMEP come last: the early identity map is gone by then (kernel-space.ts). */
export function enableProtections(): void {
  cpuid(0);
  if (answer[0] >= 7) {
    cpuid(7);
    features.smep = has(1, 7);
    features.invpcid = has(1, 10);
    features.smap = has(1, 20);
    features.umip = has(2, 2);
    features.branchControl = has(3, 26) && has(3, 27);
  }
  cpuid(1);
  features.pcid = has(2, 17);
  features.rdrand = has(2, 30);

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
