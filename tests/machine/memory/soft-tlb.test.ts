import { expect, test } from 'vitest';
import { CpuState, layoutMemory, TLB_EXECUTE, TLB_SETS, tlbIndex } from '../../../src/machine/cpu/state.ts';
import { Mmu } from '../../../src/machine/memory/mmu.ts';
import { PhysicalMemory } from '../../../src/machine/memory/physical.ts';

const KERNEL = { low: 0x8000_1000 | 0, high: -1 };
const FRAME = 5;

function fixture() {
  const layout = layoutMemory(1 << 20, 1 << 20);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.totalBytes / 65536) });
  const state = new CpuState(memory, layout.cpuBase);
  state.clear();
  const { soft, code } = new Mmu(state, new PhysicalMemory(memory, layout.ramBase, layout.ramBytes), {
    tableChanged: () => {},
    rootChanged: () => {},
  });
  const at = () => soft.setOf(TLB_SETS.supervisor) + TLB_EXECUTE + tlbIndex(KERNEL.low >>> 12);
  return {
    soft,
    code,
    isFilled: () => state.get32(at()) === KERNEL.low >>> 0,
    /** As the interpreter does after a fetch. */
    fill: (frame: number) => {
      soft.noteExecute(soft.setOf(TLB_SETS.supervisor), KERNEL.low, frame, true);
      state.setHalves(at(), KERNEL.low, KERNEL.high);
    },
  };
}

test('new code in a frame empties the execute entries of every bank, those that were adopted among them', () => {
  const { soft, code, fill, isFilled } = fixture();
  code.select(100, 1);
  fill(FRAME);
  code.select(200, 2);
  expect(isFilled()).toBe(false);
  soft.adopt();
  expect(isFilled()).toBe(true);
  soft.dropExecutesOf(FRAME);
  expect(isFilled()).toBe(false);
  code.select(100, 1);
  expect(isFilled()).toBe(false);
});

test('an entry that was filled for another frame since stays', () => {
  const { soft, fill, isFilled } = fixture();
  fill(FRAME);
  fill(FRAME + 1);
  soft.dropExecutesOf(FRAME);
  expect(isFilled()).toBe(true);
  soft.dropExecutesOf(FRAME + 1);
  expect(isFilled()).toBe(false);
});
