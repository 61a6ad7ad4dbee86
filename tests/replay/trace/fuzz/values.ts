/** Changes of msgpack values: in the tree that they are, and in their bytes. */
import { Msgpack } from '../../../../src/replay/trace/msgpack.ts';
import type { Choices } from './random.ts';

const msgpack = new Msgpack();

/** The bytes of a value, the caller's own. */
export const pack = (value: unknown): Uint8Array => Uint8Array.from(msgpack.encode(value));

const NUMBERS: readonly (number | bigint)[] = [
  0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 63, 64, 127, 128, 255, 256, 257, 4095, 4096, 65535, 65536, 2 ** 20, 2 ** 22, 2 ** 22 + 1, 2 ** 24,
  2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, -1, -128, 0n, 1n, 2n, 16n, 4096n, 2n ** 22n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 62n,
  2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 3 * 2 ** 30, 4 << 20, 2 << 20,
]; // biome-ignore format: one list

/** The value with one of its parts changed; it is not changed itself. */
export function changedValue(value: unknown, choices: Choices): unknown {
  if (Array.isArray(value) && value.length > 0 && choices.chance(0.85)) return changedList(value, choices);
  if (isMap(value) && Object.keys(value).length > 0 && choices.chance(0.93)) return changedMap(value, choices);
  if (value instanceof Uint8Array && choices.chance(0.9)) return changedBin(value, choices);
  if (typeof value === 'number' && choices.chance(0.4)) return value + choices.pick([-1, 1, 2, -2, 8, 4096, -4096]);
  if (typeof value === 'bigint' && choices.chance(0.4))
    return BigInt.asUintN(64, value + choices.pick([-1n, 1n, 16n, -16n, 1n << 22n, 1n << 40n]));
  if (typeof value === 'string' && choices.chance(0.4)) return changedText(value, choices);
  return anyValue(choices, 0);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function changedList(list: readonly unknown[], choices: Choices): unknown[] {
  const at = choices.below(list.length);
  switch (choices.below(8)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return list.toSpliced(at, 0, list[choices.below(list.length)]);
    case 2:
      return list.toSpliced(at, 0, anyValue(choices, 1));
    default:
      return list.with(at, changedValue(list[at], choices));
  }
}

function changedMap(map: Readonly<Record<string, unknown>>, choices: Choices): object {
  const entries = Object.entries(map);
  const at = choices.below(entries.length);
  const [key, value] = entries[at] ?? ['', null];
  switch (choices.below(24)) {
    case 0:
      return Object.fromEntries(entries.toSpliced(at, 1));
    case 1:
      return { ...map, [choices.pick(['__proto__', 'constructor', 'toString', 'x', 'length', 'parent'])]: anyValue(choices, 1) };
    case 2:
      return Object.fromEntries(entries.with(at, [choices.pick(['', 'x', `${key} `, key.toUpperCase()]), value]));
    default:
      return { ...map, [key]: changedValue(value, choices) };
  }
}

export function changedBin(bin: Uint8Array, choices: Choices): Uint8Array {
  const bytes = Uint8Array.from(bin);
  if (bytes.length === 0) return choices.bytes(1 + choices.below(16));
  const at = choices.below(Math.max(1, choices.chance(0.5) ? Math.min(64, bytes.length) : bytes.length));
  switch (choices.below(9)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Uint8Array.from(Buffer.concat([bytes, choices.bytes(1 + choices.below(16))]));
    case 2:
      return Uint8Array.from(Buffer.concat([bytes.subarray(0, at), choices.bytes(1 + choices.below(8)), bytes.subarray(at)]));
    case 3:
      return Uint8Array.from(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + choices.below(16))]));
    case 4:
      return bytes.fill(choices.pick([0, 0xff, 0x80, choices.byte()]), at, at + 1 + choices.below(64));
    case 5: {
      // words of which columns are made
      if (bytes.length < 8) return bytes;
      new DataView(bytes.buffer).setBigUint64(
        8 * choices.below(bytes.length >> 3),
        BigInt.asUintN(64, BigInt(choices.pick(NUMBERS))),
        true,
      );
      return bytes;
    }
    default:
      for (let i = choices.below(4); i >= 0; i--) {
        const place = choices.below(bytes.length);
        bytes[place] = choices.chance(0.5) ? choices.byte() : (bytes[place] ?? 0) ^ (1 << choices.below(8));
      }
      return bytes;
  }
}

function changedText(text: string, choices: Choices): string {
  return choices.pick([
    text.slice(1),
    `${text}a`,
    text.replace(/./, 'z'),
    '',
    'x'.repeat(70_000),
    '\u{1f600}',
    text.toUpperCase(),
    '../../x',
  ]);
}

function anyValue(choices: Choices, depth: number): unknown {
  switch (choices.below(depth > 3 ? 7 : 9)) {
    case 0:
      return null;
    case 1:
      return choices.chance(0.5);
    case 2:
    case 3:
      return choices.pick(NUMBERS);
    case 4:
      return choices.pick(['', 'x', 'limit', 'unsupported', 'image', '0123456789abcdef', '\0', 'x'.repeat(300)]);
    case 5:
      return choices.bytes(choices.pick([0, 1, 7, 8, 16, 64]));
    case 6:
      return new Uint8Array(choices.pick([0, 4, 8, 4096, 65536]));
    case 7:
      return Array.from({ length: choices.below(6) }, () => anyValue(choices, depth + 1));
    default:
      return Object.fromEntries(Array.from({ length: choices.below(4) }, (_, i) => [`k${i}`, anyValue(choices, depth + 1)]));
  }
}

/** The payload of a block with something of its value changed; as it is where that cannot be encoded, or is no value. */
export function changedPayload(raw: Uint8Array, choices: Choices): Uint8Array {
  let value: unknown;
  try {
    value = msgpack.decode(raw);
  } catch {
    return changedBin(raw, choices);
  }
  for (let i = choices.below(3); i >= 0; i--) value = changedValue(value, choices);
  return pack(value);
}

const TAGS = [
  0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc5, 0xc6, 0xc7, 0xca, 0xcb, 0xcc, 0xcf, 0xd3, 0xd4, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd,
  0xde, 0xdf,
];

/** A tag or a length of the bytes forged: the first ones are mostly tags, lengths and keys. */
export function forgedEncoding(raw: Uint8Array, choices: Choices): Uint8Array {
  const bytes = Uint8Array.from(raw);
  for (let i = choices.below(3); i >= 0; i--) {
    const at = choices.below(choices.chance(0.7) ? Math.min(200, bytes.length) : bytes.length);
    if (choices.chance(0.5)) bytes[at] = choices.pick(TAGS);
    else
      for (let n = 0; n < choices.pick([1, 2, 4]) && at + n < bytes.length; n++)
        bytes[at + n] = choices.pick([0xff, 0x7f, 0, choices.byte()]);
  }
  return bytes;
}
