/** isa-debug-exit: a write ends the run with its value (QEMU leaves with status (value << 1) | 1). Reads give 0. */
import { DEBUG_EXIT_PORT } from '../platform/ports.ts';
import type { PortDevice } from './device.ts';

export class DebugExit implements PortDevice {
  readonly name = 'debug-exit';
  readonly firstPort = DEBUG_EXIT_PORT;
  readonly portCount = 4;
  readonly width = 4;
  readonly #exit: (code: number) => void;

  constructor(exit: (code: number) => void) {
    this.#exit = exit;
  }

  readPort(): number {
    return 0;
  }

  writePort(_offset: number, _size: number, value: number): void {
    this.#exit(value);
  }
}
