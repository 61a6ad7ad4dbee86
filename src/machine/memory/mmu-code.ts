/**
 * Linear accesses: rights, the walk on a miss, the filling of the software TLB, and the moving of bytes through SCRATCH, as WebAssembly
 * (mmu.ts says what the rules are). A physical address is a frame and the offset that the linear address has; frame −1: a fault is pending.
 *
 * Its module has the routines of the translations, of RAM and of the watch in it (MmuParts). What it leaves to TypeScript, since it is rare:
 * `compare` (a translation that may be out of date), `dropSlot`, `dropGlobal` (a page becomes global and hides larger ones, or is global no more),
 * `supervisorAccess`, what probe-code.ts says, `readDevice` and `writeDevice` (what is not RAM).
 */
import {
  ACCESS, CPL, FAULT_CODE, FAULT_CR2, FAULT_HAS_CODE, FAULT_PENDING, FAULT_VECTOR, MMU, SCRATCH, TLB_SET, TLB_SETS,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { PF, VECTOR } from '../platform/vectors.ts';
import { type Code, CodeModule, I32, I64, type Int, type Routine, type Var32 } from '../translator/code.ts';
import { copyWords, inPieces } from './byte-code.ts';
import { FRAME, TABLE, WALK_AT, WATCHED } from './frames.ts';
import { TRANSLATIONS } from './known-tables.ts';
import { EXECUTE, IMPLICIT, KIND, MMU_CONTROL, READ, WRITE } from './mmu-control.ts';
import { MmuParts } from './mmu-parts.ts';
import { WALK } from './ram-code.ts';
import { ALL_TOLD, GRANTS, RIGHTS } from './rights.ts';
import { defineRoot } from './root-code.ts';
import { GLOBAL_TAG, HEADER, SLOT } from './translations-code.ts';
import { GUARD } from './watch-code.ts';

export interface MmuCode {
  /** The slow paths of generated code: see cpu/ports.ts. */
  load(low: number, high: number, access: number): number;
  store(low: number, high: number, access: number): number;
  probe(low: number, high: number, access: number): number;
  refill(low: number, high: number, access: number): number;
  stored(): number;
  /** The frame of one access of `size` bytes within a page, or −1; `kind` with IMPLICIT for the CPU's own. Fills the software TLB. */
  translate(low: number, high: number, size: number, kind: number): number;
  /** The same without the software TLB. */
  find(low: number, high: number, size: number, kind: number): number;
  /** Reads bytes into SCRATCH, zero-extended to eight. 0: a fault is pending. */
  readScratch(low: number, high: number, size: number, kind: number): number;
  /** Writes bytes from SCRATCH, all or nothing. 0: a fault is pending. */
  writeScratch(low: number, high: number, size: number, kind: number): number;
}

export function mmuModule(): Uint8Array<ArrayBuffer> {
  const module = new CodeModule();
  module.memory('memory');
  module.memory('translations');
  new MmuRoutines(module).define();
  return module.build();
}

class MmuRoutines {
  readonly #module: CodeModule;
  readonly #at: MmuParts;

  constructor(module: CodeModule) {
    this.#module = module;
    this.#at = new MmuParts(module);
  }

  define(): void {
    const module = this.#module;
    const four = ['i32', 'i32', 'i32', 'i32'] as const;
    const allows = module.define(null, ['i32', 'i32', 'i32'], 'i32', (code, [rights, kind, user]) =>
      this.#allows(code, rights, kind, user),
    );
    const raise = module.define(null, ['i32', 'i32'], null, (code, [vector, errorCode]) => this.#raise(code, vector, errorCode));
    const pageFault = module.define(null, ['i32', 'i32', 'i32', 'i32', 'i32'], 'i32', (code, at) => this.#pageFault(code, raise, at));
    const enterWalk = module.define(null, [...four, 'i32'], 'i32', (code, at) => this.#enterWalk(code, at));
    const fill = module.define(null, [...four, 'i32'], 'i32', (code, at) => this.#fill(code, { allows, pageFault, enterWalk }, at));
    const find = module.define('find', four, 'i32', (code, at) => this.#find(code, { allows, pageFault, fill }, at));
    const cache = module.define(null, [...four, 'i32'], null, (code, at) => this.#cache(code, at));
    const known = module.define(null, four, 'i32', (code, [set, low, high, way]) => this.#known(code, set, low, high, way));
    const translate = module.define('translate', four, 'i32', (code, [low, high, size, kind]) => {
      const set = code.var32(this.#at.setFor(kind));
      const frame = code.var32(known(set, low, high, kind.and(3)));
      code.if(frame.geS(0), () => code.return(frame));
      frame.set(find(low, high, size, kind));
      code.if(frame.geS(0), () => code.do(cache(set, low, high, kind.and(3), frame)));
      code.return(frame);
    });
    const second = module.define(null, [...four, 'i32'], 'i32', (code, [low, high, split, size, kind]) => {
      const nextLow = low.add(split);
      code.return(translate(nextLow, this.#highOf(high, nextLow), size.sub(split), kind));
    });
    const resolve = module.define(null, [...four, 'i32'], 'i32', (code, at) => this.#resolve(code, { raise, translate }, at));
    const read = module.define(null, four, null, (code, at) => this.#readBytes(code, at));
    const write = module.define(null, four, null, (code, at) => this.#writeBytes(code, at));
    const three = ['i32', 'i32', 'i32'] as const;
    const parts = { known, resolve, second, read, write, translate };
    module.define('load', three, 'i32', (code, at) => this.#load(code, parts, at));
    module.define('store', three, 'i32', (code, at) => this.#store(code, parts, at));
    module.define('probe', three, 'i32', (code, [low, high, access]) => {
      const size = code.var32(access.and(ACCESS.size));
      code.if(resolve(low, high, size, WRITE, access).ltS(0), () => code.return(1));
      const split = code.var32(splitAt(low, size));
      code.if(split, () => code.if(second(low, high, split, size, WRITE).ltS(0), () => code.return(1)));
      code.return(0);
    });
    module.define('refill', three, 'i32', (code, at) => this.#refill(code, { allows, pageFault, enterWalk, cache }, at));
    module.define('stored', [], 'i32', (code) => this.#stored(code));
    module.define('readScratch', four, 'i32', (code, at) => this.#readScratch(code, parts, at));
    module.define('writeScratch', four, 'i32', (code, at) => this.#writeScratch(code, parts, at));
    defineRoot(module, this.#at, this.#at.rootRare, { raise, flushTag: this.#at.flushTag });
  }

  /** Of the page behind: it wraps at 2^32 (outside of 64-bit mode the caller's addresses end there) or carries into the high half. */
  #highOf(high: I32, nextLow: I32): I32 {
    return high.add(nextLow.isZero.and(this.#at.state(MMU.paging)));
  }

  #raise(code: Code, vector: Int, errorCode: Int): void {
    code.store32(this.#at.base, FAULT_PENDING, 1);
    code.store32(this.#at.base, FAULT_VECTOR, vector);
    code.store32(this.#at.base, FAULT_CODE, errorCode);
    code.store32(this.#at.base, FAULT_HAS_CODE, 1);
  }

  // ---- Translation ----------------------------------------------------------------------------------------------------------------------

  #allows(code: Code, rights: Var32, kind: Var32, user: Var32): void {
    const way = code.var32(kind.and(3));
    const isUserPage = code.var32(rights.has(RIGHTS.user));
    code.if(user, () => {
      code.if(isUserPage.isZero, () => code.return(0));
      code.if(way.eq(READ), () => code.return(1));
      code.return(rights.has(I32.of(RIGHTS.write).where(way.eq(WRITE), RIGHTS.execute)));
    });
    code.if(way.eq(EXECUTE), () => code.return(rights.has(RIGHTS.execute).and(isUserPage.and(this.#at.control(MMU_CONTROL.smep)).isZero)));
    const isDenied = this.#at.control(MMU_CONTROL.smap).and(kind.has(IMPLICIT).or(this.#at.ac().isZero));
    code.if(isUserPage, () => code.if(isDenied, () => code.return(0)));
    code.return(way.eq(READ).or(this.#at.control(MMU_CONTROL.wp).isZero).or(rights.has(RIGHTS.write)));
  }

  #pageFault(code: Code, raise: Routine, [low, high, way, user, bits]: Five): void {
    const isWrite = way.eq(WRITE).mul(PF.W);
    const isFetch = way
      .eq(EXECUTE)
      .and(this.#at.control(MMU_CONTROL.nxe | MMU_CONTROL.smep))
      .mul(PF.I);
    code.do(raise(VECTOR.PF, bits.or(isWrite).or(user.mul(PF.U)).or(isFetch)));
    code.store32(this.#at.base, FAULT_CR2, low);
    code.store32(this.#at.base, FAULT_CR2 + 4, high);
    code.return(-1);
  }

  /** Tells of an access that is to be told of: a supervisor's to a user page, or an explicit one to any page while AC is set. */
  #watch(code: Code, at: { low: I32; high: I32; size: Int; kind: I32; rights: I32; user: I32 }, isFaulted: 0 | 1): void {
    code.rarely(this.#at.control(MMU_CONTROL.watchSupervisor).and(at.user.isZero), () => {
      const isExplicit = this.#at.ac().and(at.kind.lacks(EXECUTE | IMPLICIT));
      code.if(at.rights.has(RIGHTS.user).or(isExplicit), () =>
        code.do(this.#at.supervisorAccess(at.low, at.high, at.size, at.kind, at.rights, isFaulted)),
      );
    });
  }

  /** Walks, checks, sets A and D and enters the translation. Gives its slot, or −1 with a page fault pending. */
  #fill(
    code: Code,
    { allows, pageFault, enterWalk }: Record<'allows' | 'pageFault' | 'enterWalk', Routine>,
    [low, high, bytes, kind, user]: Five,
  ): void {
    const way = code.var32(kind.and(3));
    const pageLow = code.var32(low.shrU(12).or(high.shl(20)));
    const pageHigh = code.var32(high.shrU(12).and(15));
    const found = code.var32(this.#at.walkPage(pageLow, pageHigh));
    code.if(found.ne(WALK.found), () => code.return(pageFault(low, high, way, user, ofFailedWalk(found))));
    const rights = code.var32(this.#at.walkAt.load32(WALK_AT.rights));
    code.if(allows(rights, kind, user).isZero, () => {
      this.#watch(code, { low, high, size: bytes, kind, rights, user }, 1);
      code.return(pageFault(low, high, way, user, PF.P));
    });
    code.return(enterWalk(pageLow, pageHigh, rights, way.eq(WRITE), -1));
  }

  /** The walk just made goes into the translations, where slot `before` has the same but for what the page was used for (−1: none has): returns its slot. */
  #enterWalk(code: Code, [pageLow, pageHigh, rights, write, before]: Five): void {
    code.if(write.or(this.#at.walkAt.load32(WALK_AT.accessed).isZero), () => code.do(this.#at.markUsed(this.#at.walkAt, write)));
    rights.set(rights.or(write.mul(RIGHTS.dirty)));
    const size = code.var32(this.#at.walkAt.load32(WALK_AT.leafLevel).sub(1));
    const tag = code.var32(this.#at.tagOf(rights));
    // A table that was known is watched.
    code.if(this.#at.walkAt.load32(WALK_AT.firstLevel).ne(1), () => {
      code.do(this.#at.watchWalk(this.#at.walkAt, pageLow, pageHigh, tag));
      code.if(size.isZero, () => code.do(this.#at.know(pageLow, pageHigh, tag)));
    });
    code.rarely(tag.eq(GLOBAL_TAG).and(this.#hidesLarger(size)), () => code.do(this.#at.dropGlobal(size, pageLow)));
    code.if(before.geS(0), () => {
      code.do(this.#at.update(before, rights, 0));
      code.return(before);
    });
    const low = code.var32(pageLow);
    const high = code.var32(pageHigh);
    code.rarely(size, () => {
      low.set(pageLow.shrU(9).or(pageHigh.shl(23)));
      code.if(size.eq(2), () => low.set(low.shrU(9)));
      high.set(0);
    });
    code.if(write, () => {
      // A translation that is walked again to set D may have hidden one of the tag and size that it has now.
      const hidden = code.var32(this.#at.findSlot(low, high, tag, size));
      code.rarely(hidden.geS(0), () => {
        code.do(this.#at.dropSlot(hidden, pageLow));
        code.do(this.#at.remove(hidden));
      });
    });
    const frame = this.#at.walkAt.load32(WALK_AT.frame);
    code.return(this.#at.insert(low, high, tag, size, frame, rights, this.#at.state(MMU.epoch), this.#at.state(MMU.rootKey), 0));
  }

  /** PCIDs may have larger pages of their own than this size class. */
  #hidesLarger(size: I32): I32 {
    const kinds = I32.of(0).load32(HEADER.kinds, TRANSLATIONS);
    return kinds.has(I32.of(0b010100).where(size.isZero, I32.of(0b010000).where(size.eq(1), 0)));
  }

  #find(code: Code, { allows, pageFault, fill }: Record<'allows' | 'pageFault' | 'fill', Routine>, [low, high, size, kind]: Four): void {
    const set = (offset: number, value: Int) => code.store32(this.#at.base, offset, value);
    set(MMU.rights, GRANTS);
    set(MMU.isCacheable, 1);
    set(MMU.isGlobal, 0);
    code.rarely(this.#at.state(MMU.paging).isZero, () => code.return(low.shrU(12)));
    const pageLow = code.var32(low.shrU(12).or(high.shl(20)));
    const pageHigh = code.var32(high.shrU(12).and(15));
    const user = code.var32(this.#at.isUser(kind));
    const slot = code.var32(this.#at.lookup(pageLow, pageHigh, this.#at.state(MMU.pcid)));
    const rights = code.var32(0);
    const refilled = () => {
      slot.set(fill(low, high, size, kind, user));
      code.if(slot.ltS(0), () => code.return(-1));
      rights.set(this.#at.slot(slot, SLOT.rights));
    };
    code.if(slot.ltS(0), refilled, () => {
      rights.set(this.#at.slot(slot, SLOT.rights));
      const isFirstWrite = kind.and(3).eq(WRITE).and(rights.lacks(RIGHTS.dirty));
      code.if(isFirstWrite, () =>
        code.if(allows(rights, kind, user), () => {
          // Of one that is out of date, the software TLB may hold what the walk will not give again.
          code.if(this.#at.isCurrent(slot).isZero, () => code.do(this.#at.dropSlot(slot, pageLow)));
          // What was global and is the PCID's own now would stay, after a flush, where it was found for others, or entered as global.
          const size = code.var32(I32.of(-1).where(this.#at.isGlobal(slot).isZero, this.#at.slot(slot, SLOT.key).shrU(17)));
          code.do(this.#at.remove(slot));
          refilled();
          code.rarely(size.geS(0).and(this.#at.isGlobal(slot).isZero), () => code.do(this.#at.dropGlobal(size, pageLow)));
          // It may have hidden others, which would come before what was walked.
          code.loop((leave) => {
            const first = code.var32(this.#at.lookup(pageLow, pageHigh, this.#at.state(MMU.pcid)));
            code.if(first.eq(slot), leave);
            code.do(this.#at.dropSlot(first, pageLow));
            code.do(this.#at.remove(first));
          });
        }),
      );
    });
    code.if(allows(rights, kind, user).isZero, () => {
      code.do(this.#at.dropSlot(slot, pageLow));
      code.do(this.#at.remove(slot));
      this.#watch(code, { low, high, size, kind, rights, user }, 1);
      code.return(pageFault(low, high, kind.and(3), user, PF.P));
    });
    code.rarely(this.#at.isCurrent(slot).isZero, () => code.do(this.#at.compare(slot, low, high, pageLow, pageHigh, kind)));
    this.#watch(code, { low, high, size, kind, rights, user }, 0);
    set(MMU.rights, this.#at.slot(slot, SLOT.rights));
    set(MMU.isGlobal, this.#at.isGlobal(slot));
    code.return(this.#at.frameOf(code, slot, pageLow));
  }

  // ---- The software TLB -------------------------------------------------------------------------------------------------------------------

  /** The frame that a set of the software TLB has for an access within one page, −1: none. */
  #known(code: Code, set: Var32, low: Var32, high: Var32, way: Var32): void {
    const entry = code.var32(this.#at.entry(set, way, low));
    code.if(this.#hits(entry, low, high), () => code.return(entry.load32(12)));
    code.return(-1);
  }

  /** An entry, guarded or not, has this page. */
  #hits(entry: Var32, low: I32, high: I32): I32 {
    return entry.load32(0).and(~GUARD).eq(low.and(~0xfff)).and(entry.load32(4).eq(high));
  }

  /** Where an unguarded entry lets whole words of 8 bytes within a page through, `move` moves them, and 1 is returned. */
  #quickly(code: Code, way: number, [low, high, size, kind]: Four, move: (host: Var32) => void): void {
    const entry = code.var32(this.#at.entry(this.#at.setFor(kind), way, low));
    const isWhole = low.or(size).lacks(7).and(low.and(0xfff).add(size).leU(4096));
    code.if(isWhole.and(entry.load32(0).eq(low.and(~0xfff))).and(entry.load32(4).eq(high)), () => {
      move(code.var32(entry.load32(8).add(low)));
      code.return(1);
    });
  }

  /** Enters what was found into a set. */
  #cache(code: Code, [set, low, high, way, frame]: Five): void {
    code.rarely(this.#at.state(MMU.isCacheable).isZero.or(set.eq(TLB_SETS.slow)), () => code.return());
    const isRam = code.var32(frame.ltU(this.#at.frames));
    const isGlobal = code.var32(this.#at.state(MMU.isGlobal));
    const probed = code.var32(this.#at.probedKinds(low, high, frame));
    const readEntry = code.var32(this.#at.entry(set, READ, low));
    // A first store mostly comes after a load: what that has entered is as it would be made.
    const isRead = this.#hits(readEntry, low, high).and(readEntry.load32(12).eq(frame));
    code.if(way.eq(READ).or(isRead.isZero.and(this.#at.state(MMU.rights).lacks(ALL_TOLD))), () =>
      code.do(this.#at.enter(readEntry, low, high, frame, isRam.isZero.or(probed.has(KIND.read)), isGlobal)),
    );
    code.if(way.ne(WRITE), () => code.return());
    code.if(isRam, () => code.do(this.#at.touch(frame)));
    const isGuarded = code.var32(this.#isWatched(frame, isRam).or(probed.has(KIND.write)));
    const entry = code.var32(this.#at.entry(set, WRITE, low));
    code.do(this.#at.enter(entry, low, high, frame, isGuarded, isGlobal));
    code.if(isGuarded.isZero, () => code.do(this.#at.noteWrite(entry, frame)));
  }

  /** Stores to this frame must be told. A frame of RAM is in the dirty lists here. */
  #isWatched(frame: I32, isRam: I32): I32 {
    const flags = this.#at.flags.add(frame.where(isRam, 0)).load8();
    return flags.and(WATCHED).ne(0).or(isRam.isZero);
  }

  #resolve(code: Code, { raise, translate }: Record<'raise' | 'translate', Routine>, [low, high, size, kind, access]: Five): void {
    const fail = (vector: Int) => {
      code.do(raise(vector, 0));
      code.return(-1);
    };
    const ofSegment = I32.of(VECTOR.SS).where(access.has(ACCESS.stack), VECTOR.GP);
    code.rarely(isCanonical(high).isZero, () => fail(ofSegment));
    code.rarely(this.#at.control(MMU_CONTROL.am).and(this.#at.ac()).and(this.#at.state(CPL).eq(3)), () =>
      code.if(size.leU(8).and(low.has(size.sub(1))), () => fail(VECTOR.AC)),
    );
    const split = code.var32(splitAt(low, size));
    // The last byte may be non-canonical although the first is not: the top of the lower half.
    code.rarely(split, () => code.if(low.geU(-4096).and(high.eq(0x7fff)), () => fail(ofSegment)));
    code.return(translate(low, high, size.where(split.isZero, split), kind));
  }

  /**
   * Only a translation that is up to date, or a walk that finds one or faults, and that tells nobody; see cpu/ports.ts. What a walk changes (A and D bits,
   * the translation) the access itself would change, and nothing else is changed.
   */
  #refill(
    code: Code,
    { allows, pageFault, enterWalk, cache }: Record<'allows' | 'pageFault' | 'enterWalk' | 'cache', Routine>,
    [low, high, access]: Three,
  ): void {
    const set = code.var32(this.#at.state(TLB_SET));
    const isOdd = isCanonical(high).isZero.or(splitAt(low, access.and(ACCESS.size)).ne(0));
    code.rarely(isOdd.or(set.eq(TLB_SETS.slow)), () => code.return(1));
    const kind = code.var32(I32.of(WRITE).where(access.has(ACCESS.modify), READ));
    // What is guarded stays so: the slow path finds all that it needs in the entry.
    const entry = code.var32(this.#at.entry(set, kind, low));
    code.if(this.#hits(entry, low, high), () => {
      code.if(access.has(ACCESS.tells), () => this.#letStore(code, entry.load32(12), low, high));
      code.return(1);
    });
    const frame = code.var32(low.shrU(12));
    const rights = code.var32(GRANTS);
    const isGlobal = code.var32(0);
    code.if(this.#at.state(MMU.paging), () => {
      const pageLow = code.var32(low.shrU(12).or(high.shl(20)));
      const pageHigh = code.var32(high.shrU(12).and(15));
      const user = code.var32(this.#at.state(CPL).eq(3));
      const isTold = code.var32(this.#at.control(MMU_CONTROL.watchSupervisor));
      const slot = code.var32(this.#at.lookup(pageLow, pageHigh, this.#at.state(MMU.pcid)));
      const isNew = code.var32(slot.ltS(0));
      code.if(isNew.isZero, () => {
        rights.set(this.#at.slot(slot, SLOT.rights));
        code.if(this.#at.isCurrent(slot).isZero.or(allows(rights, kind, user).isZero), () => code.return(1));
      });
      code.if(isNew.or(kind.eq(WRITE).and(rights.lacks(RIGHTS.dirty))), () => {
        const found = code.var32(this.#at.walkPage(pageLow, pageHigh));
        const fails = (bits: Int) => {
          code.if(isNew, () => code.drop(pageFault(low, high, kind, user, bits)));
          code.return(1);
        };
        code.if(found.ne(WALK.found), () => fails(ofFailedWalk(found)));
        code.rarely(isTold, () => code.return(1));
        rights.set(this.#at.walkAt.load32(WALK_AT.rights));
        code.if(allows(rights, kind, user).isZero, () => fails(PF.P));
        code.if(isNew.isZero, () => code.rarely(this.#isWalked(slot, rights).isZero, () => code.return(1)));
        this.#unlessAlone(code, rights, () => code.return(1));
        slot.set(enterWalk(pageLow, pageHigh, rights, kind.eq(WRITE), slot));
        rights.set(this.#at.slot(slot, SLOT.rights));
      });
      code.rarely(rights.has(ALL_TOLD), () => code.return(1));
      code.rarely(isTold.and(user.isZero).and(rights.has(RIGHTS.user).or(this.#at.ac())), () => code.return(1));
      isGlobal.set(this.#at.isGlobal(slot));
      frame.set(this.#at.frameOf(code, slot, pageLow));
    });
    code.rarely(frame.geU(this.#at.frames), () => code.return(1));
    code.store32(this.#at.base, MMU.isCacheable, 1);
    code.store32(this.#at.base, MMU.rights, rights);
    code.store32(this.#at.base, MMU.isGlobal, isGlobal);
    code.do(cache(set, low, high, kind, frame));
    const isProbed = this.#at.probedKinds(low, high, frame).has(I32.of(KIND.write).where(kind, KIND.read));
    code.return(
      kind
        .eq(WRITE)
        .and(this.#isWatched(frame, I32.of(1)))
        .or(isProbed),
    );
  }

  /** The translation has the tag, size and frame that the walk just made has found. */
  #isWalked(slot: Var32, rights: Var32): I32 {
    const { walkAt } = this.#at;
    const size = walkAt.load32(WALK_AT.leafLevel).sub(1);
    return this.#at.isKey(slot, this.#at.tagOf(rights), size).and(this.#at.slot(slot, SLOT.frame).eq(walkAt.load32(WALK_AT.frame)));
  }

  /** Returns 2 for a store of an entry of a page table that nobody in TypeScript hears of, as far as it is aligned; may return 1 for others. */
  #letStore(code: Code, frame: I32, low: Var32, high: Var32): void {
    const own = { frame: code.var32(frame), at: code.var32(low.and(0xfff)) };
    const flags = code.var32(this.#at.flags.add(own.frame.where(own.frame.ltU(this.#at.frames), 0)).load8());
    const isTable = flags
      .has(TABLE)
      .and(flags.lacks(WATCHED & ~TABLE))
      .and(own.frame.ltU(this.#at.frames));
    const isHeard = this.#at.control(MMU_CONTROL.events);
    code.if(isTable.and(low.lacks(7)).and(isHeard.isZero), () => {
      code.rarely(this.#at.probedKinds(low, high, own.frame).has(KIND.write), () => code.return(1));
      code.do(this.#at.touch(own.frame));
      code.store32(this.#at.base, MMU.storedFrame, own.frame);
      code.store32(this.#at.base, MMU.storedAt, own.at);
      code.store64(this.#at.base, MMU.storedOver, this.#at.ram.add(own.frame.shl(12)).add(own.at).load64());
      code.return(2);
    });
  }

  /** The rest of it. */
  #stored(code: Code): void {
    const { base } = this.#at;
    const drops = code.var32(base.load32(MMU.executeDrops));
    const frame = code.var32(base.load32(MMU.storedFrame));
    const at = code.var32(base.load32(MMU.storedAt));
    const now = code.var64(this.#at.ram.add(frame.shl(12)).add(at).load64());
    const before = code.var64(base.load64(MMU.storedOver));
    code.do(this.#at.tableWritten(frame, at.shrU(3), before.low, before.high, now.low, now.high));
    code.return(base.load32(MMU.executeDrops).ne(drops));
  }

  /** Where setting A and D after the walk just made would write to decoded code or what is watched, or translations of large pages are in its way. */
  #unlessAlone(code: Code, rights: Var32, otherwise: () => void): void {
    const walk = this.#at.walkAt;
    const leafLevel = code.var32(walk.load32(WALK_AT.leafLevel));
    const firstLevel = code.var32(walk.load32(WALK_AT.firstLevel));
    code.rarely(rights.has(RIGHTS.global).and(this.#hidesLarger(leafLevel.sub(1))), otherwise);
    for (const level of [4, 3, 2, 1]) {
      const table = walk.load64(WALK_AT.entries + 16 * level).shrU(12n).low;
      const isRead = firstLevel.geU(level).and(leafLevel.leU(level));
      code.if(isRead, () =>
        code.rarely(
          this.#at.flags
            .add(table)
            .load8()
            .has(FRAME.code | FRAME.probedWrite),
          otherwise,
        ),
      );
    }
  }

  // ---- Accesses -----------------------------------------------------------------------------------------------------------------------------

  #load(code: Code, { known, resolve, second, read }: Accesses, [low, high, access]: Three): void {
    const size = code.var32(access.and(ACCESS.size));
    const kind = code.var32(I32.of(WRITE).where(access.has(ACCESS.modify), READ));
    const split = code.var32(splitAt(low, size));
    const frame = code.var32(-1);
    code.if(split.isZero, () => frame.set(known(this.#at.state(TLB_SET), low, high, kind)));
    code.if(frame.ltS(0), () => {
      frame.set(resolve(low, high, size, kind, access));
      code.if(frame.ltS(0), () => code.return(1));
    });
    this.#move(code, { read, second, failed: 1, told: I32.of(READ) }, { low, high, size, kind, split, frame });
    code.return(0);
  }

  #store(code: Code, { known, resolve, second, write }: Accesses, [low, high, access]: Three): void {
    const size = code.var32(access.and(ACCESS.size));
    const split = code.var32(splitAt(low, size));
    const frame = code.var32(-1);
    code.if(split.isZero, () => frame.set(known(this.#at.state(TLB_SET), low, high, WRITE)));
    const isKnown = code.var32(frame.geS(0));
    code.if(isKnown.isZero, () => {
      frame.set(resolve(low, high, size, WRITE, access));
      code.if(frame.ltS(0), () => code.return(1));
    });
    this.#move(code, { read: write, second, failed: 1, told: I32.of(WRITE) }, { low, high, size, kind: code.var32(WRITE), split, frame });
    code.if(isKnown, () => this.#unguard(code, low, high, frame));
    code.return(0);
  }

  /** After a store through a guarded entry of the set in use: the next may go the quick way if nobody wants to hear of it. */
  #unguard(code: Code, low: Var32, high: Var32, frame: Var32): void {
    code.if(this.#isWatched(frame, frame.ltU(this.#at.frames)).isZero, () => {
      const entry = code.var32(this.#at.entry(this.#at.state(TLB_SET), WRITE, low));
      code.if(entry.load32(0).eq(low.and(~0xfff).or(GUARD)), () => {
        code.rarely(this.#at.probedKinds(low, high, frame).has(KIND.write), () => code.return(0));
        code.do(this.#at.noteWrite(entry, frame));
        code.store32(entry, 0, low.and(~0xfff));
      });
    });
  }

  /** Moves the bytes of an access, of which the first page is translated, and the second is to be; returns `failed` where that faults. `told`: its kind. */
  #move(
    code: Code,
    { read, second, failed, told }: { read: Routine; second: Routine; failed: Int; told: I32 },
    { low, high, size, kind, split, frame }: { low: Var32; high: Var32; size: Var32; kind: Var32; split: Var32; frame: Var32 },
  ): void {
    code.if(
      split.isZero,
      () => {
        code.do(this.#at.tellAccess(low, high, size, told, frame));
        code.do(read(frame, low.and(0xfff), 0, size));
      },
      () => {
        const next = code.var32(second(low, high, split, size, kind));
        code.if(next.ltS(0), () => code.return(failed));
        code.do(this.#at.tellAccess(low, high, split, told, frame));
        const nextLow = code.var32(low.add(split));
        code.do(this.#at.tellAccess(nextLow, this.#highOf(high, nextLow), size.sub(split), told, next));
        code.do(read(frame, low.and(0xfff), 0, split));
        code.do(read(next, 0, split, size.sub(split)));
      },
    );
  }

  #readScratch(code: Code, { second, read, translate }: Accesses, at: Four): void {
    const [low, high, size, kind] = at;
    this.#quickly(code, READ, at, (host) => copyWords(code, host, 0, this.#at.base, SCRATCH, size));
    const split = code.var32(splitAt(low, size));
    const frame = code.var32(translate(low, high, size.where(split.isZero, split), kind));
    code.if(frame.ltS(0), () => code.return(0));
    this.#move(code, { read, second, failed: 0, told: kind.and(IMPLICIT) }, { low, high, size, kind, split, frame });
    code.if(size.ltU(8), () => {
      const unused = code.var64(I64.of(64n).sub(size.unsigned64.shl(3n)));
      code.store64(this.#at.base, SCRATCH, this.#at.base.load64(SCRATCH).shl(unused).shrU(unused));
    });
    code.return(1);
  }

  #writeScratch(code: Code, { second, write, translate }: Accesses, at: Four): void {
    const [low, high, size, kind] = at;
    this.#quickly(code, WRITE, at, (host) => copyWords(code, this.#at.base, SCRATCH, host, 0, size));
    const split = code.var32(splitAt(low, size));
    const frame = code.var32(translate(low, high, size.where(split.isZero, split), kind));
    code.if(frame.ltS(0), () => code.return(0));
    this.#move(code, { read: write, second, failed: 0, told: kind.and(IMPLICIT).or(WRITE) }, { low, high, size, kind, split, frame });
    code.return(1);
  }

  /** From physical memory to byte `at` of SCRATCH, within one frame. */
  #readBytes(code: Code, [frame, offset, at, size]: Four): void {
    code.rarely(frame.geU(this.#at.frames), () => {
      code.do(this.#at.readDevice(frame, offset, at, size));
      code.return();
    });
    const from = code.var32(this.#at.ram.add(frame.shl(12)).add(offset));
    const to = code.var32(this.#at.base.add(at));
    inPieces(code, from, to.add(SCRATCH), size, (source, target, bytes) => {
      if (bytes === 8) code.store64(target, 0, source.load64());
      else code.store8(target, 0, source.load8());
    });
  }

  /** The other way; watchers are told of 8 bytes at once where there are so many, else of 4, 2 and 1. */
  #writeBytes(code: Code, [frame, offset, at, size]: Four): void {
    code.rarely(frame.geU(this.#at.frames), () => {
      code.do(this.#at.writeDevice(frame, offset, at, size));
      code.return();
    });
    const from = code.var32(this.#at.base.add(at).add(SCRATCH));
    const to = code.var32(offset);
    const left = code.var32(size);
    code.loop((leave) => {
      code.if(left.isZero, leave);
      const piece = code.var32(I32.of(2).where(left.ltU(4), 4).where(left.geU(8).isZero, 8));
      code.if(left.eq(1), () => piece.set(1));
      code.do(this.#at.write(frame, to, piece, from.load32(0), from.load32(4)));
      from.set(from.add(piece));
      to.set(to.add(piece));
      left.set(left.sub(piece));
    });
  }
}

/** Bits of the error code after a walk that came to nothing. */
const ofFailedWalk = (found: I32): I32 => found.eq(WALK.reserved).mul(PF.P | PF.RSVD);

type Accesses = Record<'known' | 'resolve' | 'second' | 'read' | 'write' | 'translate', Routine>;
type Three = readonly [Var32, Var32, Var32];
type Four = readonly [Var32, Var32, Var32, Var32];
type Five = readonly [Var32, Var32, Var32, Var32, Var32];

/** Bytes in the first page where an access crosses into a second, else 0. */
const splitAt = (low: I32, size: I32): I32 => I32.of(4096).sub(low.and(0xfff)).where(low.and(0xfff).add(size).gtU(4096), 0);

/** Bits 63:47 all alike (48-bit linear addresses). */
const isCanonical = (high: I32): I32 => high.shrS(15).add(1).ltU(2);
