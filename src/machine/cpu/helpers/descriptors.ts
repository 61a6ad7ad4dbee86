/**
 * Segment descriptors (SDM Vol. 3, 3.4.5): what their bits say. Reading them from GDT and LDT is generated code (descriptor-code.ts).
 *
 *     high  31:24      23 22  21 20   19:16      15 14:13 12 11:8  7:0        low  31:16     15:0
 *           base 31:24 G  D/B L  AVL  limit 19:16 P DPL   S  type  base 23:16      base 15:0 limit 15:0
 */
import { bug } from '../../isa/bug.ts';
import { FOUND } from '../descriptor-code.ts';
import { SCRATCH } from '../state.ts';
import type { Cpu } from './cpu.ts';

const codeOf = ({ descriptors }: Cpu) => descriptors ?? bug('descriptors are read before there is a delivery');

/** One descriptor at a time; the object is used again and again. */
export class Descriptor {
  low = 0;
  high = 0;
  /** Base bits 63:32, where `read16` read a 16-byte descriptor. */
  upper = 0;

  /** Reads the 8 bytes that a selector names. `fault`: a page fault is pending. `outside`: beyond the table's limit, or no LDT. */
  read(cpu: Cpu, selector: number): number {
    return this.#read(cpu, selector, 8);
  }

  /** Reads a 16-byte system descriptor of IA-32e mode. */
  read16(cpu: Cpu, selector: number): number {
    const found = this.#read(cpu, selector, 16);
    if (found === FOUND.ok) this.upper = cpu.low(SCRATCH + 8);
    return found;
  }

  #read(cpu: Cpu, selector: number, size: number): number {
    const found = codeOf(cpu).readDescriptor(selector, size);
    if (found !== FOUND.ok) return found;
    this.low = cpu.low(SCRATCH);
    this.high = cpu.high(SCRATCH);
    return FOUND.ok;
  }

  /** Sets the accessed bit (code and data) or, with `bit` 9, busy (TSS) in memory where it is clear. False: a page fault is pending. */
  mark(cpu: Cpu, selector: number, bit: number): boolean {
    if ((this.high & (1 << bit)) !== 0) return true;
    const isMarked = codeOf(cpu).markDescriptor(selector, this.high, bit) !== 0;
    this.high |= 1 << bit;
    return isMarked;
  }

  get base(): number {
    return (this.low >>> 16) | ((this.high & 0xff) << 16) | (this.high & 0xff000000);
  }

  get limit(): number {
    const limit = (this.low & 0xffff) | (this.high & 0xf0000);
    return (this.high & 0x800000) !== 0 ? ((limit << 12) | 0xfff) >>> 0 : limit;
  }

  /** As SEGMENT_ATTRIBUTES of the state keeps it. */
  get attributes(): number {
    return ((this.high >>> 8) & 0xff) | ((this.high >>> 12) & 0xf00);
  }

  get dpl(): number {
    return (this.high >>> 13) & 3;
  }

  get isPresent(): boolean {
    return (this.high & 0x8000) !== 0;
  }

  /** A code or data segment, not a system one. */
  get isSegment(): boolean {
    return (this.high & 0x1000) !== 0;
  }

  get isCode(): boolean {
    return (this.high & 0x1800) === 0x1800;
  }

  get isConforming(): boolean {
    return (this.high & 0x400) !== 0;
  }

  get isWritableData(): boolean {
    return (this.high & 0x1a00) === 0x1200;
  }

  get isReadable(): boolean {
    return this.isSegment && (!this.isCode || (this.high & 0x200) !== 0);
  }

  /** Type of a system descriptor. */
  get systemType(): number {
    return (this.high >>> 8) & 0xf;
  }

  get isLong(): boolean {
    return (this.high & 0x200000) !== 0;
  }

  get isBig(): boolean {
    return (this.high & 0x400000) !== 0;
  }
}

/** Loads a code or data segment register's hidden part from a descriptor. */
export function setFromDescriptor(cpu: Cpu, segment: number, selector: number, descriptor: Descriptor): void {
  cpu.setSegment(segment, selector, descriptor.base, 0, descriptor.limit, descriptor.attributes);
}
