import { expect, test } from 'vitest';
import { toolOrSkip } from '../../tools.ts';
import { FAULT_CASES, faultGuest } from './fault-cases.ts';
import { guestImage, run } from './guest.ts';
import { runInQemu } from './qemu.ts';

test('every fault has its vector, error code and CR2', async () => {
  const lines = (await run(faultGuest(FAULT_CASES))).split('\n');
  const wrong = FAULT_CASES.filter((c, i) => lines[i]?.startsWith(`${c.label}: ${c.expected}`) !== true);
  expect(wrong.map((c) => `${c.expected} | ${lines[FAULT_CASES.indexOf(c)]}`)).toEqual([]);
  expect(lines.slice(FAULT_CASES.length)).toEqual(['end', '']);
});

test('QEMU prints the same, but where it is known to differ', async (context) => {
  const qemu = toolOrSkip(context, 'qemu-system-x86_64');
  const guest = faultGuest(FAULT_CASES.filter((c) => c.qemu === undefined));
  expect((await run(guest)).split('\n')).toEqual(runInQemu(qemu, guestImage(guest)).output.split('\n'));
});
