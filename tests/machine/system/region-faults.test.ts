/** Faults of compiled code, as often as it takes to be compiled: what becomes of them is the same in both tiers, however the run is cut. */
import { expect, test } from 'vitest';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import { boot, expectFault, fresh, WINDOW } from './guest.ts';

const ROUNDS = 60;
/** Mapped pages around one that is not. */
const MAPPED = ' mov qword ptr [window_pt], offset page_a + 3\n mov qword ptr [window_pt + 16], offset page_b + 3\n';
const GONE = WINDOW + 4096;

/** Runs code that faults once a round; rounds are counted in page_c. */
function rounds(fault: string): string {
  const again = fresh();
  return `${MAPPED} mov dword ptr [page_c], ${ROUNDS}\n${again}:\n${expectFault('', fault)}\n dec dword ptr [page_c]\n jnz ${again}\n`;
}

async function outcome(code: string, tier: Tier, step: bigint): Promise<string> {
  const { machine, host } = await boot(code, { tier });
  for (;;) {
    const { reason } = machine.run(machine.count + step);
    if (reason !== 'limit') return `${reason} ${machine.count} ${machine.hash()} ${host.text}`;
  }
}

test.each([
  ['a page that is not there', ` mov ebx, ${GONE}\n mov rax, [rbx]`, /^: #e 0 40001000 /],
  ['a page that is not there, written', ` mov ebx, ${GONE}\n add [rbx], rax`, /^: #e 2 40001000 /],
  ['the second page of an access', ` mov ebx, ${GONE - 4}\n mov [rbx], rax`, /^: #e 2 40001000 /],
  ['the first of them', ` mov ebx, ${GONE + 4092}\n add [rbx], rax`, /^: #e 2 40001ffc /],
  ['a stack that is not there, so that its delivery fails', ` mov esp, ${GONE + 256}\n mov rax, [${GONE}]`, /^: #8 0 /],
  ['a push to it', ` mov esp, ${GONE + 256}\n push rax`, /^: #8 0 /],
  ['a gate that is not present', ` mov byte ptr [idt + 14 * 16 + 5], 0x0E\n mov rax, [${GONE}]`, /^: #8 0 /],
])('%s', async (_name, fault, first) => {
  const interpreted = await outcome(rounds(fault), 0, 10_000_000n);
  expect(interpreted.slice(interpreted.indexOf(':'))).toMatch(first);
  for (const step of [10_000_000n, 997n, 1n]) expect(await outcome(rounds(fault), 1, step), `cut every ${step}`).toBe(interpreted);
});
