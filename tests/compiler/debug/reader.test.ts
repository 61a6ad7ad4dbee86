/** Our own reader of DWARF says of variables what gdb says of them; hostile files do it no harm. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DebugContext, type DebugInfo, readElf } from '../../../src/compiler/index.ts';
import { UserError } from '../../../src/machine/index.ts';
import { toolOrSkip } from '../../tools.ts';
import { compileOrThrow } from '../front/judge.ts';
import { instrument } from './instrument.ts';
import { type FrameState, stopsUnderGdb } from './values-judge.ts';

const { native } = instrument(readFileSync(new URL('../programs/variables.ts', import.meta.url), 'utf8'));
const image = compileOrThrow('variables.ts', new Map([['variables.ts', native]]), { optimise: 2, trusted: () => true });

function contextOf({ registers, vectors, at, stack }: FrameState): DebugContext {
  const values = Object.values(registers);
  const bytes = Buffer.from(stack, 'hex');
  return {
    register: (number) => {
      const text = number < 16 ? values[number] : vectors[number - 17];
      return text === undefined || text === null ? null : BigInt(text);
    },
    memory: (address, length) => {
      const from = Number(address - BigInt(at));
      return from >= 0 && from + length <= bytes.length ? bytes.subarray(from, from + length) : null;
    },
  };
}

/** As gdb-values.py says it: of names that inner blocks hide the outer ones are left out. */
function variablesOf(debug: DebugInfo, state: FrameState, depth: number, isInnermost: boolean): Record<string, unknown> {
  const pc = BigInt(state.pc) - (isInnermost ? 0n : 1n);
  const said: Record<string, unknown> = {};
  for (const variable of debug.callsAt(pc)[depth]?.variables ?? []) {
    const { name, type } = variable;
    if (Object.hasOwn(said, name)) continue;
    const found = debug.value(variable, pc, contextOf(state));
    const isWhole = found !== null && !found.isKnown.includes(0);
    if (!isWhole || found === null) said[name] = found === null ? null : 'other';
    else if (type.kind !== 'number') said[name] = 'other';
    else {
      const padded = new Uint8Array(8);
      padded.set(found.bytes);
      const bits = new DataView(padded.buffer).getBigUint64(0, true);
      const number = type.encoding === 'signed' ? BigInt.asIntN(8 * type.bytes, bits) : bits;
      said[name] = type.encoding === 'boolean' ? bits !== 0n : type.encoding === 'float' ? `f${bits}` : String(number);
    }
  }
  return said;
}

test('finds the variables that gdb finds, with their values', (context) => {
  const stops = stopsUnderGdb(toolOrSkip(context, 'gdb'), image, { stops: 80, steps: 0, hasState: true });
  const debug = readElf(image, 'variables').debug();
  if (debug === null) throw new Error('no DWARF');
  let compared = 0;
  for (const { frames } of stops) {
    let depth = 0;
    let isInnermost = true;
    for (const { function: name, variables, state } of frames) {
      if (state === undefined) throw new Error('a frame without state');
      const calls = debug.callsAt(BigInt(state.pc) - (isInnermost ? 0n : 1n));
      if (calls.length > 0) {
        expect(calls[depth]?.function.replace(/<.*>/, '')).toBe(name);
        expect(variablesOf(debug, state, depth, isInnermost)).toEqual(variables);
        compared += Object.keys(variables).length;
      }
      depth = state.isInlined ? depth + 1 : 0;
      if (!state.isInlined) isInnermost = false;
    }
  }
  expect(compared).toBeGreaterThan(500);
});

test('says the types of variables at module level, and where they lie', () => {
  const text =
    'class P {\n  x: u32 = 1;\n  y: f64 = 2.5;\n  next: P | null = null;\n}\nconst p = new P();\nconst list = new Int32Array(5);\nlet n: u64 = 7n;\nn = n + 1n;\nconst LIMIT = 12;';
  const elf = readElf(compileOrThrow('g.ts', new Map([['g.ts', text]])), 'g');
  const globals = new Map((elf.debug()?.globals() ?? []).map((variable) => [variable.name, variable]));
  const type = globals.get('p')?.type;
  expect(type).toMatchObject({ kind: 'structure', name: 'P', bytes: 24 });
  const members = type?.kind === 'structure' ? type.members.map((m) => [m.name, m.offset, m.type.name]) : [];
  expect(members).toEqual([
    ['x', 0, 'u32'],
    ['y', 8, 'f64'],
    ['next', 16, 'P *'],
  ]);
  expect(globals.get('list')?.type).toMatchObject({ kind: 'array', length: 5, bytes: 20 });
  const nothing: DebugContext = {
    register: () => null,
    memory: (address, length) => (address === elf.symbol('n')?.address ? new Uint8Array(length) : null),
  };
  const bytesOf = (name: string) => {
    const variable = globals.get(name);
    return variable === undefined ? undefined : elf.debug()?.value(variable, 0n, nothing);
  };
  expect(bytesOf('n')).toMatchObject({ bytes: new Uint8Array(8), address: elf.symbol('n')?.address });
  expect(bytesOf('LIMIT')?.bytes).toEqual(Uint8Array.of(12, 0, 0, 0));
  expect(bytesOf('p')).toBeNull();
});

test('a number of a size that no number has is bytes', () => {
  const text = 'let x: f64 = 2.5;\nx = x + 1.0;';
  const bytes = Uint8Array.from(compileOrThrow('g.ts', new Map([['g.ts', text]])));
  const typeOf = () =>
    readElf(bytes, 'g')
      .debug()
      ?.globals()
      .find(({ name }) => name === 'x')?.type;
  expect(typeOf()).toMatchObject({ kind: 'number', encoding: 'float', bytes: 8 });
  const info = readElf(bytes, 'g').sections.find(({ name }) => name === '.debug_info')?.bytes ?? new Uint8Array();
  // Each byte that is 8 in turn: one of them is the size of the type.
  const kinds = new Set<string>();
  for (let at = 0; at < info.length; at++) {
    if (info[at] !== 8) continue;
    info[at] = 2;
    try {
      const type = typeOf();
      if (type?.name === 'f64' && type.bytes === 2) kinds.add(type.kind);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
    info[at] = 8;
  }
  expect(kinds).toEqual(new Set(['other']));
});

test('a damaged file is refused in one line, or read as far as it makes sense', () => {
  const elf = readElf(image, 'variables');
  const sections = elf.sections.filter(({ name }) => name.startsWith('.debug_'));
  const functions = elf.symbols.filter(({ type }) => type === 'function');
  const context: DebugContext = { register: () => 0x1000n, memory: (_, length) => new Uint8Array(length) };
  const look = (bytes: Uint8Array): void => {
    const damaged = readElf(bytes, 'damaged');
    const debug = damaged.debug();
    for (const { address } of functions.slice(0, 12)) {
      for (const { variables } of debug?.callsAt(address + 9n) ?? [])
        for (const variable of variables) debug?.value(variable, address + 9n, context);
    }
    debug?.globals();
  };
  const place = fc.record({ section: fc.nat(sections.length - 1), at: fc.nat(), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = Uint8Array.from(image);
      for (const { section, at, value } of changes) {
        const target = sections[section]?.bytes ?? new Uint8Array(1);
        bytes[target.byteOffset - image.byteOffset + (at % target.length)] = value;
      }
      try {
        look(bytes);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        expect(error.message).not.toContain('\n');
      }
    }),
    { seed: 3, numRuns: 150 },
  );
}, 20_000);
