/** What a guest finds at the ports of a PC, and at those where nothing is. */
import { expect, test } from 'vitest';
import { boot, run } from './guest.ts';

const read = (port: number, register = 'al') =>
  `  mov eax, 0x55555555\n  mov edx, ${port}\n  in ${register}, dx\n${register === 'al' ? '  movzx eax, al\n' : ''}  call puthex\n`;
const write = (port: number, value: number) => `  mov edx, ${port}\n  mov eax, ${value}\n  out dx, al\n`;

test('devices answer at their ports', async () => {
  const text = await run(
    [
      read(0x21),
      read(0xa1),
      read(0x20),
      read(0xa0),
      // RTC: register D, by index and data
      write(0x70, 0x0d),
      read(0x71),
      read(0x70),
      // UART: scratch, line status
      write(0x3ff, 0x5a),
      read(0x3ff),
      read(0x3fd),
      read(0xf4),
      read(0xf7),
    ].join(''),
  );
  expect(text).toBe('ff ff 0 0 80 ff 5a 60 0 0 ');
});

test('elsewhere all ones are read and writes vanish; without a harness its ports are such', async () => {
  const ports = [0x1f, 0x22, 0x6f, 0x72, 0x80, 0x9f, 0xa2, 0xf3, 0xf8, 0x3f7, 0x400, 0x6a0, 0x6a4, 0x6a8, 0xffff];
  expect(await run(ports.map((port) => `${write(port, 1)}${read(port)}`).join(''))).toBe('ff '.repeat(ports.length));
  expect(await run(`${read(0x80, 'eax')}${read(0x6a0, 'eax')}${read(0x3fd, 'ax')}`)).toBe('ffffffff ffffffff 5555b060 ');
});

test('the harness is there where it is asked for, twelve ports long', async () => {
  const { machine, host } = await boot(
    `${read(0x6a0)}${read(0x69f)}${read(0x6ac)}${read(0x6ab)}${read(0x6a4, 'eax')}${read(0x6a8, 'eax')}`,
    {
      harness: true,
    },
  );
  machine.run(100_000n);
  expect(host.text).toBe('50 ff ff ff 0 0 ');
});

test('the status at the exit port ends the run', async () => {
  const { machine } = await boot(`${write(0xf4, 0x21)}  nop\n`);
  expect(machine.run(100_000n)).toEqual({ reason: 'debug-exit', code: 0x21 });
});

test('the local APIC is one page of memory; beyond RAM and beside it all ones', async () => {
  const at = (address: number, how: string) => `  mov rbx, 0x${address.toString(16)}\n  xor eax, eax\n  ${how}\n  call puthex\n`;
  const text = await run(
    [
      at(0xfee00030, 'mov eax, dword ptr [rbx]'),
      at(0xfee00030, 'movzx eax, word ptr [rbx]'),
      at(0xfee00032, 'movzx eax, byte ptr [rbx]'),
      at(0xfee00030, 'mov rax, qword ptr [rbx]'),
      at(0xfee0002c, 'mov rax, qword ptr [rbx]'),
      at(0xfee00ff0, 'mov eax, dword ptr [rbx]'),
      at(0xfee01030, 'mov eax, dword ptr [rbx]'),
      at(0xfedffff0, 'mov eax, dword ptr [rbx]'),
      at(0x3ff00000, 'mov rax, qword ptr [rbx]'),
      at(0x3ff00000, 'mov qword ptr [rbx], rax\n movzx eax, word ptr [rbx]'),
      at(0x3ff00000, 'movzx eax, byte ptr [rbx]'),
      at(0x003ffffc, 'mov eax, dword ptr [rbx]'),
      at(0x003ffffe, 'mov eax, dword ptr [rbx]'),
    ].join(''),
  );
  expect(text).toBe('50014 14 5 50014 5001400000000 0 ffffffff ffffffff ffffffffffffffff ffff ff 0 ffff0000 ');
});
