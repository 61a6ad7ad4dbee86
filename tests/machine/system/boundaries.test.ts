/** What happens between two instructions, where a fault, a trap, an interrupt or a stop meet. */
import { describe, expect, test } from 'vitest';
import { boot, expectFault, run, user } from './guest.ts';

const END = 1_000_000n;

/** Events of a run that is cut after every `step` instructions. */
async function events(code: string, step: bigint): Promise<string[]> {
  const { machine } = await boot(code);
  const seen: string[] = [];
  machine.observer = {
    irq: (at, vector) => seen.push(`${at} irq ${vector}`),
    exception: (at, vector) => seen.push(`${at} exception ${vector}`),
  };
  while (machine.run(machine.count + step).reason === 'limit');
  return seen;
}

describe('a fault', () => {
  test('of an instruction that is stepped takes no trap, nor does the first of its handler', async () => {
    expect(await run(user('stepped', 'ud2', 0x102))).toMatch(/^stepped: #6 0 40000000 23 \n$/);
  });

  test('whose observer asks for a stop stops before the handler', async () => {
    const { machine } = await boot(expectFault('a fault', ' ud2'));
    let at = -1n;
    let target = 0n;
    machine.observer = {
      exception: (count, _vector, _code, _cr2, _rip, handler) => {
        [at, target] = [count, handler];
        machine.requestStop();
      },
    };
    expect(machine.run(END)).toEqual({ reason: 'observer' });
    expect([machine.count, machine.rip]).toEqual([at, target]);
  });

  test('in the shadow of STI comes before an interrupt that waits, and through a trap gate the handler is interrupted', async () => {
    const code = `
  mov byte ptr [idt + 6 * 16 + 5], 0x8F
  mov eax, 0xFEE00000
  mov dword ptr [rax + 0xF0], 0x1FF
  mov dword ptr [rax + 0x300], 0x40020
${expectFault('in the shadow', ' sti\n ud2')}`;
    const whole = await events(code, END);
    expect(whole.map((event) => event.split(' ').slice(1).join(' '))).toEqual(['exception 6', 'irq 32']);
    expect(await events(code, 1n)).toEqual(whole);
  });
});

test('an NMI that came during another comes after its IRET, however the run is cut', async () => {
  const sendNmi = ' mov eax, 0xFEE00000\n mov dword ptr [rax + 0x300], 0x40400\n';
  const code = `
  mov rax, offset handler
  mov word ptr [idt + 2 * 16], ax
  shr rax, 16
  mov word ptr [idt + 2 * 16 + 6], ax
${sendNmi}
  mov ecx, 100
1:
  dec ecx
  jnz 1b
  jmp finish
handler:
  inc r15d
  cmp r15d, 2
  ja 2f
${sendNmi}
2:
  iretq
`;
  const whole = await events(code, END);
  expect(whole.map((event) => event.split(' ')[2])).toEqual(['2', '2', '2']);
  // INC, CMP, JA, MOV, MOV, IRETQ: and the next one.
  const [first, second] = whole.map((event) => Number(event.split(' ')[0]));
  expect((second ?? 0) - (first ?? 0)).toBe(6);
  expect(await events(code, 1n)).toEqual(whole);
  expect(await events(code, 3n)).toEqual(whole);
});
