/**
 * RFLAGS, as SDM Vol. 1 section 3.4.3 draws it.
 *
 *   21 20  19  18 17 16  15 14 13 12 11 10  9  8  7  6  5  4  3  2  1  0
 *   ID VIP VIF AC VM RF  0  NT IOPL  OF DF IF TF SF ZF 0  AF 0  PF 1  CF
 */

/** The six status flags and DF: those that rows read and write as one-bit terms. All other bits are reached through `rflags`. */
export const FLAGS = ['cf', 'pf', 'af', 'zf', 'sf', 'df', 'of'] as const;
export type Flag = (typeof FLAGS)[number];

/** The bit number of each flag in RFLAGS. */
export const FLAG_BIT: Readonly<Record<Flag, number>> = { cf: 0, pf: 2, af: 4, zf: 6, sf: 7, df: 10, of: 11 };

/** CF PF AF ZF SF OF as a mask. */
export const STATUS_FLAGS = 0x8d5;

export const RFLAGS = {
  cf: 1 << 0,
  fixed: 1 << 1,
  pf: 1 << 2,
  af: 1 << 4,
  zf: 1 << 6,
  sf: 1 << 7,
  tf: 1 << 8,
  if: 1 << 9,
  df: 1 << 10,
  of: 1 << 11,
  iopl: 3 << 12,
  nt: 1 << 14,
  rf: 1 << 16,
  vm: 1 << 17,
  ac: 1 << 18,
  vif: 1 << 19,
  vip: 1 << 20,
  id: 1 << 21,
} as const;
