/** Bits of CR0, CR4, EFER and page-table entries, by the SDM's names. Control bits are numbers (all below 2^32). */

// biome-ignore format: as in the manual's figure
export const CR0 = {
  PE: 1 << 0, MP: 1 << 1, EM: 1 << 2, TS: 1 << 3, ET: 1 << 4, NE: 1 << 5, WP: 1 << 16, AM: 1 << 18, NW: 1 << 29, CD: 1 << 30, PG: 0x80000000,
} as const;

// biome-ignore format: as in the manual's figure
export const CR4 = {
  VME: 1 << 0, PVI: 1 << 1, TSD: 1 << 2, DE: 1 << 3, PSE: 1 << 4, PAE: 1 << 5, MCE: 1 << 6, PGE: 1 << 7, PCE: 1 << 8, OSFXSR: 1 << 9,
  OSXMMEXCPT: 1 << 10, UMIP: 1 << 11, FSGSBASE: 1 << 16, PCIDE: 1 << 17, OSXSAVE: 1 << 18, SMEP: 1 << 20, SMAP: 1 << 21, PKE: 1 << 22,
} as const;

export const EFER = { SCE: 1 << 0, LME: 1 << 8, LMA: 1 << 10, NXE: 1 << 11 } as const;

/** Low half of a page-table entry; NX is bit 63, bit 31 of the high half. */
export const PTE = { P: 1, W: 2, U: 4, PWT: 8, PCD: 16, A: 32, D: 64, PS: 128, G: 256 } as const;
