/**
 * Emits the recording of the addresses of memory operands: a word for each access (cpu/address-log.ts), where the instruction can no longer fail.
 *
 * Tier 0 finds the key by the decoded entry and appends in memory. In a region the key is a constant but for the page, and where the next word goes is in
 * a local.
 */
import { BY_STACK, isByRsp, KEYS } from '../cpu/address-log.ts';
import { ADDRESS_NEXT } from '../cpu/state.ts';
import type { Decoded } from '../isa/decode.ts';
import type { SegmentRef } from '../isa/dsl.ts';
import { RSP, SS } from '../isa/registers.ts';
import type { StateAccess } from './emit.ts';
import { ENTRY, hasFixedMemory } from './entry.ts';
import type { EntryLocals } from './entry-access.ts';
import type { LocalPool } from './lowering-context.ts';
import { bitsInMemory, pathRecorder } from './path-recorder.ts';
import type { AddressRecorder, Recorded, Recorders } from './recorders.ts';
import type { RegionInstruction } from './region-graph.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

const WORD_BYTES = 8;
const PAGE = 4096;
/** RIP's part of a key that a region does not know. */
const PAGE_PART = BigInt(KEYS - PAGE);

/** The recorders of tier 0's code for a form. */
export function recordersInMemory(
  f: FunctionBuilder,
  locals: LocalPool,
  at: EntryLocals,
  decoded: Decoded,
  access: StateAccess,
  { hasPath, hasAddresses }: Recorded,
): Recorders {
  return {
    path: hasPath ? pathRecorder(f, locals, at.base, bitsInMemory(f, locals, at.base)) : null,
    addresses: hasAddresses ? addressesInMemory(f, locals, at, decoded, access) : null,
  };
}

function addressesInMemory(f: FunctionBuilder, locals: LocalPool, at: EntryLocals, decoded: Decoded, access: StateAccess): AddressRecorder {
  /** Leaves BY_STACK or 0. */
  const kind = (segment: SegmentRef) => {
    const operand = segment.kind === 'operand' ? decoded.operands[segment.index] : undefined;
    if (operand?.kind !== 'mem') return f.i64(segment.kind === 'fixed' && segment.segment === SS ? BigInt(BY_STACK) : 0n);
    if (operand.base < 0 || hasFixedMemory(decoded)) return f.i64(isByRsp(operand) ? BigInt(BY_STACK) : 0n);
    // Which register it is says the entry: one form has code for all.
    f.i64(BigInt(BY_STACK));
    f.i64(0n);
    f.get(at.entry);
    f.load('i32_8u', ENTRY.base);
    f.i32(8 * RSP);
    f.op(OP.i32.eq, OP.select);
  };
  return {
    append(accesses) {
      if (accesses.length === 0) return;
      const [next, rip] = [locals.take('i32'), locals.take('i64')];
      f.get(at.base);
      f.load('i32', ADDRESS_NEXT);
      f.set(next);
      access.rip(ENTRY.offset);
      f.set(rip);
      for (const [i, { linear, segment }] of accesses.entries()) {
        f.get(next);
        f.get(linear);
        f.i64(16n);
        f.op(OP.i64.shl);
        f.get(rip);
        f.i64(BigInt(i));
        f.op(OP.i64.add);
        f.i64(BigInt(KEYS - 1));
        f.op(OP.i64.and, OP.i64.or);
        kind(segment);
        f.op(OP.i64.or);
        f.store('i64', WORD_BYTES * i);
      }
      f.get(at.base);
      f.get(next);
      f.i32(WORD_BYTES * accesses.length);
      f.op(OP.i32.add);
      f.store('i32', ADDRESS_NEXT);
    },
  };
}

/** The addresses that a region records. */
export class RegionAddresses {
  readonly #f: FunctionBuilder;
  readonly #base: number;
  /** The linear address that the region's are relative to. */
  readonly #page: number;
  /** Where the next word goes (i32), and PAGE_PART of the page (i64). */
  readonly #next: number;
  readonly #key: number;

  constructor(f: FunctionBuilder, base: number, page: number) {
    this.#f = f;
    this.#base = base;
    this.#page = page;
    this.#next = f.local('i32');
    this.#key = f.local('i64');
  }

  of({ at, form: { decoded } }: RegionInstruction): AddressRecorder {
    const f = this.#f;
    return {
      append: (accesses) => {
        if (accesses.length === 0) return;
        for (const [i, { linear, segment }] of accesses.entries()) {
          const operand = segment.kind === 'operand' ? decoded.operands[segment.index] : undefined;
          const isByStack = operand?.kind === 'mem' ? isByRsp(operand) : segment.kind === 'fixed' && segment.segment === SS;
          f.get(this.#next);
          f.get(linear);
          f.i64(16n);
          f.op(OP.i64.shl);
          this.#addKey(at + i, isByStack ? BY_STACK : 0);
          f.op(OP.i64.add);
          f.store('i64', WORD_BYTES * i);
        }
        f.get(this.#next);
        f.i32(WORD_BYTES * accesses.length);
        f.op(OP.i32.add);
        f.set(this.#next);
      },
    };
  }

  /** Leaves the key of what lies at `at`. */
  #addKey(at: number, kind: number): void {
    const f = this.#f;
    if (at >= 0 && at < PAGE) {
      f.get(this.#key);
      f.i64(BigInt(at + kind));
      return f.op(OP.i64.add);
    }
    f.get(this.#page);
    f.i64(BigInt(at));
    f.op(OP.i64.add);
    f.i64(BigInt(KEYS - 1));
    f.op(OP.i64.and);
    f.i64(BigInt(kind));
    f.op(OP.i64.add);
  }

  /** At the region's begin. */
  load(): void {
    const f = this.#f;
    f.get(this.#base);
    f.load('i32', ADDRESS_NEXT);
    f.set(this.#next);
    f.get(this.#page);
    f.i64(PAGE_PART);
    f.op(OP.i64.and);
    f.set(this.#key);
  }

  /** Where it is left. */
  store(): void {
    this.#f.get(this.#base);
    this.#f.get(this.#next);
    this.#f.store('i32', ADDRESS_NEXT);
  }
}
