/** Bits of the state's `MMU.control`: what decides about accesses, as control registers, configuration and observers say it. */
export const MMU_CONTROL = {
  nxe: 1,
  wp: 2,
  smep: 4,
  smap: 8,
  /** CR0.AM: with AC set, data accesses of programs are checked one by one. */
  am: 16,
  /** CR4.PGE. */
  globals: 32,
  /** Supervisor accesses to user pages, and all with AC set, are told: they are kept out of the software TLB. */
  watchSupervisor: 64,
  /** There are watchpoints (watchpoints.ts). */
  probes: 128,
  /** Somebody hears of what the MMU sees. */
  events: 256,
} as const;

/** Kinds of access. */
export const READ = 0;
export const WRITE = 1;
export const EXECUTE = 2;
/** For whom: the CPU's own accesses to descriptor tables and TSS are supervisor's at any CPL, and SMAP denies them user pages whatever AC says. */
export const IMPLICIT = 4;

/** Bits for kinds of access that watchpoints ask for. */
export const KIND = { read: 1, write: 2 } as const;
