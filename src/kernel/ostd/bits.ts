import { asm } from 'palindrome/intrinsics';

/** Number of the lowest set bit of a word that is not 0. */
export function lowestBit(word: u64): i32 {
  return i32(asm('bsf rax, rax', { rax: word }, 'rax'));
}
