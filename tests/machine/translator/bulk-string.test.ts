import { expect, test } from 'vitest';
import { assembleInline } from '../../../src/compiler/assembler/index.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { FlatMachine } from './flat-machine.ts';

const DATA = 0x8000;

/** With the software TLB (bulk), and without it: each iteration by the slow paths. */
function pair(library: FormLibrary, text: string): FlatMachine[] {
  return [true, false].map((hasTlb) => {
    const m = new FlatMachine({ library, hasTlb });
    m.ram.set(assembleInline(text).bytes, 0x1000);
    m.state.rip = 0x1000n;
    return m;
  });
}

function describeState({ state, ram, interpreter }: FlatMachine): string {
  const { bits, bitCount, addresses } = interpreter.drainPath();
  const columns = addresses && `${addresses.count} ${addresses.misses.join()} ${addresses.differences.join()}`;
  return `${state.retired} ${state.rip} ${[...state.gpr].join()} ${state.readRflags()} ${bitCount}:${bits.join()} ${columns} ${Buffer.from(ram.subarray(DATA, DATA + 0x8000)).toString('base64')}`;
}

test.each([false, true])('bulk does what single iterations do, however runs are cut (recorded: %s)', (isRecorded) => {
  const library = new FormLibrary({ hasPath: isRecorded, hasAddresses: isRecorded });
  const r = new Random(7);
  for (let n = 0; n < 120; n++) {
    const name = `${['stos', 'movs'][r.below(2)]}${['b', 'w', 'd', 'q'][r.below(4)]}`;
    const machines = pair(library, `${r.below(8) === 0 ? 'std' : 'cld'}\nrep ${name}\nadd rbx, rcx\nhlt`);
    const to = BigInt(DATA + 0x1000 + r.below(0x3000));
    const from = r.below(2) === 0 ? to + BigInt(r.below(64) - 32) : BigInt(DATA + 0x1000 + r.below(0x3000));
    const value = [0n, 0x5a5a_5a5a_5a5a_5a5an, r.bits64()][r.below(3)] ?? 0n;
    const count = BigInt(r.below(3) === 0 ? r.below(4) : r.below(1500));
    for (const { state, ram } of machines) {
      for (let i = 0; i < 0x8000; i++) ram[DATA + i] = (i * 7 + (i >> 8)) & 0xff;
      state.gpr[0] = value;
      state.gpr[1] = count;
      state.gpr[6] = from;
      state.gpr[7] = to;
    }
    for (let isOver = false; !isOver; ) {
      const budget = 1 + (r.below(3) === 0 ? r.below(5) : r.below(700));
      const reasons = machines.map((m) => m.interpreter.run(budget));
      const [bulk, single] = machines.map(describeState);
      expect(bulk === single, `${name} count ${count} from ${from} to ${to}: ${reasons.join()}`).toBe(true);
      isOver = reasons[0] !== 'budget';
    }
  }
});

test.each([false, true])('a bulk scan stops where single iterations do, with their flags (recorded: %s)', (isRecorded) => {
  const library = new FormLibrary({ hasPath: isRecorded, hasAddresses: isRecorded });
  const r = new Random(8);
  for (let n = 0; n < 200; n++) {
    const shift = r.below(4);
    const name = `${['repe', 'repne'][r.below(2)]} scas${'bwdq'[shift]}`;
    const machines = pair(library, `${r.below(8) === 0 ? 'std' : 'cld'}\n${name}\nadd rbx, rcx\nhlt`);
    const to = BigInt(DATA + 0x1000 + r.below(0x2000)) & (r.below(4) === 0 ? -1n : -8n);
    const count = BigInt(r.below(4) === 0 ? r.below(4) : r.below(1500));
    const odd = r.below(0x8000);
    for (const { state, ram } of machines) {
      ram.fill(name.startsWith('repe ') ? 0x77 : 0x11, DATA, DATA + 0x8000);
      ram[DATA + odd] = 0x55;
      ram.fill(0x77, DATA + odd + 8, DATA + odd + 16);
      state.gpr[0] = 0x7777_7777_7777_7777n;
      state.gpr[1] = count;
      state.gpr[7] = to;
    }
    for (let isOver = false; !isOver; ) {
      const budget = 1 + (r.below(3) === 0 ? r.below(5) : r.below(700));
      const reasons = machines.map((m) => m.interpreter.run(budget));
      const [bulk, single] = machines.map(describeState);
      expect(bulk === single, `${name} count ${count} to ${to}: ${reasons.join()}`).toBe(true);
      isOver = reasons[0] !== 'budget';
    }
  }
});

test('bulk stores stop at a page that is not writable', () => {
  const m = pair(new FormLibrary({ hasPath: false }), 'rep stosq\nhlt')[0] as FlatMachine;
  m.readOnly.add((DATA >> 12) + 1);
  m.state.gpr[0] = 0n;
  m.state.gpr[1] = 1000n;
  m.state.gpr[7] = BigInt(DATA);
  expect(m.interpreter.run(10_000)).toBe('fault');
  expect([m.state.retired, m.state.gpr[1], m.state.gpr[7]]).toEqual([512, 488n, BigInt(DATA + 4096)]);
});
