/** Registers with the manual's names for their bits. */
import { CR0, CR4, EFER, type Registers } from '../../machine/index.ts';
import type { RegisterValue, RegisterValues } from '../protocol.ts';

const GENERAL = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'];

/** Bits of RFLAGS (SDM Vol. 1, figure 3-8); IOPL is a number. */
// biome-ignore format: as in the manual's figure
const RFLAGS = {
  CF: 1 << 0, PF: 1 << 2, AF: 1 << 4, ZF: 1 << 6, SF: 1 << 7, TF: 1 << 8, IF: 1 << 9, DF: 1 << 10, OF: 1 << 11, NT: 1 << 14, RF: 1 << 16, VM: 1 << 17,
  AC: 1 << 18, VIF: 1 << 19, VIP: 1 << 20, ID: 1 << 21,
} as const;

export function registerValues(registers: Registers): RegisterValues {
  const { gpr, rip, rflags, cpl, cr0, cr2, cr3, cr4, cr8, efer, segments, gdtr, idtr, dr, mxcsr, xmm, msr } = registers;
  const iopl = Number((rflags >> 12n) & 3n);
  const flags = [...bitNames(rflags, RFLAGS), ...(iopl === 0 ? [] : [`IOPL=${iopl}`])];
  return {
    cpl,
    general: [...gpr.map((value, index) => wide(GENERAL[index] ?? '', value)), wide('RIP', rip), wide('RFLAGS', rflags, flags)],
    control: [
      wide('CR0', cr0, bitNames(cr0, CR0)),
      wide('CR2', cr2),
      wide('CR3', cr3),
      wide('CR4', cr4, bitNames(cr4, CR4)),
      wide('CR8', cr8),
      wide('EFER', efer, bitNames(efer, EFER)),
      wide('GDTR', gdtr.base, [`limit 0x${gdtr.limit.toString(16)}`]),
      wide('IDTR', idtr.base, [`limit 0x${idtr.limit.toString(16)}`]),
      ...[0, 1, 2, 3, 6, 7].map((n) => wide(`DR${n}`, dr[n] ?? 0n)),
    ],
    segments: Object.entries(segments).map(([name, { selector, base, limit, attributes }]) =>
      wide(name.toUpperCase(), base, [
        `selector 0x${selector.toString(16)}`,
        `limit 0x${(limit >>> 0).toString(16)}`,
        `attributes 0x${attributes.toString(16)}`,
      ]),
    ),
    vector: [
      ...Array.from({ length: 16 }, (_, n) => ({
        name: `XMM${n}`,
        value: `0x${littleEndian(xmm.subarray(16 * n, 16 * n + 16))}`,
        note: '',
      })),
      { name: 'MXCSR', value: `0x${mxcsr.toString(16)}`, note: '' },
    ],
    msr: Object.entries(msr).map(([name, value]) => wide(name, value)),
  };
}

function wide(name: string, value: bigint, notes: readonly string[] = []): RegisterValue {
  return { name, value: `0x${value.toString(16).padStart(16, '0')}`, note: notes.join(' ') };
}

function bitNames(value: bigint, bits: Readonly<Record<string, number>>): string[] {
  return Object.entries(bits).flatMap(([name, bit]) => ((value & BigInt(bit >>> 0)) !== 0n ? [name] : []));
}

function littleEndian(bytes: Uint8Array): string {
  return Buffer.from(bytes).reverse().toString('hex');
}
