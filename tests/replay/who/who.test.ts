/** Who wrote it: flows planted in small guests, of which the right answer is known. */
import { describe, expect, test } from 'vitest';
import type { Host } from '../../../src/machine/index.ts';
import { UserError } from '../../../src/machine/index.ts';
import type { Link } from '../../../src/replay/index.ts';
import { type FlowGuest, flow, outline } from './flow-guest.ts';

/** The chain behind `length` bytes at `out`, as it is at the end. */
async function behind(guest: FlowGuest, length = 8, computations = 0): Promise<string[]> {
  const made = await flow({ ...guest, data: `out: .quad 0, 0\n${guest.data ?? ''}` });
  return outline(made, made.chain('out', length, computations));
}

describe('through registers', () => {
  test('moves, the stack and an exchange lead to the immediate', async () => {
    const code = `
      a: mov rax, 0x1122334455667788
      b: mov rcx, rax
      c: push rcx
      mov rcx, 0
      mov rax, 0
      d: pop rdx
      e: xchg rdx, rbx
      mov edx, 5
      f: mov qword ptr [out], rbx`;
    expect(await behind({ code })).toEqual(['mem8 f < rbx.0+8 e < rdx.0+8 d < mem8 c < rcx.0+8 b < rax.0+8 a: immediate']);
  });

  test('each byte goes its own way', async () => {
    const code = `
      a: mov eax, 0x11223344
      b: mov ah, 0x55
      c: mov qword ptr [out], rax
      d: mov byte ptr [out + 2], 0x66
      e: mov word ptr [out + 6], ax`;
    expect((await behind({ code })).sort()).toEqual([
      'mem1 d: immediate',
      'mem2 c < rax.0+1 a: immediate',
      'mem2 c < rax.1+1 b: immediate',
      'mem2 e < rax.0+1 a: immediate',
      'mem2 e < rax.1+1 b: immediate',
      'mem3 c < rax.3+3 a: immediate; zero-extension',
    ]);
  });

  test('extensions, swaps and shifts by whole bytes keep the bytes', async () => {
    const code = `
      a: mov eax, 0x11223344
      b: movzx ecx, ax
      c: shl rcx, 16
      d: bswap rcx
      e: mov qword ptr [out], rcx`;
    expect(await behind({ code })).toEqual([
      ...[7, 6, 5, 4].map((byte) => `mem8 e < rcx.0+8 d < rcx.${byte}+1 c < rcx.${byte - 2}+1 b: zero-extension`),
      'mem8 e < rcx.0+8 d < rcx.3+1 c < rcx.1+1 b < rax.1+1 a: immediate',
      'mem8 e < rcx.0+8 d < rcx.2+1 c < rcx.0+1 b < rax.0+1 a: immediate',
      ...[1, 0].map((byte) => `mem8 e < rcx.0+8 d < rcx.${byte}+1 c: cleared`),
    ]);
  });

  test('SSE moves copy', async () => {
    const code = `
      mov rsi, offset from
      a: movups xmm3, xmmword ptr [rsi]
      b: movaps xmm4, xmm3
      c: movups xmmword ptr [out], xmm4`;
    const data = 'from: .quad 0x1111, 0x2222';
    const [path] = await behind({ code, data }, 16);
    expect(path).toMatch(/^mem16 c < xmm4\.0\+16 b < xmm3\.0\+16 a < mem16 boot: the boot image: byte \d+ of flow\.elf$/);
  });

  test('a conditional move copies from the register that it chose', async () => {
    const code = (zero: number) => `
      a: mov eax, 1
      b: mov ecx, 2
      mov edx, ${zero}
      test edx, edx
      c: cmovz rax, rcx
      d: mov qword ptr [out], rax`;
    expect((await behind({ code: code(0) })).join()).toMatch(/^mem8 d < rax\.0\+8 c < rcx\.0\+8 b: immediate/);
    expect((await behind({ code: code(1) })).join()).toMatch(/^mem8 d < rax\.0\+8 (c < rax\.0\+8 )?a: immediate/);
  });

  test('a computation ends the chain, and names what it was computed from; what is asked for goes on through it', async () => {
    const code = `
      a: mov eax, 3
      b: mov rcx, qword ptr [five]
      c: lea rdx, [rax + rcx * 8 + 7]
      d: add rdx, qword ptr [five]
      e: mov qword ptr [out], rdx`;
    const data = 'five: .quad 5';
    expect(await behind({ code, data })).toEqual([
      expect.stringMatching(/^mem8 e < rdx\.0\+8 d: computed from rdx = 0x0*32, the 8 bytes at 0x/),
    ]);
    const further = await behind({ code, data }, 8, 2);
    expect(further).toContainEqual(expect.stringMatching(/^mem8 e < rdx\.0\+8 d < rdx\.0\+8 c: computed from rax = 0x0*3, rcx = 0x0*5$/));
    expect(further).toContainEqual(expect.stringMatching(/< rdx\.0\+8 c < rax\.0\+8 a: immediate/));
    expect(further).toContainEqual(expect.stringMatching(/< rdx\.0\+8 c < rcx\.0\+8 b < mem8 boot: the boot image/));
    expect(further).toContainEqual(expect.stringMatching(/^mem8 e < rdx\.0\+8 d < mem8 boot: the boot image/));
  });

  test('a register that an exclusive or with itself cleared is zero by that', async () => {
    expect(await behind({ code: 'mov eax, 9\na: xor eax, eax\nb: mov qword ptr [out], rax' })).toEqual([
      'mem8 b < rax.0+8 a: cleared; zero-extension',
    ]);
  });

  test('a register that nothing wrote within the limit is said to be beyond it', async () => {
    const code = `mov eax, 7\nmov ecx, 2000\n1: loop 1b\nb: mov qword ptr [out], rax`;
    const guest = await flow({ code, data: 'out: .quad 0' });
    const bytes = guest.who.resolve('out', { length: 8, at: guest.who.end, process: null });
    const [link] = guest.who.chain(bytes, guest.who.end, { instructions: 100n });
    expect(link?.sources[0]?.link).toMatchObject({ by: 'beyond', end: expect.stringMatching(/^not written since instruction \d+/) });
    expect(guest.who.chain(bytes, guest.who.end)[0]?.sources[0]?.link).toMatchObject({
      by: 'instruction',
      end: 'immediate; zero-extension',
    });
  });
});

describe('through memory', () => {
  test('REP MOVS is followed by its iterations', async () => {
    const code = `
      mov rsi, offset from
      mov rdi, offset middle
      mov ecx, 16
      a: rep movsb
      mov rsi, offset middle
      mov rdi, offset out
      mov ecx, 2
      b: rep movsq`;
    const guest = await flow({ code, data: 'out: .quad 0, 0\nmiddle: .quad 0, 0\nfrom: .ascii "0123456789abcdef"' });
    const links = guest.chain('out', 16);
    expect(links.map(({ at }) => at).sort()).toHaveLength(2);
    const bytes = [...links].reverse().flatMap(({ sources }) => sources.map(({ link }) => link));
    expect(bytes.map(({ after }) => String.fromCharCode(...after)).join('')).toBe('0123456789abcdef');
    expect(bytes.every(({ instruction }) => guest.label(instruction?.rip) === 'a')).toBe(true);
    expect(new Set(bytes.map(({ at }) => at)).size).toBe(16);
    expect(bytes.every(({ sources }) => sources[0]?.link.by === 'boot')).toBe(true);
  });

  test('a page that another address space has at another address is the same bytes', async () => {
    const code = `
      a: mov qword ptr [0x400010], 0x1234
      mov rax, offset other_pml4
      mov cr3, rax
      b: mov rbx, qword ptr [0x401010]
      c: mov qword ptr [out], rbx`;
    expect(await behind({ code })).toEqual(['mem8 c < rbx.0+8 b < mem8 a: immediate']);
  });

  test('a page that is mapped elsewhere afterwards was written by who wrote its frame', async () => {
    const code = `
      a: mov qword ptr [0x400020], 0x77
      mov rax, qword ptr [table]
      mov qword ptr [table], 0
      mov qword ptr [table + 16], rax
      invlpg [0x400000]
      b: mov rbx, qword ptr [0x402020]
      c: mov qword ptr [out], rbx`;
    expect(await behind({ code })).toEqual(['mem8 c < rbx.0+8 b < mem8 a: immediate']);
    const guest = await flow({ code, data: 'out: .quad 0' });
    expect(() => guest.who.resolve('0x400020', { length: 8, at: guest.who.end, process: null })).toThrow(/nothing is mapped at 0x400020/);
    const bytes = guest.who.resolve('0x402020', { length: 8, at: guest.who.end, process: null });
    expect(guest.who.lastWrite(bytes, guest.who.end)[0]?.place).toMatchObject({ linear: 0x400020n });
  });

  test('a store over two pages is one write to each', async () => {
    const guest = await flow({
      code: 'mov rax, 0x1122334455667788\nmov rbx, offset across\na: mov qword ptr [rbx + 4092], rax',
      data: '.balign 4096\nacross: .zero 8192',
    });
    const links = guest.who.chain(guest.who.resolve('across+4092', { length: 8, at: guest.who.end, process: null }), guest.who.end);
    expect(links.map(({ after }) => Buffer.from(after).toString('hex'))).toEqual(['88776655', '44332211']);
    expect(outline(guest, links)).toHaveLength(2);
  });

  test('FXSAVE and FXRSTOR copy XMM registers', async () => {
    const code = `
      a: movups xmm5, xmmword ptr [from]
      b: fxsave [area]
      xorps xmm5, xmm5
      c: fxrstor [area]
      d: movups xmmword ptr [out], xmm5`;
    const data = '.balign 16\narea: .zero 512\nfrom: .quad 1, 2';
    expect(await behind({ code, data }, 16)).toEqual([
      expect.stringMatching(/^mem16 d < xmm5\.0\+16 c < mem16 b < xmm5\.0\+16 a < mem16 boot: the boot image/),
    ]);
  });
});

describe('from outside', () => {
  const serial: Host = { serialInput: () => 0x41, program: () => null, serialOutput: () => {} };
  const programs: Host = {
    serialInput: () => null,
    program: () => new TextEncoder().encode('an archive of some bytes'),
    serialOutput: () => {},
  };

  test('a byte of the serial port is an input', async () => {
    const code = `
      mov dx, 0x3FD
      in al, dx
      mov dx, 0x3F8
      a: in al, dx
      b: mov byte ptr [out], al`;
    expect(await behind({ code, host: serial }, 1)).toEqual([
      expect.stringMatching(/^mem1 b < rax\.0\+1 a: input: byte 0 of the serial port, 0x41, which came at \d+$/),
    ]);
  });

  test('what the harness fetched is an input, byte by byte', async () => {
    const code = `
      mov dx, 0x6A4
      mov eax, offset buffer
      out dx, eax
      mov dx, 0x6A8
      mov eax, 4096
      out dx, eax
      mov dx, 0x6A0
      mov al, 2
      out dx, al
      a: mov rax, qword ptr [buffer + 3]
      b: mov qword ptr [out], rax`;
    expect(await behind({ code, data: 'buffer: .zero 4096', host: programs, harness: true })).toEqual([
      'mem8 b < rax.0+8 a < mem8 input: input: byte 3 of the 24 of program 0, which the harness fetched',
    ]);
  });

  test('what the CPU pushed when it delivered a fault is its own', async () => {
    const code = `ud2\na: mov qword ptr [out], r15`;
    const paths = await behind({ code }, 8, 1);
    expect(paths).toContainEqual(expect.stringMatching(/< r15\.0\+8 .*< mem8 handle_ud: the CPU, delivering exception #UD at 0x/));
  });

  test('the page walk sets A and D', async () => {
    const guest = await flow({ code: 'mov qword ptr [0x400000], 1' });
    const [link] = guest.chain('table', 1);
    expect(link).toMatchObject({ by: 'page-walk', at: expect.anything() });
    expect([link?.before?.[0], link?.after[0]]).toEqual([0x07, 0x67]);
  });

  test('what nothing wrote is said to be so', async () => {
    const guest = await flow({ code: '', data: 'known: .quad 7\n' });
    expect(guest.chain('known', 8)[0]).toMatchObject({
      by: 'boot',
      at: null,
      end: expect.stringMatching(/^the boot image: byte \d+ of flow\.elf$/),
    });
    const where = { length: 8, at: guest.who.end, process: null };
    expect(guest.who.chain(guest.who.resolve('phys:0x700000', where), guest.who.end)[0]).toMatchObject({
      by: 'boot',
      end: 'never written: zero since the machine began',
    });
  });

  test('stores of the CPU and the program before a position are told apart', async () => {
    const guest = await flow({
      code: 'a: mov qword ptr [out], 1\nb: mov qword ptr [out], 2\nc: mov qword ptr [out], 3',
      data: 'out: .quad 0',
    });
    const bytes = guest.who.resolve('out', { length: 8, at: guest.who.end, process: null });
    const seen: unknown[] = [];
    for (let before = guest.who.end; ; ) {
      const [link] = guest.who.lastWrite(bytes, before);
      if (link?.at == null) break;
      seen.push([guest.label(link.instruction?.rip), link.before?.[0], link.after[0]]);
      before = link.at;
    }
    expect(seen).toEqual([
      ['c', 2, 3],
      ['b', 1, 2],
      ['a', 0, 1],
    ]);
  });
});

describe('questions that cannot be answered', () => {
  test('are errors of one line', async () => {
    const { who } = await flow({ code: '' });
    const where = { length: 8, at: who.end, process: null };
    for (const [text, message] of [
      ['phys:0x900000', /lies in no RAM/],
      ['phys:what', /give a physical address/],
      ['0x40000000', /nothing is mapped/],
      ['nowhere', /no symbol is called nowhere/],
      ['keel:pml4', /no file of the trace is called keel; there are flow/],
    ] as const)
      expect(() => who.resolve(text, where)).toThrow(message);
    expect(() => who.resolve('pml4', { ...where, length: 5000 })).toThrow(UserError);
    expect(() => who.resolve('pml4', { ...where, process: '17' })).toThrow(/the processes of this kernel are not known/);
  });
});

test('every copied source holds the bytes that the link took from it', async () => {
  const { chain } = await flow({
    code: 'mov rax, qword ptr [from]\nbswap rax\npush rax\npop rcx\nmov qword ptr [out], rcx\nmov word ptr [out + 3], ax',
    data: 'out: .quad 0\nfrom: .quad 0x0102030405060708',
  });
  const check = ({ after, sources, at }: Link): void => {
    for (const { how, low, length, link } of sources) {
      if (how === 'copied') expect([...link.after]).toEqual([...after.subarray(low, low + length)]);
      if (link.at !== null) expect(link.at).toBeLessThanOrEqual(at ?? 0n);
      check(link);
    }
  };
  chain('out', 8).forEach(check);
});
