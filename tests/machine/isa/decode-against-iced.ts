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

/** Features of iced's list that our processor has. Instructions of all others are #UD here. */
const PRESENT = new Set(
  (
    'INTEL8086 INTEL8086_ONLY INTEL186 INTEL286 INTEL286_ONLY INTEL386 INTEL386_ONLY INTEL386_A0_ONLY INTEL486 INTEL486_A_ONLY X64 CMOV CX8 CMPXCHG16B CPUID MSR TSC RDPMC RDTSCP FXSR SSE SSE2 MOVBE POPCNT LZCNT ' +
    'BMI1 BMI2 ADX FSGSBASE SMAP INVPCID RDRAND RDSEED SYSCALL MULTIBYTENOP PAUSE PREFETCHW CLFSH UMIP WBNOINVD INTEL8086_OR_LATER'
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
function accepted(ours: Decoded | null, theirs: string, feature: string, mode: Mode, usesMmx: boolean): string | null {
  if (ours === null) {
    if (usesMmx || /^CVTPI2P[SD]$/.test(theirs)) return 'MMX operands: no MMX';
    if (feature === 'BMI1' || feature === 'BMI2') return mode === 16 ? 'VEX is #UD in real mode' : null;
    if (feature === 'SYSCALL' && mode !== 64) return 'SYSCALL and SYSRET outside 64-bit mode are #UD on Intel processors';
    return feature.split('+').some((f) => !PRESENT.has(f)) ? `not in our CPUID: ${feature}` : null;
  }
  const { name } = ours.row;
  if (name === 'RESERVEDNOP' && HINTS.has(theirs)) return 'a hint that does nothing without its feature';
  if (name === 'WBINVD' && theirs === 'WBNOINVD') return 'without the feature F3 is ignored';
  if (name === 'XCHG' && theirs === 'PAUSE') return 'F3 REX.B 90: the silicon exchanges with R8';
  return null;
}

function operandText(o: Operand): string {
  if (o.kind === 'reg') return registerName(o).toUpperCase();
  if (o.kind === 'imm') return 'imm';
  return o.kind;
}

const usesMmx = (i: iced.Instruction) =>
  Array.from({ length: i.opCount }, (_, n) => n).some(
    (n) => i.opKind(n) === iced.OpKind.Register && registers.get(i.opRegister(n))?.startsWith('MM') === true,
  );

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
      reason: (ours?.length ?? length) === length && operand === null ? accepted(ours, theirName, feature, mode, usesMmx(theirs)) : null,
      text: `${mode}-bit ${hex}: ${name} of ${ours?.length ?? 0} bytes, iced says ${theirName} of ${length} (${feature}) ${operand ?? ''}`,
    };
  } finally {
    theirs.free();
    decoder.free();
  }
}
