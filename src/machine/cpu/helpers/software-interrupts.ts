/** INT n, INT3, INT1 and INTO: events that the program asks for. They retire, and their frame holds the next instruction's address. */
import { bug } from '../../isa/bug.ts';
import type { Decoded } from '../../isa/decode.ts';
import { RFLAGS } from '../../isa/flags.ts';
import { VECTOR } from '../../platform/vectors.ts';
import type { Delivery } from '../faults.ts';
import { HELPER } from '../ports.ts';
import { STEP_DONE } from '../state.ts';
import { SOURCE } from '../transfer-code.ts';
import { type Cpu, type Helper, highHalf, lowHalf } from './cpu.ts';

export interface SoftwareInterrupts {
  readonly int: Helper;
  readonly int3: Helper;
  readonly int1: Helper;
  readonly into: Helper;
}

export function makeSoftwareInterrupts(delivery: Delivery): SoftwareInterrupts {
  const deliver = (cpu: Cpu, decoded: Decoded, vector: number, source: number): number => {
    const next = cpu.nextRip(decoded);
    if (!delivery.deliver(vector, -1, source, lowHalf(next), highHalf(next))) return HELPER.fault;
    cpu.state.set32(STEP_DONE, 1);
    return HELPER.jump;
  };
  return {
    int: (cpu, decoded) => {
      const [vector] = decoded.operands;
      if (vector?.kind !== 'imm') return bug('INT needs an immediate');
      return deliver(cpu, decoded, Number(BigInt.asUintN(8, vector.value)), SOURCE.software);
    },
    int3: (cpu, decoded) => deliver(cpu, decoded, VECTOR.BP, SOURCE.software),
    int1: (cpu, decoded) => deliver(cpu, decoded, VECTOR.DB, SOURCE.privileged),
    into: (cpu, decoded) => ((cpu.state.rflags & RFLAGS.of) === 0 ? HELPER.next : deliver(cpu, decoded, VECTOR.OF, SOURCE.software)),
  };
}
