/** Logical → linear addresses outside of 64-bit mode, with the checks of SDM Vol. 3 section 5.3 (limits) and 5.4 (types). */
import { SS } from '../isa/registers.ts';
import { ACCESS, type CpuState, CR0, SEGMENT_ATTRIBUTES, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_UNUSABLE } from './state.ts';

const CODE = 1 << 3;
const EXPAND_DOWN = 1 << 2;
const WRITABLE_OR_READABLE = 1 << 1;
const BIG = 1 << 10;

/** `access` as of slow paths. A fault (#SS or #GP, code 0) is left pending and null returned. */
export function linearAddress(state: CpuState, segment: number, offset: bigint, access: number): bigint | null {
  const attributes = state.get32(SEGMENT_ATTRIBUTES + 4 * segment);
  const limit = state.get32(SEGMENT_LIMIT + 4 * segment);
  const size = access & ACCESS.size;
  const isWrite = (access & ACCESS.modify) !== 0;
  const first = Number(offset);
  const last = first + size - 1;
  const isProtected = (state.get32(CR0) & 1) !== 0;
  const isCode = (attributes & CODE) !== 0;
  const allowed = isCode ? !isWrite && (attributes & WRITABLE_OR_READABLE) !== 0 : !isWrite || (attributes & WRITABLE_OR_READABLE) !== 0;
  const isExpandDown = !isCode && (attributes & EXPAND_DOWN) !== 0;
  const inside = isExpandDown ? first > limit && last <= ((attributes & BIG) !== 0 ? 0xffff_ffff : 0xffff) : last <= limit;
  if ((isProtected && ((attributes & SEGMENT_UNUSABLE) !== 0 || !allowed)) || !inside) {
    state.raise(segment === SS ? 12 : 13, 0);
    return null;
  }
  return BigInt.asUintN(32, offset + state.get64(SEGMENT_BASE + 8 * segment));
}
