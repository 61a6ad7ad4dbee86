/**
 * Breakpoints and watchpoints from outside: what a debugger or a search through a run asks to be told of. They are no part of the machine's state: a run is
 * the same with and without them.
 *
 *     machine.probes = { breakpoints: [{ address }], watchpoints: [{ space: 'linear', address, length: 8, access: 'write' }] };
 *     machine.observer = { breakpoint: (at) => machine.requestStop(), access: (at, { linear, size }) => … };
 */
export interface Breakpoint {
  /** Linear address of an instruction's first byte. */
  readonly address: bigint;
  /** Only while CR3's table root (physical address) is this. */
  readonly root?: bigint;
}

export interface Watchpoint {
  readonly space: 'linear' | 'physical';
  readonly address: bigint;
  /** Bytes, at least 1. */
  readonly length: number;
  readonly access: 'read' | 'write' | 'access';
  /** Only while CR3's table root (physical address) is this. */
  readonly root?: bigint;
}

export interface Probes {
  readonly breakpoints: readonly Breakpoint[];
  readonly watchpoints: readonly Watchpoint[];
}
