/**
 * I/O space: which device answers at which port. Where none does, reads give all ones and writes vanish. An access wider than its device goes to one port
 * after the other, byte by byte, as an ISA bridge splits it.
 */

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
    const value = this.#read(port, size);
    this.watcher?.portIn(port, size, value);
    return value;
  }

  write(port: number, size: number, value: number): void {
    this.watcher?.portOut(port, size, value);
    this.#write(port, size, value);
  }

  #read(port: number, size: number): number {
    const device = this.#devices.get(port);
    if (device !== undefined && size <= device.width) return device.readPort(port - device.firstPort, size);
    if (size === 1) return 0xff;
    let value = 0;
    for (let i = 0; i < size; i++) value += this.#read(port + i, 1) * 2 ** (8 * i);
    return value;
  }

  #write(port: number, size: number, value: number): void {
    const device = this.#devices.get(port);
    if (device !== undefined && size <= device.width) device.writePort(port - device.firstPort, size, value);
    else if (size > 1) for (let i = 0; i < size; i++) this.#write(port + i, 1, (value >>> (8 * i)) & 0xff);
  }
}
