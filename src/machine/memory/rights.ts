/** Rights and state of a translation. `told…`: a stale use of that kind has been told for `seen` (see mmu.ts). */
export const RIGHTS = { write: 1, user: 2, execute: 4, global: 8, dirty: 16, toldRead: 32, toldWrite: 64, toldExecute: 128 } as const;
/** What a translation grants. */
export const GRANTS = RIGHTS.write | RIGHTS.user | RIGHTS.execute;
export const ALL_TOLD = RIGHTS.toldRead | RIGHTS.toldWrite | RIGHTS.toldExecute;
