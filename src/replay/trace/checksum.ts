/** The checksums of trace frames: xxHash, from WebAssembly, so that it must be made ready once before a trace is written or read. */
import xxhash from 'xxhash-wasm';

export interface Checksums {
  /** xxHash64, seed 0. */
  wide(bytes: Uint8Array): bigint;
  /** xxHash32, seed 0. */
  narrow(bytes: Uint8Array): number;
}

export async function checksums(): Promise<Checksums> {
  const { h32Raw, h64Raw } = await xxhash();
  return { wide: (bytes) => h64Raw(bytes), narrow: (bytes) => h32Raw(bytes) };
}
