/**
 * The harness port: how a kernel under test talks to the testbed. See platform/ports.ts for the protocol. It is the one device that
 * writes to memory: the archive that `fetch` asks for.
 */
import { HARNESS, HARNESS_COMMAND_PORT, HARNESS_PRESENT } from '../platform/ports.ts';
import { fieldsOf } from '../snapshot/fields.ts';
import type { PortDevice } from './device.ts';

export interface HarnessHost {
  /** The next archive, null: no more. */
  program(): Uint8Array | null;
  /** Copies into RAM; false where it does not fit. */
  writeMemory(address: number, bytes: Uint8Array): boolean;
  /** A command was given; `value` is the status, or for fetch the length. `isEmpty`: fetch found nothing. */
  command(command: number, value: number, isEmpty: boolean): void;
}

const ADDRESS = 4;
const VALUE = 8;

export class Harness implements PortDevice {
  readonly name = 'harness';
  readonly firstPort = HARNESS_COMMAND_PORT;
  readonly portCount = 12;
  readonly width = 4;
  /** What was last written to the address port, and what reading it gives: the length of the last archive. */
  address = 0;
  length = 0;
  value = 0;

  readonly #host: HarnessHost;

  constructor(host: HarnessHost) {
    this.#host = host;
  }

  readPort(offset: number, size: number): number {
    if (offset === 0) return HARNESS_PRESENT;
    if (offset === ADDRESS && size === 4) return this.length;
    if (offset === VALUE && size === 4) return this.value;
    return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
  }

  writePort(offset: number, size: number, value: number): void {
    if (offset === ADDRESS && size === 4) this.address = value;
    else if (offset === VALUE && size === 4) this.value = value;
    else if (offset === 0 && size === 1) this.#command(value);
  }

  #command(command: number): void {
    if (command !== HARNESS.fetch) {
      this.#host.command(command, this.value, false);
      return;
    }
    const archive = this.#host.program();
    // One that is larger than the buffer, or a buffer outside of RAM, is as none: the guest sees length 0.
    const fits = archive !== null && archive.length <= this.value && this.#host.writeMemory(this.address, archive);
    this.length = fits ? archive.length : 0;
    this.#host.command(command, this.length, archive === null);
  }
}

export const HARNESS_FIELDS = fieldsOf<Harness>('harness', { address: 'u32', length: 'u32', value: 'u32' });
