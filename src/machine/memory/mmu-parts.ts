/** What the MMU's generated code (mmu-code.ts) is made of. */
import { CPL, MMU, RFLAGS_REST, TLB_READ, TLB_SET, TLB_WRITE } from '../cpu/state.ts';
import { RFLAGS } from '../isa/flags.ts';
import { type Code, type CodeModule, I32, type Int, type Routine, type Type, type Var32 } from '../translator/code.ts';
import { defineKnownTables, TRANSLATIONS } from './known-tables.ts';
import { IMPLICIT, MMU_CONTROL, WRITE } from './mmu-control.ts';
import { defineProbes, importProbeRare } from './probe-code.ts';
import { defineRam, importRamAddresses, importRamWatchers } from './ram-code.ts';
import { RIGHTS } from './rights.ts';
import { importRootRare, type RootRare } from './root-code.ts';
import { defineTranslations, GLOBAL_TAG, SLOT, SLOTS_AT } from './translations-code.ts';
import { defineWatch, importWatchRare } from './watch-code.ts';

/** Bits of a translated address that depend on the page's size, by size class. */
const WITHIN = [0, 511, 262143] as const;

/** Addresses and routines that the MMU's code uses, those of the parts below it defined in the same module; and what it reads in memory. */
export class MmuParts {
  readonly base: I32;
  readonly ram: I32;
  readonly frames: I32;
  readonly flags: I32;
  readonly leaves: I32;
  /** Where the MMU's walks leave their results. */
  readonly walkAt: I32;
  readonly lookup: Routine;
  readonly findSlot: Routine;
  readonly insert: Routine;
  readonly update: Routine;
  readonly remove: Routine;
  readonly touch: Routine;
  readonly write: Routine;
  readonly flushTag: Routine;
  readonly tableWritten: Routine;
  readonly walkPage: Routine;
  readonly know: Routine;
  readonly markUsed: Routine;
  readonly enter: Routine;
  readonly noteWrite: Routine;
  readonly watchWalk: Routine;
  readonly compare: Routine;
  readonly dropSlot: Routine;
  readonly dropGlobal: Routine;
  readonly supervisorAccess: Routine;
  readonly probedKinds: Routine;
  readonly tellAccess: Routine;
  readonly readDevice: Routine;
  readonly writeDevice: Routine;
  readonly rootRare: RootRare;

  constructor(module: CodeModule) {
    const at = importRamAddresses(module);
    this.base = module.global32('base');
    this.leaves = module.global32('leaves');
    this.ram = at.ram;
    this.frames = at.frames;
    this.flags = at.flags;
    this.walkAt = module.global32('walkAt');
    const addresses = { ...at, base: this.base, leaves: this.leaves, writeEntries: module.global32('writeEntries') };
    const taking = (n: number) => new Array<Type>(n).fill('i32');
    const rebuild = module.import('rebuild', [], null);
    const rare = importWatchRare(module);
    this.rootRare = importRootRare(module);
    const watchers = importRamWatchers(module);
    const probes = importProbeRare(module);
    this.compare = module.import('compare', taking(6), null);
    this.dropSlot = module.import('dropSlot', taking(2), null);
    this.dropGlobal = module.import('dropGlobal', taking(2), null);
    this.supervisorAccess = module.import('supervisorAccess', taking(6), null);
    this.readDevice = module.import('readDevice', taking(4), null);
    this.writeDevice = module.import('writeDevice', taking(4), null);
    const translations = defineTranslations(module, TRANSLATIONS, rebuild).routines;
    this.lookup = translations.lookup;
    this.findSlot = translations.find;
    this.insert = translations.insert;
    this.update = translations.update;
    this.remove = translations.remove;
    this.flushTag = translations.flushTag;
    const watch = defineWatch(module, addresses, rare, translations.find);
    this.enter = watch.enter;
    this.noteWrite = watch.noteWrite;
    this.watchWalk = watch.watchWalk;
    this.tableWritten = watch.tableWritten;
    const { probedKinds, tellAccess } = defineProbes(module, this, probes);
    this.probedKinds = probedKinds;
    this.tellAccess = tellAccess;
    const ram = defineRam(module, at, { ...watchers, tableWritten: watch.tableWritten });
    this.touch = ram.touch;
    this.write = ram.write;
    const known = defineKnownTables(module, this, ram.walk, ram.walkLeaf);
    this.walkPage = known.walkPage;
    this.know = known.know;
    this.markUsed = ram.markUsed;
  }

  state(offset: number): I32 {
    return this.base.load32(offset);
  }

  control(bit: number): I32 {
    return this.state(MMU.control).has(bit);
  }

  ac(): I32 {
    return this.state(RFLAGS_REST).has(RFLAGS.ac);
  }

  isUser(kind: I32): I32 {
    return kind.lacks(IMPLICIT).and(this.state(CPL).eq(3));
  }

  slot(slot: I32, field: number): I32 {
    return slot.load32(SLOTS_AT + field, TRANSLATIONS);
  }

  /** The translation is known to be what the tables of the present root say. */
  isCurrent(slot: I32): I32 {
    return this.slot(slot, SLOT.epoch)
      .eq(this.state(MMU.epoch))
      .and(this.slot(slot, SLOT.root).eq(this.state(MMU.rootKey)));
  }

  isGlobal(slot: I32): I32 {
    return this.slot(slot, SLOT.key).shrU(4).and(0x1fff).eq(GLOBAL_TAG);
  }

  /** The tag of a translation with these rights. */
  tagOf(rights: I32): I32 {
    return I32.of(GLOBAL_TAG).where(rights.has(RIGHTS.global).and(this.control(MMU_CONTROL.globals)), this.state(MMU.pcid));
  }

  /** The slot is of this tag and size class. */
  isKey(slot: I32, tag: I32, size: I32): I32 {
    return this.slot(slot, SLOT.key)
      .shrU(4)
      .eq(tag.or(size.shl(13)));
  }

  /** The frame of the 4 KiB page within the entry's page. */
  frameOf(code: Code, slot: Var32, pageLow: I32): Var32 {
    const frame = code.var32(this.slot(slot, SLOT.frame));
    const size = code.var32(this.slot(slot, SLOT.key).shrU(17));
    code.rarely(size, () => frame.set(frame.add(pageLow.and(I32.of(WITHIN[1]).where(size.eq(1), WITHIN[2])))));
    return frame;
  }

  /** The address of an entry for a linear page; `set` is an offset from the CPU's base. */
  entry(set: I32, way: Int, low: I32): I32 {
    const kind = typeof way === 'number' ? I32.of(way === WRITE ? TLB_WRITE : TLB_READ) : I32.of(TLB_WRITE).where(way.eq(WRITE), TLB_READ);
    return this.base.add(set).add(kind).add(low.shrU(8).and(0x1ff0));
  }

  /** The set for an access of this kind: what the CPU does for itself has a supervisor's rights with AC clear, at any CPL. */
  setFor(kind: I32): I32 {
    return this.state(MMU.implicitSet).where(kind.has(IMPLICIT), this.state(TLB_SET));
  }
}
