/** Virtual time. One tick is one retired instruction (or one that HLT skipped), and one TSC tick. */

/** How many ticks a second of the real-time clock has. */
export const TICKS_PER_SECOND = 1_000_000_000;
