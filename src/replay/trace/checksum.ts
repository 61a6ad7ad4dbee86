/** The checksums of trace frames: xxHash, from WebAssembly, which is made ready once for all traces. */
import xxhash from 'xxhash-wasm';

export interface Checksums {
  /** xxHash64, seed 0. */
  wide(bytes: Uint8Array): bigint;
  /** xxHash32, seed 0. */
  narrow(bytes: Uint8Array): number;
}

const ready = xxhash().then(({ h32Raw, h64Raw }): Checksums => ({ wide: (bytes) => h64Raw(bytes), narrow: (bytes) => h32Raw(bytes) }));

export async function checksums(): Promise<Checksums> {
  return ready;
}
