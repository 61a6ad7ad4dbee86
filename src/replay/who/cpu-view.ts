/** The CPU as it stands before an instruction, for whoever works out what the instruction does with it. */
import type { Registers } from '../../machine/index.ts';
import { bug } from '../../machine/isa/bug.ts';
import type { SegmentIndex } from '../../machine/isa/registers.ts';
import type { Special } from '../../machine/isa/term.ts';

const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
/** Bit of the attributes of a segment: D/B. */
const BIG = 1 << 10;

export class CpuView {
  readonly registers: Registers;
  readonly #codeBits: 16 | 32 | 64;
  readonly #memory: (linear: bigint, length: number) => Uint8Array | null;

  /** `memory` reads by linear address; null where nothing is mapped. */
  constructor(registers: Registers, codeBits: 16 | 32 | 64, memory: (linear: bigint, length: number) => Uint8Array | null) {
    this.registers = registers;
    this.#codeBits = codeBits;
    this.#memory = memory;
  }

  gpr(index: number): bigint {
    return this.registers.gpr[index] ?? bug(`there is no general register ${index}`);
  }

  xmm(index: number): bigint {
    return littleEndian(this.registers.xmm.subarray(16 * index, 16 * index + 16));
  }

  segmentBase(segment: SegmentIndex): bigint {
    return this.registers.segments[SEGMENT_NAMES[segment]].base;
  }

  /** What is not mapped is zero: an instruction that retired has not read it. */
  load(linear: bigint, length: number): bigint {
    const bytes = this.#memory(linear, length);
    return bytes === null ? 0n : littleEndian(bytes);
  }

  special(name: Special): bigint {
    const { segments, msr, x87Control, ...registers } = this.registers;
    switch (name) {
      case 'rflags':
      case 'rflagsRest':
        return registers.rflags;
      case 'cr0':
      case 'cr2':
      case 'cr3':
      case 'cr4':
        return registers[name];
      case 'cpl':
      case 'mxcsr':
        return BigInt(registers[name]);
      case 'fcw':
      case 'fsw':
      case 'ftw':
        return BigInt(x87Control[['fcw', 'fsw', 'ftw'].indexOf(name)] ?? 0);
      case 'fsBase':
        return segments.fs.base;
      case 'gsBase':
        return segments.gs.base;
      case 'stackMask':
        if (this.#codeBits === 64) return (1n << 64n) - 1n;
        return (segments.ss.attributes & BIG) !== 0 ? 0xffff_ffffn : 0xffffn;
      case 'lstar':
        return msr['IA32_LSTAR'] ?? 0n;
      case 'fmask':
        return msr['IA32_FMASK'] ?? 0n;
      default:
        return BigInt(segments[name].selector);
    }
  }
}

export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}
