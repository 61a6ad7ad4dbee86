/** I/O ports and interrupt lines. A port that is not listed reads all ones and swallows writes. */

export const UART_PORT = 0x3f8;
export const UART_IRQ = 4;
export const PIC_MASTER_PORT = 0x20;
export const PIC_SLAVE_PORT = 0xa0;
export const RTC_PORT = 0x70;
/** isa-debug-exit: a 4-byte port; QEMU leaves with status (value << 1) | 1. */
export const DEBUG_EXIT_PORT = 0xf4;

/**
 * The harness: COMMAND, ADDRESS (+4) and VALUE (+8). `in8(COMMAND)` gives HARNESS_PRESENT, all ones where there is none. `out32(ADDRESS, low physical
 * address of a buffer)`, `out32(VALUE, its capacity)`, then `out8(COMMAND, HARNESS.fetch)`; `in32(ADDRESS)` then gives the length, 0 for none.
 */
export const HARNESS_COMMAND_PORT = 0x6a0;
export const HARNESS_PRESENT = 0x50;
export const HARNESS = { ready: 1, fetch: 2, finished: 3, panic: 4 } as const;
