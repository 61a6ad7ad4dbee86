/** Numbers in bytes, little-endian, and comparisons of 64-bit numbers. */

export function smaller(a: u64, b: u64): u64 {
  if (a < b) return a;
  return b;
}

export function word64(bytes: Uint8Array, at: i32): u64 {
  let value: u64 = 0n;
  for (let byte = 7; byte >= 0; byte--) value = wrapping.u64(value << 8n) | u64(bytes[at + byte]);
  return value;
}

export function put64(bytes: Uint8Array, at: i32, value: u64): void {
  for (let byte = 0; byte < 8; byte++) bytes[at + byte] = wrapping.u8(value >> (8n * u64(byte)));
}

export function put32(bytes: Uint8Array, at: i32, value: u32): void {
  put16(bytes, at, value & 0xffff);
  put16(bytes, at + 2, value >>> 16);
}

export function put16(bytes: Uint8Array, at: i32, value: u16): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = value >>> 8;
}
