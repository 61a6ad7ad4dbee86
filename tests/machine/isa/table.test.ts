import { describe, expect, test } from 'vitest';
import { type Decoded, decode } from '../../../src/machine/isa/decode.ts';
import type { Effect } from '../../../src/machine/isa/dsl.ts';
import { effectOf } from '../../../src/machine/isa/effect.ts';
import { HELPERS } from '../../../src/machine/isa/helpers.ts';
import { parseEncoding } from '../../../src/machine/isa/notation.ts';
import { encodings, instructions, legacySlots, vexSlots } from '../../../src/machine/isa/table.ts';
import type { Term } from '../../../src/machine/isa/term.ts';
import { RandomBytes } from './random-bytes.ts';

/** Shapes of every encoding, from random bytes. */
function shapes(count: number): ReadonlyMap<number, Decoded[]> {
  const random = new RandomBytes('shapes');
  const all = new Map<number, Decoded[]>();
  for (let i = 0; i < count; i++) {
    const mode = random.mode();
    const d = decode(random.next(mode), 0, mode, 16);
    if (typeof d === 'string') continue;
    const list = all.get(d.encoding.id);
    if (list === undefined) all.set(d.encoding.id, [d]);
    else if (list.length < 12) list.push(d);
  }
  return all;
}
const drawn = shapes(90_000);

function terms(e: Effect): Term[] {
  const found: Term[] = [];
  for (const s of e.steps) {
    if (s.kind === 'fault') found.push(s.when, ...s.writes.map((w) => w.value));
    else found.push(s.offset);
    if (s.kind === 'store') found.push(s.value);
  }
  for (const w of e.writes) found.push(w.value, ...(w.when === null ? [] : [w.when]));
  for (const f of Object.values(e.flags.values)) found.push(f.value);
  if (e.next.kind !== 'next') found.push(e.next.target);
  return found;
}
/** Numbers of load steps that a term reads. */
function loads(t: Term, into: Set<number> = new Set()): Set<number> {
  if (t.source?.kind === 'loaded') into.add(t.source.step);
  for (const a of t.args) loads(a, into);
  return into;
}

describe('laws of every row', () => {
  test('every encoding can be met by random bytes', () => {
    expect(encodings.filter((e) => !drawn.has(e.id)).map((e) => `${e.row.name} ${e.text}`)).toEqual([]);
  });

  test('every shape has an effect, and only helpers have none of their own', () => {
    for (const list of drawn.values()) {
      for (const d of list) {
        const effect = effectOf(d);
        if (effect.helper === null) continue;
        expect(Object.keys(HELPERS)).toContain(effect.helper);
        expect(effect.writes.length + Object.keys(effect.flags.values).length, d.row.name).toBe(0);
        expect(
          effect.steps.every((s) => s.kind === 'fault'),
          d.row.name,
        ).toBe(true);
      }
    }
  });

  test('a term reads only what an earlier step has loaded', () => {
    for (const list of drawn.values()) {
      for (const d of list) {
        const effect = effectOf(d);
        for (const [i, s] of effect.steps.entries()) {
          const read = s.kind === 'fault' ? loads(s.when) : s.kind === 'store' ? loads(s.value, loads(s.offset)) : loads(s.offset);
          for (const n of read) expect(n, `${d.row.name} step ${i}`).toBeLessThan(i);
        }
        for (const t of terms(effect)) for (const n of loads(t)) expect(effect.steps[n]?.kind, d.row.name).toBe('load');
      }
    }
  });

  test('only rows that say so look at values', () => {
    for (const list of drawn.values()) {
      for (const d of list) {
        if (d.row.byImmediate === true) continue;
        const blind = {
          ...d,
          operands: d.operands.map(({ ...o }) =>
            o.kind === 'imm' ? { kind: o.kind, width: o.width } : o.kind === 'mem' ? { kind: o.kind, width: o.width } : o,
          ),
        };
        expect(() => effectOf(blind), d.row.name).not.toThrow();
      }
    }
  });

  test('branch, call and return rows transfer control, the others do not', () => {
    const kinds = {
      branch: 'branch',
      jump: 'jump',
      indirect: 'jump',
      call: 'jump',
      'indirect-call': 'jump',
      ret: 'jump',
      event: 'next',
      next: 'next',
    } as const;
    for (const list of drawn.values()) for (const d of list) expect(effectOf(d).next.kind, d.row.name).toBe(kinds[d.row.flow ?? 'next']);
  });

  test('no two encodings are the same bytes: what lies on any opcode can be told apart', () => {
    const slots = [legacySlots.in64, legacySlots.other, vexSlots.in64, vexSlots.other];
    const met = new Set(slots.flatMap((each) => Array.from({ length: 1024 }, (_, opcode) => each.at(opcode)?.all ?? []).flat()));
    expect(met).toEqual(new Set(encodings));
  });

  test('every row has a meaning in words', () => {
    for (const row of instructions) expect(row.text.length, row.name).toBeGreaterThan(2);
  });
});

describe('the notation', () => {
  const row = { name: 'TEST', text: 'a row', encodings: [], meaning: () => undefined };
  test.each([['01 /r  Ev,Qv'], ['01 /r  Ev  x64'], ['/r  Ev'], ['0F 01 F8 zz'], ['01 /r  Ex9']])('%s is refused', (text) =>
    expect(() => parseEncoding(row, text, 0)).toThrow('internal error'),
  );
  test('parts', () => {
    expect(parseEncoding(row, 'F3 0F B8 /r  Gv,Ev', 7)).toMatchObject({
      id: 7,
      mandatory: 'f3',
      map: 1,
      opcode: 0xb8,
      hasModrm: true,
      digit: -1,
    });
    expect(parseEncoding(row, '66 0F 38 82 /r  Gq,Mdq  o64', 0)).toMatchObject({ map: 2, opcode: 0x82, modrm: 'mem', only64: true });
    expect(parseEncoding(row, 'VEX.LZ.F2.0F3A.W F0 /r  Gy,Ey,Ib', 0)).toMatchObject({ vex: true, mandatory: 'f2', map: 3, opcode: 0xf0 });
    expect(parseEncoding(row, 'NP 0F AE /5 reg', 0)).toMatchObject({ mandatory: 'np', digit: 5, modrm: 'reg' });
  });
});
