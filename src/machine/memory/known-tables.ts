/**
 * The last-level page tables that walks came to, by root and 2 MiB of linear space: a further walk there reads one entry instead of four.
 *
 * That cannot be noticed. All tables on the way are watched for the tag whose translations were walked through them, and have A set in the entries that
 * were read: a store that changes anything in a higher one, and whatever ends its being watched, forgets all that is known here.
 */
import { type CpuState, KNOWN_TABLE, KNOWN_TABLE_BYTES, KNOWN_TABLES, MMU } from '../cpu/state.ts';
import type { Code, CodeModule, I32, Routine, Var32 } from '../translator/code.ts';
import { WALK_AT } from './frames.ts';
import { MMU_CONTROL } from './mmu-control.ts';
import { WALK } from './ram-code.ts';
import { ownerOf } from './translations-code.ts';

/** The memory of the translations, in a module that has the machine's memory first. */
export const TRANSLATIONS = 1;

/** In KNOWN_TABLE.rights: there is a table. */
const VALID = 1 << 31;

interface Addresses {
  readonly base: I32;
  /** Of the result of walks. */
  readonly walkAt: I32;
  /** The tag of a translation with these rights. */
  tagOf(rights: I32): I32;
}

export interface KnownTablesRoutines {
  /** (pageLow, pageHigh) → WALK: from the present root, or from the table that is known; the result is where walks leave theirs. */
  readonly walkPage: Routine;
  /** (pageLow, pageHigh, tag): the walk just made found a page of 4 KiB, and its translation was entered. */
  readonly know: Routine;
}

export function defineKnownTables(module: CodeModule, addresses: Addresses, walk: Routine, walkLeaf: Routine): KnownTablesRoutines {
  const { base, walkAt } = addresses;
  const tagOf = (rights: I32): I32 => addresses.tagOf(rights);
  const regionOf = (pageLow: I32, pageHigh: I32): I32 => pageLow.shrU(9).or(pageHigh.shl(23));
  const knownOf = (code: Code, region: Var32): Var32 =>
    code.var32(base.add(region.and(KNOWN_TABLES - 1).mul(KNOWN_TABLE_BYTES)).add(KNOWN_TABLE.at));

  const walkPage = module.define(null, ['i32', 'i32'], 'i32', (code, [pageLow, pageHigh]) => {
    const root = code.var32(base.load32(MMU.root));
    const nxe = base.load32(MMU.control).has(MMU_CONTROL.nxe);
    const region = code.var32(regionOf(pageLow, pageHigh));
    const known = knownOf(code, region);
    const rights = code.var32(known.load32(KNOWN_TABLE.rights));
    const isKnown = known.load32(KNOWN_TABLE.region).eq(region).and(known.load32(KNOWN_TABLE.root).eq(root));
    code.if(isKnown.and(rights.has(VALID)), () => {
      const found = code.var32(walkLeaf(walkAt, known.load32(KNOWN_TABLE.frame), rights.and(~VALID), pageLow, nxe));
      code.if(found.ne(WALK.found), () => code.return(found));
      const tag = code.var32(tagOf(walkAt.load32(WALK_AT.rights)));
      code.if(known.load64(KNOWN_TABLE.owner).eq(ownerOf(tag, TRANSLATIONS)), () => code.return(found));
    });
    code.return(walk(walkAt, root, pageLow, pageHigh, nxe));
  });

  const know = module.define(null, ['i32', 'i32', 'i32'], null, (code, [pageLow, pageHigh, tag]) => {
    const region = code.var32(regionOf(pageLow, pageHigh));
    const known = knownOf(code, region);
    const set = (field: number, value: I32) => code.store32(known, field, value);
    set(KNOWN_TABLE.root, base.load32(MMU.root));
    set(KNOWN_TABLE.region, region);
    set(KNOWN_TABLE.frame, walkAt.load64(WALK_AT.entries + 16).shrU(12n).low);
    set(KNOWN_TABLE.rights, walkAt.load32(WALK_AT.upperRights).or(VALID));
    code.store64(known, KNOWN_TABLE.owner, ownerOf(tag, TRANSLATIONS));
  });
  return { walkPage, know };
}

/** Forgets them, as code. */
export function emitForgetTables(code: Code, base: I32): void {
  for (let n = 0; n < KNOWN_TABLES; n++) code.store32(base, KNOWN_TABLE.at + KNOWN_TABLE_BYTES * n + KNOWN_TABLE.rights, 0);
}

export function forgetTables(state: CpuState): void {
  for (let n = 0; n < KNOWN_TABLES; n++) state.set32(KNOWN_TABLE.at + KNOWN_TABLE_BYTES * n + KNOWN_TABLE.rights, 0);
}
