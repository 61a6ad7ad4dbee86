/**
 * How translations are found, entered and dropped: WebAssembly over a memory that holds nothing else (translations.ts says what they are). The MMU has
 * the same routines in its own module, and TypeScript has them by themselves.
 *
 *     0        capacity (slots), used slots, kinds, and two sums over all live entries, where they were asked for: HEADER
 *     TAGS_AT  by tag, 8 bytes: its generation, how many of its entries live: TAG
 *     SLOTS_AT slots of 32 bytes, open addressing: SLOT. A slot is named by its distance from SLOTS_AT
 *
 * What it imports: the memory, and `rebuild`, called when half of the slots are used.
 */
import { type Code, CodeModule, I32, I64, type Int, type Routine, type Var32 } from '../translator/code.ts';

export const GLOBAL_TAG = 4096;
export const TAGS = 4097;

export const HEADER = { capacity: 0, used: 4, kinds: 8, sumA: 12, sumB: 16 } as const;
export const TAGS_AT = 64;
export const TAG_BYTES = 8;
export const TAG = { generation: 0, live: 4 } as const;
export const SLOTS_AT = 0x9000;
export const SLOT_BYTES = 32;
/** `key`: page number bits 35:32, tag << 4, size << 17. */
export const SLOT = { low: 0, key: 4, generation: 8, frame: 12, rights: 16, epoch: 20, root: 24, seen: 28 } as const;
/** Generations that no tag has. */
const EMPTY = 0;
const REMOVED = -1;
/** A tag that is here has no entries yet: all are to be numbered anew. */
const LAST_GENERATION = -2;

export interface TranslationsCode {
  /** The slot that translates a page for a PCID, or −1. Small pages win over large ones, the PCID's own over global ones. */
  lookup(pageLow: number, pageHigh: number, pcid: number): number;
  /** One exact key; `low`, `high` are the page number in units of the size (32 and 4 bits). */
  find(low: number, high: number, tag: number, size: number): number;
  /** Enters a translation that is not there. Slots of other entries may change: look them up again. */
  insert(
    low: number,
    high: number,
    tag: number,
    size: number,
    frame: number,
    rights: number,
    epoch: number,
    root: number,
    seen: number,
  ): number;
  /** Changes rights and what was seen of a live entry. */
  update(slot: number, rights: number, seen: number): void;
  remove(slot: number): void;
  /** Drops every translation of one tag. */
  flushTag(tag: number): void;
  /** The first slot from this one on that holds a live entry, or −1. */
  next(slot: number): number;
  /** Makes the two sums over all live entries. */
  sum(): void;
  /** Drops everything, and begins with the first generation. */
  clear(): void;
}

export type TranslationsRoutines = Record<'lookup' | 'find' | 'insert' | 'update' | 'remove' | 'flushTag', Routine>;

const NOTHING = I32.of(0);

/** The routines for TypeScript, in a module of their own. */
export function translationsModule(): Uint8Array<ArrayBuffer> {
  const module = new CodeModule();
  module.memory('translations');
  const { routines, others } = defineTranslations(module, 0, module.import('rebuild', [], null));
  for (const [name, routine] of Object.entries({ ...routines, ...others })) module.export(name, routine);
  return module.build();
}

/** The routines as part of a module, over its memory of this number; generated code does not ask for `others`. */
export function defineTranslations(
  module: CodeModule,
  memory: number,
  rebuild: Routine,
): { readonly routines: TranslationsRoutines; readonly others: Record<string, Routine> } {
  const header = (field: number): I32 => NOTHING.load32(field, memory);
  const slotBytes = (): I32 => header(HEADER.capacity).mul(SLOT_BYTES);
  const tagField = (tag: I32, field: number): I32 => tagAt(tag).load32(field, memory);
  /** Runs `body` for one slot after the other, from the key's own on, until it returns. */
  const probe = (code: Code, low: Var32, key: Var32, body: (slot: Var32) => void): void => {
    const mask = code.var32(header(HEADER.capacity).sub(1).mul(SLOT_BYTES));
    const hash = code.var32(low.xor(key.mul(0x9e3779b1)).mul(0x85ebca6b));
    const slot = code.var32(hash.xor(hash.shrU(15)).mul(SLOT_BYTES).and(mask));
    code.loop(() => {
      body(slot);
      slot.set(slot.add(SLOT_BYTES).and(mask));
    });
  };

  const mix = (code: Code, a: I32, b: I32): Var32 => {
    const h = code.var32(a.xor(b.mul(0xcc9e2d51)).mul(0x85ebca6b));
    h.set(h.xor(h.shrU(13)).mul(0xc2b2ae35));
    h.set(h.xor(h.shrU(16)));
    return h;
  };

  /** One live entry more (1) or less (−1). */
  const count = (code: Code, tag: I32, change: number) => {
    const at = code.var32(tagAt(tag));
    code.store32(at, TAG.live, at.load32(TAG.live, memory).add(change), memory);
  };

  const find = module.define(null, ['i32', 'i32', 'i32', 'i32'], 'i32', (code, [low, high, tag, size]) => {
    const key = code.var32(keyOf(high, tag, size));
    const wanted = code.var64(I64.join(low, key));
    const generation = code.var32(tagField(tag, TAG.generation));
    probe(code, low, key, (slot) => {
      const found = code.var32(slot.load32(SLOTS_AT + SLOT.generation, memory));
      code.rarely(found.eq(EMPTY), () => code.return(-1));
      const isIt = found.eq(generation).and(slot.load64(SLOTS_AT + SLOT.low, memory).eq(wanted));
      code.if(isIt, () => code.return(slot));
    });
  });

  const lookup = module.define(null, ['i32', 'i32', 'i32'], 'i32', (code, [pageLow, pageHigh, pcid]) => {
    const kinds = code.var32(header(HEADER.kinds));
    const unit = code.var32(pageLow);
    const slot = code.var32(-1);
    const ask = (size: number, high: Int) => {
      for (const [bit, tag] of [pcid, GLOBAL_TAG].entries()) {
        code.if(kinds.has(1 << (2 * size + bit)), () => {
          slot.set(find(unit, high, tag, size));
          code.if(slot.geS(0), () => code.return(slot));
        });
      }
    };
    ask(0, pageHigh);
    code.if(kinds.ltU(4), () => code.return(-1));
    unit.set(pageLow.shrU(9).or(pageHigh.shl(23)));
    ask(1, 0);
    unit.set(unit.shrU(9));
    ask(2, 0);
    code.return(-1);
  });

  const payload = ['i32', 'i32', 'i32', 'i32', 'i32'] as const;
  const insert = module.define(null, ['i32', 'i32', 'i32', 'i32', ...payload], 'i32', (code, [low, high, tag, size, ...values]) => {
    code.rarely(header(HEADER.used).shl(1).geU(header(HEADER.capacity)), () => code.do(rebuild()));
    const key = code.var32(keyOf(high, tag, size));
    probe(code, low, key, (slot) => {
      const before = code.var32(slot.load32(SLOTS_AT + SLOT.generation, memory));
      code.if(before.ne(tagField(tagOf(slot.load32(SLOTS_AT + SLOT.key, memory)), TAG.generation)), () => {
        code.store32(NOTHING, HEADER.used, header(HEADER.used).add(before.eq(EMPTY)), memory);
        const set = (at: number, value: Int) => code.store32(slot, SLOTS_AT + at, value, memory);
        set(SLOT.low, low);
        set(SLOT.key, key);
        set(SLOT.generation, tagField(tag, TAG.generation));
        for (const [n, at] of [SLOT.frame, SLOT.rights, SLOT.epoch, SLOT.root, SLOT.seen].entries()) set(at, values[n] ?? NOTHING);
        code.store32(NOTHING, HEADER.kinds, header(HEADER.kinds).or(I32.of(1).shl(size.shl(1).or(tag.eq(GLOBAL_TAG)))), memory);
        count(code, tag, 1);
        code.return(slot);
      });
    });
  });

  const update = module.define(null, ['i32', 'i32', 'i32'], null, (code, [slot, rights, seen]) => {
    code.store32(slot, SLOTS_AT + SLOT.rights, rights, memory);
    code.store32(slot, SLOTS_AT + SLOT.seen, seen, memory);
  });

  const remove = module.define(null, ['i32'], null, (code, [slot]) => {
    count(code, tagOf(slot.load32(SLOTS_AT + SLOT.key, memory)), -1);
    code.store32(slot, SLOTS_AT + SLOT.generation, REMOVED, memory);
  });

  const flushTag = module.define(null, ['i32'], null, (code, [tag]) => {
    const at = code.var32(tagAt(tag));
    const generation = code.var32(at.load32(TAG.generation, memory).add(1));
    code.store32(at, TAG.generation, generation, memory);
    code.store32(at, TAG.live, 0, memory);
    code.rarely(generation.eq(LAST_GENERATION), () => code.do(rebuild()));
  });

  const next = module.define(null, ['i32'], 'i32', (code, [from]) => {
    const slot = code.var32(from);
    code.loop(() => {
      code.if(slot.geU(slotBytes()), () => code.return(-1));
      const generation = code.var32(slot.load32(SLOTS_AT + SLOT.generation, memory));
      const isLive = generation.eq(tagField(tagOf(slot.load32(SLOTS_AT + SLOT.key, memory)), TAG.generation));
      code.if(generation.ne(EMPTY).and(isLive), () => code.return(slot));
      slot.set(slot.add(SLOT_BYTES));
    });
  });

  /** An entry's share is never zero in both halves. */
  const sum = module.define(null, [], null, (code) => {
    const [sumA, sumB] = [code.var32(0), code.var32(0)];
    const slot = code.var32(0);
    code.loop((leave) => {
      slot.set(next(slot));
      code.if(slot.ltS(0), leave);
      const field = (at: number) => code.var32(slot.load32(SLOTS_AT + at, memory));
      const [low, key, frame] = [field(SLOT.low), field(SLOT.key), field(SLOT.frame)];
      const payload = code.var32(field(SLOT.rights).xor(field(SLOT.seen).mul(0x2545f491)));
      const ofPair = (first: readonly [I32, I32], second: readonly [I32, I32]) => mix(code, mix(code, ...first), mix(code, ...second));
      sumA.set(sumA.add(ofPair([low.xor(0x5bd1e995), key], [frame, payload]).or(1)));
      sumB.set(sumB.add(ofPair([payload.xor(0x1b873593), frame], [key, low])));
      slot.set(slot.add(SLOT_BYTES));
    });
    code.store32(NOTHING, HEADER.sumA, sumA, memory);
    code.store32(NOTHING, HEADER.sumB, sumB, memory);
  });

  const clear = module.define(null, [], null, (code) => {
    code.fill(I32.of(SLOTS_AT), EMPTY, slotBytes(), memory);
    for (const field of [HEADER.used, HEADER.kinds]) code.store32(NOTHING, field, 0, memory);
    const tag = code.var32(TAGS_AT);
    code.loop((leave) => {
      code.if(tag.geU(TAGS_AT + TAGS * TAG_BYTES), leave);
      // Both fields at once: with a thousand PCIDs this is most of what a restore costs here.
      code.store64(tag, TAG.generation, BigInt(EMPTY + 1), memory);
      tag.set(tag.add(TAG_BYTES));
    });
  });
  return { routines: { lookup, find, insert, update, remove, flushTag }, others: { next, sum, clear } };
}

/** A tag as it is now: its number + 1, and above it its generation (`LEAF.owner` of higher tables). */
export function ownerOf(tag: I32, memory: number): I64 {
  return tagAt(tag).load32(TAG.generation, memory).unsigned64.shl(32n).or(tag.add(1).unsigned64);
}

/** How many entries of a tag live. */
export const liveOf = (tag: I32, memory: number): I32 => tagAt(tag).load32(TAG.live, memory);

const keyOf = (high: I32, tag: I32, size: I32): I32 => high.or(tag.shl(4)).or(size.shl(17));
const tagOf = (key: I32): I32 => key.shrU(4).and(0x1fff);
const tagAt = (tag: I32): I32 => tag.mul(TAG_BYTES).add(TAGS_AT);
