/**
 * Stores to RAM that somebody may want to hear of, the search for what is not zero, and the walk of page tables: WebAssembly over the machine's
 * memory (physical.ts, walk.ts).
 *
 * What it imports besides the memory: where RAM and the tables by frame lie (FrameTables), how many frames there are, and who is told
 * (StoreWatcher): `tableWritten`, `codeWritten`, `bump`, for frames whose versions are counted, and `marked`, of the walker in frames with watchpoints.
 */
import { PTE } from '../platform/bits.ts';
import { type Code, CodeModule, I32, I64, type Int, type Routine, type Var32 } from '../translator/code.ts';
import { DIRTY, FRAME, FRAME_LISTS, TABLE, WALK_AT, WATCHED } from './frames.ts';
import { GRANTS, RIGHTS } from './rights.ts';

export const WALK = { found: 0, notPresent: 1, reserved: 2 } as const;

export interface RamCode {
  /** Enters a frame into the dirty lists. */
  touch(frame: number): void;
  /** 1 where the write arrays of the software TLB may hold the frame. */
  mayCacheWrites(frame: number): number;
  /** Writes 1, 2, 4 or 8 bytes within a frame of RAM; tells watchers. */
  write(frame: number, offset: number, size: number, low: number, high: number): void;
  /** The walker sets A or D: only `bits` of an entry's low half are added, and table watchers are not told. `address` within RAM. */
  setEntryBits(address: number, bits: number): void;
  /**
   * The address in the memory of the first 8 bytes from `from` on that are not all zero; `to` where there are none before. All three are multiples of 8;
   * addresses above 2^31 come out negative.
   */
  nextUsed(from: number, to: number): number;
  /** Walks from the table in `root`; see walk.ts. `at`: where the result goes. */
  walk(at: number, root: number, pageLow: number, pageHigh: number, nxe: number): number;
  /** Sets A in every entry of the walk at `at`, and D in the leaf where it is for a write. */
  markUsed(at: number, write: number): void;
}

/** Bytes that a search for what is not zero passes over at a time: page tables are nearly empty. */
const STRIDE = 32;
/** High halves: bits 51:40 of an entry must be 0. */
const RESERVED_HIGH = 0x000fff00;

/** Addresses that a module imports. */
export type RamAddresses = Record<'ram' | 'frames' | 'flags' | 'lists' | 'unhashed' | 'unsaved', I32>;
/** Who is told of stores; see StoreWatcher. */
export type RamWatchers = Record<'tableWritten' | 'codeWritten' | 'bump' | 'marked', Routine>;
export type RamRoutines = Record<'touch' | 'write' | 'walk' | 'walkLeaf' | 'markUsed', Routine>;

/** The routines by themselves: for who has RAM alone. */
export function ramModule(): Uint8Array<ArrayBuffer> {
  const module = new CodeModule();
  module.memory('memory');
  const at = importRamAddresses(module);
  const tableWritten = module.import('tableWritten', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], null);
  defineRam(module, at, { tableWritten, ...importRamWatchers(module) });
  return module.build();
}

export function importRamAddresses(module: CodeModule): RamAddresses {
  return {
    ram: module.global32('ram'),
    frames: module.global32('frames'),
    flags: module.global32('flags'),
    lists: module.global32('lists'),
    unhashed: module.global32('unhashed'),
    unsaved: module.global32('unsaved'),
  };
}

export function importRamWatchers(module: CodeModule): Omit<RamWatchers, 'tableWritten'> {
  return {
    codeWritten: module.import('codeWritten', ['i32', 'i32', 'i32'], null),
    bump: module.import('bump', ['i32'], null),
    marked: module.import('marked', ['i32'], null),
  };
}

/** Defines the routines of RamCode, and exports them. */
export function defineRam(module: CodeModule, at: RamAddresses, { tableWritten, codeWritten, bump, marked }: RamWatchers): RamRoutines {
  const flagsOf = (frame: I32): I32 => at.flags.add(frame).load8();

  const touch = module.define('touch', ['i32'], null, (code, [frame]) => {
    const flags = code.var32(flagsOf(frame));
    code.if(flags.and(DIRTY).eq(DIRTY), () => code.return());
    const enter = (flag: number, items: I32, length: number) =>
      code.if(flags.lacks(flag), () => {
        const n = code.var32(at.lists.load32(length));
        code.store32(items.add(n.shl(2)), 0, frame);
        code.store32(at.lists, length, n.add(1));
      });
    enter(FRAME.unhashed, at.unhashed, FRAME_LISTS.unhashed);
    enter(FRAME.unsaved, at.unsaved, FRAME_LISTS.unsaved);
    code.store8(at.flags.add(frame), 0, flags.or(DIRTY));
  });

  module.define('mayCacheWrites', ['i32'], 'i32', (code, [frame]) => {
    code.if(frame.geU(at.frames), () => code.return(0));
    code.return(
      flagsOf(frame)
        .and(WATCHED | DIRTY)
        .eq(DIRTY),
    );
  });

  /** A store into a page-table frame is told entry by entry. */
  const writeWatched = module.define(null, ['i32', 'i32', 'i32', 'i32', 'i32'], null, (code, [frame, offset, size, low, high]) => {
    const flags = code.var32(flagsOf(frame));
    const page = code.var32(at.ram.add(frame.shl(12)));
    const first = code.var32(offset.and(0xff8));
    const last = code.var32(offset.add(size).sub(1).and(0xff8));
    const before = [first, last].map((entry) => code.var64(page.add(entry).load64()));
    storeBytes(code, page.add(offset), size, low, high);
    code.if(flags.has(FRAME.code), () => code.do(codeWritten(frame, offset, size)));
    code.if(flags.lacks(TABLE), () => code.return());
    const tell = (entry: Var32, was: I64) => {
      const address = page.add(entry);
      code.do(tableWritten(frame, entry.shrU(3), was.low, was.high, address.load32(0), address.load32(4)));
    };
    tell(first, before[0] ?? I64.of(0n));
    code.if(last.ne(first), () => tell(last, before[1] ?? I64.of(0n)));
  });

  const write = module.define('write', ['i32', 'i32', 'i32', 'i32', 'i32'], null, (code, [frame, offset, size, low, high]) => {
    code.do(touch(frame));
    code.rarely(flagsOf(frame).has(WATCHED), () => {
      code.if(flagsOf(frame).has(FRAME.versioned), () => code.do(bump(frame)));
      code.do(writeWatched(frame, offset, size, low, high));
      code.return();
    });
    storeBytes(code, at.ram.add(frame.shl(12)).add(offset), size, low, high);
  });

  module.define('nextUsed', ['i32', 'i32'], 'i32', (code, [from, to]) => {
    const at = code.var32(from);
    for (const stride of [STRIDE, 8]) {
      code.loop((leave) => {
        code.if(at.add(stride).gtU(to), leave);
        let all = at.load64();
        for (let offset = 8; offset < stride; offset += 8) all = all.or(at.load64(offset));
        code.if(all.ne(0n), leave);
        at.set(at.add(stride));
      });
    }
    code.return(at);
  });

  const setEntryBits = module.define('setEntryBits', ['i32', 'i32'], null, (code, [address, bits]) => {
    const before = code.var32(at.ram.add(address).load32());
    code.if(before.and(bits).eq(bits), () => code.return());
    const frame = code.var32(address.shrU(12));
    code.rarely(flagsOf(frame).has(FRAME.probedWrite), () => code.do(marked(address)));
    code.do(touch(frame));
    code.store32(at.ram.add(address), 0, before.or(bits));
    code.rarely(flagsOf(frame).has(FRAME.code), () => code.do(codeWritten(frame, address.and(0xfff), 4)));
  });

  /** Walks from a table on; `levels`: of the tables that are read. */
  const walkFrom = (
    code: Code,
    levels: readonly (4 | 3 | 2 | 1)[],
    { to, table, rights, pageLow, pageHigh, nxe }: Record<'to' | 'table' | 'rights' | 'pageLow' | 'nxe', Var32> & { pageHigh: I32 },
  ) => {
    const accessed = code.var32(1);
    const [low, high] = [code.var32(0), code.var32(0)];
    const end = (result: number) => code.return(result);
    code.store32(to, WALK_AT.firstLevel, levels[0] ?? 0);
    for (const level of levels) {
      const index = level === 4 ? pageHigh.and(15).shl(5).or(pageLow.shrU(27)) : pageLow.shrU(9 * (level - 1)).and(511);
      const offset = code.var32(index.shl(3));
      code.if(
        table.ltU(at.frames),
        () => {
          const entry = code.var32(at.ram.add(table.shl(12)).add(offset));
          low.set(entry.load32(0));
          high.set(entry.load32(4));
        },
        () => {
          low.set(-1);
          high.set(-1);
        },
      );
      code.store32(to, WALK_AT.leafLevel, level);
      code.store64(to, WALK_AT.entries + 16 * level, table.unsigned64.shl(12n).or(offset.unsigned64));
      code.store64(to, WALK_AT.entries + 16 * level + 8, I64.join(low, high));
      if (level === 1) code.store32(to, WALK_AT.upperRights, rights);
      code.if(low.lacks(PTE.P), () => end(WALK.notPresent));
      code.rarely(high.has(RESERVED_HIGH).or(high.ltS(0).and(nxe.isZero)), () => end(WALK.reserved));
      if (level === 4) code.rarely(low.has(PTE.PS), () => end(WALK.reserved));
      code.if(low.lacks(PTE.W), () => rights.set(rights.and(~RIGHTS.write)));
      code.if(low.lacks(PTE.U), () => rights.set(rights.and(~RIGHTS.user)));
      code.if(high.ltS(0), () => rights.set(rights.and(~RIGHTS.execute)));
      code.if(low.lacks(PTE.A), () => accessed.set(0));
      table.set(high.and(0xff).shl(20).or(low.shrU(12)));
      const leaf = () => {
        // Address bits below the page's size must be 0, but for bit 12, PAT.
        if (level === 3) code.rarely(low.has(0x3fffe000), () => end(WALK.reserved));
        if (level === 2) code.rarely(low.has(0x001fe000), () => end(WALK.reserved));
        code.store32(to, WALK_AT.frame, level === 1 ? table : table.and(~1));
        const marks = low.has(PTE.G).mul(RIGHTS.global).or(low.has(PTE.D).mul(RIGHTS.dirty));
        code.store32(to, WALK_AT.rights, rights.or(marks));
        code.store32(to, WALK_AT.accessed, accessed);
        end(WALK.found);
      };
      if (level === 1) leaf();
      else if (level < 4) code.if(low.has(PTE.PS), leaf);
    }
  };
  const walk = module.define('walk', ['i32', 'i32', 'i32', 'i32', 'i32'], 'i32', (code, [to, root, pageLow, pageHigh, nxe]) =>
    walkFrom(code, [4, 3, 2, 1], { to, table: root, rights: code.var32(GRANTS), pageLow, pageHigh, nxe }),
  );
  const walkLeaf = module.define(null, ['i32', 'i32', 'i32', 'i32', 'i32'], 'i32', (code, [to, table, rights, pageLow, nxe]) =>
    walkFrom(code, [1], { to, table, rights, pageLow, pageHigh: I32.of(0), nxe }),
  );

  const markUsed = module.define('markUsed', ['i32', 'i32'], null, (code, [from, write]) => {
    const leaf = code.var32(from.load32(WALK_AT.leafLevel));
    const first = code.var32(from.load32(WALK_AT.firstLevel));
    for (const level of [4, 3, 2, 1]) {
      const entry = WALK_AT.entries + 16 * level;
      code.if(leaf.gtU(level), () => code.return());
      const bits = I32.of(PTE.A | PTE.D).where(leaf.eq(level).and(write), PTE.A);
      code.if(first.geU(level), () => {
        const added = code.var32(bits);
        const lacks = from
          .load32(entry + 8)
          .and(added)
          .ne(added);
        code.if(lacks, () => code.do(setEntryBits(from.load32(entry), added)));
      });
    }
    code.return();
  });
  return { touch, write, walk, walkLeaf, markUsed };
}

/** Stores 1, 2, 4 or 8 bytes. */
function storeBytes(code: Code, address: I32, size: Var32, low: Int, high: I32): void {
  const to = code.var32(address);
  code.if(
    size.eq(8),
    () => code.store64(to, 0, I64.join(I32.of(low), high)),
    () =>
      code.if(
        size.eq(4),
        () => code.store32(to, 0, low),
        () =>
          code.if(
            size.eq(2),
            () => code.store16(to, 0, low),
            () => code.store8(to, 0, low),
          ),
      ),
  );
}
