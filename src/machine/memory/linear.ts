/** Arithmetic of linear addresses, which are two signed 32-bit halves here. */

/** Bits 63:47 all alike (48-bit linear addresses). */
export function isCanonical(high: number): boolean {
  const top = high >> 15;
  return top === 0 || top === -1;
}
