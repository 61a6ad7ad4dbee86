/**
 * What speeds up translation (the software TLB, known tables, the watch over page tables) cannot be noticed: an MMU that keeps all of it gives the same
 * frames, faults, stale uses and A and D bits as one that forgets it before each step.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { ACCESS, CPL, CpuState, FAULT_CODE, FETCH_PHYSICAL, layoutMemory } from '../../../src/machine/cpu/state.ts';
import { Mmu } from '../../../src/machine/memory/mmu.ts';
import { READ, WRITE } from '../../../src/machine/memory/mmu-control.ts';
import { PhysicalMemory } from '../../../src/machine/memory/physical.ts';
import { CR0, CR4, EFER } from '../../../src/machine/platform/bits.ts';

/** Frames: two roots, two PDPTs, two page directories, three page tables; pages from PAGE on. */
const [ROOT, PDPT, DIRECTORY, TABLE, PAGE] = [1, 3, 5, 7, 10];
const LARGE = 0x20_0000;
const UPPER = -0x8000;

const present = fc.constantFrom(3, 7, 3, 7, 1);
const leafBits = fc.constantFrom(0x3, 0x107, 0x7, 0x103, 0x1, 0x63, 0x163, 0x167, 0x5, 0x0);
// Few places, so that steps concern each other.
const slot = fc.nat(1);
const pcid = fc.constantFrom(1, 1, 2, 17);
const low = fc.constantFrom(0, 0, 0, LARGE);
const high = fc.constantFrom(0, 0, 0, UPPER);

const WAYS = ['read', 'write', 'execute'] as const;

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('use' as const), low, high, way: fc.constantFrom(...WAYS) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cpl' as const), cpl: fc.constantFrom(0, 3) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('leaf' as const),
      table: fc.constantFrom(0, 0, 0, 1, 2),
      slot: fc.constant(0),
      page: fc.nat(1),
      bits: leafBits,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('directory' as const),
      table: fc.nat(1),
      slot,
      to: fc.nat(2),
      bits: fc.oneof(present, fc.constantFrom(0, 0x83, 0x187)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('upper' as const),
      level: fc.nat(1),
      table: fc.nat(1),
      far: fc.boolean(),
      to: fc.nat(1),
      // Of a PDPT: a page of a GiB as well.
      bits: fc.constantFrom(7, 7, 0, 0x83, 0x187),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('root' as const), root: fc.constantFrom(0, 0, 1), pcid, keeps: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('page' as const), low, high, pcid, globals: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pcid' as const), pcid }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The PCID's own translation of a small page hides a global one; its first store finds a large page. */
export const HIDDEN: readonly Step[] = [
  { kind: 'upper', level: 0, table: 1, far: false, to: 0, bits: 7 },
  { kind: 'upper', level: 0, table: 0, far: false, to: 1, bits: 7 },
  { kind: 'leaf', table: 0, slot: 0, page: 0, bits: 3 },
  { kind: 'directory', table: 1, slot: 0, to: 0, bits: 3 },
  { kind: 'use', low: 0, high: 0, way: 'read' },
  { kind: 'root', root: 0, pcid: 2, keeps: false },
  { kind: 'leaf', table: 0, slot: 0, page: 0, bits: 0x163 },
  { kind: 'directory', table: 0, slot: 0, to: 0, bits: 0x83 },
  { kind: 'use', low: 0, high: 0, way: 'read' },
  { kind: 'root', root: 1, pcid: 1, keeps: true },
  { kind: 'use', low: 0, high: 0, way: 'write' },
  { kind: 'use', low: 0, high: 0, way: 'read' },
];

/** What was the PCID's own is global when its first store walks again: the walk's translation is another one, which has not only D more. */
export const MADE_GLOBAL: readonly Step[] = [
  { kind: 'leaf', table: 0, slot: 0, page: 0, bits: 3 },
  { kind: 'use', low: 0, high: 0, way: 'read' },
  { kind: 'leaf', table: 0, slot: 0, page: 0, bits: 0x103 },
  { kind: 'use', low: 0, high: 0, way: 'read' },
  { kind: 'use', low: 0, high: 0, way: 'write' },
  { kind: 'pcid', pcid: 1 },
  { kind: 'leaf', table: 0, slot: 0, page: 0, bits: 0 },
  { kind: 'use', low: 0, high: 0, way: 'read' },
];

class Subject {
  readonly stale: string[] = [];
  readonly mmu: Mmu;
  readonly #state: CpuState;
  readonly #physical: PhysicalMemory;

  readonly #hasPcids: boolean;

  constructor(hasPcids: boolean) {
    this.#hasPcids = hasPcids;
    const layout = layoutMemory(1 << 22, 1 << 20);
    const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.totalBytes / 65536) });
    this.#state = new CpuState(memory, layout.cpuBase);
    this.#state.clear();
    this.#physical = new PhysicalMemory(memory, layout.ramBase, layout.ramBytes);
    this.mmu = new Mmu(this.#state, this.#physical, { tableChanged: () => {}, rootChanged: () => {} });
    for (const n of [0, 1]) {
      for (const slot of [0, 256]) this.#write(ROOT + n, slot, ((PDPT + n) << 12) | 7);
      this.#write(PDPT + n, 0, ((DIRECTORY + n) << 12) | 7);
      for (const slot of [0, 1]) this.#write(DIRECTORY + n, slot, ((TABLE + n + slot) << 12) | 7);
    }
    this.mmu.events = {
      staleUse: (low, high, way, frame, rights, nowFrame, nowRights) =>
        this.stale.push([low, high, way, frame, rights, nowFrame, nowRights].join()),
      supervisorAccess: () => {},
    };
    this.mmu.reload(
      CR0.PG | CR0.PE | CR0.WP,
      (ROOT << 12) | (hasPcids ? 1 : 0),
      0,
      CR4.PAE | (hasPcids ? CR4.PCIDE : 0),
      EFER.LMA | EFER.LME | EFER.NXE,
    );
    this.mmu.globalPages = true;
  }

  #write(frame: number, slot: number, value: number): void {
    this.#physical.write64(frame * 4096 + 8 * slot, value, 0);
  }

  /** What the guest would notice. */
  take(s: Step, refills: boolean): unknown {
    switch (s.kind) {
      case 'use': {
        const isWrite = s.way === 'write';
        if (refills && s.way !== 'execute') this.mmu.code.refill(s.low, s.high, 8 | (isWrite ? ACCESS.modify : 0));
        this.#state.clearFault();
        const found = s.way === 'execute' ? this.#fetch(s.low, s.high) : this.mmu.translate(s.low, s.high, 8, isWrite ? WRITE : READ);
        const code = found < 0 ? this.#state.get32(FAULT_CODE) : 0;
        this.#state.clearFault();
        return [found, code];
      }
      case 'leaf':
        return this.#write(TABLE + s.table, s.slot, s.bits === 0 ? 0 : ((PAGE + s.page) << 12) | s.bits);
      case 'directory':
        return this.#write(
          DIRECTORY + s.table,
          s.slot,
          (s.bits & 0x80) !== 0 ? s.bits : s.bits === 0 ? 0 : ((TABLE + s.to) << 12) | s.bits,
        );
      case 'upper':
        if (s.level === 0)
          return this.#write(PDPT + s.table, 0, (s.bits & 0x80) !== 0 ? s.bits : s.bits === 0 ? 0 : ((DIRECTORY + s.to) << 12) | s.bits);
        return this.#write(ROOT + s.table, s.far ? 256 : 0, s.bits === 0 ? 0 : ((PDPT + s.to) << 12) | (s.bits & 7));
      case 'cpl':
        this.#state.set32(CPL, s.cpl);
        return this.#state.chooseTlbSet();
      case 'root':
        return this.mmu.code.setRoot(ROOT + s.root, this.#hasPcids ? s.pcid : 0, this.#hasPcids && s.keeps ? 1 : 0);
      case 'page':
        return this.mmu.invalidatePage(s.low, s.high, this.#hasPcids ? s.pcid : 0, s.globals);
      default:
        return this.mmu.invalidatePcid(this.#hasPcids ? s.pcid : 0);
    }
  }

  /** The frame's address; −1: fault pending. */
  #fetch(low: number, high: number): number {
    return this.mmu.fetch(low, high) === 0 ? this.#state.get32(FETCH_PHYSICAL) : -1;
  }

  forget(): void {
    this.mmu.forgetTables();
    this.mmu.soft.flush();
  }

  get tables(): string {
    const entries: string[] = [];
    for (let frame = ROOT; frame < PAGE; frame++)
      for (const slot of [0, 1, 256]) entries.push(this.#physical.read(frame * 4096 + 8 * slot, 4).toString(16));
    return entries.join(' ');
  }
}

/** The steps on an MMU that keeps and on one that forgets. */
export function expectSame(steps: readonly Step[], hasPcids: boolean, refills: boolean): void {
  const [kept, fresh] = [new Subject(hasPcids), new Subject(hasPcids)];
  for (const [n, s] of steps.entries()) {
    fresh.forget();
    const found = fresh.take(s, false);
    expect(kept.take(s, refills), `step ${n}`).toEqual(found);
    expect(kept.stale, `step ${n}`).toEqual(fresh.stale);
  }
  expect(kept.mmu.translations.entries()).toEqual(fresh.mmu.translations.entries());
  expect(kept.tables).toBe(fresh.tables);
}

export const steps: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 50, maxLength: 200, size: 'max' });
