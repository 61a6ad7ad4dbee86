import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import { FormLibrary, type SharedForms } from '../../../src/machine/translator/form-library.ts';
import { FlatMachine } from './flat-machine.ts';

/** What another thread gets. */
async function sent(forms: SharedForms): Promise<SharedForms> {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(forms);
  const [received] = (await once(port2, 'message')) as [SharedForms];
  port1.close();
  return received;
}

const empty = (shared?: SharedForms, capacity?: number) =>
  new FormLibrary({ hasPath: false, ...(shared && { shared }), ...(capacity !== undefined && { capacity }) });

/** Programs of forms that differ, by number: PSHUFD has one for each immediate. */
const program = (n: number) => `mov ecx, 40\nagain: add rax, rcx\nrol rax, 3\npshufd xmm0, xmm1, ${n}\ndec ecx\njnz again\nhlt`;

/** RAX after each of the programs, run one after the other on one machine. */
function run(library: FormLibrary, numbers: readonly number[]): (bigint | undefined)[] {
  const m = new FlatMachine({ library });
  return numbers.map((n) => {
    m.ram.set(assembleInline(program(n)).bytes, 0x1000);
    m.interpreter.codeCache.written(1);
    m.state.rip = 0x1000n;
    expect(m.interpreter.run(10_000)).toBe('stop');
    return m.state.gpr[0];
  });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('what a library of another thread knows is neither emitted nor compiled again', async () => {
  const first = empty();
  const expected = run(first, range(0, 40));
  const second = empty(await sent(first.share()));
  const { tableSize, moduleCount } = second;
  expect([tableSize, moduleCount]).toEqual([first.tableSize, first.moduleCount]);
  expect(run(second, range(0, 40))).toEqual(expected);
  expect([second.tableSize, second.moduleCount]).toEqual([tableSize, moduleCount]);
});

test.each([1, 30, 60])(
  'forms that are found later follow those that were given, for machines that come late as well (%d)',
  async (more) => {
    const numbers = range(0, 30 + more);
    const expected = run(empty(), numbers);
    const first = empty();
    run(first, range(0, 30));
    const second = empty(await sent(first.share()));
    expect(run(second, numbers)).toEqual(expected);
    expect(run(second, numbers)).toEqual(expected);
    const third = empty(await sent(second.share()));
    expect(third.moduleCount).toBe(second.moduleCount);
    expect(run(third, numbers)).toEqual(expected);
  },
);

test('a library that was given forms can be renewed', async () => {
  const expected = run(empty(), range(0, 100));
  const first = empty();
  run(first, range(0, 20));
  const second = empty(await sent(first.share()), 64);
  expect(run(second, range(0, 100))).toEqual(expected);
  expect(second.generation).toBe(1);
  expect(second.moduleCount).toBeGreaterThan(30);
  expect(run(second, range(70, 100))).toEqual(run(empty(), range(70, 100)));
});
