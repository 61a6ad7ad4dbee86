/** System instructions, flags of the system, hints, fences, x87 control (SDM Vol. 2). */
import type { Context, Instruction } from '../dsl.ts';
import { RFLAGS } from '../flags.ts';
import type { HelperName } from '../helpers.ts';
import { FS, GS } from '../registers.ts';
import { constant, one, type Term } from '../term.ts';
import { isCanonical } from './common.ts';

const nothing = () => undefined;

/** #GP(0) unless CPL = 0. */
function needCpl0(c: Context): void {
  c.fault(c.special('cpl', 64).isNotZero, 13, 0);
}
const plain = (name: HelperName) => (c: Context) => c.helper(name) as undefined;
const cpl0 = (name: HelperName) => (c: Context) => {
  needCpl0(c);
  c.helper(name);
  return undefined;
};

/** #UD in real mode and virtual-8086 mode. */
function needProtected(c: Context): void {
  if (c.mode !== 64) c.fault(c.special('cr0', 64).bit(0).not.or(c.special('rflags', 64).bit(17)), 6);
}
const inProtected = (name: HelperName, privileged: boolean) => (c: Context) => {
  needProtected(c);
  if (privileged) needCpl0(c);
  c.helper(name);
  return undefined;
};

const CR4_TSD = 2;
const CR4_UMIP = 11;
const CR4_FSGSBASE = 16;
/** #GP(0) if CR4 has this bit set (TSD, UMIP) and CPL > 0. */
function forbiddenByCr4(c: Context, bit: number): void {
  c.fault(c.special('cr4', 64).bit(bit).and(c.special('cpl', 64).isNotZero), 13, 0);
}
const umip = (name: HelperName) => (c: Context) => {
  forbiddenByCr4(c, CR4_UMIP);
  c.helper(name);
  return undefined;
};
const timeStamp = (name: HelperName) => (c: Context) => {
  forbiddenByCr4(c, CR4_TSD);
  c.helper(name);
  return undefined;
};

/** SMSW SLDT STR: 16 bits to memory; a register takes the operand size. */
const store = (value: (c: Context) => Term, protectedOnly: boolean) => (c: Context) => {
  if (protectedOnly) needProtected(c);
  forbiddenByCr4(c, CR4_UMIP);
  return { dst: value(c).resize(c.width(0)) };
};

function arpl(c: Context) {
  needProtected(c);
  const { dst, src } = c;
  const rpl = (t: Term) => t.and(constant(3, 16));
  const less = rpl(dst).ult(rpl(src));
  return { dst: less.ite(dst.and(constant(0xfffc, 16)).or(rpl(src)), dst), flags: { zf: less } };
}

function cli(c: Context): undefined {
  const rflags = c.special('rflags', 64);
  const iopl = rflags.lshr(constant(12, 64)).and(constant(3, 64));
  c.fault(iopl.ult(c.special('cpl', 64)), 13, 0);
  c.setSpecial('rflags', rflags.and(constant(~BigInt(RFLAGS.if), 64)));
}
function sti(c: Context): undefined {
  const rflags = c.special('rflags', 64);
  const iopl = rflags.lshr(constant(12, 64)).and(constant(3, 64));
  c.fault(iopl.ult(c.special('cpl', 64)), 13, 0);
  c.helper('STI');
}
/** CLAC, STAC: #UD unless CPL = 0. */
const accessCheck = (set: boolean) => (c: Context) => {
  c.fault(c.special('cpl', 64).isNotZero, 6);
  const rflags = c.special('rflags', 64);
  c.setSpecial('rflags', set ? rflags.or(constant(RFLAGS.ac, 64)) : rflags.and(constant(~BigInt(RFLAGS.ac), 64)));
  return undefined;
};

function needFsGsBase(c: Context): void {
  c.fault(c.special('cr4', 64).bit(CR4_FSGSBASE).not, 6);
}
const readBase = (segment: 4 | 5) => (c: Context) => {
  needFsGsBase(c);
  return { dst: c.segmentBase(segment).resize(c.width(0)) };
};
const writeBase = (name: 'fsBase' | 'gsBase') => (c: Context) => {
  needFsGsBase(c);
  const base = c.dst.zext(64);
  c.fault(isCanonical(base).not, 13, 0);
  c.setSpecial(name, base);
  return undefined;
};

/** #MF if an unmasked x87 exception is pending (FSW.ES). */
function waiting(c: Context): void {
  c.fault(c.special('fsw', 16).bit(7), 16);
}
/** ES and B follow the exception flags and the masks in FCW. */
function withSummary(fsw: Term, fcw: Term): Term {
  const pending = fsw.and(fcw.not).and(constant(0x3f, 16)).isNotZero;
  return pending.ite(fsw.or(constant(0x8080, 16)), fsw.and(constant(0x7f7f, 16)));
}
function fldcw(c: Context): undefined {
  waiting(c);
  const fcw = c.dst.and(constant(0x1f3f, 16)).or(constant(0x40, 16));
  c.setSpecial('fcw', fcw);
  c.setSpecial('fsw', withSummary(c.special('fsw', 16), fcw));
}
function fninit(c: Context): undefined {
  c.setSpecial('fcw', constant(0x37f, 16));
  c.setSpecial('fsw', constant(0, 16));
  c.setSpecial('ftw', constant(0, 8));
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  // Descriptor tables and segments
  { name: 'SLDT', text: 'dst ← LDTR', encodings: ['0F 00 /0  Rv', '0F 00 /0  Mw'], meaning: store((c) => c.special('ldtr', 16), true) },
  { name: 'STR',  text: 'dst ← TR',   encodings: ['0F 00 /1  Rv', '0F 00 /1  Mw'], meaning: store((c) => c.special('tr', 16), true) },
  { name: 'LLDT', text: 'LDTR ← selector', privilege: 'cpl0', raises: ['#GP', '#NP'], encodings: ['0F 00 /2  Ew'], meaning: inProtected('LLDT', true) },
  { name: 'LTR',  text: 'TR ← selector',   privilege: 'cpl0', raises: ['#GP', '#NP'], encodings: ['0F 00 /3  Ew'], meaning: inProtected('LTR', true) },
  { name: 'VERR', text: 'ZF ← segment is readable',     encodings: ['0F 00 /4  Ew'],    meaning: inProtected('VERR', false) },
  { name: 'VERW', text: 'ZF ← segment is writable',     encodings: ['0F 00 /5  Ew'],    meaning: inProtected('VERW', false) },
  { name: 'LAR',  text: 'dst ← access rights; ZF',      encodings: ['0F 02 /r  Gv,Ew'], meaning: inProtected('LAR', false) },
  { name: 'LSL',  text: 'dst ← limit; ZF',              encodings: ['0F 03 /r  Gv,Ew'], meaning: inProtected('LSL', false) },
  { name: 'ARPL', text: 'RPL of dst ← at least that of src; ZF', encodings: ['63 /r  Ew,Gw  i64'], meaning: arpl },
  { name: 'SGDT', text: 'memory ← GDTR', encodings: ['0F 01 /0  Ms'], meaning: umip('SGDT') },
  { name: 'SIDT', text: 'memory ← IDTR', encodings: ['0F 01 /1  Ms'], meaning: umip('SIDT') },
  { name: 'LGDT', text: 'GDTR ← memory', privilege: 'cpl0', encodings: ['0F 01 /2  Ms'], meaning: cpl0('LGDT') },
  { name: 'LIDT', text: 'IDTR ← memory', privilege: 'cpl0', encodings: ['0F 01 /3  Ms'], meaning: cpl0('LIDT') },
  { name: 'LES',  text: 'ES:dst ← far pointer', raises: ['#GP', '#NP'], encodings: ['C4 /r  Gv,Mp  i64'], meaning: plain('LOAD_FAR') },
  { name: 'LDS',  text: 'DS:dst ← far pointer', raises: ['#GP', '#NP'], encodings: ['C5 /r  Gv,Mp  i64'], meaning: plain('LOAD_FAR') },
  { name: 'LSS',  text: 'SS:dst ← far pointer', raises: ['#GP', '#SS'], encodings: ['0F B2 /r  Gv,Mp'],   meaning: plain('LOAD_FAR') },
  { name: 'LFS',  text: 'FS:dst ← far pointer', raises: ['#GP', '#NP'], encodings: ['0F B4 /r  Gv,Mp'],   meaning: plain('LOAD_FAR') },
  { name: 'LGS',  text: 'GS:dst ← far pointer', raises: ['#GP', '#NP'], encodings: ['0F B5 /r  Gv,Mp'],   meaning: plain('LOAD_FAR') },
  { name: 'SWAPGS', text: 'GS base ↔ KernelGSBase', privilege: 'cpl0', encodings: ['0F 01 F8  -  o64'], meaning: cpl0('SWAPGS') },
  { name: 'RDFSBASE', text: 'dst ← FS base', feature: 'FSGSBASE', encodings: ['F3 0F AE /0  Ry  o64'], meaning: readBase(FS) },
  { name: 'RDGSBASE', text: 'dst ← GS base', feature: 'FSGSBASE', encodings: ['F3 0F AE /1  Ry  o64'], meaning: readBase(GS) },
  { name: 'WRFSBASE', text: 'FS base ← src', feature: 'FSGSBASE', encodings: ['F3 0F AE /2  Ry  o64'], meaning: writeBase('fsBase') },
  { name: 'WRGSBASE', text: 'GS base ← src', feature: 'FSGSBASE', encodings: ['F3 0F AE /3  Ry  o64'], meaning: writeBase('gsBase') },
  // Control registers, MSRs, caches, processor
  { name: 'SMSW', text: 'dst ← CR0',  encodings: ['0F 01 /4  Rv', '0F 01 /4  Mw'], meaning: store((c) => c.special('cr0', 64), false) },
  { name: 'LMSW', text: 'CR0 bits 3:0 ← src', privilege: 'cpl0', encodings: ['0F 01 /6  Ew'], meaning: cpl0('LMSW') },
  { name: 'CLTS', text: 'CR0.TS ← 0', privilege: 'cpl0', encodings: ['0F 06'], meaning: cpl0('CLTS') },
  { name: 'MOV',  text: 'dst ← control register', privilege: 'cpl0', raises: ['#UD'],        encodings: ['0F 20 /r  Rq,Cq  o64', '0F 20 /r  Rd,Cd  i64'], meaning: cpl0('MOV_FROM_CR') },
  { name: 'MOV',  text: 'control register ← src', privilege: 'cpl0', raises: ['#UD', '#GP'], encodings: ['0F 22 /r  Cq,Rq  o64', '0F 22 /r  Cd,Rd  i64'], meaning: cpl0('MOV_TO_CR') },
  { name: 'MOV',  text: 'dst ← debug register',   privilege: 'cpl0', raises: ['#UD', '#DB'], encodings: ['0F 21 /r  Rq,Dq  o64', '0F 21 /r  Rd,Dd  i64'], meaning: cpl0('MOV_FROM_DR') },
  { name: 'MOV',  text: 'debug register ← src',   privilege: 'cpl0', raises: ['#UD', '#DB', '#GP'], encodings: ['0F 23 /r  Dq,Rq  o64', '0F 23 /r  Dd,Rd  i64'], meaning: cpl0('MOV_TO_DR') },
  { name: 'RDMSR',  text: 'EDX:EAX ← MSR[ECX]', privilege: 'cpl0', raises: ['#GP'], encodings: ['0F 32'], meaning: cpl0('RDMSR') },
  { name: 'WRMSR',  text: 'MSR[ECX] ← EDX:EAX', privilege: 'cpl0', raises: ['#GP'], encodings: ['0F 30'], meaning: cpl0('WRMSR') },
  { name: 'RDPMC',  text: '#GP: there are no performance counters', raises: ['#GP'], encodings: ['0F 33'], meaning: (c) => c.fault(one, 13, 0) as undefined },
  { name: 'RDTSC',  text: 'EDX:EAX ← time stamp counter',  encodings: ['0F 31'],    meaning: timeStamp('RDTSC') },
  { name: 'RDTSCP', text: 'EDX:EAX ← time stamp counter, ECX ← TSC_AUX', feature: 'RDTSCP', encodings: ['0F 01 F9'], meaning: timeStamp('RDTSCP') },
  { name: 'CPUID',  text: 'EAX EBX ECX EDX ← what the processor is', encodings: ['0F A2'], meaning: plain('CPUID') },
  { name: 'INVLPG', text: 'drops translations of an address', privilege: 'cpl0', encodings: ['0F 01 /7  M'], meaning: cpl0('INVLPG') },
  { name: 'INVPCID', text: 'drops translations by PCID', feature: 'INVPCID', privilege: 'cpl0', encodings: ['66 0F 38 82 /r  Gq,Mdq  o64', '66 0F 38 82 /r  Gd,Mdq  i64'], meaning: cpl0('INVPCID') },
  { name: 'INVD',   text: 'drops caches',           privilege: 'cpl0', encodings: ['0F 08'], meaning: (c) => needCpl0(c) as undefined },
  { name: 'WBINVD', text: 'writes and drops caches', privilege: 'cpl0', encodings: ['0F 09'], meaning: (c) => needCpl0(c) as undefined },
  { name: 'HLT',    text: 'waits for an interrupt', privilege: 'cpl0', encodings: ['F4'], meaning: cpl0('HLT') },
  { name: 'RDRAND', text: 'dst ← random; CF ← 1', feature: 'RDRAND', encodings: ['NFx 0F C7 /6  Rv'], meaning: plain('RDRAND') },
  { name: 'RDSEED', text: 'dst ← random; CF ← 1', feature: 'RDSEED', encodings: ['NFx 0F C7 /7  Rv'], meaning: plain('RDSEED') },
  // Flags of the system
  { name: 'CLI',  text: 'IF ← 0', privilege: 'iopl', encodings: ['FA'], meaning: cli },
  { name: 'STI',  text: 'IF ← 1 after the next instruction', privilege: 'iopl', encodings: ['FB'], meaning: sti },
  { name: 'CLAC', text: 'AC ← 0', feature: 'SMAP', privilege: 'cpl0', encodings: ['NP 0F 01 CA'], meaning: accessCheck(false) },
  { name: 'STAC', text: 'AC ← 1', feature: 'SMAP', privilege: 'cpl0', encodings: ['NP 0F 01 CB'], meaning: accessCheck(true) },
  // Ports
  { name: 'IN',  text: 'accumulator ← port', privilege: 'io', raises: ['#GP'], encodings: ['E4  AL,Ib', 'E5  AX,Ib  os16', 'E5  EAX,Ib  os32', 'E5  EAX,Ib  os64', 'EC  AL,DX', 'ED  AX,DX  os16', 'ED  EAX,DX  os32', 'ED  EAX,DX  os64'], meaning: plain('IN') },
  { name: 'OUT', text: 'port ← accumulator', privilege: 'io', raises: ['#GP'], encodings: ['E6  Ib,AL', 'E7  Ib,AX  os16', 'E7  Ib,EAX  os32', 'E7  Ib,EAX  os64', 'EE  DX,AL', 'EF  DX,AX  os16', 'EF  DX,EAX  os32', 'EF  DX,EAX  os64'], meaning: plain('OUT') },
  // Nothing, with or without an operand that is not accessed
  { name: 'NOP',   text: 'nothing', encodings: ['90  -  b0', '0F 1F /0  Ev'], meaning: nothing },
  { name: 'PAUSE', text: 'nothing: in a spin loop', encodings: ['F3 90  -  b0'], meaning: nothing },
  { name: 'ENDBR64', text: 'nothing: a legal branch target', encodings: ['F3 0F 1E FA'], meaning: nothing },
  { name: 'ENDBR32', text: 'nothing: a legal branch target', encodings: ['F3 0F 1E FB'], meaning: nothing },
  { name: 'RESERVEDNOP', text: 'nothing: reserved for hints', meaning: nothing, encodings: [
    '0F 18 /0 reg  Ev,Gv', '0F 18 /1 reg  Ev,Gv', '0F 18 /2 reg  Ev,Gv', '0F 18 /3 reg  Ev,Gv', '0F 18 /4  Ev,Gv', '0F 18 /5  Ev,Gv', '0F 18 /6  Ev,Gv', '0F 18 /7  Ev,Gv',
    '0F 0D /0 reg  Ev,Gv', '0F 0D /1 reg  Ev,Gv', '0F 0D /2  Ev,Gv', '0F 0D /3  Ev,Gv', '0F 0D /4  Ev,Gv', '0F 0D /5  Ev,Gv', '0F 0D /6  Ev,Gv', '0F 0D /7  Ev,Gv',
    '0F 19 /r  Ev,Gv', '0F 1A /r  Ev,Gv', '0F 1B /r  Ev,Gv', '0F 1C /r  Ev,Gv', '0F 1D /r  Ev,Gv', '0F 1E /r  Ev,Gv',
    '0F 1F /1  Ev,Gv', '0F 1F /2  Ev,Gv', '0F 1F /3  Ev,Gv', '0F 1F /4  Ev,Gv', '0F 1F /5  Ev,Gv', '0F 1F /6  Ev,Gv', '0F 1F /7  Ev,Gv'] },
  { name: 'PREFETCHNTA', text: 'nothing: a hint', encodings: ['0F 18 /0  M'], meaning: nothing },
  { name: 'PREFETCHT0',  text: 'nothing: a hint', encodings: ['0F 18 /1  M'], meaning: nothing },
  { name: 'PREFETCHT1',  text: 'nothing: a hint', encodings: ['0F 18 /2  M'], meaning: nothing },
  { name: 'PREFETCHT2',  text: 'nothing: a hint', encodings: ['0F 18 /3  M'], meaning: nothing },
  { name: 'PREFETCH',    text: 'nothing: a hint', feature: 'PREFETCHW', encodings: ['0F 0D /0  M'], meaning: nothing },
  { name: 'PREFETCHW',   text: 'nothing: a hint', feature: 'PREFETCHW', encodings: ['0F 0D /1  M'], meaning: nothing },
  { name: 'LFENCE',  feature: 'SSE2', text: 'nothing: loads are in order', encodings: ['NP 0F AE /5 reg'], meaning: nothing },
  { name: 'MFENCE',  feature: 'SSE2', text: 'nothing: accesses are in order', encodings: ['NP 0F AE /6 reg'], meaning: nothing },
  { name: 'SFENCE',  feature: 'SSE',  text: 'nothing: stores are in order', encodings: ['NP 0F AE /7 reg'], meaning: nothing },
  { name: 'CLFLUSH', feature: 'CLFSH', text: 'drops a cache line; faults as a byte load', encodings: ['NP 0F AE /7  Mb'], meaning: (c) => { c.read(0); return undefined; } },
  // Floating-point state
  { name: 'FXSAVE',    feature: 'FXSR', guard: 'mmx', text: '512 bytes ← x87 and SSE state', encodings: ['W0 NP 0F AE /0  M'],    meaning: plain('FXSAVE') },
  { name: 'FXSAVE64',  feature: 'FXSR', guard: 'mmx', text: '512 bytes ← x87 and SSE state, 64-bit pointers', encodings: ['REX.W NP 0F AE /0  M'], meaning: plain('FXSAVE') },
  { name: 'FXRSTOR',   feature: 'FXSR', guard: 'mmx', text: 'x87 and SSE state ← 512 bytes', encodings: ['W0 NP 0F AE /1  M'],    meaning: plain('FXRSTOR') },
  { name: 'FXRSTOR64', feature: 'FXSR', guard: 'mmx', text: 'x87 and SSE state ← 512 bytes, 64-bit pointers', encodings: ['REX.W NP 0F AE /1  M'], meaning: plain('FXRSTOR') },
  { name: 'EMMS',   feature: 'MMX', guard: 'mmx', text: 'x87 tags ← empty', encodings: ['NP 0F 77'], meaning: (c) => { waiting(c); c.setSpecial('ftw', constant(0, 8)); return undefined; } },
  { name: 'FNINIT', guard: 'fpu', text: 'x87 to its initial state', encodings: ['DB E3'], meaning: fninit },
  { name: 'FNCLEX', guard: 'fpu', text: 'x87 exceptions cleared', encodings: ['DB E2'], meaning: (c) => c.setSpecial('fsw', c.special('fsw', 16).and(constant(0x7f00, 16))) as undefined },
  { name: 'FLDCW',  guard: 'fpu', text: 'FCW ← src', encodings: ['D9 /5  Mw'], meaning: fldcw },
  { name: 'FNSTCW', guard: 'fpu', text: 'dst ← FCW', encodings: ['D9 /7  Mw'], meaning: (c) => ({ dst: c.special('fcw', 16) }) },
  { name: 'FNSTSW', guard: 'fpu', text: 'dst ← FSW', encodings: ['DD /7  Mw', 'DF E0  AX'], meaning: (c) => ({ dst: c.special('fsw', 16) }) },
  { name: 'WAIT',   guard: 'fwait', text: '#MF if an x87 exception is pending', encodings: ['9B'], meaning: (c) => waiting(c) as undefined },
];
