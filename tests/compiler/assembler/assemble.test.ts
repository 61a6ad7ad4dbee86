import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssemblyError, assemble, assembleInline } from '../../../src/compiler/assembler/index.ts';

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
const data = (text: string) => hex(assemble(`.data\n${text}`, { name: 'a.s' }).atoms[0]?.bytes);
const code = (text: string) => hex(assemble(text, { name: 'a.s' }).atoms[0]?.bytes);

describe('data', () => {
  test.each([
    [".byte 1, -1, 0x7f, 255, 'A'", '01ff7fff41'],
    ['.short 0x1234, -2', '3412feff'],
    ['.long 1 << 4 | 3, 7 * (2 + 3)', '1300000023000000'],
    ['.quad 0xFFFFFFFF80000000, -1', '00000080ffffffffffffffffffffffff'],
    ['.ascii "a\\n\\x41\\101\\"", "b"', '610a41412262'],
    ['.asciz "é"', 'c3a900'],
    ['a: .long 1\n.long . - a, b - a\nb:', '01000000040000000c000000'],
    ['.byte 1\n.align 4\n.byte 2', '0100000002'],
    ['.byte 1\n.align 4, 0x90\n.byte 2', '0190909002'],
    ['.zero 3, 7\n.skip 1', '07070700'],
    ['a: .byte 1\n.zero 4 - (. - a)', '01000000'],
    ['.equ two, 2\nthree = two + 1\n.byte two, three', '0203'],
    ['.set i, 0\n.rept 3\n.byte i\n.set i, i + 1\n.endr', '000102'],
    ['.rept 2\n.rept 2\n.byte 1\n.endr\n.byte 2\n.endr', '010102010102'],
    ['.byte 10h, 0b101, 1; .byte 4', '10050104'],
    ['1: .byte 1b - 1b, 1f - 1b\n1: .byte 3', '000203'],
  ])('%s', (text, bytes) => {
    expect(data(text)).toBe(bytes);
  });
});

describe('code', () => {
  test.each([
    ['.equ flag, 4\nmov eax, flag', 'b804000000'],
    ['mov eax, later\n.equ later, 4', 'b804000000'],
    ['mov ecx, end - start\nstart: nop\nend:', 'b90100000090'],
    ['mov rax, 5 # a comment', '48c7c005000000'],
    ['nop; nop // two', '9090'],
    ['mov ax, 1', '66b80100'],
    ['mov [rax], cl', '8808'],
    ['lock inc dword ptr [rax]', 'f0ff00'],
    ['mov ds, eax', '8ed8'],
    ['mov rax, [rip + 8]', '488b0508000000'],
    ['movabs rax, 5', '48b80500000000000000'],
    ['.code32\njmp 0x8:0x1000', 'ea001000000800'],
    ['.code16\njmp 0x8:0x1000', 'ea00100800'],
    ['.code16\njmp dword ptr 0x8:0x1000', '66ea001000000800'],
    ['.code32\njmp far ptr [eax]', 'ff28'],
    ['jmp . + 2', 'eb00'],
  ])('%s', (text, bytes) => {
    expect(code(text)).toBe(bytes);
  });

  test('a branch to another object is near, with a relocation', () => {
    const [atom] = assemble('jmp elsewhere', { name: 'a.s' }).atoms;
    expect(hex(atom?.bytes)).toBe('e900000000');
    expect(atom?.relocations).toEqual([{ kind: 'pc32', offset: 1, symbol: 'elsewhere', addend: -4 }]);
  });

  test('a RIP-relative operand in front of an immediate counts it', () => {
    const [atom] = assemble('cmp dword ptr [rip + there], 0x12345', { name: 'a.s' }).atoms;
    expect(atom?.relocations).toEqual([{ kind: 'pc32', offset: 2, symbol: 'there', addend: -8 }]);
  });

  test('symbols carry type, size and place', () => {
    const text = '.global f, g\nf: nop\n.Lx: nop\nhelper: nop\ng: ret\n.data\nd: .quad 1';
    const { atoms } = assemble(text, { name: 'a.s', firstLine: 11 });
    const of = (name: string) => atoms.flatMap((a) => a.symbols).find((s) => s.name === name);
    expect(of('f')).toMatchObject({ type: 'function', binding: 'global', offset: 0, size: 3, declared: { file: 'a.s', line: 12 } });
    expect(of('g')).toMatchObject({ type: 'function', offset: 3, size: 1 });
    expect(of('helper')).toMatchObject({ type: 'label', binding: 'local', size: 0 });
    expect(of('d')).toMatchObject({ type: 'object', size: 8 });
    expect(of('.Lx')).toBeUndefined();
    expect(atoms[0]?.lines?.map((row) => row.line)).toEqual([12, 13, 14, 15]);
  });

  test('inline: labels are resolved, foreign symbols are left to the linker', () => {
    const { bytes, relocations } = assembleInline('1: dec rax\njnz 1b\ncall other');
    expect(hex(bytes)).toBe('48ffc875fbe800000000');
    expect(relocations).toEqual([{ kind: 'pc32', offset: 6, symbol: 'other', addend: -4 }]);
    expect(() => assembleInline('.data\n.byte 1')).toThrow(AssemblyError);
    expect(() => assembleInline('x: mov rax, offset x')).toThrow('lea reg, [rip + label]');
  });
});

describe('what is wrong is said with line and column', () => {
  test.each([
    ['nop\n  frob rax', "2:3: there is no instruction 'frob'"],
    ['.foo 1', '1:1: the directive .foo is unknown'],
    ['.byte 300', '1:7: 300 does not fit 8 bits'],
    ['jmp 1b', '1:5: there is no label 1'],
    ['.quad a + b', '1:7: the sum of the addresses a, b means nothing'],
    ['x: nop\nx: nop', '2:1: x is defined twice'],
    ['.byte 010', '1:7: 010 would be octal: write 10 or 0x…'],
    ['.zero -1', '1:7: the size -1 is not between 0 and 1073741824'],
    ['.section .odd', '1:14: the section .odd needs flags: "a" (constants), "aw" (data), "ax" (code), or "aw", @nobits'],
    ['.section .text, "aw"', '1:21: the section .text is code already, not data'],
    ['.align 3', '1:8: an alignment is a power of two up to 2 MiB'],
    ['.rept 2\nnop', '1:1: .rept without .endr'],
    ['inc [rax]', '1:5: the size of the memory operand is open: write byte, word, dword or qword ptr'],
    ['mov eax, [rax + rbx + rcx]', '1:23: an address has at most two registers'],
    ['mov eax, [rax + ebx]', '1:21: rax and ebx are of different sizes'],
    ['mov eax, [rax*3]', '1:14: an index is register*1, *2, *4 or *8'],
    ['mov eax, ebx ecx', "1:14: expected ','"],
    ['mov eax, (1 + 2', "1:16: expected ')'"],
    ['mov eax, 1 / 0', '1:12: a division by zero'],
    ['lock', '1:1: lock needs an instruction behind it'],
    ['jrcxz far\n.zero 200\nfar:', '1:7: the label is 200 bytes away, too far for this instruction'],
    ['.bss\n.byte 1', '2:1: .bss has no bytes in the file: only labels, .zero and .align can stand in it'],
    ['.ascii "open', `1:8: '"' cannot stand here`],
    ['a = b\nb = a\n.long a', 'a is defined by itself'],
    ['nop ?', "1:5: '?' cannot stand here"],
  ])('%s', (text, message) => {
    expect(() => assemble(text, { name: 'a.s' })).toThrow(AssemblyError);
    expect(() => assemble(text, { name: 'a.s' })).toThrow(message);
  });

  test('all of a text at once', () => {
    expect(() => assemble('frob\nnop\n.byte 999\n.foo', { name: 'a.s' })).toThrow(/^1:1: .*\n3:7: .*\n4:1: .*$/);
  });

  test('any text ends in an object or an AssemblyError', () => {
    const word = fc.constantFrom(
      'mov',
      'jmp',
      'rax',
      'eax',
      'al',
      '[',
      ']',
      ',',
      ':',
      '+',
      '-',
      '*',
      '1',
      '0x10',
      '1b',
      'x',
      'qword ptr',
      'offset',
      '.byte',
      '.equ',
      '.section',
      '.align',
      '.rept',
      '.endr',
      '"a"',
      '(',
      ')',
      ';',
      '\n',
      'rep',
      'gs',
      '.',
      '=',
      '.zero',
      'fword ptr',
      'cr3',
      'xmm1',
      'short',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        try {
          assemble(words.join(' '), { name: 'a.s' });
        } catch (error) {
          if (!(error instanceof AssemblyError)) throw error;
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});
