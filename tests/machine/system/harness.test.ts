import { expect, test } from 'vitest';
import { QuietHost } from '../../../src/machine/index.ts';
import { boot } from './guest.ts';

/** Gives archives one after the other. */
class Programs extends QuietHost {
  readonly archives: Uint8Array[];
  constructor(...archives: readonly Uint8Array[]) {
    super();
    this.archives = [...archives];
  }
  override program(): Uint8Array | null {
    return this.archives.shift() ?? null;
  }
}

const GUEST = `
  mov dx, 0x6a0
  in al, dx
  movzx eax, al
  call puthex
  mov al, 1
  out dx, al
1:
  mov dx, 0x6a4
  mov eax, offset page_a
  out dx, eax
  mov dx, 0x6a8
  mov eax, 4096
  out dx, eax
  mov dx, 0x6a0
  mov al, 2
  out dx, al
  mov dx, 0x6a4
  in eax, dx
  call puthex
  mov ecx, eax
  mov eax, dword ptr [page_a]
  call puthex
  mov dx, 0x6a8
  mov eax, ecx
  out dx, eax
  mov dx, 0x6a0
  mov al, 3
  out dx, al
  jmp 1b
`;

test('ready, fetch, finished: again from the snapshot, and until there is no more', async () => {
  const host = new Programs(Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(9, 8, 7, 6), new Uint8Array(5000));
  const { machine } = await boot(GUEST, { harness: true }, host);
  const commands: string[] = [];
  machine.observer = { harness: (_at, command, value) => commands.push(`${command} ${value}`) };
  expect(machine.run(100_000n)).toEqual({ reason: 'ready' });
  const snapshot = machine.snapshot();
  expect(machine.run(100_000n)).toEqual({ reason: 'finished', status: 5 });
  machine.restore(snapshot);
  expect(machine.run(100_000n)).toEqual({ reason: 'finished', status: 4 });
  // One that is larger than the buffer is as none.
  expect(machine.run(100_000n)).toEqual({ reason: 'finished', status: 0 });
  expect(machine.run(100_000n)).toEqual({ reason: 'fetch-empty' });
  expect(machine.run(100_000n)).toEqual({ reason: 'finished', status: 0 });
  expect(host.text).toBe('50 5 4030201 4 6070809 0 6070809 0 6070809 ');
  expect(commands).toEqual(['1 0', '2 5', '3 5', '2 4', '3 4', '2 0', '3 0', '2 0', '3 0']);
});

test('without it the ports read all ones, and panic has a status', async () => {
  const { machine, host } = await boot(
    '  mov dx, 0x6a0\n  in al, dx\n  movzx eax, al\n  call puthex\n  mov dx, 0x6a4\n  in eax, dx\n  call puthex\n',
  );
  machine.run(100_000n);
  expect(host.text).toBe('ff ffffffff ');
  const panic = await boot('  mov dx, 0x6a8\n  mov eax, 77\n  out dx, eax\n  mov dx, 0x6a0\n  mov al, 4\n  out dx, al\n', {
    harness: true,
  });
  expect(panic.machine.run(100_000n)).toEqual({ reason: 'panic', status: 77 });
});
