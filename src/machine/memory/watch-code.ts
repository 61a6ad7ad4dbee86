/**
 * The software TLB's lists and the watch over page tables, as far as they are on the path of a TLB refill or of a store to a page table:
 * a part of the MMU's module (soft-tlb.ts and table-watch.ts say what they are).
 *
 * What it leaves to TypeScript, since it is rare:
 * `otherEntry(frame, entry)` (a second write entry holds a frame), `watchUpper(frame, tag, level)`, `watchLeaf(frame, region, tag)`, `idleStore(frame)`,
 * `quietTable(frame, isUpper)`, `upperWritten(frame)`, `tableChanged(…)` (for observers).
 */
import {
  BANK, BANK_BYTES, BANKS, FILLED_ITEMS, MMU, TLB_BANK_BYTES, TLB_ENTRIES, TLB_EXECUTE, TLB_READ, TLB_SETS, TLB_WRITE,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { PTE } from '../platform/bits.ts';
import type { Code, CodeModule, I32, I64, Routine, Type } from '../translator/code.ts';
import { FRAME, LEAF, LEAF_BYTES, SHARED, WALK_AT } from './frames.ts';
import { emitForgetTables, TRANSLATIONS } from './known-tables.ts';
import { MMU_CONTROL } from './mmu-control.ts';
import { GLOBAL_TAG, ownerOf, SLOT, SLOTS_AT } from './translations-code.ts';

export const GUARD = 1;
/** Bits of an entry whose change concerns no translation: A, D and the ignored ones (11:9, 62:52). */
export const IRRELEVANT_LOW = PTE.A | PTE.D | 0xe00;
export const IRRELEVANT_HIGH = 0x7ff00000;

export interface WatchCode {
  /** Fills an entry (an address) of the current bank. */
  enter(entry: number, low: number, high: number, frame: number, isGuarded: number, isGlobal: number): void;
  /** Notes that an entry of the current bank is filled. */
  note(entry: number, isGlobal: number): void;
  /** Remembers which entry lets stores to a frame through. */
  noteWrite(entry: number, frame: number): void;
  /** Drops one linear page of a tag: a PCID, or GLOBAL_TAG. `pageLow`: the low bits of linear address / 4096. */
  dropPage(pageLow: number, tag: number): void;
  /** Watches the tables of the walk whose result is at `walk`, which began at its root. */
  watchWalk(walk: number, pageLow: number, pageHigh: number, tag: number): void;
  /** A store changed the 8-byte entry `index` of a watched frame. */
  tableWritten(frame: number, index: number, beforeLow: number, beforeHigh: number, afterLow: number, afterHigh: number): void;
}

/** Addresses of the tables by frame, and others, as a module imports them. */
export interface FrameAddresses {
  readonly base: I32;
  readonly ram: I32;
  readonly frames: I32;
  readonly flags: I32;
  readonly writeEntries: I32;
  readonly leaves: I32;
}

/** What the watch leaves to TypeScript. */
export type WatchRare = Record<
  'otherEntry' | 'watchUpper' | 'watchLeaf' | 'idleStore' | 'quietTable' | 'upperWritten' | 'tableChanged',
  Routine
>;

export function importWatchRare(module: CodeModule): WatchRare {
  const taking = (n: number) => new Array<Type>(n).fill('i32');
  return {
    otherEntry: module.import('otherEntry', taking(2), null),
    watchUpper: module.import('watchUpper', taking(3), null),
    watchLeaf: module.import('watchLeaf', taking(3), null),
    idleStore: module.import('idleStore', taking(1), null),
    quietTable: module.import('quietTable', taking(2), null),
    upperWritten: module.import('upperWritten', taking(1), null),
    tableChanged: module.import('tableChanged', taking(6), null),
  };
}

export type WatchRoutines = Record<'enter' | 'noteWrite' | 'watchWalk' | 'tableWritten', Routine>;

/** Defines the routines of WatchCode, and exports them. */
export function defineWatch(
  module: CodeModule,
  { base, ram, frames, flags, writeEntries, leaves }: FrameAddresses,
  rare: WatchRare,
  find: Routine,
): WatchRoutines {
  const { otherEntry, watchUpper, watchLeaf, idleStore, quietTable, upperWritten, tableChanged } = rare;
  const flagsOf = (frame: I32): I32 => flags.add(frame).load8();

  // ---- The software TLB -----------------------------------------------------------------------------------------------------------------

  const note = module.define('note', ['i32', 'i32'], null, (code, [entry, isGlobal]) => {
    const bank = code.var32(base.add(base.load32(MMU.bank).mul(BANK_BYTES)).add(BANKS));
    const append = (length: number, items: number) => {
      const n = code.var32(bank.load32(length));
      // A list that is full only says so.
      code.rarely(n.gtU(FILLED_ITEMS), () => code.return());
      code.if(n.ltU(FILLED_ITEMS), () => code.store32(bank.add(n.shl(2)), items, entry));
      code.store32(bank, length, n.add(1));
    };
    code.if(
      isGlobal,
      () => append(BANK.global, BANK.globalItems),
      () => append(BANK.own, BANK.ownItems),
    );
  });

  const enter = module.define(
    'enter',
    ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
    null,
    (code, [entry, low, high, frame, isGuarded, isGlobal]) => {
      const page = code.var32(low.and(~0xfff));
      code.store32(entry, 0, page.or(isGuarded.mul(GUARD)));
      code.store32(entry, 4, high);
      code.store32(entry, 8, ram.add(frame.shl(12)).sub(page));
      code.store32(entry, 12, frame);
      code.do(note(entry, isGlobal));
    },
  );

  const noteWrite = module.define('noteWrite', ['i32', 'i32'], null, (code, [entry, frame]) => {
    const at = code.var32(writeEntries.add(frame.shl(2)));
    const before = code.var32(at.load32());
    code.if(before.eq(entry), () => code.return());
    code.store32(at, 0, entry);
    code.if(before.isZero, () => code.return());
    // One that was emptied lets nothing through.
    code.if(before.load32(12).eq(frame).and(before.load64().ne(-1n)), () => code.do(otherEntry(frame, before)));
  });

  const dropPage = module.define('dropPage', ['i32', 'i32'], null, (code, [pageLow, tag]) => {
    const index = code.var32(base.add(pageLow.and(TLB_ENTRIES - 1).shl(4)));
    const drop = (at: I32, offset: number) => code.store64(at, offset, -1n);
    const dropExecute = (at: I32, offset: number) => {
      code.rarely(at.load64(offset).ne(-1n), () => countDrop(code, base));
      drop(at, offset);
    };
    dropExecute(index, TLB_SETS.slow + TLB_EXECUTE);
    const left = code.var32(base.load32(MMU.usedBanks));
    code.loop((leave) => {
      code.if(left.isZero, leave);
      const n = code.var32(left.trailingZeros);
      left.set(left.and(left.sub(1)));
      const bank = code.var32(base.add(n.mul(BANK_BYTES)));
      const isEmpty = bank.load32(BANKS + BANK.own).or(bank.load32(BANKS + BANK.global)).isZero;
      const isOf = tag.eq(GLOBAL_TAG).or(bank.load32(BANKS + BANK.pcid).eq(tag));
      code.if(isOf.and(isEmpty.isZero), () => {
        const sets = code.var32(index.add(n.mul(TLB_BANK_BYTES)));
        for (const set of [TLB_SETS.supervisor, TLB_SETS.supervisorAc, TLB_SETS.user]) {
          for (const kind of [TLB_READ, TLB_WRITE]) drop(sets, set + kind);
          dropExecute(sets, set + TLB_EXECUTE);
        }
      });
    });
  });

  // ---- The watch over page tables ----------------------------------------------------------------------------------------------------------

  const watchWalk = module.define('watchWalk', ['i32', 'i32', 'i32', 'i32'], null, (code, [walk, pageLow, pageHigh, tag]) => {
    const leafLevel = code.var32(walk.load32(WALK_AT.leafLevel));
    const frame = code.var32(0);
    const leaf = code.var32(0);
    const owner = code.var64(ownerOf(tag, TRANSLATIONS));
    for (const level of [4, 3, 2, 1]) {
      code.if(leafLevel.gtU(level), () => code.return());
      frame.set(walk.load64(WALK_AT.entries + 16 * level).shrU(12n).low);
      code.rarely(frame.geU(frames), () => code.return());
      leaf.set(leaves.add(frame.mul(LEAF_BYTES)));
      if (level === 1) break;
      const isOwners = leaf.load64(LEAF.owner).eq(owner).or(leaf.load32(LEAF.owner).eq(SHARED));
      const isNoted = level === 4 ? leaf.load32(LEAF.isRoot).where(tag.eq(GLOBAL_TAG), isOwners) : isOwners;
      code.rarely(flagsOf(frame).lacks(FRAME.upperTable).or(isNoted.isZero), () => code.do(watchUpper(frame, tag, level)));
    }
    const region = code.var32(pageLow.shrU(9).or(pageHigh.shl(23)));
    const wanted = code.var64(regionOf(region, tag));
    code.if(flagsOf(frame).has(FRAME.leafTable), () => eachRegion(code, leaf, (known) => code.if(known.eq(wanted), () => code.return())));
    code.do(watchLeaf(frame, region, tag));
  });

  const quietStore = module.define(null, ['i32', 'i32'], null, (code, [frame, isUpper]) => {
    code.if(isUpper.isZero, () => {
      code.if(flagsOf(frame).lacks(FRAME.leafTable), () => code.return());
      const leaf = code.var32(leaves.add(frame.mul(LEAF_BYTES)));
      const quiet = code.var32(leaf.load32(LEAF.quiet).add(1));
      code.store32(leaf, LEAF.quiet, quiet);
      code.if(quiet.ltU(leaf.load32(LEAF.patience)), () => code.return());
    });
    code.do(quietTable(frame, isUpper));
  });

  const six = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  const tableWritten = module.define('tableWritten', six, null, (code, [frame, index, beforeLow, beforeHigh, afterLow, afterHigh]) => {
    const tell = () =>
      code.rarely(base.load32(MMU.control).has(MMU_CONTROL.events), () =>
        code.do(tableChanged(frame, index, beforeLow, beforeHigh, afterLow, afterHigh)),
      );
    code.if(beforeLow.eq(afterLow).and(beforeHigh.eq(afterHigh)), () => {
      code.do(idleStore(frame));
      code.return();
    });
    const isUpper = code.var32(flagsOf(frame).has(FRAME.upperTable));
    code.rarely(isUpper, () => emitForgetTables(code, base));
    const isRelevant = beforeLow.xor(afterLow).has(~IRRELEVANT_LOW).or(beforeHigh.xor(afterHigh).has(~IRRELEVANT_HIGH));
    code.if(isRelevant.isZero.or(beforeLow.lacks(PTE.P).and(base.load32(MMU.staleInUse).isZero)), () => {
      code.do(quietStore(frame, isUpper));
      code.return();
    });
    code.if(isUpper, () => {
      code.do(upperWritten(frame));
      tell();
      code.return();
    });
    const leaf = code.var32(leaves.add(frame.mul(LEAF_BYTES)));
    const isFound = code.var32(0);
    eachRegion(code, leaf, (region) => {
      const tag = code.var32(region.shrU(27n).low);
      const page = code.var64(region.and(0x7ff_ffffn).shl(9n).or(index.unsigned64));
      const slot = code.var32(find(page.low, page.high, tag, 0));
      code.if(slot.geS(0), () => {
        isFound.set(1);
        code.store32(slot, SLOTS_AT + SLOT.epoch, 0, TRANSLATIONS);
        code.do(dropPage(page.low, tag));
      });
    });
    code.if(
      isFound,
      () => {
        code.store32(leaf, LEAF.quiet, 0);
        tell();
      },
      () => code.do(quietStore(frame, 0)),
    );
  });
  return { enter, noteWrite, watchWalk, tableWritten };
}

/** Execute entries of the software TLB are dropped, perhaps. */
export const countDrop = (code: Code, base: I32): void => code.store32(base, MMU.executeDrops, base.load32(MMU.executeDrops).add(1));

/** The pair (2 MiB of linear space, tag) as one number. */
const regionOf = (region: I32, tag: I32): I64 => tag.unsigned64.shl(27n).or(region.unsigned64);

/** Runs `body` for each region that a last-level table serves. */
function eachRegion(code: Code, leaf: I32, body: (region: I64) => void): void {
  const at = code.var32(leaf);
  const end = code.var32(at.add(at.load32(LEAF.count).shl(3)));
  code.loop((leave) => {
    code.if(at.geU(end), leave);
    const region = code.var64(at.load64(LEAF.regions));
    body(region);
    at.set(at.add(8));
  });
}
