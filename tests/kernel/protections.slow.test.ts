/**
 * Each protection is looked for in the machine's own state, after boot or while programs run, and each has a saboteur: the same look at a kernel from
 * which the protection was taken must fail. What only hostile programs can show is the fuzzer's invariants' affair.
 */
import { describe, expect, it } from 'vitest';
import { packPrograms } from '../../src/compiler/image/cpio.ts';
import { buildKeel, type Keel, type KeelEdit } from '../../src/compiler/keel.ts';
import { Machine, QuietHost, RIGHT } from '../../src/machine/index.ts';

const CR0_WP = 1n << 16n;
const CR4 = { umip: 1n << 11n, pcid: 1n << 17n, smep: 1n << 20n, smap: 1n << 21n };
const EFER_NXE = 1n << 11n;
const UPPER_HALF = 2 ** 35;

/** keel at the harness's "ready". */
async function ready(keel: Keel): Promise<Machine> {
  const machine = await Machine.create({ memoryBytes: 64 << 20, seed: 'protections', harness: true }, new QuietHost());
  machine.load({ image: keel.image, initrd: packPrograms([], []) });
  expect(machine.run(1_000_000_000n).reason).toBe('ready');
  return machine;
}

interface Protection {
  readonly name: string;
  readonly holds: (machine: Machine, keel: Keel) => boolean;
  readonly saboteur: KeelEdit;
}

function symbolOf(keel: Keel, name: string): bigint {
  const symbol = keel.symbols.find((each) => each.name === name);
  if (symbol === undefined) throw new Error(`keel has no symbol ${name}`);
  return symbol.address;
}

/** Whether no leaf of the current root fails `isGood`. */
function allLeaves(machine: Machine, isGood: (page: number, rights: number) => boolean): boolean {
  let good = true;
  machine.walkLeaves(machine.cr3, (page, _frame, _pages, rights) => {
    if (!isGood(page, rights)) good = false;
  });
  return good;
}

const protections: readonly Protection[] = [
  {
    name: 'SMEP is on',
    holds: (machine) => (machine.registers().cr4 & CR4.smep) !== 0n,
    saboteur: { file: 'ostd/cpu.ts', text: 'if (features.smep) cr4 |= CR4_SMEP;', replacement: '' },
  },
  {
    name: 'SMAP is on',
    holds: (machine) => (machine.registers().cr4 & CR4.smap) !== 0n,
    saboteur: { file: 'ostd/cpu.ts', text: 'if (features.smap) cr4 |= CR4_SMAP;', replacement: '' },
  },
  {
    name: 'UMIP is on',
    holds: (machine) => (machine.registers().cr4 & CR4.umip) !== 0n,
    saboteur: { file: 'ostd/cpu.ts', text: 'if (features.umip) cr4 |= CR4_UMIP;', replacement: '' },
  },
  {
    name: 'PCID is on',
    holds: (machine) => (machine.registers().cr4 & CR4.pcid) !== 0n,
    saboteur: { file: 'ostd/cpu.ts', text: 'if (features.pcid) cr4 |= CR4_PCIDE;', replacement: '' },
  },
  {
    name: 'CR0.WP is on',
    holds: (machine) => (machine.registers().cr0 & CR0_WP) !== 0n,
    saboteur: { file: 'ostd/cpu.ts', text: 'CR0_NE | CR0_WP | CR0_AM);', replacement: 'CR0_NE | CR0_AM);' },
  },
  {
    name: 'NX is on, and nothing in the kernel is writable and executable',
    holds: (machine) =>
      (machine.registers().efer & EFER_NXE) !== 0n &&
      allLeaves(machine, (_page, rights) => (rights & (RIGHT.write | RIGHT.execute)) !== (RIGHT.write | RIGHT.execute)),
    saboteur: {
      file: 'ostd/kernel-space.ts',
      text: 'const READ_WRITE: u64 = PRESENT | WRITABLE | NO_EXECUTE | GLOBAL;',
      replacement: 'const READ_WRITE: u64 = PRESENT | WRITABLE | GLOBAL;',
    },
  },
  {
    name: 'kernel code is not writable, in the direct map either',
    holds: (machine, keel) => {
      const code = machine.translate(symbolOf(keel, '__rx_start'));
      const alias = code && machine.translate(0xffff_8000_0000_0000n + code.physical);
      return code !== null && !code.writable && code.executable && alias !== null && !alias.writable && !alias.executable;
    },
    saboteur: {
      file: 'ostd/kernel-space.ts',
      text: 'isReadOnlyImage(KERNEL_IMAGE + at) ? READ_ONLY : READ_WRITE',
      replacement: 'READ_WRITE',
    },
  },
  {
    name: 'GDT and IDT are read-only',
    holds: (machine, keel) => machine.translate(symbolOf(keel, 'interrupt_table'))?.writable === false,
    saboteur: { file: 'ostd/kernel-space.ts', text: 'isDescriptorPage(at) ? READ_ONLY : READ_WRITE', replacement: 'READ_WRITE' },
  },
  {
    name: "no page of the kernel is user mode's, and its own root has no lower half",
    holds: (machine) => allLeaves(machine, (page, rights) => page >= UPPER_HALF && (rights & RIGHT.user) === 0),
    saboteur: {
      file: 'ostd/kernel-space.ts',
      text: 'writeCr(3, u64(this.root) << 12n);\n  }\n\n  private mapImage',
      replacement: 'this.map(0n, 0n, READ_ONLY);\n    writeCr(3, u64(this.root) << 12n);\n  }\n\n  private mapImage',
    },
  },
  {
    name: 'below every kernel stack lies a guard',
    holds: (machine) => {
      for (let slot = 0n; slot < 64n; slot++) {
        const top = 0xffff_c000_0000_0000n + (slot + 1n) * 0x10000n;
        if (machine.translate(top - 0x8000n) === null || machine.translate(top - 0x8001n) !== null) return false;
      }
      return true;
    },
    saboteur: { file: 'ostd/kernel-space.ts', text: 'page <= STACK_PAGES', replacement: 'page <= STACK_PAGES + 1' },
  },
];

describe.each(protections)('$name', ({ holds, saboteur }) => {
  it('in keel', async () => {
    const keel = buildKeel();
    expect(holds(await ready(keel), keel)).toBe(true);
  });
  it('not in a kernel without it', async () => {
    const keel = buildKeel({ edits: [saboteur] });
    expect(holds(await ready(keel), keel)).toBe(false);
  });
});
