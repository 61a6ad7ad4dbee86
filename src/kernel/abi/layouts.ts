/**
 * Structures that cross the system-call border, as Linux lays them out on x86-64 (the ABI that unmodified programs were compiled for).
 * A field is [name, offset, bytes]; `size` is the whole structure's.
 */

export type Field = readonly [name: string, offset: number, bytes: number];

export interface Struct {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly Field[];
}

export type StructName = keyof typeof STRUCTS;

// biome-ignore format: one structure a block, one field a column
export const STRUCTS = {
  /** struct stat (asm/stat.h). */
  stat: { name: 'stat', size: 144, fields: [
    ['st_dev', 0, 8], ['st_ino', 8, 8], ['st_nlink', 16, 8], ['st_mode', 24, 4], ['st_uid', 28, 4], ['st_gid', 32, 4], ['st_rdev', 40, 8],
    ['st_size', 48, 8], ['st_blksize', 56, 8], ['st_blocks', 64, 8], ['st_atime', 72, 8], ['st_atime_nsec', 80, 8],
    ['st_mtime', 88, 8], ['st_mtime_nsec', 96, 8], ['st_ctime', 104, 8], ['st_ctime_nsec', 112, 8],
  ] },
  /** struct new_utsname: six strings of 65 bytes. */
  utsname: { name: 'utsname', size: 390, fields: [
    ['sysname', 0, 65], ['nodename', 65, 65], ['release', 130, 65], ['version', 195, 65], ['machine', 260, 65], ['domainname', 325, 65],
  ] },
  timespec: { name: 'timespec', size: 16, fields: [['tv_sec', 0, 8], ['tv_nsec', 8, 8]] },
  timeval: { name: 'timeval', size: 16, fields: [['tv_sec', 0, 8], ['tv_usec', 8, 8]] },
  iovec: { name: 'iovec', size: 16, fields: [['iov_base', 0, 8], ['iov_len', 8, 8]] },
  rlimit64: { name: 'rlimit64', size: 16, fields: [['rlim_cur', 0, 8], ['rlim_max', 8, 8]] },
  winsize: { name: 'winsize', size: 8, fields: [['ws_row', 0, 2], ['ws_col', 2, 2], ['ws_xpixel', 4, 2], ['ws_ypixel', 6, 2]] },
  /** The kernel's struct sigaction: what rt_sigaction reads, not the C library's. */
  sigaction: { name: 'sigaction', size: 32, fields: [['sa_handler', 0, 8], ['sa_flags', 8, 8], ['sa_restorer', 16, 8], ['sa_mask', 24, 8]] },
  sigset: { name: 'sigset', size: 8, fields: [['bits', 0, 8]] },
  /** Two descriptors, as pipe2 writes them. */
  fdpair: { name: 'fdpair', size: 8, fields: [['read', 0, 4], ['write', 4, 4]] },
  int32: { name: 'int32', size: 4, fields: [['value', 0, 4]] },
  uint64: { name: 'uint64', size: 8, fields: [['value', 0, 8]] },
  /** struct rusage; keel fills it with zeros. */
  rusage: { name: 'rusage', size: 144, fields: [['ru_utime', 0, 16], ['ru_stime', 16, 16]] },
} as const satisfies Record<string, Struct>;
