/** A tape for `generateProgram` that is long enough for a program with a body: what fast-check makes ends early in zeros. */
export function longTape(seed: number): number[] {
  let x = Math.imul(seed, 0x9e3779b1) | 1;
  return Array.from({ length: 5000 }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x & 0xffffff;
  });
}
