/**
 * 16550A UART. Sending takes no time: the transmitter is always empty. Bytes received come from the host when the guest looks (LSR, RBR,
 * IIR), one at a time, so that they enter the run at an exact instruction.
 *
 *     0 RBR/THR/DLL · 1 IER/DLM · 2 IIR/FCR · 3 LCR · 4 MCR · 5 LSR · 6 MSR · 7 SCR
 */
import { UART_PORT } from '../platform/ports.ts';
import { fieldsOf } from '../snapshot/fields.ts';
import type { InterruptLine, PortDevice } from './device.ts';

const IER = { received: 1, transmitter: 2, line: 4, modem: 8 } as const;
const IIR = { none: 1, transmitter: 2, received: 4, line: 6, fifo: 0xc0 } as const;
const FCR_ENABLE = 1;
const FIFO_BYTES = 16;
const LCR_DLAB = 0x80;
const MCR = { dtr: 1, rts: 2, out1: 4, out2: 8, loop: 16 } as const;
const LSR = { ready: 1, overrun: 2, holdingEmpty: 32, empty: 64 } as const;
/** CTS, DSR, DCD: somebody listens. */
const MSR_CONNECTED = 0xb0;

/** Where bytes come from and go to. */
export interface SerialPort {
  receive(): number | null;
  send(byte: number): void;
}

export class Uart implements PortDevice {
  readonly name = 'uart';
  readonly firstPort = UART_PORT;
  readonly portCount = 8;
  readonly width = 1;
  interruptEnable = 0;
  fifoControl = 0;
  lineControl = 0;
  modemControl = 0;
  scratch = 0;
  divisorLow = 0x0c;
  divisorHigh = 0;
  /** Bytes that the guest has not read: at most one from the host, or a loop's. */
  received: number[] = [];
  overrun = false;
  /** The transmitter-empty interrupt is wanted: after a write to THR or when IER asks for it, until IIR was read. */
  transmitterDue = false;

  readonly #port: SerialPort;
  readonly #line: InterruptLine;

  constructor(port: SerialPort, line: InterruptLine) {
    this.#port = port;
    this.#line = line;
  }

  readPort(offset: number): number {
    switch (offset) {
      case 0:
        if ((this.lineControl & LCR_DLAB) !== 0) return this.divisorLow;
        return this.#readByte();
      case 1:
        return (this.lineControl & LCR_DLAB) !== 0 ? this.divisorHigh : this.interruptEnable;
      case 2:
        return this.#identify();
      case 3:
        return this.lineControl;
      case 4:
        return this.modemControl;
      case 5: {
        this.poll();
        const status = LSR.holdingEmpty | LSR.empty | (this.received.length > 0 ? LSR.ready : 0) | (this.overrun ? LSR.overrun : 0);
        this.overrun = false;
        this.#update();
        return status;
      }
      case 6:
        return this.#modemStatus();
      default:
        return this.scratch;
    }
  }

  writePort(offset: number, _size: number, value: number): void {
    switch (offset) {
      case 0:
        if ((this.lineControl & LCR_DLAB) !== 0) this.divisorLow = value;
        else this.#send(value);
        break;
      case 1:
        if ((this.lineControl & LCR_DLAB) !== 0) {
          this.divisorHigh = value;
          break;
        }
        if ((value & ~this.interruptEnable & IER.transmitter) !== 0) this.transmitterDue = true;
        this.interruptEnable = value & 0x0f;
        break;
      case 2:
        // The FIFO is emptied when it is asked for, and when it is switched on or off.
        if ((value & 2) !== 0 || ((value ^ this.fifoControl) & FCR_ENABLE) !== 0) this.received = [];
        this.fifoControl = value & 0xc9;
        break;
      case 3:
        this.lineControl = value;
        break;
      case 4:
        this.modemControl = value & 0x1f;
        break;
      case 7:
        this.scratch = value;
        break;
      default:
        // LSR and MSR are for reading; factory tests write them.
        break;
    }
    this.#update();
  }

  /** Asks the host for a byte if none waits: when the guest looks, and when the CPU waits in HLT with receive interrupts on. */
  poll(): void {
    if (this.received.length > 0 || (this.modemControl & MCR.loop) !== 0) return;
    const byte = this.#port.receive();
    if (byte === null) return;
    this.received.push(byte & 0xff);
    this.#update();
  }

  /** Input could wake the CPU. */
  get waitsForInput(): boolean {
    return (this.interruptEnable & IER.received) !== 0 && (this.modemControl & MCR.out2) !== 0;
  }

  #readByte(): number {
    this.poll();
    const byte = this.received.shift() ?? 0;
    this.#update();
    return byte;
  }

  #send(byte: number): void {
    if ((this.modemControl & MCR.loop) === 0) this.#port.send(byte);
    else this.#loop(byte);
    this.transmitterDue = true;
  }

  /** A byte of the loop comes in. One too many is lost where there is a FIFO; without, it takes the place of the one before. */
  #loop(byte: number): void {
    const isFifo = (this.fifoControl & FCR_ENABLE) !== 0;
    if (this.received.length < (isFifo ? FIFO_BYTES : 1)) {
      this.received.push(byte);
      return;
    }
    this.overrun = true;
    if (!isFifo) this.received = [byte];
  }

  #identify(): number {
    if (this.waitsForInput) this.poll();
    const fifo = (this.fifoControl & FCR_ENABLE) !== 0 ? IIR.fifo : 0;
    if ((this.interruptEnable & IER.line) !== 0 && this.overrun) return IIR.line | fifo;
    if ((this.interruptEnable & IER.received) !== 0 && this.received.length > 0) return IIR.received | fifo;
    if ((this.interruptEnable & IER.transmitter) !== 0 && this.transmitterDue) {
      this.transmitterDue = false;
      this.#update();
      return IIR.transmitter | fifo;
    }
    return IIR.none | fifo;
  }

  #modemStatus(): number {
    if ((this.modemControl & MCR.loop) === 0) return MSR_CONNECTED;
    const m = this.modemControl;
    return ((m & MCR.rts) << 3) | ((m & MCR.dtr) << 5) | ((m & MCR.out1) << 4) | ((m & MCR.out2) << 4);
  }

  #update(): void {
    const wants =
      ((this.interruptEnable & IER.line) !== 0 && this.overrun) ||
      ((this.interruptEnable & IER.received) !== 0 && this.received.length > 0) ||
      ((this.interruptEnable & IER.transmitter) !== 0 && this.transmitterDue);
    this.#line(wants && (this.modemControl & MCR.out2) !== 0);
  }
}

export const UART_FIELDS = fieldsOf<Uart>('uart', {
  interruptEnable: 'u8',
  fifoControl: 'u8',
  lineControl: 'u8',
  modemControl: 'u8',
  scratch: 'u8',
  divisorLow: 'u8',
  divisorHigh: 'u8',
  received: 'list',
  overrun: 'flag',
  transmitterDue: 'flag',
});
