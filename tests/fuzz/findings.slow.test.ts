/** What debuggers show of a finding: the attacker and its victim by their own source and variables, though the machine ran them without debug information. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildKeel, readElf } from '../../src/compiler/index.ts';
import { explore } from '../../src/explorer/index.ts';
import type { Moment, SourceText, VariablesView } from '../../src/explorer/protocol.ts';
import { campaign, type Finding } from '../../src/fuzz/campaign/campaign.ts';
import { USUAL } from '../../src/fuzz/campaign/circumstances.ts';
import { saveFinding } from '../../src/fuzz/campaign/findings.ts';
import { compileHostile, victimText, withInput } from '../../src/fuzz/campaign/runner.ts';
import { loadSaboteur } from '../../src/fuzz/campaign/saboteur.ts';
import { USUAL_INPUT } from '../../src/fuzz/grammar/act.ts';
import { openTrace } from '../../src/replay/index.ts';
import { palindrome } from '../cli/palindrome.ts';
import { question } from '../explorer/explorer.ts';
import { toolOrSkip } from '../tools.ts';

const SEED = '1';
const out = mkdtempSync(join(tmpdir(), 'palindrome-findings-'));
const kernel = buildKeel({ edits: loadSaboteur('no-invalidation').edits }).image;
let finding: Finding;
let path: string;
const lineOf = (source: string, text: string): number => source.split('\n').findIndex((line) => line.includes(text)) + 1;

beforeAll(async () => {
  const { findings } = await campaign({ kernel, seed: SEED, runs: 19, workers: 1 });
  const read = findings.find(({ failure }) => failure.message.includes('is used to read'));
  if (!read) throw new Error('no finding');
  finding = read;
  path = await saveFinding(finding, { kernel, seed: SEED, saboteur: 'no-invalidation' }, out);
}, 60_000);
afterAll(() => rmSync(out, { recursive: true }));

/** The bytes of each segment that is loaded. */
function loaded(program: Uint8Array): { readonly address: bigint; readonly bytes: Uint8Array }[] {
  return readElf(program, 'program').segments.map(({ address, fileOffset, fileSize }) => {
    return { address, bytes: program.slice(fileOffset, fileOffset + fileSize) };
  });
}

async function symbolsOf(finding: string): Promise<Map<string, Uint8Array>> {
  const trace = await openTrace(join(finding, 'trace.mpk'));
  const files = trace.header.artefacts.map(({ role, name }, index) => ({ role, name, bytes: trace.artefact(index) ?? new Uint8Array() }));
  return new Map(files.filter(({ role }) => role === 'symbols').map(({ name, bytes }) => [name, bytes]));
}

it('its trace has both programs with debug information, which are loaded as those that ran', async () => {
  const symbols = await symbolsOf(path);
  expect([...symbols.keys()]).toEqual(['attacker', 'victim']);
  const ran = { attacker: finding.image, victim: compileHostile(victimText(SEED)) };
  for (const [name, program] of Object.entries(ran)) {
    const full = symbols.get(name) ?? new Uint8Array();
    expect(loaded(full)).toEqual(loaded(program));
    expect(readElf(program, name).debug()).toBeNull();
    expect(readElf(full, name).debug()).not.toBeNull();
  }
  expect(readFileSync(join(path, 'program.elf'))).toEqual(Buffer.from(finding.image));
});

it('a program that ran with another input has it there as well', async () => {
  const source = `import { syscall } from 'palindrome/intrinsics';\nlet input: u64 = ${USUAL_INPUT}n;\nsyscall(231n, input & 1n);\n`;
  const image = compileHostile(source);
  const input = 0x1122_3344_5566_7788n;
  const other = { ...finding, index: 1_000_000, source, image, circumstances: { ...USUAL, input } };
  const symbols = await symbolsOf(await saveFinding(other, { kernel, seed: SEED }, out));
  expect(withInput(image, input)).not.toEqual(image);
  expect(loaded(symbols.get('attacker') ?? new Uint8Array())).toEqual(loaded(withInput(image, input)));
});

it('gdb lists the attacker where it failed, its frames and variables, and its victim’s', (context) => {
  toolOrSkip(context, 'gdb');
  const victim = readFileSync(join(path, 'victim.ts'), 'utf8');
  const [mapping, spinning] = [lineOf(finding.source, 'r1 = syscall(9n'), lineOf(victim, 'copy[round * 40 + n]')];
  const attack = ['seek failure', 'bt', 'info locals', 'list', `break program.ts:${mapping}`, 'reverse-continue', 'info locals', 'next'];
  const harm = ['delete', 'seek failure', 'program victim', `break victim.ts:${spinning}`, 'reverse-continue', 'bt 1', 'info locals'];
  const script = join(out, 'script.gdb');
  writeFileSync(script, [...attack, 'info locals', ...harm, ''].join('\n'));
  const { status, stdout } = palindrome(['gdb', path, '--', '-nx', '-batch', '-x', script]);
  expect(status).toBe(0);
  const lines = finding.source.split('\n');
  const [, failed = ''] = /^attack \(\) at \.\/program\.ts:(\d+)$/m.exec(stdout) ?? [];
  expect(lines[Number(failed) - 1]).toContain('load64(');
  expect(stdout).toContain(`${failed}\t${lines[Number(failed) - 1]}\n`);
  expect(stdout).toMatch(/^#0 {2}attack \(\) at \.\/program\.ts:\d+\n#1 .* in initialise program\.ts \(\) at \.\/program\.ts:\d+$/m);
  expect(stdout).toMatch(/^r1 = 1407\d+$/m);
  expect(stdout).toMatch(
    new RegExp(`attacker" hit Breakpoint 1, attack \\(\\) at ./program.ts:${mapping}\n${mapping}\t.*syscall\\(9n.*\nr1 = 0$`, 'm'),
  );
  expect(stdout).toMatch(
    new RegExp(`victim" hit Breakpoint 2, initialise victim.ts \\(\\) at ./victim.ts:${spinning}\n${spinning}\t.*copy\\[round`, 'm'),
  );
  expect(stdout).toMatch(/^n = 0\nround = \d$/m);
});

it('the explorer shows the line and the variables of the attacker', async () => {
  const failures: Error[] = [];
  const explorer = await explore(path, { port: 0, sources: [], failed: (error) => failures.push(error) });
  try {
    const at = Number(finding.failure.at);
    const { instructions } = await question<Moment>(explorer.url, 'moment', { at, after: 1 });
    const now = instructions.find((line) => line.at === at);
    expect(now).toMatchObject({ image: 'attacker', file: 'program.ts', symbol: expect.stringMatching(/^attack\b/) });
    const { lines } = await question<SourceText>(explorer.url, 'source', { file: now?.file ?? '' });
    expect(lines?.join('\n')).toBe(finding.source);
    expect(lines?.[(now?.line ?? 0) - 1]).toContain('load64(');
    const { calls } = await question<VariablesView>(explorer.url, 'variables', { at });
    expect(calls[0]?.function).toBe('attack');
    expect(calls[0]?.variables).toContainEqual(expect.objectContaining({ name: 'r1', value: expect.stringMatching(/^1407\d+/) }));
  } finally {
    await explorer.close();
  }
  expect(failures).toEqual([]);
});
