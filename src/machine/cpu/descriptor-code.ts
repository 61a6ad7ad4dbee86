/**
 * Segment descriptors (SDM Vol. 3, 3.4.5) as generated code reads them: the bits that helpers/descriptors.ts names, from GDT and LDT.
 * The address space is the CPU's own: supervisor's rights, whatever CPL and AC are.
 */
import { IMPLICIT, READ, WRITE } from '../memory/mmu-control.ts';
import { type Code, type CodeModule, I32, type I64, type Int, type Routine, type Var32, type Var64 } from '../translator/code.ts';
import { GDTR_BASE, GDTR_LIMIT, SCRATCH, SEGMENT_ATTRIBUTES, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_SELECTOR } from './state.ts';
import type { SystemMemory } from './system-memory.ts';

/** What reading a descriptor found. `fault`: a page fault is pending. `outside`: beyond the table's limit, or no LDT. */
export const FOUND = { ok: 0, fault: 1, outside: 2 } as const;

const LDTR = 6;
const PRESENT = 0x80;

export interface DescriptorRoutines {
  /** (selector, size 8 or 16) → where the descriptor is in the memory, until the next access; or FOUND where it is not. */
  readonly locate: Routine;
  /** (selector, high half, bit 8 accessed or 9 busy): sets the bit in memory where it is clear. 0: a page fault is pending. */
  readonly mark: Routine;
}

/** Defines them, and exports `readDescriptor` (the descriptor is in SCRATCH then, the result FOUND) and `markDescriptor`. */
export function descriptorRoutines(module: CodeModule, base: I32, { locate: locateBytes, writeScratch }: SystemMemory): DescriptorRoutines {
  const isLocal = (selector: I32): I32 => selector.has(4);
  /** The address of a selector's descriptor. */
  const at = (selector: I32): I64 => {
    const table = base.add(I32.of(SEGMENT_BASE + 8 * LDTR).where(isLocal(selector), GDTR_BASE)).load64();
    return table.add(selector.and(0xfff8).unsigned64);
  };
  const locate = module.define(null, ['i32', 'i32'], 'i32', (code, [selector, size]) => {
    const limit = code.var32(base.load32(GDTR_LIMIT));
    code.rarely(isLocal(selector), () => {
      code.if(base.load32(SEGMENT_ATTRIBUTES + 4 * LDTR).lacks(PRESENT), () => code.return(FOUND.outside));
      limit.set(base.load32(SEGMENT_LIMIT + 4 * LDTR));
    });
    code.if(selector.and(0xfff8).add(size).sub(1).gtU(limit), () => code.return(FOUND.outside));
    const linear = code.var64(at(selector));
    const found = code.var32(locateBytes(linear.low, linear.high, size, READ | IMPLICIT));
    code.return(found.where(found, FOUND.fault));
  });
  module.define('readDescriptor', ['i32', 'i32'], 'i32', (code, [selector, size]) => {
    const found = code.var32(locate(selector, size));
    code.if(found.leU(FOUND.outside), () => code.return(found));
    code.store64(base, SCRATCH, found.load64());
    code.if(size.eq(16), () => code.store64(base, SCRATCH + 8, found.load64(8)));
    code.return(FOUND.ok);
  });
  const mark = module.define('markDescriptor', ['i32', 'i32', 'i32'], 'i32', (code, [selector, high, bit]) => {
    const mask = code.var32(I32.of(1).shl(bit));
    code.if(high.has(mask), () => code.return(1));
    const linear = code.var64(at(selector).add(4n));
    code.store32(base, SCRATCH, high.or(mask));
    code.return(writeScratch(linear.low, linear.high, 4, WRITE | IMPLICIT));
  });
  return { locate, mark };
}

/** A descriptor's halves, and what their bits say. */
export class DescriptorBits {
  readonly low: Var32;
  readonly high: Var32;

  constructor(code: Code) {
    this.low = code.var32(0);
    this.high = code.var32(0);
  }

  /** Takes over what was located. */
  take(at: I32): void {
    this.low.set(at.load32());
    this.high.set(at.load32(4));
  }

  get isCode(): I32 {
    return this.high.and(0x1800).eq(0x1800);
  }

  get isWritableData(): I32 {
    return this.high.and(0x1a00).eq(0x1200);
  }

  get isConforming(): I32 {
    return this.high.has(0x400);
  }

  get isPresent(): I32 {
    return this.high.has(0x8000);
  }

  get isLong(): I32 {
    return this.high.has(0x200000);
  }

  get isBig(): I32 {
    return this.high.has(0x400000);
  }

  get dpl(): I32 {
    return this.high.shrU(13).and(3);
  }

  get limit(): I32 {
    const limit = this.low.and(0xffff).or(this.high.and(0xf0000));
    return limit.shl(12).or(0xfff).where(this.high.has(0x800000), limit);
  }

  /** Loads the hidden part of a segment register. */
  load(code: Code, base: I32, segment: number, selector: Int): void {
    const address = this.low.shrU(16).or(this.high.and(0xff).shl(16)).or(this.high.and(0xff000000));
    const attributes = this.high.shrU(8).and(0xff).or(this.high.shrU(12).and(0xf00));
    setSegment(code, base, segment, { selector, address: address.unsigned64, limit: this.limit, attributes });
  }
}

export function setSegment(
  code: Code,
  base: I32,
  segment: number,
  to: { selector: Int; address: I64 | bigint; limit: Int; attributes: Int },
): void {
  code.store32(base, SEGMENT_SELECTOR + 4 * segment, to.selector);
  code.store64(base, SEGMENT_BASE + 8 * segment, to.address);
  code.store32(base, SEGMENT_LIMIT + 4 * segment, to.limit);
  code.store32(base, SEGMENT_ATTRIBUTES + 4 * segment, to.attributes);
}

/** Bits 63:47 all alike. */
export const isCanonical64 = (value: Var64): I32 => value.shrS(47n).add(1n).ltU(2n);
