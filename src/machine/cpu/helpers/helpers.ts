/** Every helper that the instruction table names (isa/helpers.ts), by its name. */

import { bug } from '../../isa/bug.ts';
import type { HelperName } from '../../isa/helpers.ts';
import type { Delivery } from '../faults.ts';
import { clts, lmsw, movFromCr, movToCr } from './control.ts';
import type { Helper } from './cpu.ts';
import { cpuid } from './cpuid.ts';
import { movFromDr, movToDr } from './debug.ts';
import { callFar, jumpFar, returnFar } from './far.ts';
import { fxrstor, fxsave } from './float-state.ts';
import { makeIret } from './iret.ts';
import { rdmsr, rdtsc, rdtscp, wrmsr } from './msr.ts';
import { input, inputString, output, outputString } from './ports.ts';
import { hlt, invlpg, invpcid } from './processor.ts';
import { rdrand } from './random.ts';
import { lar, lldt, loadFar, lsl, ltr, movSeg, popSeg, verr, verw } from './segments.ts';
import { makeSoftwareInterrupts } from './software-interrupts.ts';
import { syscall, sysret } from './syscall.ts';
import { lgdt, lidt, sgdt, sidt } from './tables.ts';

/** The helpers of one CPU. */
export function makeHelpers(delivery: Delivery): Readonly<Record<HelperName, Helper>> {
  const interrupts = makeSoftwareInterrupts(delivery);
  return {
    IRET: makeIret(),
    RETF: returnFar,
    CALLF: callFar,
    JMPF: jumpFar,
    INT: interrupts.int,
    INT3: interrupts.int3,
    INT1: interrupts.int1,
    INTO: interrupts.into,
    SYSCALL: syscall,
    SYSRET: sysret,
    HLT: hlt,
    MOV_SEG: movSeg,
    POP_SEG: popSeg,
    LOAD_FAR: loadFar,
    LGDT: lgdt,
    LIDT: lidt,
    SGDT: sgdt,
    SIDT: sidt,
    LLDT: lldt,
    LTR: ltr,
    LAR: lar,
    LSL: lsl,
    VERR: verr,
    VERW: verw,
    SWAPGS: generated,
    MOV_FROM_CR: movFromCr,
    MOV_TO_CR: movToCr,
    MOV_FROM_DR: movFromDr,
    MOV_TO_DR: movToDr,
    LMSW: lmsw,
    CLTS: clts,
    RDMSR: rdmsr,
    WRMSR: wrmsr,
    INVLPG: invlpg,
    INVPCID: invpcid,
    CPUID: cpuid,
    RDTSC: rdtsc,
    RDTSCP: rdtscp,
    RDRAND: rdrand,
    RDSEED: rdrand,
    STI: generated,
    IN: input,
    OUT: output,
    INS: inputString,
    OUTS: outputString,
    FXSAVE: fxsave,
    FXRSTOR: fxrstor,
  };
}

/** Done by translator/system-code.ts, always. */
const generated: Helper = (_cpu, { row }) => bug(`${row.name} has come to TypeScript`);
