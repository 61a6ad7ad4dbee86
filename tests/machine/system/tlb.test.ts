/** The TLB that a guest sees, by whole guests: what lasts, what is invalidated, and that stale uses are told. */
import { describe, expect, test } from 'vitest';
import type { StaleUse } from '../../../src/machine/index.ts';
import { boot, run, WINDOW } from './guest.ts';

const linear = `0x${(WINDOW + 0x3000).toString(16)}`;
const entry = 'qword ptr [window_pt + 24]';
const END = 1_000_000n;

/** page_a holds 0xA in its first word, page_b 0xB; window page 3 maps page_a, and has been read. */
const walked = `
  mov qword ptr [page_a], 0xA
  mov qword ptr [page_b], 0xB
  mov ${entry}, offset page_a + 0x3
  mov rax, qword ptr [${linear}]
`;
const remap = `  mov ${entry}, offset page_b + 0x3\n`;
const show = `  mov rax, qword ptr [${linear}]\n  call puthex\n`;

async function stale(test: string): Promise<{ text: string; uses: StaleUse[] }> {
  const { machine, host } = await boot(test);
  const uses: StaleUse[] = [];
  machine.observer = { stale: (_at, use) => uses.push(use) };
  machine.run(END);
  return { text: host.text, uses };
}

/** The end of a guest that has another root than `pml4`. */
const SECOND_ROOT = `
  jmp done
  .section .boot.data, "aw"
  .balign 4096
  pml4b: .zero 4096
  .section .boot.text, "ax"
done:
`;

describe('a walked translation', () => {
  test('lasts after its entry changed, and its use is told', async () => {
    const { text, uses } = await stale(`${walked}${remap}${show}${show}`);
    expect(text).toBe('a a ');
    expect(uses).toHaveLength(1);
    expect(uses[0]).toMatchObject({ linear: BigInt(linear), access: 'read', cpl: 0 });
    expect(uses[0]?.now?.frame).not.toBe(uses[0]?.used.frame);
  });

  test('lasts after it was unmapped', async () => {
    const { text, uses } = await stale(`${walked}  mov ${entry}, 0\n${show}`);
    expect(text).toBe('a ');
    expect(uses.map((use) => use.now)).toEqual([null]);
  });

  test('lasts after a higher table changed', async () => {
    const { text, uses } = await stale(`${walked}  mov qword ptr [window_pd], 0\n${show}`);
    expect(text).toBe('a ');
    expect(uses).toHaveLength(1);
  });

  test('is told again when the tables change again', async () => {
    const { uses } = await stale(`${walked}${remap}${show}  mov ${entry}, 0\n${show}  mov ${entry}, offset page_c + 3\n${show}`);
    expect(uses).toHaveLength(3);
  });

  test('is told for each kind of access', async () => {
    const { uses } = await stale(
      `${walked}  mov qword ptr [${linear}], rax\n  mov ${entry}, offset page_a + 0x61\n${show}  mov qword ptr [${linear}], rax\n`,
    );
    expect(uses.map((use) => [use.access, use.used.writable, use.now?.writable])).toEqual([
      ['read', true, false],
      ['write', true, false],
    ]);
  });

  const INVALIDATIONS: readonly (readonly [string, string])[] = [
    ['INVLPG', `invlpg [${linear}]`],
    ['a CR3 write', 'mov rax, cr3\n mov cr3, rax'],
    ['CR4.PGE', 'mov rax, cr4\n xor rax, 128\n mov cr4, rax'],
    ['INVPCID of the address', `push ${linear}\n push 0\n xor eax, eax\n invpcid rax, [rsp]\n add rsp, 16`],
    ['INVPCID of the PCID', 'push 0\n push 0\n mov eax, 1\n invpcid rax, [rsp]\n add rsp, 16'],
    ['INVPCID of all', 'push 0\n push 0\n mov eax, 2\n invpcid rax, [rsp]\n add rsp, 16'],
    ['INVPCID of all but globals', 'push 0\n push 0\n mov eax, 3\n invpcid rax, [rsp]\n add rsp, 16'],
  ];
  for (const [name, code] of INVALIDATIONS) {
    test(`is dropped by ${name}`, async () => {
      const { text, uses } = await stale(`${walked}${remap} ${code}\n${show}`);
      expect(text).toBe('b ');
      expect(uses).toEqual([]);
    });
  }

  test('is no stale one if the entry only got more rights, or other A, D and software bits', async () => {
    const { uses } = await stale(`${walked}  mov ${entry}, offset page_a + 0xE07\n${show}`);
    expect(uses).toEqual([]);
  });

  test('that is global outlives CR3, not INVLPG nor a toggle of PGE', async () => {
    const global = `
  mov rax, cr4
  or rax, 128
  mov cr4, rax
  mov qword ptr [page_a], 0xA
  mov qword ptr [page_b], 0xB
  mov ${entry}, offset page_a + 0x103
  mov rax, qword ptr [${linear}]
  mov ${entry}, offset page_b + 0x103
  mov rax, cr3
  mov cr3, rax
${show}`;
    expect(await run(`${global}  invlpg [${linear}]\n${show}`)).toBe('a b ');
    expect(await run(`${global}  mov rax, cr4\n xor rax, 128\n mov cr4, rax\n${show}`)).toBe('a b ');
  });

  test('that was global, and is not when it is first written through, is gone with CR3', async () => {
    const { text, uses } = await stale(`
  mov rax, cr4
  or rax, 128
  mov cr4, rax
${walked.replace('+ 0x3', '+ 0x103')}
  mov ${entry}, offset page_a + 0x3
${show}
  mov qword ptr [${linear}], 0xC
  mov rax, cr3
  mov cr3, rax
  mov ${entry}, offset page_b + 0x3
${show}`);
    expect(text).toBe('a b ');
    expect(uses).toEqual([]);
  });

  test('that was global is gone for another address space as well', async () => {
    const go = (root: string) => `  mov rax, offset ${root}\n  mov cr3, rax\n`;
    const { text, uses } = await stale(`
  mov rax, cr4
  or rax, 128
  mov cr4, rax
  mov rax, qword ptr [pml4]
  mov qword ptr [pml4b], rax
${walked.replace('+ 0x3', '+ 0x103')}
  mov ${entry}, offset page_a + 0x3
${go('pml4b')}${show}${go('pml4')}${show}
  mov qword ptr [${linear}], 0xC
${go('pml4b')}
  mov ${entry}, offset page_b + 0x3
${show}${SECOND_ROOT}`);
    expect(text).toBe('a a b ');
    expect(uses).toEqual([]);
  });

  test('belongs to its PCID', async () => {
    const text = await run(`
  mov rax, cr4
  or rax, 0x20000
  mov cr4, rax
  mov rax, offset pml4 + 1
  mov cr3, rax
${walked}${remap}
  mov rax, offset pml4 + 2
  mov cr3, rax
${show}
  mov rax, offset pml4 + 1
  bts rax, 63
  mov cr3, rax
${show}
  mov rax, offset pml4 + 2
  bts rax, 63
  mov cr3, rax
${show}
  mov rax, offset pml4 + 1
  mov cr3, rax
${show}`);
    // PCID 2 walks anew, 1 kept its own (bit 63), 2 its own, and 1 without bit 63 lost it.
    expect(text).toBe('b a b b ');
  });

  test('of a PCID’s own comes before another’s that is global, in the upper half too', async () => {
    const show = `  mov rax, qword ptr [rbx]\n  call puthex\n`;
    const text = await run(`
  mov rax, cr4
  or rax, 0x20080
  mov cr4, rax
  mov rax, qword ptr [pml4]
  mov qword ptr [pml4 + 2048], rax
  mov rbx, ${0xffff_8000_0000_3000n + BigInt(WINDOW)}
  mov qword ptr [page_a], 0xA
  mov qword ptr [page_b], 0xB
  mov rax, offset pml4 + 1
  mov cr3, rax
  mov ${entry}, offset page_a + 0x3
${show}
  mov ${entry}, offset page_b + 0x103
  mov rax, offset pml4 + 2
  bts rax, 63
  mov cr3, rax
${show}
  mov rax, offset pml4 + 1
  bts rax, 63
  mov cr3, rax
${show}
  mov rax, offset pml4 + 1
  mov cr3, rax
${show}`);
    expect(text).toBe('a b a b ');
  });

  test('of a large page is dropped as a whole', async () => {
    const { text } = await stale(`
  mov qword ptr [window_pd + 8], 0x83
  mov rax, qword ptr [0x40200000 + pml4]
  call puthex
  mov qword ptr [window_pd + 8], 0x200083
  mov rax, qword ptr [0x40200000 + pdpt]
  invlpg [0x40201000]
  mov rax, qword ptr [0x40200000 + pml4]
  call puthex
`);
    expect(text).toMatch(/^[1-9a-f][0-9a-f]+ 0 $/);
  });
});

describe('permissions', () => {
  test('raised without INVLPG give one page fault, and then are there', async () => {
    const text = await run(`
  mov ${entry}, offset page_a + 0x1
  mov rax, qword ptr [${linear}]
  mov ${entry}, offset page_a + 0x3
  mov rax, offset 1f
  mov qword ptr [resume], rax
  mov qword ptr [resume_rsp], rsp
  mov qword ptr [${linear}], rbx
1:
  mov qword ptr [${linear}], rbx
  mov rax, ${entry}
  and eax, 0xfff
  call puthex
`);
    expect(text).toMatch(/^#e 3 40003000 .*\n63 $/);
  });

  test('a walk that faults sets no accessed bit, one that succeeds sets A, a write D', async () => {
    const text = await run(`
  mov ${entry}, offset page_a + 0x1
  mov rax, offset 1f
  mov qword ptr [resume], rax
  mov qword ptr [resume_rsp], rsp
  mov qword ptr [${linear}], rbx
1:
  mov rax, ${entry}
  and eax, 0xfff
  call puthex
  mov rbx, qword ptr [${linear}]
  mov rax, ${entry}
  and eax, 0xfff
  call puthex
  mov ${entry}, offset page_a + 0x3
  invlpg [${linear}]
  mov rbx, qword ptr [${linear}]
  mov rax, ${entry}
  and eax, 0xfff
  call puthex
  mov qword ptr [${linear}], rbx
  mov rax, ${entry}
  and eax, 0xfff
  call puthex
`);
    expect(text).toMatch(/\n1 21 23 63 $/);
  });
});

test('page tables that become data, and data that becomes page tables', async () => {
  // page_c serves as the last-level table of window's second 2 MiB, then as data, then as a table again.
  const text = await run(`
  mov qword ptr [page_a], 0xA
  mov qword ptr [page_b], 0xB
  mov r8, 200
1:
  mov qword ptr [page_c], offset page_a + 3
  mov qword ptr [window_pd + 8], offset page_c + 3
  invlpg [0x40200000]
  add r9, qword ptr [0x40200000]
  mov qword ptr [page_c], offset page_b + 3
  invlpg [0x40200000]
  add r9, qword ptr [0x40200000]
  mov qword ptr [window_pd + 8], 0
  invlpg [0x40200000]
  mov rdi, offset page_c
  mov rcx, 512
  mov rax, r8
  rep stosq
  dec r8
  jnz 1b
  mov rax, r9
  call puthex
`);
  expect(text).toBe(`${(200 * 21).toString(16)} `);
});

const pcids = 'mov rax, cr4\n or rax, 0x20080\n mov cr4, rax\n';
const load = (root: string, pcid: number) => `mov rax, offset ${root} + ${pcid}\n bts rax, 63\n mov cr3, rax\n`;

test('a page of the PCID’s own that is global when it is first written through is dropped as one, though another PCID had walked it as global', async () => {
  const { text, uses } = await stale(`${pcids} ${load('pml4', 1)} ${walked} ${load('pml4', 2)}
    mov ${entry}, offset page_a + 0x103
    ${show} ${load('pml4', 1)}
    mov qword ptr [${linear}], 0xC
    mov ${entry}, offset page_b + 0x103
    invlpg [${linear}]
    ${show}`);
  expect(text).toBe('a b ');
  expect(uses).toEqual([]);
});

describe('a higher table that changes is told of where', () => {
  const flush = (pcid: number) => `push 0\n push ${pcid}\n mov eax, 1\n invpcid rax, [rsp]\n add rsp, 16\n`;

  test('it served two PCIDs, of which the later was flushed', async () => {
    const { text, uses } = await stale(
      `${pcids} ${load('pml4', 1)} ${walked} ${load('pml4', 2)} ${show} ${flush(2)} mov qword ptr [window_pd], 0\n ${load('pml4', 1)} ${show}`,
    );
    expect(text).toBe('a a ');
    expect(uses).toHaveLength(1);
  });

  test('its translations were flushed, and walked again by a last-level table that was known', async () => {
    const { text, uses } = await stale(`${walked} mov rax, cr3\n mov cr3, rax\n ${show} mov qword ptr [window_pd], 0\n ${show}`);
    expect(text).toBe('a a ');
    expect(uses.map((use) => use.now)).toEqual([null]);
  });

  test('a global page was found by a last-level table that was known for another page', async () => {
    const other = WINDOW + 0x4000;
    const { text, uses } = await stale(`${pcids} ${load('pml4', 1)} ${walked}
      mov qword ptr [window_pt + 32], offset page_a + 0x103
      mov rax, [${other}]
      ${flush(1)} ${load('pml4', 1)}
      mov qword ptr [window_pd], 0
      mov rax, [${other}]
      call puthex\n`);
    expect(text).toBe('a ');
    expect(uses.map((use) => use.now)).toEqual([null]);
  });

  test('global pages were found from it as the root, while another root is in use', async () => {
    const upper = `0x${(0xffff_8000_0000_3000n + BigInt(WINDOW)).toString(16)}`;
    const read = `mov rax, ${upper}\n mov rax, qword ptr [rax]\n call puthex\n`;
    const { text, uses } = await stale(`${pcids}
      mov rax, qword ptr [pml4]
      mov qword ptr [pml4 + 2048], rax
      mov qword ptr [pml4b], rax
      mov qword ptr [pml4b + 2048], rax
      mov qword ptr [page_a], 0xA
      mov ${entry}, offset page_a + 0x103
      ${load('pml4b', 2)} ${read} ${load('pml4', 1)} ${flush(2)}
      mov qword ptr [pml4b + 2048], 0
      ${load('pml4b', 2)} ${read}${SECOND_ROOT}`);
    expect(text).toBe('a a ');
    expect(uses.map((use) => use.now)).toEqual([null]);
  });
});

describe('under two roots that differ in the window', () => {
  /** pml4b and what it leads to map page_b where pml4 maps what the test says; PCIDs and global pages are on. */
  const roots = `
  mov qword ptr [page_a], 0xA
  mov qword ptr [page_b], 0xB
  mov rax, qword ptr [pdpt]
  mov qword ptr [pdptb], rax
  mov qword ptr [pml4b], offset pdptb + 7
  mov qword ptr [pdptb + 8], offset window_pdb + 7
  mov qword ptr [window_pdb], offset window_ptb + 7
  mov rax, cr4
  or rax, 0x20080
  mov cr4, rax
  mov rbx, 1
  shl rbx, 63
`;
  const tables = `
  jmp finish
.section .boot.data, "aw"
.balign 4096
${['pml4b', 'pdptb', 'window_pdb', 'window_ptb'].map((name) => `${name}: .zero 4096`).join('\n')}
.section .boot.text, "ax"
`;
  /** Loads CR3 and keeps the PCID's translations. */
  const go = (root: string, pcid: number) => `  mov rax, offset ${root} + ${pcid}\n  or rax, rbx\n  mov cr3, rax\n`;

  test('a global page that another PCID walked wins over a larger page of the PCID’s own', async () => {
    const { text, uses } = await stale(`${roots}
  mov qword ptr [window_pd], 0x200083
  mov qword ptr [window_ptb + 24], offset page_b + 0x103
${go('pml4', 1)}${show}${go('pml4b', 2)}${show}${go('pml4', 1)}${show}${tables}`);
    expect(text).toBe('0 b b ');
    expect(uses).toHaveLength(1);
  });

  test('a translation that the PCID keeps is stale where the new root maps another frame, and back it is not', async () => {
    const { text, uses } = await stale(`${roots}
  mov ${entry}, offset page_a + 3
  mov qword ptr [window_ptb + 24], offset page_b + 3
${go('pml4', 1)}${show}${go('pml4b', 1)}${show}${go('pml4', 1)}${show}${tables}`);
    expect(text).toBe('a a a ');
    expect(uses).toHaveLength(1);
  });

  test('so is a global one, for another PCID', async () => {
    const { text, uses } = await stale(`${roots}
  mov ${entry}, offset page_a + 0x103
  mov qword ptr [window_ptb + 24], offset page_b + 3
${go('pml4', 1)}${show}${go('pml4b', 2)}${show}${show}${go('pml4', 1)}${show}${tables}`);
    expect(text).toBe('a a a a ');
    expect(uses).toHaveLength(1);
  });

  describe('in the upper half, where an address space takes over what is global from the one before', () => {
    const upper = 0xffff_8000_0000_3000n + BigInt(WINDOW);
    const high = `
  mov rcx, qword ptr [pml4]
  mov qword ptr [pml4 + 2048], rcx
  mov rcx, qword ptr [pml4b]
  mov qword ptr [pml4b + 2048], rcx
  mov rdx, ${upper}
`;
    const look = '  mov rax, qword ptr [rdx]\n  call puthex\n';

    test('not where the roots differ: the use of a stale one is told', async () => {
      const { text, uses } = await stale(`${roots}${high}
  mov ${entry}, offset page_a + 0x103
  mov qword ptr [window_ptb + 24], offset page_b + 0x103
${go('pml4', 1)}${look}${go('pml4b', 2)}${look}${tables}`);
      expect(text).toBe('a a ');
      expect(uses.map((use) => use.linear)).toEqual([upper]);
    });

    test('not what is the other PCID’s own', async () => {
      const { text } = await stale(`${roots}${high}
  mov ${entry}, offset page_a + 0x103
${go('pml4', 1)}${look}
  mov ${entry}, offset page_b + 3
  invlpg [rdx]
${look}
  mov ${entry}, offset page_a + 3
${look}${go('pml4', 2)}${look}${tables}`);
      expect(text).toBe('a b b a ');
    });

    test('not where it has translations of its own', async () => {
      const { text } = await stale(`${roots}${high}
  mov ${entry}, offset page_b + 3
${go('pml4', 2)}${look}
  mov ${entry}, offset page_a + 0x103
${go('pml4', 1)}${look}
  mov rax, cr4
  mov cr4, rax
${look}${go('pml4', 2)}${look}${tables}`);
      expect(text).toBe('b a a b ');
    });
  });
});

test('events of supervisor accesses to user pages, when watched', async () => {
  const { machine } = await boot(
    `
  mov rax, cr4
  or rax, 0x200000
  mov cr4, rax
  mov ${entry}, offset page_a + 0x7
  stac
  mov rax, qword ptr [${linear}]
  mov qword ptr [page_c], rax
  clac
  mov rax, qword ptr [page_c]
`,
    { watch: { supervisorUserAccess: true } },
  );
  const seen: unknown[] = [];
  machine.observer = { supervisorUserAccess: (_at, a) => seen.push([a.user, a.write, a.ac, a.writable, a.faulted, a.size]) };
  machine.run(END);
  expect(seen).toEqual([
    [true, false, true, true, false, 8],
    [false, true, true, true, false, 8],
  ]);
});

test('a frame written by two addresses is hashed anew after either', async () => {
  const wait = '  mov ecx, 4000\n1:\n  dec ecx\n  jnz 1b\n';
  const code = `
  mov qword ptr [window_pt + 24], offset page_a + 0x3
  mov qword ptr [window_pt + 32], offset page_a + 0x3
  mov rsi, ${WINDOW + 0x3000}
  mov rdi, ${WINDOW + 0x4008}
  mov qword ptr [rsi], 1
  mov qword ptr [rsi], 2
  mov qword ptr [rdi], 3
  mov qword ptr [rdi], 4
${wait}  mov qword ptr [rsi], 5
`;
  const straight = await boot(code);
  straight.machine.run(END);
  const { machine } = await boot(code);
  machine.run(6000n);
  const before = machine.hash();
  machine.run(END);
  expect(machine.hash()).toBe(straight.machine.hash());
  expect(machine.hash()).not.toBe(before);
});
