import { addressOf, asm, sliceAt } from 'palindrome/intrinsics';

/** Number of the lowest set bit of a word that is not 0. */
export function lowestBit(word: u64): i32 {
  return i32(asm('bsf rax, rax', { rax: word }, 'rax'));
}

/** The bytes of words, as they lie in memory. */
export function bytesOfWords(words: BigUint64Array): Uint8Array {
  return sliceAt(addressOf(words), u64(words.length) * 8n);
}
