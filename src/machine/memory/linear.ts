/** Arithmetic of linear addresses, which are two signed 32-bit halves here. */

/** Bytes in the first page where an access crosses into a second, else 0. */
export function splitAt(low: number, size: number): number {
  const offset = low & 0xfff;
  return offset + size > 4096 ? 4096 - offset : 0;
}

/** Bits 63:47 all alike (48-bit linear addresses). */
export function isCanonical(high: number): boolean {
  const top = high >> 15;
  return top === 0 || top === -1;
}
