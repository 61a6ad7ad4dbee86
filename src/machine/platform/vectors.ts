/** Exception vectors (SDM Vol. 3, table 6-1). */
export const VECTOR = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const;

/** Page-fault error code (SDM Vol. 3, figure 4-12). */
export const PF = { P: 1, W: 2, U: 4, RSVD: 8, I: 16 } as const;
