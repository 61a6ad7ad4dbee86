/** SYSCALL, SYSRET, STI and SWAPGS at their edges, by whole guests. */
import { describe, expect, test } from 'vitest';
import { boot, expectFault, run, user } from './guest.ts';

describe('SYSRET', () => {
  test('to a non-canonical address faults before it has left the kernel', async () => {
    // '@' and an offset: RIP was in the test.
    expect(await run(expectFault('sysret', 'mov rcx, 0x800000000000\n mov r11, 2\n sysretq'))).toMatch(/^sysret: #d 0 @8 \n$/);
  });

  test('with TF in R11 traps after the first instruction of the program, and not after a SYSCALL', async () => {
    expect(await run(user('a NOP', 'nop\n nop\n syscall', 0x102))).toMatch(/^a NOP: #1 0 40000001 /);
    expect(await run(user('a call', 'syscall', 0x102))).toBe('a call: syscall 40000002 102 \n');
  });

  test('to 32-bit code runs it, with flat segments', async () => {
    // PUSH CS is no instruction of 64-bit code.
    const text = await run(user('32 bits', '.byte 0x0e\n int3').replace('sysretq', 'sysret'));
    expect(text).toMatch(/^32 bits: #3 0 40000002 /);
  });
});

test('SWAPGS swaps the bases, and not at CPL 3', async () => {
  const write = (msr: string, value: number) => ` mov ecx, ${msr}\n mov eax, ${value}\n xor edx, edx\n wrmsr\n`;
  const read = (msr: string) => ` mov ecx, ${msr}\n rdmsr\n shl rdx, 32\n or rax, rdx\n call puthex\n`;
  const bases = `${read('0xC0000101')}${read('0xC0000102')}`;
  expect(await run(`${write('0xC0000101', 0x1111)}${write('0xC0000102', 0x2222)} swapgs\n${bases} swapgs\n${bases}`)).toBe(
    '2222 1111 1111 2222 ',
  );
  expect(await run(user('user', 'swapgs'))).toMatch(/^user: #d 0 40000000 /);
});

test('an interrupt that waits comes in after the instruction that follows STI, and after SYSRET at once', async () => {
  const wait = `
  mov eax, 0xFEE00000
  mov dword ptr [rax + 0xF0], 0x1FF
  mov dword ptr [rax + 0x3E0], 0xB
  mov dword ptr [rax + 0x320], 0x20
  mov dword ptr [rax + 0x380], 10
  mov ecx, 100
1:
  dec ecx
  jnz 1b
`;
  const at = async (code: string): Promise<string[]> => {
    const { machine } = await boot(`${wait}${code}`);
    const instructions: string[] = [];
    machine.observer = {
      irq: (count) => instructions.push(`irq ${count - start}`),
      enterUser: (count) => instructions.push(`user ${count - start}`),
      controlRegister: (count, n) => {
        if (n === 2) start = count;
      },
    };
    let start = 0n;
    machine.run(100_000n);
    return instructions;
  };
  // MOV CR2 marks the place: it is instruction 0.
  expect(await at('mov cr2, rax\n sti\n nop\n nop\n nop\n cli')).toEqual(['irq 3']);
  expect((await at(user('user', 'nop\n nop\n syscall', 0x202).replace('sysretq', 'mov cr2, rax\n sysretq'))).slice(0, 2)).toEqual([
    'user 1',
    'irq 2',
  ]);
});
