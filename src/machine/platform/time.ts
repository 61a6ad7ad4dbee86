/** Virtual time. One tick is one retired instruction (or one that HLT skipped), and one TSC tick. */

/** How many ticks a second of the real-time clock has. */
export const TICKS_PER_SECOND = 1_000_000_000;
/** No run takes so many ticks: what is due later is not due at all. So time, in instructions or ticks, is always an exact number. */
export const MOST_TICKS: number = 2 ** 52;
