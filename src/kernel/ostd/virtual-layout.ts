/**
 * The kernel's half of every address space. Its top-level entries are made once, at boot, and are the same in every root.
 *
 *     0xFFFF800000000000  direct map: physical memory, writable and never executable, without the kernel's code and constants (read-only there)
 *     0xFFFFC00000000000  kernel stacks: a slot of 64 KiB each, the upper 32 KiB mapped, below them the guard
 *     0xFFFFE00000000000  local APIC
 *     0xFFFFFFFF80000000  the kernel image: code R-X, constants R--, data RW-
 */
export const PAGE: u64 = 4096n;
export const DIRECT_MAP: u64 = 0xffff_8000_0000_0000n;
export const KERNEL_STACKS: u64 = 0xffff_c000_0000_0000n;
export const STACK_STRIDE: u64 = 0x1_0000n;
export const STACK_PAGES = 8;
export const LAPIC_PAGE: u64 = 0xffff_e000_0000_0000n;
export const KERNEL_IMAGE: u64 = 0xffff_ffff_8000_0000n;

/** User mode's range: page 0 stays unmapped, and the page below the canonical hole too (SYSCALL there would leave a RIP that is not canonical). */
export const USER_FIRST: u64 = 0x1000n;
export const USER_END: u64 = 0x7fff_ffff_f000n;

/** Frames beyond this are not used: 1 GiB. */
export const MAX_FRAMES = 262144;
/** Tasks, the idle task (slot 0) included; each has a kernel stack. */
export const TASKS = 64;
