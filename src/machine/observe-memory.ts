/** From the MMU's numbers to the observer's events. */
import type { Cpu } from './cpu/helpers/cpu.ts';
import type { MmuEvents } from './memory/mmu.ts';
import { EXECUTE, IMPLICIT, WRITE } from './memory/mmu-control.ts';
import { RIGHTS } from './memory/rights.ts';
import type { Observer, SupervisorUserAccess, TranslationView } from './observer.ts';

const ACCESS_NAMES = ['read', 'write', 'execute'] as const;

/** Null where the observer wants none of them: then the MMU has nobody to tell. */
export function observeMemory(cpu: Cpu, observer: Observer): MmuEvents | null {
  if (
    observer.isLogging !== true &&
    observer.stale === undefined &&
    observer.supervisorUserAccess === undefined &&
    observer.pageTableWrite === undefined
  )
    return null;
  const access = new AccessView(cpu);
  return {
    staleUse: (low, high, kind, frame, rights, nowFrame, nowRights) =>
      observer.stale?.(cpu.at, {
        linear: joined(low, high),
        access: ACCESS_NAMES[kind] ?? 'read',
        cpl: cpu.cpl,
        rip: cpu.state.rip,
        used: view(frame, rights),
        now: nowFrame < 0 ? null : view(nowFrame, nowRights),
      }),
    supervisorAccess: (low, high, size, kind, rights, faulted) => {
      if (observer.supervisorUserAccess === undefined) return;
      access.take(low, high, size, kind, rights, faulted);
      observer.supervisorUserAccess(cpu.at, access);
    },
  };
}

/** The one access that is told at the moment: what is asked of it is made when it is asked. */
class AccessView implements SupervisorUserAccess {
  size = 0;
  faulted = false;
  readonly #cpu: Cpu;
  #low = 0;
  #high = 0;
  #kind = 0;
  #rights = 0;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  take(low: number, high: number, size: number, kind: number, rights: number, faulted: boolean): void {
    this.#low = low;
    this.#high = high;
    this.size = size;
    this.#kind = kind;
    this.#rights = rights;
    this.faulted = faulted;
  }

  get rip(): bigint {
    return this.#cpu.state.rip;
  }

  get linear(): bigint {
    return joined(this.#low, this.#high);
  }

  get write(): boolean {
    return (this.#kind & 3) === WRITE;
  }

  get execute(): boolean {
    return (this.#kind & 3) === EXECUTE;
  }

  get user(): boolean {
    return (this.#rights & RIGHTS.user) !== 0;
  }

  get implicit(): boolean {
    return (this.#kind & IMPLICIT) !== 0;
  }

  get ac(): boolean {
    return this.#cpu.mmu.ac;
  }

  get writable(): boolean {
    return (this.#rights & RIGHTS.write) !== 0;
  }
}

function view(frame: number, rights: number): TranslationView {
  return {
    frame,
    writable: (rights & RIGHTS.write) !== 0,
    user: (rights & RIGHTS.user) !== 0,
    executable: (rights & RIGHTS.execute) !== 0,
  };
}

function joined(low: number, high: number): bigint {
  return BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}
