import { describe, expect, test } from 'vitest';
import { type Decoded, decode } from '../../../src/machine/isa/decode.ts';
import { explain } from '../../../src/machine/isa/explain.ts';
import type { Mode } from '../../../src/machine/isa/operands.ts';
import { disagreement } from './decode-against-iced.ts';
import { RandomBytes } from './random-bytes.ts';

const bytes = (text: string) => Uint8Array.from(text.split(' ').map((b) => Number.parseInt(b, 16)));
const at = (text: string, mode: Mode = 64) => decode(bytes(text), 0, mode, bytes(text).length);
function decoded(text: string, mode: Mode = 64): Decoded {
  const d = at(text, mode);
  if (typeof d === 'string') throw new Error(`${text} is ${d}`);
  return d;
}

describe('text', () => {
  const cases: [string, string, Mode?][] = [
    ['48 01 d8', 'add rax, rbx'],
    ['88 e0', 'mov al, ah'],
    ['40 88 e0', 'mov al, spl'],
    ['48 8b 05 10 00 00 00', 'mov rax, qword ptr [0x1017]'],
    ['67 8b 44 8d 08', 'mov eax, dword ptr [ebp+ecx*4+8]'],
    ['64 48 8b 04 25 28 00 00 00', 'mov rax, qword ptr fs:[0x28]'],
    ['f3 48 a5', 'rep movsq qword ptr es:[rdi], qword ptr [rsi]'],
    ['f0 0f c1 0b', 'lock xadd dword ptr [rbx], ecx'],
    ['75 fe', 'jne 0x1000'],
    ['66 0f 58 c1', 'addpd xmm0, xmm1'],
    ['c4 e2 fb f6 c3', 'mulx rax, rax, rbx'],
    ['8b 46 fe', 'mov ax, word ptr [bp-2]', 16],
    ['ea 78 56 34 12 08 00', 'jmpf 8:0x12345678', 32],
    ['41 90', 'xchg r8d, eax'],
    ['f3 90', 'pause'],
  ];
  for (const [code, text, mode] of cases) test(`${code} is ${text}`, () => expect(explain(decoded(code, mode), 0x1000n)).toBe(text));
});

describe('what is not an instruction', () => {
  test('LOCK is #UD unless the row allows it and the destination is memory', () => {
    expect(at('f0 01 03')).toHaveProperty('lock', true);
    expect(at('f0 01 c3')).toBe('invalid');
    expect(at('f0 03 03')).toBe('invalid');
    expect(at('f0 39 03')).toBe('invalid');
    expect(at('f0 87 03')).toHaveProperty('lock', true);
  });
  test('more than 15 bytes are #GP, not #UD', () => {
    const prefixes = '66 '.repeat(14);
    expect(at(`${prefixes}90`)).toHaveProperty('length', 15);
    expect(at(`66 ${prefixes}90`)).toBe('too-long');
  });
  test('missing bytes are asked for', () => {
    expect(at('48')).toBe('need-more');
    expect(at('8b')).toBe('need-more');
    expect(at('8b 84')).toBe('need-more');
    expect(at('b8 01 02 03')).toBe('need-more');
    expect(at('0f 38')).toBe('need-more');
  });
  test('a REX that is not last is ignored', () => expect(decoded('48 66 01 d8').operandSize).toBe(16));
  test('instructions of other modes', () => {
    expect(at('60')).toBe('invalid');
    expect(at('60', 32)).toHaveProperty('row.name', 'PUSHAD');
    expect(at('0f 05', 32)).toBe('invalid');
  });
  test('MOV to CS, segment 6, CR1, DR8 do not exist', () => {
    for (const code of ['8e c8', '8e f0', '0f 20 c8', '44 0f 23 c0']) expect(at(code)).toBe('invalid');
  });
  test('prefixes before VEX, and VEX.L = 1', () => {
    expect(at('c4 e2 78 f2 c3')).toHaveProperty('row.name', 'ANDN');
    expect(at('66 c4 e2 78 f2 c3')).toBe('invalid');
    expect(at('c4 e2 7c f2 c3')).toBe('invalid');
    expect(at('c4 e3 7b f0 c3 01')).toHaveProperty('row.name', 'RORX');
    expect(at('c4 e3 73 f0 c3 01')).toBe('invalid');
    // Seen on the silicon: of an operand vvvv[3] is ignored in 32-bit mode, without one it counts.
    expect(at('c4 e2 38 f2 c3', 32)).toHaveProperty('row.name', 'ANDN');
    expect(at('c4 e3 3b f0 c3 01', 32)).toBe('invalid');
  });
});

test('bytes after the instruction do not count, missing ones are asked for', () => {
  const random = new RandomBytes('truncated');
  for (let i = 0; i < 700; i++) {
    const mode = random.mode();
    const code = random.next(mode);
    const whole = decode(code, 0, mode, 16);
    const length = typeof whole === 'string' ? 15 : whole.length;
    for (let available = 0; available <= 16; available++) {
      const part = decode(code, 0, mode, available);
      if (typeof whole !== 'string' && available < length) expect(part).toBe('need-more');
      else if (typeof whole !== 'string') expect(part).toEqual(whole);
      else if (part !== 'need-more') expect(part).toBe(whole);
    }
  }
});

describe('against iced-x86', () => {
  test('random bytes: no disagreement without a reason', () => {
    const random = new RandomBytes('decode');
    const unexplained: string[] = [];
    for (let i = 0; i < 12_000; i++) {
      const mode = random.mode();
      const found = disagreement(random.next(mode), mode);
      if (found !== null && found.reason === null) unexplained.push(found.text);
    }
    expect(unexplained).toEqual([]);
  });
});
