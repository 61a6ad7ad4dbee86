import { expect, test } from 'vitest';
import { CpuState, layoutMemory, MMU } from '../../../src/machine/cpu/state.ts';
import { Mmu } from '../../../src/machine/memory/mmu.ts';
import { READ } from '../../../src/machine/memory/mmu-control.ts';
import { PhysicalMemory } from '../../../src/machine/memory/physical.ts';
import { CR0, CR4, EFER } from '../../../src/machine/platform/bits.ts';

const PCID = 1;
/** Frames: PML4, PDPT, page directory, page table, page. */
const [ROOT, DIRECTORY, PAGE] = [1, 3, 5];
const LINEAR = 0x1000;

/** One page, mapped for a PCID whose translations were flushed so often before. */
function fixture(flushes: number) {
  const layout = layoutMemory(1 << 20, 1 << 20);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.totalBytes / 65536) });
  const state = new CpuState(memory, layout.cpuBase);
  state.clear();
  const physical = new PhysicalMemory(memory, layout.ramBase, layout.ramBytes);
  const mmu = new Mmu(state, physical, { tableChanged: () => {}, rootChanged: () => {} });
  for (let frame = ROOT; frame < PAGE - 1; frame++) physical.write64(frame * 4096, ((frame + 1) << 12) | 7, 0);
  physical.write64((PAGE - 1) * 4096 + 8, (PAGE << 12) | 7, 0);
  const stale: number[] = [];
  mmu.events = { staleUse: (low) => stale.push(low), supervisorAccess: () => {} };
  mmu.reload(CR0.PG | CR0.PE, (ROOT << 12) | PCID, 0, CR4.PAE | CR4.PCIDE, EFER.LMA | EFER.LME);
  for (let n = 0; n < flushes; n++) mmu.invalidatePcid(PCID);
  return { mmu, physical, stale, epoch: () => state.get32(MMU.epoch), read: () => mmu.translate(LINEAR, 0, 8, READ) };
}

test('a higher table is known to serve a PCID though all generations began anew', () => {
  for (const flushes of [0, 1, 5]) {
    const { mmu, physical, stale, read } = fixture(flushes);
    expect(read()).toBe(PAGE * 4096 + (LINEAR & 0xfff));
    mmu.translations.rebuild();
    physical.write64(DIRECTORY * 4096, 0, 0);
    expect(read()).toBe(PAGE * 4096 + (LINEAR & 0xfff));
    expect(stale).toEqual([LINEAR]);
  }
});

test('a higher table that served a PCID outdates nothing once that was flushed, and everything before', () => {
  for (const isFlushed of [true, false]) {
    const { mmu, physical, epoch, read } = fixture(0);
    expect(read()).toBeGreaterThan(0);
    if (isFlushed) mmu.invalidatePcid(PCID);
    const before = epoch();
    physical.write64(DIRECTORY * 4096, 0, 0);
    expect(epoch() === before).toBe(isFlushed);
  }
});

test('a higher table that came to another PCID is walked anew by the one that had no translations left', () => {
  const { mmu, physical, stale, read } = fixture(0);
  const use = (pcid: number) => mmu.code.setRoot(ROOT, pcid, 1);
  const other = 0x20_0000;
  physical.write64(DIRECTORY * 4096 + 8, (6 << 12) | 7, 0);
  physical.write64(6 * 4096, (PAGE << 12) | 7, 0);
  read();
  mmu.invalidatePage(LINEAR, 0, PCID, true);
  use(2);
  expect(mmu.translate(other, 0, 8, READ)).toBe(PAGE * 4096);
  use(PCID);
  read();
  mmu.invalidatePcid(2);
  physical.write64(DIRECTORY * 4096, 0, 0);
  expect(read()).toBe(PAGE * 4096 + (LINEAR & 0xfff));
  expect(stale).toEqual([LINEAR]);
});
