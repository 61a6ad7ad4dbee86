/** How long compiling takes, in CPU time: keel, and a program of about 100 lines beside tcc and gcc on C of the same algorithm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildKeel, compile } from '../src/compiler/index.ts';
import { median } from './measure.ts';
import { needInCi, runTimed, versionOf } from './process.ts';
import { type Row, row } from './rows.ts';

const SAMPLE = 'sha256';
const UNIT = 'CPU ms';
/** A line of keel that each round gives another comment, so that nothing of the build before serves. */
const FIRST_LINE = "putText('keel: starting\\n');";

function milliseconds(times: number, work: (round: number) => void): number {
  return median(
    Array.from({ length: times }, (_, round) => {
      const start = process.cpuUsage();
      work(round);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    }),
  );
}

/** `folder`: for the objects of tcc and gcc. */
export function compilingRows(rounds: number, folder: string): Row[] {
  const base = { name: 'compiling', unit: UNIT };
  const edit = (round: number) => ({
    edits: [{ file: 'boot/main.ts', text: FIRST_LINE, replacement: `${FIRST_LINE} // ${round}` }],
  });
  const cold = milliseconds(1, () => buildKeel());
  const warm = milliseconds(rounds, (round) => buildKeel(edit(round)));
  const text = readFileSync(join(import.meta.dirname, `../examples/${SAMPLE}.ts`), 'utf8');
  const lines = text.split('\n').length - 1;
  const sample = { ...base, image: `${SAMPLE}.ts, ${lines} lines, warm` };
  const ours = milliseconds(50, (round) => compile({ entry: 'sample.ts' }, new Map([['sample.ts', `${text}// ${round}\n`]])));
  const others = [
    { peerName: 'tcc', command: ['tcc'] },
    { peerName: 'gcc -O2', command: ['gcc', '-O2'] },
  ].flatMap(({ peerName, command: [tool = '', ...options] }) => {
    const version = versionOf(tool, '-v');
    needInCi(tool, version, tool);
    if (version === null) return [];
    const args = [...options, '-c', join(import.meta.dirname, `guests/${SAMPLE}.c`), '-o', join(folder, 'sample.o')];
    const seconds = median(Array.from({ length: 5 }, () => runTimed(tool, args, [0]).cpuSeconds));
    return [row({ ...sample, ours, peer: 1000 * seconds, peerName, better: 'less' })];
  });
  return [
    row({ ...base, image: 'keel, cold', ours: cold }, { of: 'ours', bound: '<', value: 3000 }),
    row({ ...base, image: 'keel, warm', ours: warm }, { of: 'ours', bound: '<', value: 3000 }),
    row({ ...sample, ours }, { of: 'ours', bound: '<', value: 20 }),
    ...others,
  ];
}
