import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signature } from '../../src/fuzz/campaign/tally.ts';
import { secretsOf } from '../../src/fuzz/campaign/victim.ts';
import { ByteRanges } from '../../src/fuzz/invariants/byte-ranges.ts';
import { mergeObservers } from '../../src/fuzz/invariants/judge.ts';
import { SecretSet } from '../../src/fuzz/invariants/secret-set.ts';

describe('byte ranges', () => {
  it('overlap exactly where a set of bytes does', () => {
    const access = fc.record({ address: fc.nat({ max: 60 }), size: fc.constantFrom(1, 2, 4, 8, 16) });
    fc.assert(
      fc.property(fc.array(access), access, (accesses, last) => {
        const ranges = new ByteRanges();
        const bytes = new Set<number>();
        for (const { address, size } of accesses) {
          ranges.add(address, size);
          for (let i = 0; i < size; i++) bytes.add(address + i);
        }
        const overlaps = Array.from({ length: last.size }, (_, i) => last.address + i).some((byte) => bytes.has(byte));
        expect(ranges.overlaps(last.address, last.size)).toBe(overlaps);
        ranges.clear();
        expect(ranges.overlaps(last.address, last.size)).toBe(false);
      }),
    );
  });
});

describe('a set of secrets', () => {
  const secrets = secretsOf(7n);
  const set = new SecretSet(secrets);
  const word = (value: bigint) => {
    const view = new DataView(new ArrayBuffer(32));
    view.setBigUint64(16, value, true);
    return view;
  };

  it('finds each secret where it lies, and none beside', () => {
    for (const secret of secrets) {
      expect(set.findIn(word(secret), 0, 32)).toBe(secret);
      expect(set.findIn(word(secret), 0, 16)).toBe(null);
    }
  });

  it('takes no other word for one, not even one that shares its lower half', () => {
    for (const secret of secrets) expect(set.findIn(word(secret ^ (1n << 63n)), 0, 32)).toBe(null);
  });

  it('holds secrets that are all different and not small', () => {
    expect(new Set(secrets).size).toBe(secrets.length);
    expect(secrets.every((secret) => secret > 0xffff_ffffn)).toBe(true);
    expect(secretsOf(8n)).not.toEqual(secrets);
  });
});

describe('failures', () => {
  const failure = (invariant: string, message: string) => ({ invariant, message, at: 0n, rip: 0n, cpl: 0 });

  it('are the same where only numbers differ', () => {
    expect(signature(failure('INV-01', 'frame 0x12 at 0xff'))).toBe(signature(failure('INV-01', 'frame 0x34 at 0xee')));
    expect(signature(failure('INV-01', 'call 15(0x1, 0x2)'))).toBe(signature(failure('INV-01', 'call 9(0x1, 0x2, 0x3)')));
  });

  it('are others by the invariant or by what was seen', () => {
    expect(signature(failure('INV-01', 'frame 1'))).not.toBe(signature(failure('INV-09', 'frame 1')));
    expect(signature(failure('INV-01', 'frame 1'))).not.toBe(signature(failure('INV-01', 'page 1')));
  });
});

describe('merged observers', () => {
  it('are told in their order, with all that the event holds, and only of what they want', () => {
    const told: unknown[] = [];
    const merged = mergeObservers([
      { syscall: (at, nr, args, rip) => void told.push(['first', at, nr, args, rip]) },
      { syscall: (at, nr) => void told.push(['second', at, nr]), halt: (at, ticks) => void told.push(['halt', at, ticks]) },
    ]);
    merged.syscall?.(1n, 2n, [3n], 4n);
    merged.halt?.(5n, 6n);
    expect(told).toEqual([
      ['first', 1n, 2n, [3n], 4n],
      ['second', 1n, 2n],
      ['halt', 5n, 6n],
    ]);
    expect(merged.irq).toBeUndefined();
  });
});
