/** Memory and page tables of the machine as it stands now. */
import { CR0, CR4, type Machine, PTE, RIGHT } from '../../machine/index.ts';
import type { MemoryBytes, TranslationWalk, WalkLevel } from '../protocol.ts';

const PAGE = 4096n;
const FRAME_MASK = 0xf_ffff_ffff_f000n;
const NX = 1n << 63n;
const LEVEL_NAMES: Readonly<Record<number, string>> = { 4: 'PML4E', 3: 'PDPTE', 2: 'PDE', 1: 'PTE' };
const TOP = 1n << 64n;
/** Pages of 4 KiB in a page of each size class of the TLB. */
const PAGES_OF: readonly number[] = [1, 512, 262144];

/** Bytes from an address on, page by page: what is not mapped to RAM shows as such. */
export function readMemory(machine: Machine, space: 'linear' | 'physical', address: bigint, length: number): MemoryBytes {
  let bytes = '';
  const pages: { linear: string; physical: string | null }[] = [];
  for (let done = 0; done < length; ) {
    const at = address + BigInt(done);
    if (at >= TOP) break;
    const piece = Math.min(length - done, Number(PAGE - (at & (PAGE - 1n))));
    const physical = space === 'physical' ? at : (machine.translate(at)?.physical ?? null);
    const found = physical === null ? null : readRam(machine, physical, piece);
    bytes += found === null ? '..'.repeat(piece) : found.toString('hex');
    pages.push({ linear: hex(at), physical: found === null || physical === null ? null : hex(physical) });
    done += piece;
  }
  return { space, address: hex(address), bytes, pages };
}

/** The walk of an address by the tables of CR3, entry by entry, as far as it goes. */
export function walk(machine: Machine, address: bigint): TranslationWalk {
  const nothing = { address: hex(address), root: hex(machine.cr3), levels: [], result: null, ends: null, cached: [] };
  if ((machine.controls.cr0 & BigInt(CR0.PG >>> 0)) === 0n) {
    const result = { physical: hex(address & 0xffff_ffffn), size: Number(PAGE), rights: 'all: paging is off' };
    return { ...nothing, result };
  }
  if (BigInt.asUintN(64, BigInt.asIntN(48, address)) !== address) return { ...nothing, ends: 'the address is not canonical' };
  const { levels, ends } = levelsOf(machine, address);
  const found = machine.translate(address);
  const now = found === null ? null : { frame: Number(found.physical >> 12n), ...found };
  return {
    ...nothing,
    levels,
    result: found === null ? null : { physical: hex(found.physical), size: found.size, rights: rightsText(found) },
    ends: found === null ? (ends ?? 'an entry has a reserved bit set') : null,
    cached: cachedTranslations(machine, address, now),
  };
}

/** The entries from the root down, up to the leaf or to what ends the walk. */
function levelsOf(machine: Machine, address: bigint): { readonly levels: WalkLevel[]; readonly ends: string | null } {
  const levels: WalkLevel[] = [];
  let table = machine.cr3 & FRAME_MASK;
  for (let level = 4; level >= 1; level--) {
    const name = LEVEL_NAMES[level] ?? '';
    const index = Number((address >> BigInt(3 + 9 * level)) & 511n);
    const place = table + BigInt(8 * index);
    const bytes = readRam(machine, place, 8);
    if (bytes === null) return { levels, ends: `the table at ${hex(table)} lies outside of RAM` };
    const entry = bytes.readBigUInt64LE();
    const isLeaf = level === 1 || (level < 4 && (entry & BigInt(PTE.PS)) !== 0n);
    levels.push({
      name,
      index,
      address: hex(place),
      entry: `0x${entry.toString(16).padStart(16, '0')}`,
      flags: flagsOf(entry, isLeaf, level),
      frame: hex(entry & FRAME_MASK),
    });
    if ((entry & 1n) === 0n) return { levels, ends: `the ${name} is not present` };
    if (isLeaf) break;
    table = entry & FRAME_MASK;
  }
  return { levels, ends: null };
}

interface Rights {
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
}

/** Tags beyond are those of global pages. */
const MOST_PCID = 4095;

/** What the architectural TLB holds of the page, and whether the tables still say the same. */
function cachedTranslations(
  machine: Machine,
  address: bigint,
  now: (Rights & { readonly frame: number }) | null,
): TranslationWalk['cached'] {
  const page = Number((address >> 12n) & 0xf_ffff_ffffn);
  const pcid = (machine.controls.cr4 & BigInt(CR4.PCIDE)) === 0n ? 0 : Number(machine.cr3 & BigInt(MOST_PCID));
  return machine
    .translations()
    .filter((entry) => page >= entry.page && page < entry.page + (PAGES_OF[entry.size] ?? 1))
    .map(({ page: first, frame: firstFrame, rights, tag }) => {
      const frame = firstFrame + page - first;
      const has = (right: number): boolean => (rights & right) !== 0;
      const cached = { writable: has(RIGHT.write), user: has(RIGHT.user), executable: has(RIGHT.execute) };
      const isUsed = tag > MOST_PCID || tag === pcid;
      const isStale =
        isUsed &&
        (now === null ||
          now.frame !== frame ||
          (['writable', 'user', 'executable'] as const).some((right) => cached[right] && !now[right]));
      return { tag, frame: hex(BigInt(frame)), rights: rightsText(cached), isUsed, isStale };
    });
}

function rightsText({ writable, user, executable }: Rights): string {
  return `${user ? 'user' : 'supervisor'}: read${writable ? ', write' : ''}${executable ? ', execute' : ''}`;
}

/** By the manual's names; bits that a level ignores are left out. */
function flagsOf(entry: bigint, isLeaf: boolean, level: number): string[] {
  const names = Object.entries(PTE).flatMap(([name, bit]) => {
    if ((entry & BigInt(bit)) === 0n || (!isLeaf && (name === 'D' || name === 'G'))) return [];
    return name === 'PS' && level === 1 ? ['PAT'] : [name];
  });
  return (entry & NX) === 0n ? names : [...names, 'NX'];
}

/** Null outside of RAM. */
function readRam(machine: Machine, address: bigint, length: number): Buffer | null {
  if (address + BigInt(length) > BigInt(machine.ram.byteLength)) return null;
  return Buffer.from(machine.readPhysical(address, length));
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
