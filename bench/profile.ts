/**
 * `npm run bench -- --profile ROW`: where the time of a row goes. The functions that the command spends it in, by Node's own profiler, and, from a run of its own
 * (counting takes time), how often generated code leaves for TypeScript, by kind.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Image } from './build.ts';
import { PALINDROME } from './peers/ours.ts';
import { lastLine, runTimed } from './process.ts';
import { layOut, number } from './table.ts';

const MOST_FUNCTIONS = 16;
const MOST_COUNTS = 24;

/** What Node writes: a tree of call frames, and which of its nodes was found running each time. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface FunctionTime {
  readonly name: string;
  readonly milliseconds: number;
}

/** Times of the functions themselves, what they call not included; the longest first. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): FunctionTime[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? '?';
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[i] ?? 0) / 1000);
  }
  times.delete('(idle)');
  return [...times].map(([name, milliseconds]) => ({ name, milliseconds })).sort((a, b) => b.milliseconds - a.milliseconds);
}

/** Generated code has no names that say something: the interpreter's body, its functions and each region are one. */
function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  if (url.startsWith('wasm:')) return 'generated code';
  if (url === '') return functionName;
  const file = url.replace(/^.*\/(?:\.cache\/bundle\/[^/]*|(src|bench|bin|node_modules))\//, (_, folder = 'bundle') => `${folder}/`);
  return `${functionName || '(module)'} ${file}:${lineNumber + 1}`;
}

export function profileTables(image: Image, folder: string): string {
  const initrd = image.initrd === null ? [] : [image.initrd];
  const boot = ['boot', image.elf64, ...initrd.flatMap((path) => ['--initrd', path]), '--json'];
  const profiler = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', folder, '--cpu-prof-name', 'profile.cpuprofile'];
  runTimed(process.execPath, [PALINDROME, '--version'], [0]); // makes the bundle where a source has changed
  const { cpuSeconds } = runTimed(process.execPath, [...process.execArgv, ...profiler, PALINDROME, ...boot], [0]);
  const profile: CpuProfile = JSON.parse(readFileSync(join(folder, 'profile.cpuprofile'), 'utf8'));
  const counting = [...process.execArgv, join(import.meta.dirname, 'profile-counts.ts'), image.elf64, ...initrd];
  const { instructions, counts } = JSON.parse(lastLine(runTimed(process.execPath, counting, [0]).stdout)) as {
    instructions: number;
    counts: Record<string, number>;
  };
  const times = selfTimes(profile);
  const all = times.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const functions = times
    .slice(0, MOST_FUNCTIONS)
    .map(({ name, milliseconds }) => [name, number(milliseconds), `${number((100 * milliseconds) / all)} %`]);
  const exits = Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_COUNTS)
    .map(([name, times]) => [name, `${times}`, number((1000 * times) / instructions)]);
  return [
    `${image.name}: ${number(instructions / 1e6)} M instructions, ${number(cpuSeconds)} CPU seconds with the profiler, all threads\n\n`,
    layOut([['main thread', 'ms', 'of it'], ...functions]),
    '\n',
    layOut([['to TypeScript', 'times', 'per 1000 instructions'], ...exits]),
  ].join('');
}
