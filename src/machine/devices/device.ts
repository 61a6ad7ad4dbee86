/** What a device is to the buses, and what a device may ask of the PC. */

/** A device in I/O space: `offset` counts from its first port. Sizes are 1, 2, 4, up to its width; values unsigned. */
export interface PortDevice {
  readonly name: string;
  readonly firstPort: number;
  readonly portCount: number;
  /** Bytes of its widest access; the bus makes wider ones into bytes. */
  readonly width: 1 | 4;
  readPort(offset: number, size: number): number;
  writePort(offset: number, size: number, value: number): void;
}

/** An interrupt line, level-triggered at its source. */
export type InterruptLine = (level: boolean) => void;

/** Virtual time: retired instructions plus what HLT skipped. */
export interface Clock {
  readonly now: number;
  /** TSC = now + this (mod 2^64). */
  readonly tscOffset: bigint;
}
