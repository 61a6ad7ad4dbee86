/** From the MMU's numbers to the observer's events. */
import type { Cpu } from './cpu/helpers/cpu.ts';
import { EXECUTE, IMPLICIT, type MmuEvents, WRITE } from './memory/mmu.ts';
import { RIGHTS } from './memory/translations.ts';
import type { Observer, TranslationView } from './observer.ts';

const ACCESS_NAMES = ['read', 'write', 'execute'] as const;

/** Null where the observer wants none of them: then the MMU has nobody to tell. */
export function observeMemory(cpu: Cpu, observer: Observer): MmuEvents | null {
  if (observer.stale === undefined && observer.supervisorUserAccess === undefined && observer.pageTableWrite === undefined) return null;
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
    supervisorAccess: (low, high, size, kind, rights, faulted) =>
      observer.supervisorUserAccess?.(cpu.at, {
        rip: cpu.state.rip,
        linear: joined(low, high),
        size,
        write: (kind & 3) === WRITE,
        execute: (kind & 3) === EXECUTE,
        user: (rights & RIGHTS.user) !== 0,
        implicit: (kind & IMPLICIT) !== 0,
        ac: cpu.mmu.ac,
        writable: (rights & RIGHTS.write) !== 0,
        faulted,
      }),
    pageTableWrite: (address, beforeLow, beforeHigh, afterLow, afterHigh) =>
      observer.pageTableWrite?.(cpu.at, BigInt(address), joined(beforeLow, beforeHigh), joined(afterLow, afterHigh)),
  };
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
