/** What a run reached, in terms that do not depend on addresses: system calls with the kind of their results, exceptions with where they came from. */
import type { Machine, Observer } from '../../machine/index.ts';

/** A result is an error by its number (1 … 4095), zero, or a value. */
const ZERO = 0;
const VALUE = 4096;
const KINDS = 4097;
/** Calls by numbers of no call count as one. */
const ODD_CALL = 1024;
/** Exceptions come behind the calls: vector, CPL and error code in one number. */
const EXCEPTIONS = (ODD_CALL + 1) * KINDS;

function kindOf(result: bigint): number {
  const signed = BigInt.asIntN(64, result);
  if (signed < 0n && signed >= -4095n) return Number(-signed);
  return signed === 0n ? ZERO : VALUE;
}

/** What a number of `reached` means, as a short text. */
export function describeReached(reached: number): string {
  if (reached >= EXCEPTIONS) {
    const [vector, cpl, code] = [(reached - EXCEPTIONS) & 0xff, ((reached - EXCEPTIONS) >> 8) & 3, (reached - EXCEPTIONS) >> 10];
    return `exception ${vector} ${code === 0 ? '-' : code - 1} at CPL ${cpl}`;
  }
  const [call, kind] = [Math.floor(reached / KINDS), reached % KINDS];
  return `call ${call === ODD_CALL ? 'odd' : call}: ${kind === ZERO ? 'zero' : kind === VALUE ? 'value' : `error ${kind}`}`;
}

export interface CoverageWatcher {
  readonly observer: Observer;
  /** A run begins: nothing is reached. */
  begin(): void;
  /** What the run reached, as numbers for {@link describeReached}; the set is used again in the next run. */
  readonly reached: ReadonlySet<number>;
}

/** `currentPid`: whom the CPU works for. */
export function watchCoverage(machine: Machine, currentPid: () => number): CoverageWatcher {
  const reached = new Set<number>();
  /** The call that each process is in. */
  const calls = new Map<number, number>();
  return {
    reached,
    begin() {
      reached.clear();
      calls.clear();
    },
    observer: {
      syscall(_at, nr) {
        calls.set(currentPid(), nr < BigInt(ODD_CALL) ? Number(nr) : ODD_CALL);
      },
      sysret(_at, result) {
        const pid = currentPid();
        const call = calls.get(pid);
        if (call === undefined) return;
        reached.add(call * KINDS + kindOf(result));
        calls.delete(pid);
      },
      exception(_at, vector, code) {
        reached.add(EXCEPTIONS + vector + (machine.cpl << 8) + ((code === null ? 0 : code + 1) << 10));
      },
    },
  };
}
