/** RDRAND and RDSEED: the run's random sequence. They never run dry: CF = 1. */
import { bug } from '../../isa/bug.ts';
import { STATUS_FLAGS } from '../../isa/flags.ts';
import { HELPER } from '../ports.ts';
import { CF } from '../state.ts';
import type { Helper } from './cpu.ts';

export const rdrand: Helper = (cpu, decoded) => {
  const [target] = decoded.operands;
  if (target?.kind !== 'reg') return bug('RDRAND needs a register');
  cpu.setGpr(target.index, cpu.run.random(), decoded.operandSize);
  cpu.state.rflags = cpu.state.rflags & ~STATUS_FLAGS;
  cpu.i32[CF >> 2] = 1;
  return HELPER.next;
};
