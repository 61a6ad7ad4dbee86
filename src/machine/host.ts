/**
 * The one port for all that the guest cannot compute for itself. Recording wraps a host and writes down what it answers; replay reads
 * that back. A host is asked at exact instruction counts, so the same answers give the same run.
 */
export interface Host {
  /** The next byte for the serial port, or null if there is none now. Asked when the guest reads LSR, RBR or IIR, and when HLT waits with receive interrupts on. */
  serialInput(): number | null;
  /** The harness's `fetch`: the next archive (cpio newc), or null when there is no more. */
  program(): Uint8Array | null;
  serialOutput(byte: number): void;
}

/** A host with no input, that keeps what the guest prints. */
export class QuietHost implements Host {
  readonly bytes: number[] = [];

  serialInput(): number | null {
    return null;
  }

  program(): Uint8Array | null {
    return null;
  }

  serialOutput(byte: number): void {
    this.bytes.push(byte);
  }

  /** What the guest printed, as Latin-1 text. */
  get text(): string {
    return this.bytes.map((byte) => String.fromCharCode(byte)).join('');
  }
}
