/** Operations that generated code leaves to TypeScript: operands and results as in translator/services.ts. */
import { bug } from '../isa/bug.ts';
import { compute } from '../isa/compute.ts';
import { computeFloat } from '../isa/float.ts';
import {
  FLOAT_SERVICES,
  FLOAT_WIDE_OPERAND,
  FLOAT_WIDE_RESULT,
  INTEGER_SERVICES,
  SERVICE_OPERANDS,
  SERVICE_RESULT,
} from '../translator/services.ts';
import type { CpuState } from './state.ts';

function operands(state: CpuState, width: number): bigint[] {
  return [0, 8, 16].map((at) => BigInt.asUintN(width, state.get64(SERVICE_OPERANDS + at)));
}

/** `operation`: index in INTEGER_SERVICES. */
export function integerService(state: CpuState, operation: number, width: number): void {
  const op = INTEGER_SERVICES[operation] ?? bug(`no integer service ${operation}`);
  state.set64(SERVICE_RESULT, compute(op, width, operands(state, width), [width, width, width], 0));
}

/** `operation`: index in FLOAT_SERVICES and the two widths. Returns the exceptions raised, as MXCSR bits 5:0. */
export function floatService(state: CpuState, operation: number, mxcsr: number): number {
  const op = FLOAT_SERVICES[operation & 0xff] ?? bug(`no floating-point service ${operation}`);
  const from = (operation & FLOAT_WIDE_OPERAND) !== 0 ? 64 : 32;
  const to = (operation & FLOAT_WIDE_RESULT) !== 0 ? 64 : op === 'fcmp' || op === 'fucmp' ? 8 : 32;
  const { value, status } = computeFloat(op, to, operands(state, from), [from, from], mxcsr);
  state.set64(SERVICE_RESULT, value);
  return status;
}
