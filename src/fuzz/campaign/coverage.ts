/** What a run reached, in terms that do not depend on addresses: system calls with the kind of their results, exceptions with where they came from. */
import type { Machine, Observer } from '../../machine/index.ts';

/** Results are counted as one of: an error by its number, zero, or a value. */
function kindOf(result: bigint): string {
  const signed = BigInt.asIntN(64, result);
  if (signed < 0n && signed >= -4095n) return `error ${-signed}`;
  return signed === 0n ? 'zero' : 'value';
}

export function watchCoverage(machine: Machine): { readonly observer: Observer; readonly reached: ReadonlySet<string> } {
  const reached = new Set<string>();
  let call: bigint | null = null;
  return {
    reached,
    observer: {
      syscall(_at, nr) {
        call = nr;
      },
      sysret(_at, result) {
        if (call !== null) reached.add(`call ${call < 1024n ? call : 'odd'}: ${kindOf(result)}`);
        call = null;
      },
      exception(_at, vector, code) {
        reached.add(`exception ${vector} ${code ?? '-'} at CPL ${machine.cpl}`);
      },
    },
  };
}
