/**
 * Operations that generated code leaves to TypeScript, because WebAssembly has no exact counterpart: by number, with operands and
 * result in the CPU's SCRATCH area.
 *
 *     SCRATCH + 0   the value of a slow-path load or store (16 bytes)
 *            + 16   operands 0, 1, 2 (8 bytes each, zero-extended)
 *            + 48   result (8 bytes)
 *            + 56   linear address made by the segment service
 */
import { SCRATCH } from '../cpu/state.ts';
import { FLOAT_OPS } from '../isa/ops.ts';

export const SERVICE_OPERANDS = SCRATCH + 16;
export const SERVICE_RESULT = SCRATCH + 48;
export const SERVICE_LINEAR = SCRATCH + 56;

/** Numbers of integer services: the index. */
export const INTEGER_SERVICES = ['pdep', 'pext', 'udivw', 'uremw'] as const;
export type IntegerService = (typeof INTEGER_SERVICES)[number];
/** Numbers of floating-point services: the index; bit 8: the operand is 64 bits wide, bit 9: the result is. */
export const FLOAT_SERVICES = FLOAT_OPS;
export const FLOAT_WIDE_OPERAND = 1 << 8;
export const FLOAT_WIDE_RESULT = 1 << 9;
