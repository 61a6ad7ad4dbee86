/**
 * The column of addresses of a block: the linear address of each memory access that an instruction makes on behalf of its operands.
 *
 * Which accesses: those of the explicit memory operands, and the implicit ones on the stack (PUSH, POP, CALL, RET, ENTER, LEAVE …), each once, in the order in
 * which the instruction makes them; what is read and then written counts once. Of a repeated string instruction, those of each iteration. Of instructions
 * that load tables, pointers or state (LGDT, LDS, FXSAVE, far JMP through memory …) that of the memory operand, once. An instruction that faults has none.
 * None are: page walks, fetches, descriptors, task state, the frames of interrupts, IRET, far CALL and far RET, and what an address is only computed for
 * (LEA, INVLPG, a NOP with an operand). Of one instruction eight at most.
 *
 * How they are written: machine/cpu/address-log.ts. What one access was follows from those before it and the code that made it: who executes the run again
 * knows that, and so the column is compared as it is. From the columns alone `wrongGuesses` tells where the guesses were wrong.
 */
import { ADDRESS_GUESS, type PackedAddresses } from '../machine/index.ts';
import { Malformed } from './trace/malformed.ts';

/** Access number `index` of the block was not what it was guessed to be. */
export interface WrongGuess {
  readonly index: number;
  /** Which other guess was right, or how far the address lies from the first one. */
  readonly is: 'other' | 'following' | bigint;
}

const LEAST_LONG = ADDRESS_GUESS.many;
/** A difference between two sums of addresses of 48 bits. */
const MOST_BYTES = 7;

/** What a column says of one access: null, the guess was right; undefined: there is no such access. */
export type Said = WrongGuess['is'] | null | undefined;

/** The wrong guesses of a block, in order. Throws `Malformed` where no recording writes such columns. */
export function* wrongGuesses({ count, misses, differences }: PackedAddresses): Generator<WrongGuess> {
  const counts = new DataView(misses.buffer, misses.byteOffset, misses.length);
  let index = 0;
  let difference = 0;
  for (let at = 0; at < misses.length; index++) {
    const byte = misses[at++] ?? 0;
    let right = byte >> 4;
    if (right === ADDRESS_GUESS.many) {
      if (at + 4 > misses.length) throw new Malformed('the wrong guesses of addresses end within one');
      right = counts.getUint32(at, true);
      at += 4;
      if (right < LEAST_LONG) throw new Malformed(`${right} right guesses of addresses are written as many`);
    }
    index += right;
    if (index >= count) throw new Malformed(`a wrong guess of address ${index} where there are ${count}`);
    const what = byte & 15;
    if (what === ADDRESS_GUESS.other) yield { index, is: 'other' };
    else if (what === ADDRESS_GUESS.following) yield { index, is: 'following' };
    else {
      if (what > MOST_BYTES) throw new Malformed(`a wrong guess of an address of kind ${what}`);
      const end = difference + what;
      if (end > differences.length) throw new Malformed('there are fewer differences of addresses than wrong guesses');
      yield { index, is: differenceOf(differences.subarray(difference, end)) };
      difference = end;
    }
  }
  if (difference !== differences.length) throw new Malformed('there are more differences of addresses than wrong guesses');
}

function differenceOf(bytes: Uint8Array): bigint {
  if (bytes[bytes.length - 1] === 0) throw new Malformed('a difference of addresses has more bytes than it needs');
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
}

/** The number of the first access in which the columns differ; null: they are the same. `partly`: `replayed` is compared with the front of `recorded`. */
export function firstDifferentAddress(recorded: PackedAddresses, replayed: PackedAddresses, partly: boolean): number | null {
  const [left, right] = [wrongGuesses(recorded), wrongGuesses(replayed)];
  for (;;) {
    const [a, b] = [left.next().value as WrongGuess | undefined, right.next().value as WrongGuess | undefined];
    if (a !== undefined && b !== undefined && a.index === b.index && a.is === b.is) continue;
    const [first, second] = [a?.index ?? recorded.count, b?.index ?? replayed.count];
    const index = Math.min(first, second);
    if (partly) return index < replayed.count ? index : null;
    return index < Math.max(recorded.count, replayed.count) ? index : null;
  }
}

/** What a column says of one access. */
export function guessAt(addresses: PackedAddresses, index: number): Said {
  if (index >= addresses.count) return undefined;
  for (const wrong of wrongGuesses(addresses)) {
    if (wrong.index === index) return wrong.is;
    if (wrong.index > index) return null;
  }
  return null;
}
