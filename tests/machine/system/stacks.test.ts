/** Where the CPU puts the frames of events in long mode: on any stack, over any border, from a TSS at any address. */
import { describe, expect, test } from 'vitest';
import { boot, expectFault, run, user, WINDOW } from './guest.ts';

const HIGH = 0xffff_8000_0000_0000n;
const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/**
 * The low memory once more from HIGH on (page_a is its PDPT), and from HIGH + 2 GiB on; the 2 MiB below HIGH + 4 GiB are the first of RAM (page_b is
 * their page directory), those from there on the second (page_c).
 */
const ALIASES = `
  mov qword ptr [pml4 + 2048], offset page_a + 3
  mov qword ptr [page_a], offset pd + 3
  mov qword ptr [page_a + 16], offset pd + 3
  mov qword ptr [page_a + 24], offset page_b + 3
  mov qword ptr [page_a + 32], offset page_c + 3
  mov qword ptr [page_b + 0xff8], 0x83
  mov qword ptr [page_c], 0x200083
`;

describe('the frame of an exception', () => {
  const STACKS: readonly (readonly [string, bigint])[] = [
    ['in the lower half', 0x3_0000n],
    ['not aligned', 0x3_0009n],
    ['in the upper half', HIGH + 0x3_0000n],
    ['with bit 31 set', HIGH + 0x8003_0000n],
    ['over 4 GiB', HIGH + 0x1_0000_0010n],
    ['below 4 GiB', HIGH + 0x1_0000_0000n],
    ['over a page border', HIGH + 0x3_1010n],
  ];
  for (const [name, rsp] of STACKS) {
    test(`${name} holds SS RSP RFLAGS CS RIP, from a multiple of 16 down`, async () => {
      const { machine } = await boot(`${ALIASES}
  mov rax, offset 1f
  mov qword ptr [resume], rax
  mov qword ptr [resume_rsp], rsp
  mov r8, offset fault_here
  mov rsp, ${hex(rsp)}
  stc
fault_here:
  ud2
1:
`);
      const seen: { frame: bigint[]; rsp: bigint; rip: bigint }[] = [];
      machine.observer = {
        exception: (at, vector) => {
          expect(vector).toBe(6);
          machine.observer = null;
          machine.requestStop();
          seen.push({ frame: [], rsp: at, rip: machine.register(8) });
        },
      };
      expect(machine.run(1_000_000n)).toEqual({ reason: 'observer' });
      const top = rsp & ~15n;
      // the handler's first instruction may have pushed on
      const words = machine.readLinear(top - 40n, 40) ?? new Uint8Array(0);
      const frame = [...new BigUint64Array(words.slice().buffer)];
      expect(frame[0]).toBe(seen[0]?.rip);
      expect([frame[1], (frame[2] ?? 0n) & 0x10203n, frame[3], frame[4]]).toEqual([8n, 0x10003n, rsp, 0x10n]);
      expect([top - 40n, top - 48n, top - 56n]).toContain(machine.register(4));
    });
  }

  test('where no stack is, wholly or in part, ends in a double fault on its own stack', async () => {
    expect(await run(expectFault('gone', `mov rsp, ${hex(HIGH + 0x1000n)}\n ud2`))).toMatch(/^gone: #8 0 /);
    const above = `mov qword ptr [window_pt], offset page_a + 3\n mov rsp, ${hex(WINDOW + 0x1010)}\n ud2`;
    expect(await run(expectFault('gone above', above))).toMatch(/^gone above: #8 0 /);
    const below = `mov qword ptr [window_pt + 8], offset page_a + 3\n mov rsp, ${hex(WINDOW + 0x1010)}\n ud2`;
    expect(await run(expectFault('gone below', below))).toMatch(/^gone below: #8 0 /);
  });
});

test('a TSS in the upper half gives the stacks of CPL 0 and IST', async () => {
  // from HIGH + 2 GiB on lies the low memory; 2 GiB alone is not mapped
  const text = await run(`
  mov qword ptr [pml4 + 2048], offset page_c + 3
  mov qword ptr [page_c + 16], offset pd + 3
  mov rcx, ${hex(HIGH + 0x8000_0000n)}
  mov rax, offset tss
  or rax, rcx
  mov word ptr [gdt_tss + 2], ax
  shr rax, 16
  mov byte ptr [gdt_tss + 4], al
  mov byte ptr [gdt_tss + 7], ah
  shr rax, 16
  mov dword ptr [gdt_tss + 8], eax
  mov byte ptr [gdt_tss + 5], 0x89
  mov eax, 0x28
  ltr ax
  mov rax, offset stack_top
  or rax, rcx
  mov qword ptr [tss + 4], rax
${user('user', 'ud2')}
${expectFault('double', `mov rsp, ${hex(HIGH - 8n)}\n ud2`)}
`);
  // RIP and CS of the frame, as they were
  expect(text).toMatch(/^user: #6 0 4000000[0-9a-f] 23 \ndouble: #8 0 /);
});

describe('the TSS', () => {
  test('too short for the stack that is needed is #TS with its selector', async () => {
    // 64-bit TSS: RSP0 at 4 … 11, IST1 at 36 … 43; the double fault's own stack must be there still
    const limit = (bytes: number) => `mov word ptr [gdt_tss], ${bytes - 1}\n mov byte ptr [gdt_tss + 5], 0x89\n mov eax, 0x28\n ltr ax\n`;
    const ist2 = 'mov byte ptr [idt + 6 * 16 + 4], 2\n';
    expect(
      await run(`  mov rax, offset ist_top\n  mov qword ptr [tss + 44], rax\n  ${limit(52)}${ist2}${expectFault('whole', 'ud2')}`),
    ).toMatch(/^whole: #6 0 /);
    expect(await run(`  ${limit(51)}${ist2}${expectFault('short', 'ud2')}`)).toMatch(/^short: #a 29 /);
  });

  test('with a stack that is not canonical is #SS', async () => {
    expect(
      await run(
        `  mov rax, 0x800000000000\n  mov qword ptr [tss + 44], rax\n  mov byte ptr [idt + 6 * 16 + 4], 2\n${expectFault('IST', 'ud2')}`,
      ),
    ).toMatch(/^IST: #c 1 /);
  });
});

test('a gate of the IDT that leads nowhere good is #GP or #NP of its selector', async () => {
  const gate = (selector: number) =>
    `mov word ptr [idt + 0x33 * 16 + 2], ${selector}\n  mov byte ptr [idt + 0x33 * 16 + 5], 0x8e\n  int 0x33`;
  const text = await run(
    [
      expectFault('null', gate(0)),
      expectFault('data', gate(0x10)),
      expectFault('code of CPL 3', gate(0x20)),
      expectFault('beyond the GDT', gate(0x70)),
      // 64-bit code of CPL 0, not present
      expectFault('not present', `mov rax, 0x00AF1B000000FFFF\n mov qword ptr [gdt + 0x18], rax\n ${gate(0x18)}`),
    ].join(''),
  );
  expect(text.split('\n').map((line) => line.split('@')[0])).toEqual([
    'null: #d 0 ',
    'data: #d 10 ',
    'code of CPL 3: #d 20 ',
    'beyond the GDT: #d 70 ',
    'not present: #b 18 ',
    '',
  ]);
});

test('the CPU itself is told apart where a supervisor reaches for user pages: faults, kinds and rights', async () => {
  const at = hex(WINDOW + 0x3000);
  const entry = 'dword ptr [window_pt + 24]';
  const { machine } = await boot(
    `
  mov ${entry}, offset page_a + 5
  mov rax, cr4
  or rax, 0x200000
  mov cr4, rax
${expectFault('read', `mov rax, qword ptr [${at}]`)}
  stac
  mov rax, qword ptr [${at}]
  clac
${expectFault('read again', `mov eax, dword ptr [${at} + 4]`)}
  stac
${expectFault('write', `stac\n mov byte ptr [${at}], al`)}
  clac
  mov ${entry}, offset page_a + 7
  invlpg [${at}]
  mov byte ptr [page_a], 0xc3
${expectFault('execute', `mov rax, ${at}\n call rax`)}
  mov rax, cr4
  or rax, 0x100000
  mov cr4, rax
${expectFault('execute with SMEP', `mov rax, ${at}\n call rax`)}
${expectFault('by the CPU', `sub rsp, 16\n mov word ptr [rsp], 0x37\n mov qword ptr [rsp + 2], ${at}\n lgdt [rsp]\n mov eax, 0x10\n mov ds, eax`)}
`,
    { watch: { supervisorUserAccess: true } },
  );
  const seen: string[] = [];
  machine.observer = {
    supervisorUserAccess: (_count, { linear, size, write, execute, implicit, ac, writable, faulted, user: isUser }) => {
      if (isUser)
        seen.push(
          [
            linear.toString(16),
            size,
            write && 'write',
            execute && 'execute',
            implicit && 'implicit',
            ac && 'AC',
            writable && 'W',
            faulted && '#PF',
          ]
            .filter(Boolean)
            .join(' '),
        );
    },
  };
  machine.run(1_000_000n);
  expect(seen).toMatchInlineSnapshot(`
    [
      "40003000 8 #PF",
      "40003000 8 AC",
      "40003004 4 #PF",
      "40003000 1 write AC #PF",
      "40003000 1 execute W",
      "40003000 1 execute W #PF",
      "40003010 8 implicit W #PF",
      "40003008 8 implicit W #PF",
      "40003008 8 implicit W #PF",
    ]
  `);
});
