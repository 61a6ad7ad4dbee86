/**
 * Random programs of moves: for each byte of memory at the end, who wrote it and where its value began, as a model of bytes with their origins says that
 * knows neither the instruction table nor a machine.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Link, openTrace, Player, record, Who } from '../../../src/replay/index.ts';
import { buildIndex } from '../../../src/replay/index-file/build.ts';
import { guestRecording } from '../guest.ts';
import { type Flow, flow } from './flow-guest.ts';

/** The programs work on the first bytes; at the end the registers go to the others. */
const WORKED = 24;
const AREA = WORKED + 32;
const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx'] as const;
const PARTS = { 8: REGISTERS, 4: ['eax', 'ecx', 'edx', 'ebx'], 2: ['ax', 'cx', 'dx', 'bx'], 1: ['al', 'cl', 'dl', 'bl'] } as const;
const NAMES = { 8: 'qword', 4: 'dword', 2: 'word', 1: 'byte' } as const;
type Size = keyof typeof PARTS;

/** Bytes by where their values began: the label of an instruction and how. */
class Model {
  readonly registers = REGISTERS.map(() => new Array<string>(8).fill('?'));
  readonly memory = Array.from({ length: AREA }, () => 'boot');
  readonly xmm = new Array<string>(16).fill('?');
  /** Labels of the instructions that wrote each byte of memory last. */
  readonly writers = new Array<string>(AREA).fill('boot');
  readonly stack: string[][] = [];
  readonly lines: string[] = [];

  /** Adds an instruction, and gives its label. */
  line(text: string): string {
    const label = `i${this.lines.length}`;
    this.lines.push(`${label}: ${text}`);
    return label;
  }

  write(register: number, size: Size, bytes: readonly string[], label: string): void {
    const to = this.registers[register] ?? [];
    for (let i = 0; i < size; i++) to[i] = bytes[i] ?? '';
    if (size === 4) for (let i = 4; i < 8; i++) to[i] = `${label} zero-extension ${i}`;
  }

  store(at: number, bytes: readonly string[], label: string): void {
    for (const [i, byte] of bytes.entries()) {
      this.memory[at + i] = byte;
      this.writers[at + i] = label;
    }
  }

  bytes(register: number, size: number, from = 0): string[] {
    return (this.registers[register] ?? []).slice(from, from + size);
  }
}

type Op = (model: Model) => void;

/** Bytes of a register that begin with an instruction. */
const begun = (length: number, label: string, how: string): string[] => Array.from({ length }, (_, i) => `${label} ${how} ${i}`);

const register = fc.nat(3);
const size = fc.constantFrom<Size>(1, 2, 4, 8);
const place = fc.nat(WORKED - 16);
const name = (n: number, bytes: Size): string => PARTS[bytes][n] ?? '';
const at = (bytes: Size, offset: number): string => `${NAMES[bytes]} ptr [area + ${offset}]`;

const immediate = fc.tuple(register, fc.bigInt(0x1_0000_0000n, 0x7fff_ffff_ffff_ffffn)).map(
  ([to, value]): Op =>
    (m) => {
      const label = m.line(`mov ${name(to, 8)}, 0x${value.toString(16)}`);
      m.write(to, 8, begun(8, label, 'immediate'), label);
    },
);
const move = fc.tuple(register, register, size).map(
  ([to, from, bytes]): Op =>
    (m) => {
      const label = m.line(`mov ${name(to, bytes)}, ${name(from, bytes)}`);
      m.write(to, bytes, m.bytes(from, bytes), label);
    },
);
const store = fc.tuple(register, place, size).map(
  ([from, to, bytes]): Op =>
    (m) => {
      const label = m.line(`mov ${at(bytes, to)}, ${name(from, bytes)}`);
      m.store(to, m.bytes(from, bytes), label);
    },
);
const load = fc.tuple(register, place, size).map(
  ([to, from, bytes]): Op =>
    (m) => {
      const label = m.line(`mov ${name(to, bytes)}, ${at(bytes, from)}`);
      m.write(to, bytes, m.memory.slice(from, from + bytes), label);
    },
);
const extend = fc.tuple(register, place, fc.constantFrom<Size>(1, 2)).map(
  ([to, from, bytes]): Op =>
    (m) => {
      const label = m.line(`movzx ${name(to, 4)}, ${at(bytes, from)}`);
      m.write(to, 4, [...m.memory.slice(from, from + bytes), ...begun(4, label, 'zero-extension').slice(bytes)], label);
    },
);
const exchange = fc.tuple(register, place, size).map(
  ([n, where, bytes]): Op =>
    (m) => {
      const label = m.line(`xchg ${at(bytes, where)}, ${name(n, bytes)}`);
      const before = m.memory.slice(where, where + bytes);
      m.store(where, m.bytes(n, bytes), label);
      m.write(n, bytes, before, label);
    },
);
const swap = register.map(
  (n): Op =>
    (m) => {
      const label = m.line(`bswap ${name(n, 8)}`);
      m.write(n, 8, m.bytes(n, 8).reverse(), label);
    },
);
const shift = fc.tuple(register, fc.constantFrom(1, 2, 3)).map(
  ([n, by]): Op =>
    (m) => {
      const label = m.line(`shl ${name(n, 8)}, ${8 * by}`);
      m.write(n, 8, [...begun(by, label, 'cleared'), ...m.bytes(n, 8 - by)], label);
    },
);
const add = fc.tuple(register, register).map(
  ([to, from]): Op =>
    (m) => {
      const label = m.line(`add ${name(to, 8)}, ${name(from, 8)}`);
      m.write(to, 8, begun(8, label, 'computed'), label);
    },
);
const pushed = fc.tuple(register, register).map(
  ([from, to]): Op =>
    (m) => {
      m.line(`push ${name(from, 8)}`);
      const label = m.line(`pop ${name(to, 8)}`);
      m.write(to, 8, m.bytes(from, 8), label);
    },
);
const vector = fc.tuple(place, place).map(
  ([from, to]): Op =>
    (m) => {
      m.line(`movups xmm1, xmmword ptr [area + ${from}]`);
      const label = m.line(`movups xmmword ptr [area + ${to}], xmm1`);
      m.store(to, m.memory.slice(from, from + 16), label);
    },
);
/** REP MOVSB, forwards: overlapping bytes are copied again. */
const string = fc.tuple(place, place, fc.integer({ min: 0, max: 8 })).map(
  ([from, to, count]): Op =>
    (m) => {
      m.line('push rcx');
      m.stack.push(m.bytes(1, 8));
      m.line(`lea rsi, [area + ${from}]`);
      m.line(`lea rdi, [area + ${to}]`);
      m.line(`mov ecx, ${count}`);
      const label = m.line('rep movsb');
      for (let i = 0; i < count; i++) m.store(to + i, [m.memory[from + i] ?? ''], label);
      const popped = m.line('pop rcx');
      m.write(1, 8, m.stack.pop() ?? [], popped);
    },
);
/** A fault in between: the handler uses R15 alone. */
const fault = fc.constant<Op>((m) => void m.line('ud2'));

const program = fc.array(fc.oneof(immediate, move, store, store, load, extend, exchange, swap, shift, add, pushed, vector, string, fault), {
  minLength: 5,
  maxLength: 60,
});

test('who wrote a byte last, and where its value began, is what a model says', async () => {
  await fc.assert(
    fc.asyncProperty(program, fc.uniqueArray(fc.nat(AREA - 1), { minLength: 8, maxLength: 8 }), async (ops, asked) => {
      const model = new Model();
      for (const n of [0, 1, 2, 3]) {
        const label = model.line(`mov ${name(n, 8)}, 0x11223344556677${n}${n}`);
        model.write(n, 8, begun(8, label, 'immediate'), label);
      }
      for (const op of ops) op(model);
      for (const n of [0, 1, 2, 3])
        model.store(WORKED + 8 * n, model.bytes(n, 8), model.line(`mov ${at(8, WORKED + 8 * n)}, ${name(n, 8)}`));
      const guest = await flow({ code: model.lines.join('\n'), data: `area: .zero ${AREA + 16}` });
      for (const i of asked) {
        const bytes = guest.who.resolve(`area+${i}`, { length: 1, at: guest.who.end, process: null });
        const [link] = guest.who.chain(bytes, guest.who.end, { links: 1000 });
        if (link === undefined) throw new Error('no answer');
        const say = (text: string) => `${text}\nbyte ${i} of\n${model.lines.join('\n')}`;
        expect(say(labelOf(guest, link))).toBe(say(model.writers[i] ?? ''));
        expect(say(beginning(guest, link))).toBe(say(model.memory[i] ?? ''));
      }
    }),
    { numRuns: 12 },
  );
}, 60_000);

test('the last write before any position is the last that a scan of the run finds', async () => {
  const { trace: bytes } = await record({ ...guestRecording({ rounds: 25, timer: 400, faults: 3 }) });
  const trace = await openTrace(bytes ?? new Uint8Array(0));
  // Slices that are short beside the trace, so that a search goes through many.
  const index = buildIndex(await Player.open(trace), { leastSlice: 64 });
  const who = await Who.open(trace, { path: null, index });
  const all: { readonly at: bigint; readonly physical: bigint; readonly size: number }[] = [];
  const player = await Player.open(trace);
  const { memoryBytes } = player.machine.config;
  player.machine.probes = { breakpoints: [], watchpoints: [{ space: 'physical', address: 0n, length: memoryBytes, access: 'write' }] };
  player.machine.observer = { access: (at, { physical, size }) => all.push({ at, physical, size }) };
  player.run(player.end);
  expect(all.length).toBeGreaterThan(1000);
  const question = fc.tuple(fc.nat(all.length - 1), fc.nat(7), fc.bigInt(0n, trace.instructions));
  fc.assert(
    fc.property(question, ([n, offset, before]) => {
      const { physical, size } = all[n] ?? { physical: 0n, size: 1 };
      const byte = physical + BigInt(offset % size);
      const last = all.findLast((each) => each.at < before && byte >= each.physical && byte < each.physical + BigInt(each.size));
      const [link] = who.lastWrite({ pieces: [{ physical: byte, length: 1 }] }, before);
      expect(link?.at ?? null).toBe(last?.at ?? null);
    }),
    { numRuns: 60 },
  );
}, 60_000);

const labelOf = (guest: Flow, link: Link): string => (link.by === 'boot' ? 'boot' : (guest.label(link.instruction?.rip) ?? link.by));

/** Where the one byte that a link is about began. */
function beginning(guest: Flow, link: Link): string {
  const [source, ...others] = link.sources;
  expect(others).toEqual([]);
  if (source !== undefined) return beginning(guest, source.link);
  if (link.by === 'boot' || link.place.kind !== 'register') return link.by;
  const how = link.end?.startsWith('computed') === true ? 'computed' : link.end;
  return `${labelOf(guest, link)} ${how} ${link.place.low}`;
}
