import { describe, expect, test } from 'vitest';
import { type Decoded, decode } from '../../../src/machine/isa/decode.ts';
import { EncodeError, type EncodeRequest, encode, encodeInto, type Fields } from '../../../src/machine/isa/encode.ts';
import { imm, mem, type Operand, reg, rel } from '../../../src/machine/isa/operands.ts';
import { RandomBytes } from './random-bytes.ts';

const hex = (b: Uint8Array) => [...b].map((x) => x.toString(16).padStart(2, '0')).join(' ');
const text = (mnemonic: string, operands: Operand[], rest: Partial<EncodeRequest> = {}) =>
  hex(encode({ mnemonic, operands, mode: 64, ...rest }).bytes);

describe('the shortest form', () => {
  test.each<[string, Operand[], string, Partial<EncodeRequest>?]>([
    ['add', [reg('eax'), imm(1)], '83 c0 01'],
    ['add', [reg('eax'), imm(0x1000)], '05 00 10 00 00'],
    ['add', [reg('rcx'), imm(-1)], '48 83 c1 ff'],
    ['add', [reg('ecx'), imm(0xffffffffn)], '83 c1 ff'],
    ['mov', [reg('eax'), imm(1)], 'b8 01 00 00 00'],
    ['mov', [reg('rax'), imm(1)], '48 c7 c0 01 00 00 00'],
    ['mov', [reg('rax'), imm(1n << 40n)], '48 b8 00 00 00 00 00 01 00 00'],
    ['mov', [reg('r9d'), mem({ base: 'rsp', disp: 8, width: 32 })], '44 8b 4c 24 08'],
    ['mov', [reg('rax'), mem({ base: 'rip', disp: 0, width: 64 })], '48 8b 05 00 00 00 00'],
    ['mov', [reg('rax'), mem({ base: 'r13', width: 64 })], '49 8b 45 00'],
    ['mov', [reg('eax'), mem({ disp: 0x1000, width: 32 })], '8b 04 25 00 10 00 00'],
    ['shl', [reg('ebx'), imm(1)], 'd1 e3'],
    ['jz', [rel(0)], '74 00'],
    ['jz', [rel(200)], '0f 84 c8 00 00 00'],
    ['jmp', [rel(5, 32)], 'e9 05 00 00 00'],
    ['xchg', [reg('rax'), reg('rbx')], '48 93'],
    ['xchg', [reg('rcx'), mem({ base: 'rax', width: 64 })], '48 87 08'],
    ['test', [reg('cl'), mem({ base: 'rax', width: 8 })], '84 08'],
    ['movsx', [reg('rax'), reg('ecx')], '48 63 c1'],
    ['push', [imm(300)], '68 2c 01 00 00'],
    ['movsb', [], 'f3 a4', { rep: 'rep' }],
    ['stosq', [], 'f3 48 ab', { rep: 'rep' }],
    ['retf', [], 'cb'],
    ['retf', [], 'cb', { mode: 32 }],
    ['retfq', [], '48 cb'],
    ['iretq', [], '48 cf'],
    ['movq', [reg('xmm0'), reg('rax')], '66 48 0f 6e c0'],
    ['cvtsi2sd', [reg('xmm1'), reg('r8')], 'f2 49 0f 2a c8'],
    ['mov', [reg('cr3'), reg('rax')], '0f 22 d8'],
    ['add', [mem({ base: 'rdi', width: 64 }), reg('rax')], 'f0 48 01 07', { lock: true }],
  ])('%s %#', (mnemonic, operands, want, rest) => expect(text(mnemonic, operands, rest)).toBe(want));

  test('fields for values that are filled in later', () => {
    expect(encode({ mnemonic: 'mov', operands: [mem({ base: 'rip', width: 32 }), imm(7)], mode: 64 })).toMatchObject({
      dispOffset: 2,
      dispBytes: 4,
      immOffset: 6,
      immBytes: 4,
    });
    expect(encode({ mnemonic: 'mov', operands: [reg('rax'), imm(0)], mode: 64, immBytes: 8 })).toMatchObject({ immOffset: 2, immBytes: 8 });
    expect(encode({ mnemonic: 'add', operands: [reg('rax'), imm(0)], mode: 64, immBytes: 4 })).toMatchObject({ immBytes: 4 });
  });

  test('what cannot be encoded is the user’s error', () => {
    expect(() => text('frob', [])).toThrow(new EncodeError("there is no instruction 'frob'"));
    expect(() => text('mov', [reg('eax'), reg('rbx')])).toThrow(EncodeError);
    expect(() => text('mov', [reg('ah'), reg('r8b')])).toThrow(EncodeError);
    expect(() => text('pushad', [])).toThrow(EncodeError);
    expect(() => text('add', [reg('al'), imm(300)])).toThrow(EncodeError);
    expect(() => text('mov', [reg('eax'), mem({ base: 'rax', width: 32 })], { lock: true })).toThrow('cannot be locked');
    expect(() => text('mov', [reg('eax'), mem({ base: 'rax', disp: 1n << 40n, width: 32 })])).toThrow('does not fit');
  });
});

/** What of two decodings must be equal: readings of one value, and xmm widths where two encodings read the low part, do not count;
 * XCHG's operands may change places. */
function normal(d: Decoded): string {
  const operands = d.operands.map((o) =>
    o.kind === 'imm'
      ? { ...o, value: BigInt.asUintN(o.width, o.value) }
      : o.kind === 'mem'
        ? { ...o, disp: BigInt.asUintN(o.addressSize, o.disp) }
        : o.kind === 'reg' && o.class === 'xmm'
          ? { ...o, width: 0 }
          : o,
  );
  const name = d.row.name === 'SAL' ? 'SHL' : d.row.name;
  if (name === 'XCHG') operands.sort((a, b) => (JSON.stringify(a, text64) < JSON.stringify(b, text64) ? -1 : 1));
  return JSON.stringify({ name, operands, rep: d.rep, lock: d.lock }, text64);
}
const text64 = (_: string, v: unknown) => (typeof v === 'bigint' ? v.toString() : v);

test('decode, encode, decode: the same instruction, and not longer', () => {
  const random = new RandomBytes('round trip');
  const out = new Uint8Array(16);
  const fields: Fields = { dispOffset: 0, dispBytes: 0, immOffset: 0, immBytes: 0 };
  let tried = 0;
  for (let i = 0; i < 30_000; i++) {
    const mode = random.mode();
    const bytes = random.next(mode);
    const d = decode(bytes, 0, mode, 16);
    if (typeof d === 'string') continue;
    tried++;
    const rep = d.rep === 'none' ? {} : { rep: d.rep === 'nonzero' ? ('repne' as const) : ('rep' as const) };
    const ownSize = /^(RETF?W?|J|CALL|LOOP)/.test(d.row.name) ? {} : { operandSize: d.operandSize };
    const length = encodeInto(out, 0, { mnemonic: d.row.name, operands: d.operands, mode, lock: d.lock, ...rep, ...ownSize }, fields);
    const again = decode(out, 0, mode, length);
    if (typeof again === 'string' || normal(again) !== normal(d))
      expect.fail(`${mode}-bit ${hex(bytes.slice(0, d.length))} (${d.row.name}) came back as ${hex(out.slice(0, length))}`);
    // A 32-bit offset without ModRM needs a SIB byte in 64-bit mode.
    if (length > d.length && !d.encoding.operands.some((o) => o.what === 'O'))
      expect.fail(`${hex(bytes.slice(0, d.length))} became longer: ${hex(out.slice(0, length))}`);
  }
  expect(tried).toBeGreaterThan(15_000);
});
