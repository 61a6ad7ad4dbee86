/**
 * The frames of the remote serial protocol (GDB's manual, appendix E): `$data#checksum`, acknowledgements, and the byte that interrupts.
 *
 * Data is kept as text of one character a byte (Latin-1), since most packets are ASCII and some hold bytes. What comes is anybody's: bytes that no
 * gdb sends between packets, and packets longer than `PACKET_BYTES`, end in a ProtocolError, and a reader never keeps more than one packet.
 */

/** The longest packet that is taken, and told to gdb: its data as it stands on the wire. */
export const PACKET_BYTES = 0x4000;

/** The other side does not speak the protocol. */
export class ProtocolError extends Error {}

export type Received =
  | { readonly kind: 'packet'; readonly data: string }
  /** 0x03: stop what runs. */
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'acknowledged' }
  /** Send the last packet again. */
  | { readonly kind: 'refused' }
  /** A packet whose checksum is wrong. */
  | { readonly kind: 'damaged' };

const INTERRUPT = 0x03;
const [DOLLAR, HASH, PLUS, MINUS] = [0x24, 0x23, 0x2b, 0x2d];
const ESCAPE = '}';

export class PacketReader {
  /** Bytes of the packet that has begun: its data and, from `#` on, digits; null between packets. */
  #bytes: number[] | null = null;
  /** Where `#` stands in it. */
  #end = -1;

  /** Whether a packet has begun and not ended. */
  get isInside(): boolean {
    return this.#bytes !== null;
  }

  /** What has become whole with these bytes. Throws ProtocolError. */
  *read(chunk: Uint8Array): Generator<Received> {
    for (const byte of chunk) {
      const received = this.#bytes === null ? this.#between(byte) : this.#inside(this.#bytes, byte);
      if (received !== null) yield received;
    }
  }

  #between(byte: number): Received | null {
    switch (byte) {
      case DOLLAR:
        this.#bytes = [];
        this.#end = -1;
        return null;
      case INTERRUPT:
        return { kind: 'interrupt' };
      case PLUS:
        return { kind: 'acknowledged' };
      case MINUS:
        return { kind: 'refused' };
      default:
        throw new ProtocolError(`byte 0x${byte.toString(16)} between packets`);
    }
  }

  #inside(bytes: number[], byte: number): Received | null {
    // A packet that begins anew: the rest of the one before is lost, and its checksum with it.
    if (byte === DOLLAR) {
      this.#bytes = [];
      this.#end = -1;
      return null;
    }
    if (this.#end < 0 && byte === HASH) this.#end = bytes.length;
    else bytes.push(byte);
    if (bytes.length > PACKET_BYTES + 2) throw new ProtocolError(`a packet of more than ${PACKET_BYTES} bytes`);
    if (this.#end < 0 || bytes.length < this.#end + 2) return null;
    this.#bytes = null;
    const data = bytes.slice(0, this.#end);
    const said = String.fromCharCode(...bytes.slice(this.#end));
    const sum = data.reduce((total, each) => (total + each) & 0xff, 0);
    if (!/^[0-9a-f]{2}$/i.test(said) || Number.parseInt(said, 16) !== sum) return { kind: 'damaged' };
    return { kind: 'packet', data: unescaped(Buffer.from(data).toString('latin1')) };
  }
}

/** A packet as it stands on the wire. */
export function framed(data: string): Buffer {
  const body = escaped(data);
  const bytes = Buffer.from(`$${body}#00`, 'latin1');
  let sum = 0;
  for (let at = 1; at < bytes.length - 3; at++) sum = (sum + (bytes[at] ?? 0)) & 0xff;
  bytes.write(sum.toString(16).padStart(2, '0'), bytes.length - 2, 'latin1');
  return bytes;
}

/** `#`, `$`, `}` and `*` may not stand for themselves in what is sent to gdb: `}` and the character with bit 5 turned. */
function escaped(data: string): string {
  return data.replace(/[#$}*]/g, (each) => ESCAPE + turned(each));
}

function unescaped(body: string): string {
  return body.includes(ESCAPE) ? body.replace(/\}(.)/gs, (_, each: string) => turned(each)) : body;
}

function turned(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) ^ 0x20);
}
