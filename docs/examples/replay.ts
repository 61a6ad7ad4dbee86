/** Recording and replaying: a run of keel is kept in memory, executed again, and looked into. */
import { buildKeel, compile, packPrograms } from 'palindrome/compiler';
import { HarnessHost } from 'palindrome/fuzz';
import { inspectEvents, openTrace, record, replay } from 'palindrome/replay';

const source = `import { print } from 'palindrome/program';
print('recorded\\n');
`;
const { image } = compile({ entry: 'program.ts' }, new Map([['program.ts', source]]));
if (image === null) throw new Error('it compiles');

const host = new HarnessHost();
host.begin(packPrograms([{ path: '/bin/program', bytes: image }], [['/bin/program']]));
const recording = await record({
  machine: { memoryBytes: 64 << 20, seed: 'example', harness: true },
  image: { name: 'keel.elf', bytes: buildKeel().image },
  host,
});
if (recording.trace === null) throw new Error('kept in memory');

const again = await replay(recording.trace);
console.log(`identical: ${again.identical}, same hash: ${again.hash === recording.hash}`);
for (const { text } of inspectEvents(await openTrace(recording.trace), { syscall: 'write' })) console.log(text.replace(/0x[0-9a-f]+/, '…'));
