/** The PC's physical address space. RAM lies from 0 up; the local APIC's page is the only device in memory. */

export const PAGE_BYTES = 4096;
/** Width of a physical address, as CPUID 80000008 says. */
export const PHYSICAL_BITS = 40;
/** The legacy hole: the PVH memory map says reserved, as PCs do. It is RAM that nothing lies in. */
export const LEGACY_HOLE = { from: 0x9fc00, to: 0x100000 } as const;
export const LAPIC_BASE = 0xfee00000;
export const LAPIC_BYTES = 0x1000;
/** RAM must end below the device hole. */
export const MAX_RAM_BYTES = 0xc0000000;
/** Where the PVH loader puts its start-of-day structures: below 640 KiB, beside nothing else. */
export const PVH_START_INFO = 0x6000;
