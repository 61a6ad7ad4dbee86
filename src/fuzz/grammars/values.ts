/** Values of arguments: good ones, ones at a border, hostile ones. Each is source text of type u64. */
import fc from 'fast-check';
import { literal, RESULTS, weighted } from '../grammar/act.ts';

type Text = fc.Arbitrary<string>;

const constants = (...values: bigint[]): Text => fc.constantFrom(...values.map(literal));

/** A result of an earlier call: a descriptor, an address, a pid, or an error. */
const result: Text = fc.nat({ max: RESULTS - 1 }).map((n) => `wrapping.u64(r${n})`);

/** Some bits of the run's input, below 2^`width`. */
const drawn = (width: number): Text =>
  fc.nat({ max: 64 - width }).map((at) => `((input >> ${at}n) & ${literal((1n << BigInt(width)) - 1n)})`);

/** The borders of 64 bits, of pages, of the canonical halves, of 32 bits. */
export const border: Text = constants(
  0n, 1n, 7n, 8n, 0xfffn, 0x1000n, 0x1001n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n,
  0x7fff_ffff_efffn, 0x7fff_ffff_f000n, 0x7fff_ffff_ffffn, 0x8000_0000_0000n, 0x8000_0000_0001n, 0xffff_7fff_ffff_ffffn,
  0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_f000n, 0xffff_ffff_ffff_ffffn,
); // biome-ignore format: a border a column

/** Where kernels lie: the direct map, the image, the stacks, the local APIC, low physical memory. */
const kernelAddress: Text = weighted(
  [
    3,
    constants(
      0xffff_8000_0000_0000n,
      0xffff_8000_0010_0000n,
      0xffff_8880_0000_0000n,
      0xffff_ffff_8010_0000n,
      0xffff_ffff_8000_0000n,
      0xffff_ffff_8020_0000n,
    ),
  ],
  [2, fc.bigInt({ min: 0xffff_ffff_8010_0000n, max: 0xffff_ffff_8040_0000n }).map(literal)],
  [2, fc.bigInt({ min: 0xffff_8000_0000_0000n, max: 0xffff_8000_0400_0000n }).map(literal)],
  [2, drawn(22).map((offset) => `(0xffff_ffff_8010_0000n + ${offset})`)],
  [1, constants(0xfee0_0000n, 0xffff_8000_fee0_0000n, 0x10_0000n)],
);

/** Inside the program's own memory. */
const ownAddress: Text = weighted(
  [2, fc.nat({ max: 16383 }).map((offset) => `(base + ${literal(BigInt(offset))})`)],
  [2, drawn(14).map((offset) => `(base + ${offset})`)],
);

/** At the end of a page, so that a structure straddles it; the last one reaches over the end of the memory. */
const straddling: Text = fc
  .tuple(fc.constantFrom(4096n, 8192n, 16384n), fc.bigInt({ min: 1n, max: 16n }))
  .map(([end, back]) => `(base + ${literal(end - back)})`);

/** The program's image, which it may read and not write. Not its entry: who jumps there begins again for ever. */
const textAddress: Text = constants(0x40_0000n, 0x40_1003n, 0x40_1008n);

export const address: Text = weighted([5, ownAddress], [2, straddling], [4, kernelAddress], [3, border], [2, textAddress], [2, result]);

export const hostileAddress: Text = weighted([3, kernelAddress], [2, border], [1, textAddress]);

export const size: Text = weighted(
  [4, fc.nat({ max: 8192 }).map((n) => literal(BigInt(n)))],
  [4, drawn(14)],
  [2, constants(0n, 1n, 8n, 4095n, 4096n, 4097n, 65536n, 0x10_0000n)],
  [3, border],
  [1, result],
);

export const fd: Text = weighted(
  [4, fc.nat({ max: 6 }).map((n) => literal(BigInt(n)))],
  [2, drawn(3)],
  [3, result],
  [2, constants(-1n, 63n, 64n, 255n, 1024n, 0x7fff_ffffn, 0x8000_0000n, 0x1_0000_0001n, -100n)],
);

export const pid: Text = weighted([4, constants(0n, 1n, 2n, 3n, -1n, 4n, 5n)], [2, result], [1, border]);

export const number: Text = weighted([4, fc.nat({ max: 40 }).map((n) => literal(BigInt(n)))], [3, drawn(6)], [2, border], [1, result]);

/** Bits of a set: some of those that have names, and now and then others. */
export const bits = (named: Readonly<Record<string, number>>): Text =>
  weighted(
    [6, fc.subarray(Object.values(named)).map((chosen) => literal(chosen.reduce((sum, bit) => sum | BigInt(bit), 0n)))],
    [1, border],
    [1, fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(literal)],
  );

export const choice = (named: Readonly<Record<string, number>>): Text =>
  weighted([6, fc.constantFrom(...Object.values(named)).map((n) => literal(BigInt(n)))], [1, border]);
