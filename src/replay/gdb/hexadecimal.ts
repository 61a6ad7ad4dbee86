/** Numbers and bytes as the remote serial protocol writes them. Text is Latin-1, a character a byte. */

/** Bytes as pairs of digits. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Text as pairs of digits, in UTF-8. */
export function hexOfText(text: string): string {
  return Buffer.from(text, 'utf8').toString('hex');
}

/** The bytes that pairs of digits say; null where they are none. */
export function bytesOfHex(text: string): Uint8Array | null {
  return text.length % 2 === 0 && /^[0-9a-f]*$/i.test(text) ? Buffer.from(text, 'hex') : null;
}

/** The text that pairs of digits say; null where they are none. */
export function textOfHex(text: string): string | null {
  const bytes = bytesOfHex(text);
  return bytes === null ? null : Buffer.from(bytes).toString('utf8');
}

/** A number of up to 64 bits; null where the text is none. */
export function bigOf(text: string | undefined): bigint | null {
  return text !== undefined && /^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : null;
}

/** A number of up to 31 bits; null where the text is none. */
export function smallOf(text: string | undefined): number | null {
  const value = bigOf(text);
  return value === null || value > 0x7fff_ffffn ? null : Number(value);
}

/** A number as so many bytes, the lowest first. */
export function littleEndian(value: bigint, bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  let left = value;
  for (let i = 0; i < bytes; i++) {
    result[i] = Number(left & 0xffn);
    left >>= 8n;
  }
  return result;
}
