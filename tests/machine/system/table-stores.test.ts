/** Stores to page tables, and what the next walk or fetch makes of them, in both tiers. */
import { describe, expect, test } from 'vitest';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import { boot, expectFault, run, WINDOW } from './guest.ts';

const END = 10_000_000n;
const TIERS: readonly Tier[] = [0, 1];
const ROUNDS = 200;

const MAPPED = ' mov qword ptr [window_pt], offset page_a + 3\n mov qword ptr [window_pt + 8], offset page_b + 3\n';

/** Runs code so often that it is compiled. */
const often = (code: string): string => ` mov r15d, ${ROUNDS}\n1:\n${code}\n dec r15d\n jnz 1b\n`;

async function hashes(code: string): Promise<string[]> {
  const found: string[] = [];
  for (const tier of TIERS) {
    const { machine } = await boot(code, { tier });
    expect(machine.run(END).reason).toBe('debug-exit');
    found.push(machine.hash());
  }
  return found;
}

describe.each(TIERS)('tier %s', (tier) => {
  test.each([
    ['page directory', 'window_pd'],
    ['page-directory-pointer table', 'pdpt + 8'],
    ['PML4', 'pml4'],
  ])('a walk sets A again where the entry of a %s was cleared of it', async (_name, entry) => {
    const code = `${MAPPED}${often(` mov rax, [${WINDOW}]
 and qword ptr [${entry}], -0x21
 invlpg [${WINDOW + 4096}]
 mov rax, [${WINDOW + 4096}]`)}`;
    expect(await run(`${code} mov rax, [${entry}]\n and eax, 0x20\n call puthex\n call newline\n`, { tier })).toBe('20 \n');
  });

  test('an entry of a higher table that leads nowhere any more faults at once, and is walked again when it leads somewhere', async () => {
    const code = `${MAPPED}${often(` mov rax, [${WINDOW}]
 mov rbx, [window_pd]
 mov qword ptr [window_pd], 0
 invlpg [${WINDOW + 4096}]
 mov qword ptr [window_pd], rbx
 mov rax, [${WINDOW + 4096}]`)}
 mov rax, [${WINDOW}]
 mov qword ptr [window_pd], 0
 invlpg [${WINDOW + 4096}]
${expectFault('gone', ` mov rax, [${WINDOW + 4096}]`)}`;
    expect(await run(code, { tier })).toMatch(/^gone: #e 0 40001000 /);
  });
});

test('a region that takes a right from the entry of its own page fetches its next instruction by it', async () => {
  // The stale use is told of at that fetch, which is part of the TLB's state.
  const code = `
 mov rsi, offset 2f
 mov rdi, offset page_c
 mov ecx, offset 3f - 2b
 rep movsb
 jmp 3f
2:
 mov qword ptr [window_pt + 16], offset page_c + 1
 add rbx, 1
 ret
3:
${often(` mov qword ptr [window_pt + 16], offset page_c + 3
 invlpg [${WINDOW + 0x2000}]
 mov eax, ${WINDOW + 0x2000}
 call rax`)}`;
  const [interpreted, compiled] = await hashes(code);
  expect(compiled).toBe(interpreted);
});
