/**
 * The harness: the ports by which a testing machine hands programs to the kernel and takes the verdict back. Where it is absent (any
 * other PC) the ports read all ones. Commands go to COMMAND; DATA and STATUS carry their operands.
 */

/** 8 bits. Read: HARNESS_PRESENT where the harness exists. Write: a command. */
export const HARNESS_COMMAND_PORT = 0x6a0;
/** 32 bits. Write: physical address of the buffer for FETCH. Read, after FETCH: length of the archive, 0 = there is none. */
export const HARNESS_DATA_PORT = 0x6a4;
/** 32 bits. Write: the buffer's capacity in bytes (before FETCH), or the status (before FINISHED and PANIC). */
export const HARNESS_STATUS_PORT = 0x6a8;

export const HARNESS_PRESENT = 0x50;

/** The kernel has booted, and the programs of its initial archive, if it names any, have started and wait or have ended: the machine's snapshot is taken here. */
export const HARNESS_READY = 1;
/** Copy the next archive into the buffer. */
export const HARNESS_FETCH = 2;
/** All programs have ended; the status is the first one's wait status: of the initial archive's, if there were any. */
export const HARNESS_FINISHED = 3;
/** The kernel gave up. */
export const HARNESS_PANIC = 4;

/** isa-debug-exit: a 32-bit write of `code` here ends the machine. */
export const DEBUG_EXIT_PORT = 0xf4;
/** The code that a panicking kernel writes to isa-debug-exit. Process exit codes are 0–255 and cannot be confused with it under our machine. */
export const DEBUG_EXIT_PANIC = 0x7f;
