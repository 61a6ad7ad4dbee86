/**
 * Our decoder against iced-x86 on the same bytes: validity, length, mnemonic, and operands where both list the same. Every kind of disagreement that is
 * accepted stands here with its reason.
 */
import * as iced from 'iced-x86';
import { type Decoded, decode } from '../../../src/machine/isa/decode.ts';
import type { Mode, Operand } from '../../../src/machine/isa/operands.ts';
import { REGISTERS, registerName, SEGMENTS } from '../../../src/machine/isa/registers.ts';

function names(table: object): ReadonlyMap<number, string> {
  return new Map(
    Object.entries(table).flatMap(([name, value]) => (typeof value === 'number' ? [[value, name.toUpperCase()] as const] : [])),
  );
}
const mnemonics = names(iced.Mnemonic);
const registers = names(iced.Register);
const features = names(iced.CpuidFeature);

/** Features that our processor does not have: their instructions are #UD here. */
const ABSENT = new Set(
  (
    'MMX FPU FPU387 FPU287 FPU+CMOV FPU+SSE3 VMX SEP XSAVE XSAVEOPT XSAVES XSAVEC D3NOW D3NOWEXT SSE3 SSSE3 SSE4_1 SSE4_2 SSE4A SMX SMM CET_SS PTWRITE INVLPGB SVM LKGS MONITOR WAITPKG SKINIT_OR_SVM ' +
    'SGX1 MONITORX AVX AVX2 AVX512F FMA F16C HLE_OR_RTM RTM CLFLUSHOPT PKU RDPRU SHA OSS CLZERO PCONFIG SEV_SNP SEV_ES TSE PADLOCK_RNG PADLOCK_ACE PADLOCK_PHE PADLOCK_UNDOC PADLOCK_GMI CLWB SERIALIZE FRED MCOMMIT ' +
    'WRMSRNS TDX AES GFNI PCLMULQDQ UINTR SNP KL AESKLE AESKLEWIDE_KL HRESET RDPID CLDEMOTE MOVDIRI MOVDIR64B ENQCMD PREFETCHWT1 TSXLDTRK MSRLIST CMPCCXADD RAO_INT CET_IBT FRED UDBG KNC AVX_VNNI AVX_IFMA AVX_VNNI_INT8 AVX_VNNI_INT16 AVX_NE_CONVERT AMX_TILE AMX_INT8 AMX_BF16 AMX_FP16 AMX_COMPLEX SM3 SM4 SHA512 XOP LWP TBM FMA4 BMI1_OR_TBM VAES VPCLMULQDQ PBNDKB USER_MSR PADLOCK_PMM RMPQUERY'
  ).split(' '),
);

/** Instructions that iced names by another rule; null: it is the same. */
const SAME_NAME: Readonly<Record<string, string>> = { JMPF: 'JMP', CALLF: 'CALL', RETFQ: 'RETF', RETFW: 'RETF', PREFETCH: 'PREFETCH' };

/** Newer names for hints that do nothing on our processor. */
const HINTS = new Set([
  'PREFETCHIT0',
  'PREFETCHIT1',
  'CLDEMOTE',
  'RDSSPD',
  'RDSSPQ',
  'PREFETCHWT1',
  'PREFETCH_EXCLUSIVE',
  'PREFETCHRESERVED',
  'PREFETCHRST2',
  'PREFETCH',
  'PREFETCHW',
]);

/** Why this disagreement is accepted; null: it is not. */
function accepted(ours: Decoded | null, theirs: string, feature: string, mode: Mode, bytes: Uint8Array): string | null {
  if (ours === null) {
    if (theirs === 'CVTPI2PS' || /PI$|^CVTPI/.test(theirs)) return 'MMX registers: no MMX';
    if (feature === 'SSE' || feature === 'SSE2') return /^66|f2|f3/.test(feature) ? null : 'an MMX form of SSE: no MMX';
    if (feature === 'BMI1' || feature === 'BMI2') return mode === 16 ? 'VEX is #UD in real mode' : null;
    if (feature === 'SYSCALL' && mode !== 64) return 'SYSCALL and SYSRET outside 64-bit mode are #UD on Intel processors';
    if (feature === 'MULTIBYTENOP') return null;
    return feature.split('+').some((f) => ABSENT.has(f)) ? `not in our CPUID: ${feature}` : null;
  }
  const { name } = ours.row;
  if (name === 'RESERVEDNOP' && HINTS.has(theirs)) return 'a hint that does nothing without its feature';
  if (name === 'WBINVD' && theirs === 'WBNOINVD') return 'without the feature F3 is ignored';
  if (name === 'XCHG' && theirs === 'PAUSE') return 'F3 REX.B 90: the silicon exchanges with R8';
  void bytes;
  return null;
}

function operandText(o: Operand): string {
  if (o.kind === 'reg') return registerName(o).toUpperCase();
  if (o.kind === 'imm') return 'imm';
  return o.kind;
}

/** The first operand that differs, null: none. */
function differentOperand(d: Decoded, theirs: iced.Instruction): string | null {
  if (theirs.opCount !== d.operands.length) return null;
  for (const [i, o] of d.operands.entries()) {
    const kind = theirs.opKind(i);
    if (o.kind === 'reg') {
      if (kind !== iced.OpKind.Register) return `operand ${i}: ${operandText(o)}`;
      const name = registers.get(theirs.opRegister(i)) ?? '?';
      const mine = operandText(o).replace(/^(R\d+)B$/, '$1L');
      // Selectors and words are 16 bits; iced names the register at operand size.
      const narrow = /^(ARPL|LLDT|LTR|VERR|VERW|LMSW|MOV|LAR|LSL|PINSRW|PEXTRW)$/.test(d.row.name) && (o.width === 16 || o.width === 32);
      const selector = narrow && REGISTERS.get(name.toLowerCase())?.index === o.index;
      if (name !== mine && !selector) return `operand ${i}: ${mine} against ${name}`;
    }
    if (o.kind === 'mem' && kind === iced.OpKind.Memory) {
      const width = o.addressSize === 64 ? 'R' : o.addressSize === 32 ? 'E' : '';
      const named = (index: number) =>
        index < 0 ? 'NONE' : registerName({ class: 'gpr', index, width: o.addressSize, high: false }).toUpperCase();
      const base = registers.get(theirs.memoryBase) ?? '?';
      const mine = o.ripRelative ? `${width}IP` : named(o.base);
      if (base !== mine) return `base of operand ${i}: ${mine} against ${base}`;
      const index = registers.get(theirs.memoryIndex) ?? '?';
      if (index !== named(o.index)) return `index of operand ${i}: ${named(o.index)} against ${index}`;
      if (o.index >= 0 && theirs.memoryIndexScale !== o.scale) return `scale of operand ${i}`;
      const disp = o.ripRelative ? o.disp + BigInt(d.length) : o.disp;
      if (BigInt.asUintN(o.addressSize, disp) !== BigInt.asUintN(o.addressSize, theirs.memoryDisplacement))
        return `displacement of operand ${i}: ${disp} against ${theirs.memoryDisplacement}`;
      const segment = registers.get(theirs.memorySegment)?.toLowerCase();
      // In 64-bit mode overrides other than FS and GS are ignored; iced tells them all the same.
      const ignored = d.mode === 64 && o.segment < 4 && segment !== 'fs' && segment !== 'gs';
      if (!ignored && segment !== SEGMENTS[o.segment]) return `segment of operand ${i}: ${SEGMENTS[o.segment]} against ${segment}`;
    }
    if (o.kind === 'rel' && BigInt.asUintN(16, theirs.nearBranchTarget) !== BigInt.asUintN(16, BigInt(d.length) + o.value))
      return `target of operand ${i}`;
  }
  return null;
}

export interface Disagreement {
  readonly reason: string | null;
  readonly text: string;
}

/** null: they agree. `bytes`: 16. */
export function disagreement(bytes: Uint8Array, mode: Mode): Disagreement | null {
  const result = decode(bytes, 0, mode, bytes.length);
  const ours = typeof result === 'string' ? null : result;
  const decoder = new iced.Decoder(mode, bytes.subarray(0, 15), iced.DecoderOptions.None);
  const theirs = decoder.decode();
  try {
    const theirName = theirs.code === iced.Code.INVALID ? 'INVALID' : (mnemonics.get(theirs.mnemonic) ?? '?');
    const name = ours === null ? 'INVALID' : (SAME_NAME[ours.row.name] ?? ours.row.name);
    const length = theirName === 'INVALID' ? 0 : theirs.length;
    const operand = ours !== null && theirName === name ? differentOperand(ours, theirs) : null;
    if (name === theirName && (ours?.length ?? 0) === length && operand === null) return null;
    const feature = theirName === 'INVALID' ? '' : [...theirs.cpuidFeatures()].map((f) => features.get(f) ?? '?').join('+');
    const hex = [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    return {
      reason: (ours?.length ?? length) === length && operand === null ? accepted(ours, theirName, feature, mode, bytes) : null,
      text: `${mode}-bit ${hex}: ${name} of ${ours?.length ?? 0} bytes, iced says ${theirName} of ${length} (${feature}) ${operand ?? ''}`,
    };
  } finally {
    theirs.free();
    decoder.free();
  }
}
