/** The 16550 UART at COM1, polled: the console. */
import { inb, outb } from 'palindrome/intrinsics';

const DATA: u16 = 0x3f8;
const INTERRUPT_ENABLE: u16 = 0x3f9;
const FIFO_CONTROL: u16 = 0x3fa;
const LINE_CONTROL: u16 = 0x3fb;
const MODEM_CONTROL: u16 = 0x3fc;
const LINE_STATUS: u16 = 0x3fd;
const DATA_READY = 0x01;
const CAN_SEND = 0x20;
const DIVISOR_LATCH = 0x80;
const EIGHT_BITS = 0x03;

/** 115200 baud, 8 bits, no parity; no interrupts. */
export function initialiseUart(): void {
  outb(INTERRUPT_ENABLE, 0);
  outb(LINE_CONTROL, DIVISOR_LATCH);
  outb(DATA, 1);
  outb(INTERRUPT_ENABLE, 0);
  outb(LINE_CONTROL, EIGHT_BITS);
  outb(FIFO_CONTROL, 0x07);
  outb(MODEM_CONTROL, 0x03);
}

/** @noinline */
function putByte(byte: u8): void {
  while ((inb(LINE_STATUS) & CAN_SEND) === 0) {}
  outb(DATA, byte);
}

export function putBytes(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at++) putByte(bytes[at]);
}

/** @noinline */
export function putText(text: string): void {
  for (let at = 0; at < text.length; at++) putByte(text.charCodeAt(at));
}

export function putNumber(value: u64): void {
  if (value >= 10n) putNumber(value / 10n);
  putByte(u8(48n + (value % 10n)));
}

export function putHex(value: u64): void {
  putText('0x');
  for (let shift: u64 = 64n; shift > 0n; ) {
    shift -= 4n;
    const digit = u8((value >> shift) & 15n);
    putByte(digit < 10 ? u8(48 + digit) : u8(87 + digit));
  }
}

/** The next byte that came in, null where there is none. */
export function takeByte(): u8 | null {
  if ((inb(LINE_STATUS) & DATA_READY) === 0) return null;
  return inb(DATA);
}
