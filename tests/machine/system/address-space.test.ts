/** What an observer is told of a CR3 write: a switch where the CPU goes to another address space, and nothing but the write where it does not. */
import { expect, test } from 'vitest';
import type { AddressSpace, Observer } from '../../../src/machine/index.ts';
import { boot } from './guest.ts';

interface Told {
  readonly what: string;
  readonly at: bigint;
  readonly from?: AddressSpace;
  readonly to?: AddressSpace;
}

/** Everything told of CR3 writes by the test's code; `root` is the table that the guest starts with, `other` one that maps the same. */
async function told(code: string): Promise<{ events: Told[]; root: bigint; other: bigint }> {
  const { machine } = await boot(`
  mov rax, qword ptr [pml4]
  mov qword ptr [page_c], rax
  mov rbx, offset page_c
  mov rbp, cr3
  out 0x80, al
${code}
  out 0x80, al
`);
  const events: Told[] = [];
  let [root, other] = [0n, 0n];
  const watch: Observer = {
    controlRegister: (at, n) => n === 3 && events.push({ what: 'cr3', at }),
    contextSwitch: (at, from, to) => events.push({ what: 'switch', at, from, to }),
    tlbFlush: (at, kind) => kind === 'pcid' && events.push({ what: 'flush', at }),
  };
  machine.observer = {
    ...watch,
    portOut: (_at, port) => {
      if (port !== 0x80) return;
      if (root !== 0n) return machine.requestStop();
      events.length = 0;
      [root, other] = [machine.register(5), machine.register(3)];
    },
  };
  expect(machine.run(1_000_000n)).toEqual({ reason: 'observer' });
  return { events, root, other };
}

test('going to other tables is told after the write and before the flush, at one position', async () => {
  const { events, root, other } = await told('  mov cr3, rbx\n  mov cr3, rbp\n');
  expect(events.map(({ what }) => what)).toEqual(['cr3', 'switch', 'flush', 'cr3', 'switch', 'flush']);
  expect(new Set(events.slice(0, 3).map(({ at }) => at)).size).toBe(1);
  expect([events[1], events[4]]).toMatchObject([
    { from: { root, pcid: 0 }, to: { root: other, pcid: 0 } },
    { from: { root: other, pcid: 0 }, to: { root, pcid: 0 } },
  ]);
  expect(root).not.toBe(other);
});

test('loading CR3 with what it holds is no switch, nor are PWT and PCD', async () => {
  const { events } = await told('  mov cr3, rbp\n  or rbp, 0x18\n  mov cr3, rbp\n');
  expect(events.map(({ what }) => what)).toEqual(['cr3', 'flush', 'cr3', 'flush']);
});

test('with CR4.PCIDE another PCID is another address space, whether its translations are kept or not', async () => {
  const { events, root } = await told(`
  mov rax, cr4
  or rax, 0x20000
  mov cr4, rax
  lea rax, [rbp + 0x18]
  mov cr3, rax
  bts rax, 63
  mov cr3, rax
  bts rbp, 63
  mov cr3, rbp
`);
  expect(events.map(({ what }) => what)).toEqual(['cr3', 'switch', 'flush', 'cr3', 'cr3', 'switch']);
  expect(events.filter(({ what }) => what === 'switch')).toMatchObject([
    { from: { root, pcid: 0 }, to: { root, pcid: 0x18 } },
    { from: { root, pcid: 0x18 }, to: { root, pcid: 0 } },
  ]);
});

test('while paging is off there is no address space to go to', async () => {
  const { machine } = await boot('  nop\n');
  const events: string[] = [];
  machine.observer = { controlRegister: (_at, n) => events.push(`cr${n}`), contextSwitch: () => events.push('switch') };
  machine.run(1_000_000n);
  expect(events).toEqual(['cr4', 'cr3', 'cr0']);
});
