/** Accesses that begin in one page and end in the next: each part goes where its page lies, and a fault in the second leaves the first as it was. */
import { expect, test } from 'vitest';
import { boot, expectFault, run, WINDOW } from './guest.ts';

const END = 5_000_000n;
/** The window's pages 0 and 1 are page_b and page_a: neighbours in linear space the other way round than in RAM. */
const MAP = `
  mov qword ptr [window_pt], offset page_b + 3
  mov qword ptr [window_pt + 8], offset page_a + 3
  mov qword ptr [window_pt + 16], offset page_c + 3
`;
/** The border between the two pages. */
const BORDER = WINDOW + 0x1000;

interface Access {
  readonly size: number;
  readonly store: (address: string) => string;
  /** Loads into what the store takes. */
  readonly load: (address: string) => string;
}

const ACCESSES: readonly Access[] = [
  { size: 2, store: (at) => `mov word ptr [${at}], ax`, load: (at) => `mov ax, word ptr [${at}]` },
  { size: 4, store: (at) => `mov dword ptr [${at}], eax`, load: (at) => `mov eax, dword ptr [${at}]` },
  { size: 8, store: (at) => `mov qword ptr [${at}], rax`, load: (at) => `mov rax, qword ptr [${at}]` },
  { size: 16, store: (at) => `movups [${at}], xmm0`, load: (at) => `movups xmm0, [${at}]` },
  {
    size: 8,
    store: (at) => `mov r14, rsp\n mov rsp, ${at} + 8\n push rax\n mov rsp, r14`,
    load: (at) => `mov r14, rsp\n mov rsp, ${at}\n pop rax\n mov rsp, r14`,
  },
  { size: 10, store: (at) => `sgdt [${at}]`, load: (at) => `lgdt [${at}]` },
];

const hexOnes = (bytes: number) => `0x${'ff'.repeat(bytes)}`;
const PATTERN = 0x8877665544332211n;
const value = `  mov rax, 0x${PATTERN.toString(16)}\n  movq xmm0, rax\n  mov rcx, 0x0f1e2d3c4b5a6978\n  movq xmm1, rcx\n  punpcklqdq xmm0, xmm1\n`;

/** What the two pages hold around their border, 16 bytes each, at every write to port 0x80. */
async function around(code: string): Promise<{ text: string; seen: number[][] }> {
  const { machine, host } = await boot(`${MAP}  mov r8, offset page_b\n  mov r9, offset page_a\n${code}`);
  const seen: number[][] = [];
  machine.observer = {
    portOut: (_at, port) => {
      if (port !== 0x80) return;
      seen.push([...machine.readPhysical(machine.register(8) + 0xff0n, 16), ...machine.readPhysical(machine.register(9), 16)]);
    },
  };
  expect(machine.run(END)).toEqual({ reason: 'debug-exit', code: 0 });
  return { text: host.text, seen };
}

test('a store leaves its bytes on both sides of the border, and nothing beyond them', async () => {
  const bytes = [...Buffer.from('1122334455667788', 'hex'), ...Buffer.from('78695a4b3c2d1e0f', 'hex')];
  const cases = ACCESSES.filter(({ size }) => size !== 10).flatMap((access) =>
    Array.from({ length: access.size - 1 }, (_, i) => ({ access, inFirst: i + 1 })),
  );
  const clear = `  xor ecx, ecx\n${[-16, -8, 0, 8].map((n) => `  mov qword ptr [${BORDER + n}], rcx\n`).join('')}`;
  const { seen } = await around(
    cases.map(({ access, inFirst }) => `${clear}${value}  ${access.store(`${BORDER - inFirst}`)}\n  out 0x80, al\n`).join(''),
  );
  expect(seen).toHaveLength(cases.length);
  for (const [i, { access, inFirst }] of cases.entries()) {
    const expected = new Array(32).fill(0);
    for (let n = 0; n < access.size; n++) expected[16 - inFirst + n] = bytes[n];
    expect([access.size, inFirst, seen[i]]).toEqual([access.size, inFirst, expected]);
  }
});

test('a load finds what a store left, at every offset', async () => {
  // another value goes over another border in between, so that nothing is left of the first where values pass through
  const other = `  mov rax, 0x${BigInt.asUintN(64, ~PATTERN).toString(16)}\n  movq xmm0, rax\n  punpcklqdq xmm0, xmm0\n`;
  const different = ACCESSES.filter(({ size }) => size !== 10).flatMap(({ size, store, load }) =>
    Array.from(
      { length: size + 1 },
      (_, inFirst) => `${value}  ${store(`${BORDER - inFirst}`)}
${other}  ${store(`${BORDER + 0x1000 - inFirst}`)}
  ${load(`${BORDER - inFirst}`)}
${size < 8 ? `  and eax, ${hexOnes(size)}\n` : ''}  mov rdx, 0x${BigInt.asUintN(Math.min(size, 8) * 8, PATTERN).toString(16)}
${size === 16 ? '  movhlps xmm2, xmm0\n  movq rsi, xmm2\n  sub rsi, rcx\n  or r15, rsi\n  movq rax, xmm0\n' : ''}  sub rax, rdx
  or r15, rax
`,
    ),
  );
  expect(await run(`${MAP}  xor r15, r15\n${different.join('')}  mov rax, r15\n  call puthex\n`)).toBe('0 ');
});

test('a descriptor-table register is stored and loaded over the border', async () => {
  const text = await run(
    `${MAP}${Array.from({ length: 11 }, (_, n) => `  sgdt [${BORDER - n}]\n  lgdt [${BORDER - n}]\n`).join('')}  sgdt [page_c]\n  mov rax, qword ptr [page_c + 2]\n  sub rax, offset gdt\n  call puthex\n  movzx eax, word ptr [page_c]\n  call puthex\n`,
  );
  expect(text).toBe('0 37 ');
});

test('where the second page cannot be written, the first is not', async () => {
  const readOnly = `  mov qword ptr [window_pt + 8], offset page_a + 1\n  invlpg [${BORDER}]\n`;
  // after a push the fault's own frame would lie there
  const stores = ACCESSES.filter(({ store }) => !store('0').includes('push'));
  const faults = stores.map(({ size, store }) => expectFault(`${size}`, `${value}  ${store(`${BORDER - 1}`)}`)).join('  out 0x80, al\n');
  const { seen, text } = await around(`${readOnly}${faults}  out 0x80, al\n`);
  expect(seen).toEqual(stores.map(() => new Array(32).fill(0)));
  // the fault's address is that of the first byte in the second page, but SGDT may begin with the base
  expect(text.split('\n').map((line) => line.split('@')[0])).toEqual([
    ...stores.map(({ size }) => `${size}: #e 3 ${(BORDER + (size === 10 ? 1 : 0)).toString(16)} `),
    '',
  ]);
});

test('a page table that is written elsewhere again and again is still watched, in either half', async () => {
  for (const window of [BigInt(WINDOW), 0xffff_8000_0000_0000n + BigInt(WINDOW)]) {
    const { machine, host } = await boot(`
  mov rax, qword ptr [pml4]
  mov qword ptr [pml4 + 2048], rax
${MAP}
  mov qword ptr [page_a], 0xA
  mov qword ptr [page_b], 0xB
  mov rbx, 0x${window.toString(16)}
  mov rax, qword ptr [rbx]
  mov ecx, 20000
1:
  mov qword ptr [window_pt + 1600], rcx
  shl qword ptr [window_pt + 1600], 1
  dec ecx
  jnz 1b
  mov qword ptr [window_pt], offset page_a + 3
  mov rax, qword ptr [rbx]
  call puthex
`);
    const stale: bigint[] = [];
    machine.observer = { stale: (_at, use) => stale.push(use.linear) };
    expect(machine.run(END)).toEqual({ reason: 'debug-exit', code: 0 });
    expect([host.text, stale]).toEqual(['b ', [window]]);
  }
});

test('a store over two entries of a page table is told for each, and outdates both pages', async () => {
  const { machine, host } = await boot(`
${MAP}
  mov qword ptr [page_a], 0xA
  mov qword ptr [page_b], 0xB
  mov qword ptr [page_c], 0xC
  # a neighbour that is never used
  mov qword ptr [window_pt + 64], offset page_c + 3
  mov rax, qword ptr [${WINDOW}]
  mov rax, qword ptr [${BORDER}]
  mov r8, offset window_pt
  mov r9, offset page_c + 3
  # the upper half of entry 0 and the lower half of entry 1: page 1 becomes page_c
  mov rax, r9
  shl rax, 32
  mov qword ptr [window_pt + 4], rax
  mov rax, qword ptr [${BORDER}]
  call puthex
  invlpg [${BORDER}]
  mov rax, qword ptr [${BORDER}]
  call puthex
  mov rax, qword ptr [${WINDOW}]
  call puthex
  # nothing was walked from this one, and software's bits of the other concern nobody
  mov qword ptr [window_pt + 64], offset page_a + 3
  or dword ptr [window_pt], 0xe00
  # two bytes over the border of entries 0 and 1: entry 0 becomes no-execute, page 1 not present
  mov word ptr [window_pt + 7], 0x0080
  mov rax, qword ptr [${WINDOW}]
  call puthex
`);
  const writes: [bigint, bigint, bigint][] = [];
  const stale: bigint[] = [];
  machine.observer = {
    pageTableWrite: (at, address, before, after) => {
      writes.push([address - machine.register(8), before, after]);
      expect(at).toBe(machine.count);
    },
    stale: (_at, use) => stale.push(use.linear),
  };
  expect(machine.run(END)).toEqual({ reason: 'debug-exit', code: 0 });
  expect(host.text).toBe('a c b b ');
  const [a, b, c] = [writes[0]?.[1], writes[1]?.[1], writes[0]?.[2]];
  expect(writes.map(([offset]) => offset)).toEqual([8n, 0n, 8n]);
  expect((a ?? 0n) & ~0x60n).not.toBe((c ?? 0n) & ~0x60n);
  expect(c).toBe(machine.register(9));
  expect(writes[1]?.[2]).toBe((b ?? 0n) | (1n << 63n));
  expect((writes[2]?.[1] ?? 0n) & ~0xffn).toBe((writes[2]?.[2] ?? 0n) & ~0xffn);
  expect((writes[2]?.[2] ?? 1n) & 0xffn).toBe(0n);
  expect(stale).toEqual([BigInt(BORDER), BigInt(WINDOW)]);
});

test('after an instruction over the border that is none, stores to the code that was looked up in its place are still seen', async () => {
  // page_a where RAM lies, and the page of the window whose number ends in the same nine bits, have one place in the software TLB
  const text = await run(`
  mov byte ptr [page_a], 0xB8
  mov dword ptr [page_a + 1], 1
  mov byte ptr [page_a + 5], 0xC3
  mov byte ptr [page_b + 4095], 0x0F
  mov byte ptr [page_c], 0x04
  mov rbx, offset page_a
  shr rbx, 12
  and ebx, 511
  mov qword ptr [window_pt + rbx * 8 - 8], offset page_b + 3
  mov qword ptr [window_pt + rbx * 8], offset page_c + 3
  shl rbx, 12
  mov rsi, offset page_a
  call rsi
  call puthex
${expectFault('none', `  add rbx, ${WINDOW}\n  dec rbx\n  jmp rbx\n`)}
  mov byte ptr [page_a + 1], 2
  mov rsi, offset page_a
  call rsi
  call puthex
`);
  const [before, after] = text.split('\n');
  expect([before?.slice(0, 10), after]).toEqual(['1 none: #6', '2 ']);
});
