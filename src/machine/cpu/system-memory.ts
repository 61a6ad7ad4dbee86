/**
 * Where code that the CPU runs for itself (deliveries, IRET, descriptors) finds bytes of linear memory: straight in RAM where the software TLB has the
 * page, else by way of SCRATCH, which the MMU fills and empties.
 */
import { IMPLICIT } from '../memory/mmu-control.ts';
import type { Code, CodeModule, I32, Routine, Var32 } from '../translator/code.ts';
import { MMU, SCRATCH, TLB_READ, TLB_SET, TLB_WRITE, tlbIndex } from './state.ts';

const four = ['i32', 'i32', 'i32', 'i32'] as const;

type MmuImports = Readonly<Record<'readScratch' | 'writeScratch', Routine>>;

/** Imports what it needs of the MMU: imports come before definitions. */
export const importMmu = (module: CodeModule): MmuImports => ({
  readScratch: module.import('readScratch', [...four], 'i32'),
  writeScratch: module.import('writeScratch', [...four], 'i32'),
});

export class SystemMemory {
  readonly #base: I32;
  /** (low, high, size, kind of mmu-control.ts) → the address of bytes to be read, until the next access; 0: a fault is pending. */
  readonly locate: Routine;
  readonly #locateWritten: Routine;
  /** Of the MMU: writes bytes from SCRATCH, all or nothing. 0: a fault is pending. */
  readonly writeScratch: Routine;

  constructor(module: CodeModule, base: I32, { readScratch, writeScratch }: MmuImports) {
    this.#base = base;
    this.writeScratch = writeScratch;
    this.locate = module.define(null, four, 'i32', (code, [low, high, size, kind]) => {
      this.#inTlb(code, TLB_READ, low, high, size, kind);
      code.if(readScratch(low, high, size, kind), () => code.return(base.add(SCRATCH)));
      code.return(0);
    });
    this.#locateWritten = module.define(null, four, 'i32', (code, [low, high, size, kind]) => {
      this.#inTlb(code, TLB_WRITE, low, high, size, kind);
      code.return(0);
    });
  }

  /** Returns the address where an unguarded entry has all of the access. */
  #inTlb(code: Code, array: number, low: Var32, high: Var32, size: Var32, kind: Var32): void {
    const set = this.#base.load32(MMU.implicitSet).where(kind.has(IMPLICIT), this.#base.load32(TLB_SET));
    const entry = code.var32(this.#base.add(set).add(tlbIndexOf(low)));
    const isWithin = low.and(0xfff).add(size).leU(4096);
    code.if(isWithin.and(entry.load32(array).eq(low.and(~0xfff))).and(entry.load32(array + 4).eq(high)), () =>
      code.return(entry.load32(array + 8).add(low)),
    );
  }

  /** Writes bytes, by stores to the address that `store` is given; returns 0 where that faults, with nothing written. `kind`: with WRITE. */
  write(code: Code, at: { low: I32; high: I32; bytes: I32; kind: I32 }, store: (to: Var32) => void): void {
    const host = code.var32(this.#locateWritten(at.low, at.high, at.bytes, at.kind));
    store(code.var32(host.where(host, this.#base.add(SCRATCH))));
    code.if(host.isZero, () => code.if(this.writeScratch(at.low, at.high, at.bytes, at.kind).isZero, () => code.return(0)));
  }
}

const tlbIndexOf = (low: I32): I32 => low.shrU(8).and(tlbIndex(-1));
