/**
 * What a write of CR3 does, as WebAssembly: another root and PCID, the PCID's own translations dropped or kept, and the bank of the software TLB that
 * serves them (soft-tlb.ts): a part of the MMU's module.
 *
 * What it leaves to TypeScript, since it is rare: `adopt(root before)`, where a bank without entries could take over the kernel's from the one before, and
 * `emptySlow`, where the set of no bank has entries; and `rootChanged` (cpu/event-code.ts), called where somebody observes.
 */
import {
  BANK, BANK_BYTES, BANKS, CR3, CR4, FILLED_ITEMS, MMU, OBSERVED, RFLAGS_REST, TLB_BANK_BYTES, TLB_BANKS, TLB_CHOICES, TLB_SETS,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { CR4 as CR4_BITS } from '../platform/bits.ts';
import { PHYSICAL_BITS } from '../platform/memory-map.ts';
import { VECTOR } from '../platform/vectors.ts';
import { type Code, type CodeModule, I32, type Routine, type Type, type Var32 } from '../translator/code.ts';
import { STATUS } from '../translator/entry.ts';
import { chooseTlbSet } from '../translator/rflags-code.ts';
import { LEAF, LEAF_BYTES } from './frames.ts';
import { TRANSLATIONS } from './known-tables.ts';
import { MMU_CONTROL } from './mmu-control.ts';
import { liveOf } from './translations-code.ts';
import { countDrop } from './watch-code.ts';

/** Bits 62:PHYSICAL_BITS of CR3, of the high half. */
const CR3_RESERVED = 0x7fff_ffff & -(1 << (PHYSICAL_BITS - 32));
/** MMU.rootKey of a root outside of RAM: nothing is ever found there. */
const NO_ROOT = -1;

export interface RootCode {
  /** The root's frame from now on. */
  useRoot(root: number): void;
  /** Takes the bank of a root and its PCID. */
  select(root: number, pcid: number): void;
  /** Empties a bank, by its number. */
  emptyBank(bank: number): void;
  /** Empties a PCID's own translations out of the software TLB. */
  flushPcid(pcid: number): void;
  /** Which set of the software TLB is for which privilege. */
  renewChoices(): void;
  /** A new root or PCID; `keeps`: the PCID's own translations stay. */
  setRoot(root: number, pcid: number, keeps: number): void;
  /** MOV to CR3 of this value (SDM Vol. 3, 4.10.4.1); a value of STATUS. */
  writeCr3(low: number, high: number): number;
}

export type RootRare = Record<'adopt' | 'emptySlow' | 'rootChanged', Routine>;

export function importRootRare(module: CodeModule): RootRare {
  return {
    adopt: module.import('adopt', ['i32'], null),
    emptySlow: module.import('emptySlow', [], null),
    rootChanged: module.import('rootChanged', new Array<Type>(7).fill('i32'), null),
  };
}

interface Addresses {
  readonly base: I32;
  readonly frames: I32;
  readonly leaves: I32;
}

/** `raise`: (vector, error code), leaves a fault pending; `flushTag`: of the translations. */
export function defineRoot(
  module: CodeModule,
  addresses: Addresses,
  rare: RootRare,
  { raise, flushTag }: Record<'raise' | 'flushTag', Routine>,
): void {
  const { base, frames, leaves } = addresses;
  const banks = defineBanks(module, base, rare.emptySlow);

  const useRoot = module.define('useRoot', ['i32'], null, (code, [root]) => {
    const key = code.var32(NO_ROOT);
    code.if(root.ltU(frames), () => key.set(leaves.add(root.mul(LEAF_BYTES)).load32(LEAF.changes).or(root)));
    code.store32(base, MMU.root, root);
    code.store32(base, MMU.rootKey, key);
  });

  const renewChoices = module.define('renewChoices', [], null, (code) => {
    const offset = code.var32(base.load32(MMU.bank).mul(TLB_BANK_BYTES));
    const { slow, supervisor, supervisorAc, user } = TLB_SETS;
    const checked = I32.of(slow).where(base.load32(MMU.control).has(MMU_CONTROL.am), offset.add(user));
    for (const [n, set] of [offset.add(supervisor), offset.add(supervisorAc), offset.add(user), checked].entries())
      code.store32(base, TLB_CHOICES + 4 * n, set);
    code.store32(base, MMU.implicitSet, offset.add(supervisor));
    chooseTlbSet(code, base, base.load32(RFLAGS_REST));
  });

  const setRoot = module.define('setRoot', ['i32', 'i32', 'i32'], null, (code, [root, pcid, keeps]) => {
    const before = code.var32(base.load32(MMU.root));
    code.do(useRoot(root));
    code.store32(base, MMU.pcid, pcid);
    code.if(keeps.isZero, () => {
      code.do(flushTag(pcid));
      code.do(banks.flushPcid(pcid));
    });
    code.do(banks.select(root, pcid));
    // A kernel's global pages need not be asked for one by one in each new address space.
    code.rarely(banks.mayAdopt(code).and(base.load32(MMU.paging)).and(liveOf(pcid, TRANSLATIONS).isZero), () =>
      code.do(rare.adopt(before)),
    );
    code.do(renewChoices());
  });

  module.define('writeCr3', ['i32', 'i32'], 'i32', (code, [low, signedHigh]) => {
    const hasPcid = code.var32(base.load32(CR4).has(CR4_BITS.PCIDE));
    const keeps = code.var32(signedHigh.shrU(31));
    code.rarely(signedHigh.has(CR3_RESERVED).or(keeps.and(hasPcid.isZero)), () => {
      code.do(raise(VECTOR.GP, 0));
      code.return(STATUS.fault);
    });
    const high = code.var32(signedHigh.and(0x7fff_ffff));
    const lowBefore = code.var32(base.load32(CR3));
    const highBefore = code.var32(base.load32(CR3 + 4));
    code.store32(base, CR3, low);
    code.store32(base, CR3 + 4, high);
    // Bits 11:0 are the PCID with CR4.PCIDE, else PWT, PCD and ignored ones (SDM Vol. 3, tables 4-12 and 4-13).
    const asid = code.var32(I32.of(0xfff).where(hasPcid, 0));
    code.do(setRoot(high.shl(20).or(low.shrU(12)), low.and(asid), keeps));
    code.rarely(base.load32(OBSERVED), () => {
      const isOther = high.ne(highBefore).or(low.xor(lowBefore).has(asid.or(~0xfff)));
      code.do(rare.rootChanged(lowBefore, highBefore, low, high, asid, isOther.and(base.load32(MMU.paging)), keeps.isZero));
    });
    code.return(STATUS.next);
  });
}

interface Banks {
  readonly select: Routine;
  readonly flushPcid: Routine;
  /** 1: the current bank is empty, and the one before has global translations that it could take over. */
  mayAdopt(code: Code): I32;
}

function defineBanks(module: CodeModule, base: I32, emptySlow: Routine): Banks {
  /** What fields of BANK are relative to. */
  const bankAt = (code: Code, n: I32): Var32 => code.var32(base.add(n.mul(BANK_BYTES)).add(BANKS));
  const isKnown = (length: I32): I32 => length.leU(FILLED_ITEMS);
  const emptySlowOnes = (code: Code): void => code.rarely(base.load32(MMU.slowEntries), () => code.do(emptySlow()));

  /** Empties the entries of a list (addresses of its length and items) that is known, and the list. */
  const emptyList = module.define(null, ['i32', 'i32'], null, (code, [length, items]) => {
    const at = code.var32(items);
    const end = code.var32(items.add(length.load32().shl(2)));
    code.if(at.eq(end), () => code.return());
    code.loop((leave) => {
      code.if(at.geU(end), leave);
      code.store64(at.load32(), 0, -1n);
      at.set(at.add(4));
    });
    code.store32(length, 0, 0);
    countDrop(code, base);
  });

  const emptyBank = module.define('emptyBank', ['i32'], null, (code, [n]) => {
    const bank = bankAt(code, n);
    code.if(isKnown(bank.load32(BANK.own)).and(isKnown(bank.load32(BANK.global))), () => {
      code.do(emptyList(bank.add(BANK.own), bank.add(BANK.ownItems)));
      code.do(emptyList(bank.add(BANK.global), bank.add(BANK.globalItems)));
      code.return();
    });
    countDrop(code, base);
    code.fill(base.add(n.mul(TLB_BANK_BYTES)).add(TLB_SETS.supervisor), -1, I32.of(TLB_BANK_BYTES));
    for (const length of [BANK.own, BANK.global]) code.store32(bank, length, 0);
  });

  const flushPcid = module.define('flushPcid', ['i32'], null, (code, [pcid]) => {
    emptySlowOnes(code);
    const left = code.var32(base.load32(MMU.usedBanks));
    code.loop((leave) => {
      code.if(left.isZero, leave);
      const n = code.var32(left.trailingZeros);
      left.set(left.and(left.sub(1)));
      const bank = bankAt(code, n);
      code.if(bank.load32(BANK.pcid).eq(pcid), () =>
        code.if(
          isKnown(bank.load32(BANK.own)),
          () => code.do(emptyList(bank.add(BANK.own), bank.add(BANK.ownItems))),
          () => code.do(emptyBank(n)),
        ),
      );
    });
  });

  const select = module.define('select', ['i32', 'i32'], null, (code, [root, pcid]) => {
    emptySlowOnes(code);
    const n = code.var32(
      root
        .add(root.shrU(4))
        .where(pcid.isZero, pcid)
        .and(TLB_BANKS - 1),
    );
    const bank = bankAt(code, n);
    code.if(bank.load32(BANK.pcid).eq(pcid).and(bank.load32(BANK.root).eq(root)).isZero, () => {
      code.store32(base, MMU.usedBanks, base.load32(MMU.usedBanks).or(I32.of(1).shl(n)));
      code.do(emptyBank(n));
      code.store32(bank, BANK.pcid, pcid);
      code.store32(bank, BANK.root, root);
    });
    code.store32(base, MMU.bankBefore, base.load32(MMU.bank));
    code.store32(base, MMU.bank, n);
  });

  const mayAdopt = (code: Code): I32 => {
    const bank = bankAt(code, base.load32(MMU.bank));
    const before = bankAt(code, base.load32(MMU.bankBefore));
    const isEmpty = bank.load32(BANK.own).or(bank.load32(BANK.global)).isZero;
    const hasGlobals = before
      .load32(BANK.global)
      .ne(0)
      .and(isKnown(before.load32(BANK.global)));
    return isEmpty.and(hasGlobals).and(isKnown(before.load32(BANK.own)));
  };
  return { select, flushPcid, mayAdopt };
}
