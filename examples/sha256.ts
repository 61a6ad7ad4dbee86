/** SHA-256 (FIPS 180-4). */
import { print } from 'palindrome/program';

// biome-ignore format: as the standard prints it
const K = new Uint32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

function rotate(x: u32, n: i32): u32 {
  return ((x >>> n) | (x << (32 - n))) >>> 0;
}

class Sha256 {
  readonly state = new Uint32Array(8);
  readonly #block = new Uint8Array(64);
  readonly #schedule = new Uint32Array(64);
  #filled = 0;
  #bits: u64 = 0n;

  reset(): void {
    const s = this.state;
    s[0] = 0x6a09e667;
    s[1] = 0xbb67ae85;
    s[2] = 0x3c6ef372;
    s[3] = 0xa54ff53a;
    s[4] = 0x510e527f;
    s[5] = 0x9b05688c;
    s[6] = 0x1f83d9ab;
    s[7] = 0x5be0cd19;
    this.#filled = 0;
    this.#bits = 0n;
  }

  update(bytes: Uint8Array): void {
    for (const byte of bytes) this.#put(byte);
    this.#bits += u64(bytes.length) * 8n;
  }

  finish(): void {
    const bits = this.#bits;
    this.#put(0x80);
    while (this.#filled !== 56) this.#put(0);
    for (let shift: u64 = 64n; shift > 0n; shift -= 8n) this.#put(u8((bits >> (shift - 8n)) & 0xffn));
  }

  #put(byte: u8): void {
    this.#block[this.#filled] = byte;
    this.#filled++;
    if (this.#filled < 64) return;
    this.#compress();
    this.#filled = 0;
  }

  #compress(): void {
    const w = this.#schedule;
    const block = this.#block;
    for (let i = 0; i < 16; i++) {
      w[i] = ((block[i * 4] << 24) | (block[i * 4 + 1] << 16) | (block[i * 4 + 2] << 8) | block[i * 4 + 3]) >>> 0;
    }
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15];
      const b = w[i - 2];
      const s0 = (rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)) >>> 0;
      const s1 = (rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10)) >>> 0;
      w[i] = wrapping.u32(w[i - 16] + s0 + w[i - 7] + s1);
    }
    const s = this.state;
    let a = s[0];
    let b = s[1];
    let c = s[2];
    let d = s[3];
    let e = s[4];
    let f = s[5];
    let g = s[6];
    let h = s[7];
    for (let i = 0; i < 64; i++) {
      const s1 = (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) >>> 0;
      const choice = ((e & f) ^ (~e & g)) >>> 0;
      const t1 = wrapping.u32(h + s1 + choice + K[i] + w[i]);
      const s0 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) >>> 0;
      const majority = ((a & b) ^ (a & c) ^ (b & c)) >>> 0;
      const t2 = wrapping.u32(s0 + majority);
      h = g;
      g = f;
      f = e;
      e = wrapping.add(d, t1);
      d = c;
      c = b;
      b = a;
      a = wrapping.add(t1, t2);
    }
    s[0] = wrapping.add(s[0], a);
    s[1] = wrapping.add(s[1], b);
    s[2] = wrapping.add(s[2], c);
    s[3] = wrapping.add(s[3], d);
    s[4] = wrapping.add(s[4], e);
    s[5] = wrapping.add(s[5], f);
    s[6] = wrapping.add(s[6], g);
    s[7] = wrapping.add(s[7], h);
  }
}

const DIGITS: readonly string[] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

const sha = new Sha256();

function show(text: string): void {
  sha.reset();
  sha.update(bytesOf(text));
  sha.finish();
  for (const word of sha.state) {
    for (let shift = 28; shift >= 0; shift -= 4) print(DIGITS[(word >>> shift) & 15]);
  }
  print('  "');
  print(text);
  print('"\n');
}

show('');
show('abc');
show('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq');
