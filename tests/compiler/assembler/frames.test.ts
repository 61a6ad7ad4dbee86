/** Frames of hand-written code: readelf finds in our .debug_frame what it finds in what GNU as makes of the same text. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AssemblyError, assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import { runTool, toolOrSkip } from '../../tools.ts';

/** The assembly in a module of keel. */
function assemblyOf(file: string): string {
  const source = readFileSync(new URL(`../../../src/kernel/ostd/${file}`, import.meta.url), 'utf8');
  return /assembly\(`\n([^`]*)`\)/.exec(source)?.[1] ?? '';
}

const OUTSIDE = ['keel_syscall', 'keel_trap', 'keel_first_return'];
/** Of these the common entry says that a called function may change them. */
const CALLER_SAVED = new Set(['rax', 'rdx', 'rcx', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11']);

/** Each description as its rows: distance from its start, frame address, rules. One without rows has the row of its common entry. */
function rowsOf(frames: string): string[][] {
  const commons = new Map<string, string[]>();
  const list: { readonly rows: string[]; readonly common: string }[] = [];
  let columns: string[] = [];
  let start = 0n;
  let rows: string[] = [];
  for (const line of frames.split('\n')) {
    const common = /^([0-9a-f]{8}) .* CIE /.exec(line);
    const head = /FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)/.exec(line);
    if (common !== null || head !== null) {
      rows = [];
      start = BigInt(`0x${head?.[2] ?? 0}`);
    }
    if (common !== null) commons.set(common[1] ?? '', rows);
    else if (head !== null) {
      rows.push(`${BigInt(`0x${head[3]}`) - start} bytes`);
      list.push({ rows, common: head[1] ?? '' });
    } else if (line.includes('LOC')) columns = line.trim().split(/\s+/);
    else if (/^[0-9a-f]{16} /.test(line)) {
      const cells = line.trim().split(/\s+/);
      const rules = columns.slice(2).map((name, k) => [name, cells[k + 2]] as const);
      const said = rules.filter(([name, rule]) => rule !== 'u' || !CALLER_SAVED.has(name)).map(([name, rule]) => `${name}=${rule}`);
      rows.push(`${BigInt(`0x${cells[0]}`) - start} ${cells[1]} ${said.join(' ')}`);
    }
  }
  return list.map((each) => (each.rows.length === 1 ? [...each.rows, ...(commons.get(each.common) ?? [])] : each.rows));
}

test.for(['trap-entry.ts', 'trap-stubs.ts'])('%s has the frames that GNU as gives it', (file, context) => {
  const [as, readelf] = [toolOrSkip(context, 'as'), toolOrSkip(context, 'readelf')];
  const text = `.global _start\n_start: ud2\n${assemblyOf(file)}`;
  const folder = mkdtempSync(join(tmpdir(), 'frames-'));
  try {
    const path = (name: string) => join(folder, name);
    writeFileSync(path('a.s'), `.intel_syntax noprefix\n${text}`);
    runTool(as, ['--64', '-o', path('a.o'), path('a.s')]);
    const outside = {
      name: 'outside',
      atoms: [],
      absolutes: [...OUTSIDE, 'trap_common'].map((name) => ({ name, value: 0x400000n, binding: 'global' as const })),
    };
    const own = new Set(text.match(/^\w+(?=:)/gm));
    const absolutes = outside.absolutes.filter(({ name }) => !own.has(name));
    const image = link([assemble(text, { name: 'a.s' }), { ...outside, absolutes }], { target: 'linux-program' });
    writeFileSync(path('a.elf'), image.bytes);
    const [theirs, ours] = ['a.o', 'a.elf'].map((name) => rowsOf(runTool(readelf, ['-wF', path(name)])));
    expect(ours?.length).toBeGreaterThan(3);
    expect(ours).toEqual(theirs);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.for([
  ['.cfi_endproc', 'there is no .cfi_startproc in front of this'],
  ['.cfi_startproc\nnop', '.cfi_startproc without .cfi_endproc'],
  ['.cfi_startproc\n.cfi_startproc', '.cfi_startproc within another'],
  ['.cfi_startproc\n.cfi_offset rbx, -12\n.cfi_endproc', 'registers are saved at multiples of 8 below the frame address'],
  ['.cfi_startproc\n.cfi_offset ebx, -16\n.cfi_endproc', 'expected a 64-bit register'],
  ['.cfi_personality 0', 'the directive .cfi_personality is unknown'],
])('refuses %j', ([text, message]) => {
  const problems = (): unknown => {
    try {
      return assemble(text ?? '', { name: 'a.s' });
    } catch (error) {
      if (error instanceof AssemblyError) return error.problems.map((p) => p.message);
      throw error;
    }
  };
  expect(problems()).toEqual([message]);
});
