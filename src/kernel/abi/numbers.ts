/** Numbers in bytes, little-endian, and comparisons of 64-bit numbers. */

export function smaller(a: u64, b: u64): u64 {
  if (a < b) return a;
  return b;
}

export function word64(bytes: Uint8Array, at: i32): u64 {
  return u64(word32(bytes, at)) | (u64(word32(bytes, at + 4)) << 32n);
}

function word32(bytes: Uint8Array, at: i32): u32 {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

export function put64(bytes: Uint8Array, at: i32, value: u64): void {
  put32(bytes, at, wrapping.u32(value));
  put32(bytes, at + 4, wrapping.u32(value >> 32n));
}

export function put32(bytes: Uint8Array, at: i32, value: u32): void {
  put16(bytes, at, value & 0xffff);
  put16(bytes, at + 2, value >>> 16);
}

export function put16(bytes: Uint8Array, at: i32, value: u16): void {
  bytes[at] = value & 0xff;
  bytes[at + 1] = value >>> 8;
}
