/** Jumps, calls, returns, loops, and what enters or leaves by gates (SDM Vol. 2). */
import type { Context, Instruction } from '../dsl.ts';
import type { HelperName } from '../helpers.ts';
import type { OperandSize } from '../operands.ts';
import { RCX } from '../registers.ts';
import { constant, one, type Term } from '../term.ts';
import { CONDITIONS, hex } from './common.ts';

const by = (name: HelperName) => (c: Context) => c.helper(name) as undefined;

/** The width of near targets and return addresses: RIP in 64-bit mode, else the operand size. */
const nearSize = (c: Context): OperandSize => (c.mode === 64 ? 64 : c.operandSize);

function jumpDirect(c: Context): undefined {
  c.jump(c.relativeTarget(), true);
}
function jumpIndirect(c: Context): undefined {
  c.jump(c.dst);
}
function callDirect(c: Context): undefined {
  c.push(c.nextRip.trunc(nearSize(c)));
  c.jump(c.relativeTarget(), true);
}
function callIndirect(c: Context): undefined {
  const target = c.dst;
  c.push(c.nextRip.trunc(nearSize(c)));
  c.jump(target);
}
function ret(c: Context): undefined {
  const target = c.pop(nearSize(c));
  if (c.operandCount === 1) c.moveStack(c.stackPointer.add(c.dst.zext(64)));
  c.jump(target);
}

/** LOOP and its conditional forms: rCX at address size. */
const loop = (also: (c: Context) => Term) => (c: Context) => {
  const count = c.gpr(RCX, c.addressSize).sub(constant(1, c.addressSize));
  c.setGpr(RCX, count);
  c.branch(count.isNotZero.and(also(c)));
  return undefined;
};
const countIsZero = (c: Context) => c.branch(c.gpr(RCX, c.addressSize).isZero) as undefined;

function bound(c: Context): undefined {
  const size = c.operandSize === 16 ? 16 : 32;
  const lower = c.load({ operand: 1 }, c.offset(1), size);
  const upper = c.load({ operand: 1 }, c.wrap(c.offset(1).add(constant(size / 8, 64))), size);
  c.fault(c.dst.slt(lower).or(upper.slt(c.dst)), 5);
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  ...CONDITIONS.map((condition, n): Instruction => ({
    name: `J${condition.name}`, flow: 'branch', text: `jump if ${condition.text}`, encodings: [`${hex(0x70 + n)}  Jb  f64`, `0F ${hex(0x80 + n)}  Jz  f64`], meaning: (c) => c.branch(condition.when(c)) as undefined,
  })),
  { name: 'JMP',    flow: 'jump',          text: 'RIP ← target',                       encodings: ['EB  Jb  f64', 'E9  Jz  f64'], meaning: jumpDirect },
  { name: 'JMP',    flow: 'indirect',      text: 'RIP ← src',                          encodings: ['FF /4  Ev  f64'],             meaning: jumpIndirect },
  { name: 'CALL',   flow: 'call',          text: 'push RIP; RIP ← target',             encodings: ['E8  Jz  f64'],                meaning: callDirect },
  { name: 'CALL',   flow: 'indirect-call', text: 'push RIP; RIP ← src',                encodings: ['FF /2  Ev  f64'],             meaning: callIndirect },
  { name: 'RET',    flow: 'ret',           text: 'pop RIP; RSP ← RSP + immediate',     encodings: ['C3  -  f64', 'C2  Iw  f64'],  meaning: ret },
  { name: 'LOOP',   flow: 'branch', text: 'rCX ← rCX − 1; jump if rCX ≠ 0',            encodings: ['E2  Jb  f64'], meaning: loop(() => one) },
  { name: 'LOOPE',  flow: 'branch', text: 'rCX ← rCX − 1; jump if rCX ≠ 0 and ZF = 1', encodings: ['E1  Jb  f64'], meaning: loop((c) => c.zf) },
  { name: 'LOOPNE', flow: 'branch', text: 'rCX ← rCX − 1; jump if rCX ≠ 0 and ZF = 0', encodings: ['E0  Jb  f64'], meaning: loop((c) => c.zf.not) },
  { name: 'JCXZ',   flow: 'branch', text: 'jump if CX = 0',  encodings: ['E3  Jb  f64 as16'], meaning: countIsZero },
  { name: 'JECXZ',  flow: 'branch', text: 'jump if ECX = 0', encodings: ['E3  Jb  f64 as32'], meaning: countIsZero },
  { name: 'JRCXZ',  flow: 'branch', text: 'jump if RCX = 0', encodings: ['E3  Jb  f64 as64'], meaning: countIsZero },
  { name: 'BOUND',  text: '#BR unless lower ≤ index ≤ upper', raises: ['#BR'], encodings: ['62 /r  Gv,M  i64'], meaning: bound },
  { name: 'JMPF',   flow: 'event', text: 'CS:RIP ← far pointer',              encodings: ['EA  Av  i64', 'FF /5  Mp'],  meaning: by('JMPF') },
  { name: 'CALLF',  flow: 'event', text: 'push CS:RIP; CS:RIP ← far pointer', encodings: ['9A  Av  i64', 'FF /3  Mp'],  meaning: by('CALLF') },
  { name: 'RETF',   flow: 'event', text: 'pop CS:RIP; RSP ← RSP + immediate', encodings: ['CB  -  os32', 'CA  Iw  os32'], meaning: by('RETF') },
  { name: 'RETFW',  flow: 'event', text: 'pop CS:IP, 16-bit; RSP ← RSP + immediate', encodings: ['CB  -  os16', 'CA  Iw  os16'], meaning: by('RETF') },
  { name: 'RETFQ',  flow: 'event', text: 'pop CS:RIP, 64-bit; RSP ← RSP + immediate', encodings: ['CB  -  os64', 'CA  Iw  os64'], meaning: by('RETF') },
  { name: 'INT3',   flow: 'event', text: '#BP',                               encodings: ['CC'],                        meaning: by('INT3') },
  { name: 'INT',    flow: 'event', text: 'software interrupt',                encodings: ['CD  Ib'],                    meaning: by('INT') },
  { name: 'INTO',   flow: 'event', text: '#OF if OF = 1',                     encodings: ['CE  -  i64'],                meaning: by('INTO') },
  { name: 'INT1',   flow: 'event', text: '#DB',                               encodings: ['F1'],                        meaning: by('INT1') },
  { name: 'IRET',   flow: 'event', text: 'return from interrupt, 16-bit frame', encodings: ['CF  -  os16'],             meaning: by('IRET') },
  { name: 'IRETD',  flow: 'event', text: 'return from interrupt, 32-bit frame', encodings: ['CF  -  os32'],             meaning: by('IRET') },
  { name: 'IRETQ',  flow: 'event', text: 'return from interrupt, 64-bit frame', encodings: ['CF  -  os64'],             meaning: by('IRET') },
  { name: 'SYSCALL',  flow: 'event', text: 'to the kernel by STAR and LSTAR', encodings: ['0F 05  -  o64'],             meaning: by('SYSCALL') },
  { name: 'SYSRET',   flow: 'event', text: 'to user mode, 32-bit',  privilege: 'cpl0', encodings: ['0F 07  -  o64 os32', '0F 07  -  o64 os16'], meaning: by('SYSRET') },
  { name: 'SYSRETQ',  flow: 'event', text: 'to user mode, 64-bit',  privilege: 'cpl0', encodings: ['0F 07  -  o64 os64'], meaning: by('SYSRET') },
];
