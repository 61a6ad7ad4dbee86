/** Programs of the initial archive on a machine with a harness: they start before `ready`, and are there when others start. */
import { expect, it } from 'vitest';
import { buildKeel, packPrograms } from '../../src/compiler/index.ts';
import { compileCase } from '../../src/fuzz/campaign/runner.ts';
import { Testbed } from '../../src/fuzz/testbed.ts';

const PRELUDE = `import { addressOf, store64, syscall } from 'palindrome/intrinsics';
import { print } from 'palindrome/program';
const words = new BigUint64Array(4);
function sleep(nanoseconds: u64): void {
  words[0] = 0n;
  words[1] = nanoseconds;
  syscall(35n, addressOf(words), 0n);
}
`;
const program = (name: string, source: string) => ({ path: `/bin/${name}`, bytes: compileCase(`${name}.ts`, `${PRELUDE}${source}`) });

const SERVICE = program(
  'service',
  "print('service starts\\n');\nsleep(50000n);\nprint('service goes on\\n');\nsleep(50000n);\nsyscall(231n, 3n);\n",
);
const SHORT = program('short', "print('short ends\\n');\n");
const RUN = packPrograms([program('guest', "print('guest\\n');\n")], [['/bin/guest']]);

it('they have run until they wait, go on beside those of a run, and the first gives the status', async () => {
  const initrd = packPrograms([SERVICE, SHORT], [['/bin/service'], ['/bin/short']]);
  const testbed = await Testbed.create({ kernel: buildKeel().image, memoryBytes: 32 << 20, seed: 'services', initrd });
  expect(testbed.bootOutput).toBe('keel: starting\nservice starts\nshort ends\n');
  const run = testbed.run(RUN, { limit: 10_000_000n });
  expect(run).toMatchObject({ reason: 'exit', status: 3 });
  expect(run.output.split('\n').sort()).toEqual(['', 'guest', 'service goes on']);
  expect(testbed.run(RUN, { limit: 10_000_000n })).toEqual(run);
});

it('where there are none, a run’s first program gives the status', async () => {
  const testbed = await Testbed.create({
    kernel: buildKeel().image,
    memoryBytes: 32 << 20,
    seed: 'services',
    initrd: packPrograms([SHORT], []),
  });
  expect(testbed.bootOutput).toBe('keel: starting\n');
  const guest = packPrograms([program('guest', 'syscall(231n, 9n);\n')], [['/bin/guest'], ['/bin/short']]);
  expect(testbed.run(guest, { limit: 10_000_000n })).toMatchObject({ status: 9, output: 'short ends\n' });
});

it('a slot that is used again keeps nothing of the signal actions of before', async () => {
  const setting = program('setting', 'for (let n = 0; n < 4; n++) words[n] = 0x1234n;\nsyscall(13n, 10n, addressOf(words), 0n, 8n);\n');
  const asking = program(
    'asking',
    `syscall(13n, 10n, 0n, addressOf(words), 8n);
let kept: u64 = 0n;
for (let n = 0; n < 4; n++) kept |= words[n];
print(kept === 0n ? 'clean\\n' : 'not clean\\n');
`,
  );
  const initrd = packPrograms([setting], [['/bin/setting']]);
  const testbed = await Testbed.create({ kernel: buildKeel().image, memoryBytes: 32 << 20, seed: 'services', initrd });
  expect(testbed.run(packPrograms([asking], [['/bin/asking']]), { limit: 10_000_000n }).output).toBe('clean\n');
});
