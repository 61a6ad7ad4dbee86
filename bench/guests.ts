/** The guest programs: one C file in `guests/` each, and keel with the example programs. What each does stands in its file. */

export interface Guest {
  readonly name: string;
  /** The C file's name without its ending. */
  readonly file: string;
  /** Uses doubles: built with SSE2; all others with general registers only. */
  readonly hasDoubles?: boolean;
  /** Needs the bare machine (rings, paging, interrupts), so that it cannot run as a process. */
  readonly isBare?: boolean;
}

// biome-ignore format: a guest a line
export const GUESTS: readonly Guest[] = [
  { name: 'integer hashing',        file: 'hash' },
  { name: 'sieve',                  file: 'sieve' },
  { name: 'sort and chase',         file: 'sort' },
  { name: 'SHA-256',                file: 'sha256' },
  { name: 'bytecode interpreter',   file: 'bytecode' },
  { name: 'recursive calls',        file: 'calls' },
  { name: 'n-body',                 file: 'nbody',    hasDoubles: true },
  { name: 'system calls',           file: 'syscalls', isBare: true },
  { name: 'page faults',            file: 'faults',   isBare: true },
  { name: 'address-space switches', file: 'switches', isBare: true },
  { name: 'timer interrupts',       file: 'timer',    isBare: true },
];

/** The row of keel: its name and its images' file names. */
export const KEEL = { name: 'keel and its programs', file: 'keel' } as const;
