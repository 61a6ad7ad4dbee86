/**
 * Multipliers that divide (Warren, "Hacker's Delight", 2nd edition, 10-9 and 10-4). Divisors are not 0, ±1 or, unsigned, a power of two.
 */

/** floor(n / d) = high(n * multiplier) >> shift; with `add`, the true multiplier is 2^width more. */
export interface UnsignedMagic {
  readonly multiplier: bigint;
  readonly shift: number;
  readonly add: boolean;
}

export function unsignedMagic(d: bigint, width: 32 | 64): UnsignedMagic {
  const size = 1n << BigInt(width);
  // The least p with 2^p / d rounded up close enough: 2^p mod -d ≤ 2^(p - width).
  for (let shift = 0; ; shift++) {
    const power = 1n << BigInt(width + shift);
    const excess = (d - (power % d)) % d;
    if (excess > 1n << BigInt(shift)) continue;
    const multiplier = (power + excess) / d;
    if (multiplier < size) return { multiplier, shift, add: false };
    return { multiplier: multiplier - size, shift, add: true };
  }
}

/** q = high(n * multiplier) (± n if the signs of d and the multiplier differ) >> shift, plus 1 if that is negative. */
export interface SignedMagic {
  readonly multiplier: bigint;
  readonly shift: number;
}

export function signedMagic(d: bigint, width: 32 | 64): SignedMagic {
  const half = 1n << BigInt(width - 1);
  const magnitude = d < 0n ? -d : d;
  const limit = half + (d < 0n ? 1n : 0n);
  const nc = limit - 1n - (limit % magnitude);
  let p = width;
  for (;;) {
    const power = 1n << BigInt(p);
    if (power > nc * (magnitude - (power % magnitude))) break;
    p++;
  }
  const power = 1n << BigInt(p);
  const multiplier = (power + magnitude - (power % magnitude)) / magnitude;
  return { multiplier: BigInt.asIntN(width, d < 0n ? -multiplier : multiplier), shift: p - width };
}
