/** Formatting into a buffer. */
import { printBytes } from 'palindrome/program';

class Writer {
  readonly bytes: Uint8Array;
  length = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  text(s: string): Writer {
    this.bytes.set(bytesOf(s), this.length);
    this.length += s.length;
    return this;
  }
  number(value: i32, radix: i32 = 10): Writer {
    if (value < 0) {
      this.text('-');
      return this.number(-value, radix);
    }
    if (value >= radix) this.number(div(value, radix), radix);
    const digit = value % radix;
    this.bytes[this.length] = digit < 10 ? u8(48 + digit) : u8(87 + digit);
    this.length++;
    return this;
  }
  flush(): void {
    printBytes(this.bytes.subarray(0, this.length));
    this.length = 0;
  }
}

function report(n: i32): void {
  const buffer = new Uint8Array(64);
  const writer = new Writer(buffer);
  writer.text('n = ').number(n).text(', hex ').number(n, 16).text('\n');
  writer.flush();
}
report(0);
report(255);
report(-1234);
