/** I/O space: which device answers at which port. Where none does, reads give all ones and writes vanish. */

import type { PortBus as CpuPortBus } from '../cpu/helpers/cpu.ts';
import { bug } from '../isa/bug.ts';
import type { PortDevice } from './device.ts';

/** Told of each access, after a read and before a write. */
export interface PortWatcher {
  portIn(port: number, size: number, value: number): void;
  portOut(port: number, size: number, value: number): void;
}

export class PortBus implements CpuPortBus {
  watcher: PortWatcher | null = null;
  readonly #devices = new Map<number, PortDevice>();

  add(device: PortDevice): void {
    for (let port = device.firstPort; port < device.firstPort + device.portCount; port++) {
      const there = this.#devices.get(port);
      if (there !== undefined) bug(`port ${port.toString(16)} belongs to ${there.name} and to ${device.name}`);
      this.#devices.set(port, device);
    }
  }

  read(port: number, size: number): number {
    const device = this.#devices.get(port);
    const value =
      device === undefined ? (size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff) : device.readPort(port - device.firstPort, size);
    this.watcher?.portIn(port, size, value);
    return value;
  }

  write(port: number, size: number, value: number): void {
    this.watcher?.portOut(port, size, value);
    const device = this.#devices.get(port);
    device?.writePort(port - device.firstPort, size, value);
  }
}
