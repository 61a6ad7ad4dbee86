/** From the numbers of generated code (cpu/event-code.ts) to the observer's events. */
import type { Telling } from './cpu/event-code.ts';
import type { Cpu } from './cpu/helpers/cpu.ts';
import { CR2 } from './cpu/state.ts';
import { SOURCE } from './cpu/transfer-code.ts';
import { VECTOR } from './platform/vectors.ts';

/** Tells whoever observes the CPU that `cpu` gives. */
export function observeEvents(cpu: () => Cpu): Telling {
  return {
    tellDelivery: (vector, code, source, targetLow, targetHigh, ripLow, ripHigh) => {
      const { observer, at, state } = cpu();
      const target = joined(targetLow, targetHigh);
      if (source === SOURCE.external) observer?.irq?.(at, vector, target);
      else if (source === SOURCE.exception) {
        const cr2 = vector === VECTOR.PF ? state.get64(CR2) : null;
        observer?.exception?.(at, vector, code < 0 ? null : code, cr2, joined(ripLow, ripHigh), target);
      } else observer?.softwareInterrupt?.(at, vector, state.rip, target);
    },
    tellEntered: (source) => cpu().enteredKernel(source === SOURCE.external ? 'irq' : source === SOURCE.exception ? 'exception' : 'int'),
    tellIret: (isDone) => {
      const { observer, at } = cpu();
      if (isDone !== 0) observer?.enterUser?.(at, 'iret');
      else observer?.sysret?.(at, cpu().gpr(0), 'iret');
    },
    tableChanged: (frame, index, beforeLow, beforeHigh, afterLow, afterHigh) => {
      const { observer, at } = cpu();
      const address = BigInt(frame * 4096 + index * 8);
      observer?.pageTableWrite?.(at, address, joined(beforeLow, beforeHigh), joined(afterLow, afterHigh));
    },
    rootChanged: (lowBefore, highBefore, low, high, asid, isSwitch, isFlush) => {
      const { observer, at } = cpu();
      observer?.controlRegister?.(at, 3, joined(lowBefore, highBefore), joined(low, high));
      if (isSwitch !== 0) {
        const from = { root: joined(lowBefore & ~0xfff, highBefore), pcid: lowBefore & asid };
        observer?.contextSwitch?.(at, from, { root: joined(low & ~0xfff, high), pcid: low & asid });
      }
      if (isFlush !== 0) observer?.tlbFlush?.(at, 'pcid', low & asid, null);
    },
  };
}

/** What has up to 53 bits is made of one number, which is quicker than of two. */
function joined(low: number, high: number): bigint {
  if (high >= 0 && high < 0x200000) return BigInt(high * 2 ** 32 + (low >>> 0));
  return BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}
