/**
 * User memory as the kernel may touch it: a range validated once, where the call enters, and copied by the routines of user-copy.ts. An invalid slice
 * copies nothing. The bytes may change between two copies: read what decides something once.
 */
import { addressOf, asm } from 'palindrome/intrinsics';
import { put32, put64, smaller, word64 } from '../abi/numbers.ts';
import { USER_END, USER_FIRST } from './virtual-layout.ts';

/** Whether all of [address, address + length) lies in the user's half, without wrap-around. A length of 0 touches nothing and is valid anywhere. */
export function isUserRange(address: u64, length: u64): boolean {
  if (length === 0n) return true;
  return address >= USER_FIRST && address < USER_END && length <= USER_END - address;
}

export class UserSlice {
  readonly address: u64;
  readonly length: u64;
  readonly isValid: boolean;

  constructor(address: u64, length: u64) {
    this.address = address;
    this.length = length;
    this.isValid = isUserRange(address, length);
  }

  private covers(offset: u64, count: i32): boolean {
    return this.isValid && offset <= this.length && u64(count) <= this.length - offset;
  }

  /** User memory at `offset` → `into`, all of it. False: a page of it cannot be read.
   * @noinline */
  read(offset: u64, into: Uint8Array): boolean {
    if (!this.covers(offset, into.length)) return false;
    return asm('call copy_from_user', { rdi: addressOf(into), rsi: this.address + offset, rdx: into.length }, 'rax') === 0n;
  }

  /** `from` → user memory at `offset`. False: a page of it cannot be written.
   * @noinline */
  write(offset: u64, from: Uint8Array): boolean {
    if (!this.covers(offset, from.length)) return false;
    return asm('call copy_to_user', { rdi: this.address + offset, rsi: addressOf(from), rdx: from.length }, 'rax') === 0n;
  }

  /** @noinline */
  read64(offset: u64): u64 | null {
    const bytes = new Uint8Array(8);
    if (!this.read(offset, bytes)) return null;
    return word64(bytes, 0);
  }

  read32(offset: u64): u32 | null {
    const bytes = new Uint8Array(4);
    if (!this.read(offset, bytes)) return null;
    return u32(u64(bytes[0]) | (u64(bytes[1]) << 8n) | (u64(bytes[2]) << 16n) | (u64(bytes[3]) << 24n));
  }

  /** @noinline */
  write64(offset: u64, value: u64): boolean {
    const bytes = new Uint8Array(8);
    put64(bytes, 0, value);
    return this.write(offset, bytes);
  }

  /** @noinline */
  write32(offset: u64, value: u32): boolean {
    const bytes = new Uint8Array(4);
    put32(bytes, 0, value);
    return this.write(offset, bytes);
  }
}

export const STRING_FAULT = -1;
export const STRING_LONG = -2;

/** A NUL-ended user string → `into`, at most `into.length` bytes with the NUL; returns the length without it, STRING_FAULT or STRING_LONG. */
export function readUserString(address: u64, into: Uint8Array): i32 {
  if (address < USER_FIRST || address >= USER_END) return STRING_FAULT;
  const room = USER_END - address;
  const limit = smaller(u64(into.length), room);
  const copied = asm('call copy_string_from_user', { rdi: addressOf(into), rsi: address, rdx: limit }, 'rax');
  if (copied === 0xffff_ffff_ffff_ffffn) return STRING_FAULT;
  if (copied > limit) return limit < u64(into.length) ? STRING_FAULT : STRING_LONG;
  return i32(copied) - 1;
}
